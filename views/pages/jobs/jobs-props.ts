import type { JobChart } from "./job-chart.tsx";
import type { JobTable } from "./job-table.tsx";
import type { ResultInfo } from "../../props.ts";

/** One run of an analytic job; times are ms. */
export interface RunProps {
  id: string;
  state: "queued" | "running" | "succeeded" | "failed" | "cancelled";
  trigger: "schedule" | "request" | "start";
  /** 0 to 1. */
  progress: number;
  queued: number;
  started: number | null;
  finished: number | null;
  /** Rows of its result. */
  rows: number | null;
  /** Why it failed. */
  error: string | null;
}

/** An analytic job and how it is. */
export interface JobProps {
  name: string;
  title: string;
  /** What it answers. */
  question: string;
  /** Cron expression in UTC, or null when it runs on demand only. */
  schedule: string | null;
  /** Newest first. */
  runs: RunProps[];
  /** Whether its chart is of one city at a time. */
  series: boolean;
  /** When it is due next, ms. */
  next: number | null;
  /** The newest result; null before the first. */
  result: { info: ResultInfo; rows: number } | null;
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
