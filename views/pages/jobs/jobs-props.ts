import type { JobChart } from "./job-chart.tsx";
import type { JobTable } from "./job-table.tsx";
import type { JobInfo, ResultOrigin, Run } from "../../../core/analytic-job.ts";

/** An analytic job and how it is. */
export interface JobProps extends Pick<JobInfo, "name" | "title" | "question" | "schedule"> {
  /** Newest first. */
  runs: readonly Run[];
  /** Whether its chart is of one city at a time. */
  series: boolean;
  /** When it is due next, ms. */
  next: number | null;
  /** The newest result; null before the first. */
  result: { info: ResultOrigin; rows: number } | null;
}

/** A job's own page. `now` is the real time, ms. */
export interface JobPageProps {
  now: number;
  /** All jobs, for the list beside it. */
  jobs: JobProps[];
  job: JobProps;
  sql: string;
  /** The city whose part of the result is shown; null for all of it. */
  city: string | null;
  /** Cities of the result. */
  cities: { name: string; slug: string }[];
  chart: JobChart | null;
  table: JobTable | null;
}
