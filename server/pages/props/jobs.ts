import type { Place } from "../../../core/city.ts";
import type { JobPageProps, JobProps } from "../../../views/pages/jobs/jobs-props.ts";
import type { JobInfo } from "../../../core/analytic-job.ts";
import type { Services } from "../../answers/services.ts";
import { jobChart } from "./job-chart.ts";
import { jobTable } from "./job-table.ts";

/** Runs of a job that are shown. */
const RUNS = 12;

/** Every analytic job and how it is. */
export function jobsOf({ analytics }: Services): JobProps[] {
  return analytics.jobs().map((job) => jobOf(analytics, job));
}

/** One job and how it is. */
export function jobOf(analytics: Services["analytics"], job: JobInfo): JobProps {
  const { name, title, question, schedule, chart } = job;
  const result = analytics.result(name);
  return {
    name,
    title,
    question,
    schedule,
    series: / series=city( |$)/.test(chart ?? ""),
    runs: analytics.runs(name).slice(0, RUNS),
    next: analytics.nextRun(name),
    result: result === null ? null : { info: result, rows: result.table.numRows },
  };
}

/**
 * A job with its result.
 *
 * @param wanted the city to show of a result that has several; null for the first that it has
 */
export function jobPageOf(
  services: Services,
  job: JobInfo,
  wanted: Place | null,
): Omit<JobPageProps, "now" | "jobs"> {
  const { analytics } = services;
  const result = analytics.result(job.name);
  const table = result?.table ?? null;
  const names = table?.getChild("city") ?? null;
  const inResult = new Set<unknown>(names ?? []);
  const cities = services.cities().filter(({ name }) => inResult.has(name));
  const own = jobOf(analytics, job);
  // Drawn by city, a chart of all would be a knot.
  const city = wanted?.name ?? (own.series ? (cities[0]?.name ?? null) : null);
  return {
    job: own,
    sql: job.sql,
    city,
    cities: cities.map(({ name, slug }) => ({ name, slug })),
    chart: table === null ? null : jobChart(table, job.chart, city),
    table: table === null ? null : jobTable(table, job.name, names === null ? null : city),
  };
}
