import { join } from "node:path";
import type { Table } from "apache-arrow";
import type { City } from "../../core/city.ts";
import { DAY_MS } from "../../core/time.ts";
import { KeptViews } from "../analytics/kept-views.ts";
import { timestampLiteral } from "../readers/observation-rows.ts";
import type { SnapshotFile } from "../../spark/engine.ts";
import { readSqlJobs, runJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import type { EvaluationContext } from "./context.ts";

/** The scores that reports are judged by: those of the kinds, and the plain z-score of the hour of the day. */
export const SCORES = ["spike", "step", "unusual", "stuck", "silent", "plain"] as const;

/** One of {@link SCORES}. */
export type Score = (typeof SCORES)[number];

/** The reports of one city that were judged, in time order. */
export interface JudgedSeries {
  city: string;
  /** Their times, ms. */
  times: Float64Array;
  /** How far each is outside, without a sign; NaN where it was not judged. */
  scores: Record<Score, Float64Array>;
}

/** How much of the past a baseline is made of, days: what its SQL looks at, and what the steps need before. */
const BASELINE_DAYS = 31;
/** Baselines made at a time: one query alone does not use two cores. */
const LANES = 2;

/**
 * Judges the reports of a time as the program does: the job `baseline` every few days from what came before, and the view
 * `anomaly` over the following days with the kept result in its place.
 *
 * @param name of a folder for files under way
 * @param files a file a day, in order
 * @param options.from first day that is judged, `2026-01-31`; there is history before it
 * @param options.everyDays how long a baseline is kept
 */
export async function judgeSeries(
  context: EvaluationContext,
  name: string,
  files: readonly SnapshotFile[],
  cities: readonly City[],
  options: { from: string; everyDays: number },
): Promise<JudgedSeries[]> {
  const { engine, folder } = context;
  const views = await analysisViews({ cities });
  const baseline = (await readSqlJobs()).find((job) => job.name === "baseline");
  if (baseline === undefined) throw new Error("there is no job baseline");
  const dated = files.map((file) => ({ file, day: Date.parse(file.date) }));
  const between = (from: number, to: number) => ({
    files: dated.flatMap(({ file, day }) => (day >= from && day < to ? [file] : [])),
  });
  const first = Date.parse(options.from);
  const end = Math.max(...dated.map(({ day }) => day)) + DAY_MS;
  const step = options.everyDays * DAY_MS;
  const judge = async (lane: number): Promise<Table[]> => {
    let kept: { run: string; table: Table } | null = null;
    const keptViews = new KeptViews({
      views,
      result: (job) => (job === baseline.name ? kept : undefined),
      folder: join(folder, `${name}-kept-${lane}`),
    });
    const tables: Table[] = [];
    for (let day = first + lane * step; day < end; day += LANES * step) {
      const table = await runJob(engine, baseline, {
        snapshot: between(day - BASELINE_DAYS * DAY_MS, day),
        views,
      });
      kept = { run: String(day), table };
      const judged = await engine.query(judgementsSql(day, day + step), {
        // Two days before, which hold the 25 h that a judgement needs, and one after: a spike is told by the next report.
        snapshot: between(day - 2 * DAY_MS, day + step + DAY_MS),
        views: await keptViews.list(),
      });
      tables.push(judged);
    }
    return tables;
  };
  const lanes = await Promise.all(Array.from({ length: LANES }, (_, lane) => judge(lane)));
  const inTime = lanes[0]!.flatMap((_, i) => lanes.flatMap((tables) => tables[i] ?? []));
  return seriesOf(inTime);
}

/** The reports of tables that follow each other in time, by city. */
function seriesOf(tables: readonly Table[]): JudgedSeries[] {
  const found = new Map<string, { times: number[]; scores: Record<Score, number[]> }>();
  for (const table of tables) {
    const column = (name: string) => table.getChild(name)!;
    const [names, times] = [column("city"), column("timestamp")];
    const scores = SCORES.map((score) => [score, column(score)] as const);
    for (let i = 0; i < table.numRows; i++) {
      const city = String(names.get(i));
      let series = found.get(city);
      if (series === undefined) found.set(city, (series = { times: [], scores: eachScore(() => []) }));
      series.times.push(Number(times.get(i)));
      for (const [score, vector] of scores) {
        series.scores[score].push((vector.get(i) as number | null) ?? NaN);
      }
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([city, { times, scores }]) => ({
      city,
      times: Float64Array.from(times),
      scores: eachScore((score) => Float64Array.from(scores[score])),
    }));
}

function eachScore<T>(valueOf: (score: Score) => T): Record<Score, T> {
  return Object.fromEntries(SCORES.map((score) => [score, valueOf(score)])) as Record<Score, T>;
}

/** A row a report, with the scores of its kinds. */
function judgementsSql(from: number, to: number): string {
  const scores = SCORES.filter((score) => score !== "plain").map(
    (kind) =>
      `max(CASE WHEN kind = '${kind}' AND status <> 'insufficient data' THEN abs(score) END) AS ${kind}`,
  );
  return `SELECT city, timestamp, ${scores.join(", ")},
      max(CASE WHEN status <> 'insufficient data' THEN abs(z_classic) END) AS plain
    FROM anomaly
    WHERE timestamp >= ${timestampLiteral(from)} AND timestamp < ${timestampLiteral(to)}
    GROUP BY city, source, timestamp
    ORDER BY timestamp, city, source`;
}
