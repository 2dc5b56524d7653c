import type { Place } from "../../../core/city.ts";
import { parseTimestamp } from "../../../core/time.ts";
import type { JobPageProps, JobProps, RunProps } from "../../../views/pages/jobs/jobs-props.ts";
import type { JobInfo } from "../../../jobs/analytics/analytics.ts";
import type { Run } from "../../../jobs/analytics/runs.ts";
import type { Services } from "../../answers/services.ts";
import { infoOf } from "../../answers/result-columns.ts";
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
    runs: analytics.runs(name).slice(0, RUNS).map(runOf),
    next: analytics.nextRun(name),
    result: result === null ? null : { info: infoOf(result), rows: result.table.numRows },
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

function runOf(run: Run): RunProps {
  const time = (text: string | null) => (text === null ? null : parseTimestamp(text));
  return {
    id: run.id,
    state: run.state,
    trigger: run.trigger,
    progress: run.progress,
    queued: parseTimestamp(run.queued_at),
    started: time(run.started_at),
    finished: time(run.finished_at),
    rows: run.rows,
    error: run.error,
  };
}
