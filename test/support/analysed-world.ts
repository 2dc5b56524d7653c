import { DEFAULT_CITIES } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { readSqlJobs, runJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { LakeFolder } from "./lake-files.ts";
import { FakeServices, result, row, why } from "./fake-services.ts";

/** Days behind the world. */
const DAYS = 31;
/** Hours ago of New York's gap: the first without a report, and the first with one again. */
export const GAP = { from: 40, to: 34 };

/** An hourly temperature without chance: a day's wave, and a little that differs from day to day. */
export function usualAt(city: number, ms: number): number {
  const hour = ms / HOUR_MS;
  const wave = 8 + city * 4 + 5 * Math.sin(((hour - 9) / 12) * Math.PI);
  return Math.round((wave + 1.2 * Math.sin(hour / 41 + city) + 0.4 * Math.sin(hour * 7.3 + city)) * 10) / 10;
}

/**
 * A month of hourly weather of the five default cities up to `now`, and what the real jobs say of it. London is 14 °C too
 * warm in its last hour, New York was silent for six hours, Tokyo has not reported for three, Sydney reports no rain.
 *
 * @param days how long it has been going on. Default: a month
 */
export async function analysedWorld(now: number, days = DAYS): Promise<FakeServices> {
  const services = new FakeServices();
  services.cityList = DEFAULT_CITIES.map((city) => ({ ...city }));
  services.about.staleAfterSeconds = 2 * 3600;
  const rows: Row[] = [];
  services.currentList = [];
  for (let ago = days * 24 - 1; ago >= 0; ago--) {
    const ms = now - ago * HOUR_MS;
    DEFAULT_CITIES.forEach(({ name }, i) => {
      if (name === "New York" && ago <= GAP.from && ago > GAP.to) return;
      if (name === "Tokyo" && ago < 3) return;
      const heat = name === "London" && ago === 0 ? 14 : 0;
      const made = row(rows.length, {
        city: name,
        timestamp: formatTimestamp(ms),
        temperature: Math.round((usualAt(i, ms) + heat) * 10) / 10,
        humidity: 55 + (rows.length % 30),
        pressure: 1004 + Math.round(8 * Math.sin(ms / HOUR_MS / 50 + i)),
        wind_speed: 2 + (rows.length % 50) / 10,
        rainfall: name === "Sydney" ? null : rows.length % 9 === 0 ? 0.6 : 0,
      });
      rows.push(made);
      const { log_offset: offset, ingested_at: _, ...observation } = made;
      const before = services.currentList.findIndex((one) => one.observation.city === name);
      if (before !== -1) services.currentList.splice(before, 1);
      services.currentList.push({ observation, offset, receivedMs: ms, judgement: null });
    });
  }
  services.rows = rows;
  const folder = await LakeFolder.make();
  try {
    const engine = await openDuckDb({ tempFolder: folder.path, threads: 2 });
    const snapshot = await folder.snapshot(rows);
    const views = await analysisViews({ cities: DEFAULT_CITIES });
    const jobs = await readSqlJobs();
    services.analytics.jobList = jobs.map(({ name, title, question, chart, sql }) => ({
      name,
      title,
      question,
      schedule: "*/5 * * * *",
      chart,
      sql,
    }));
    for (const job of jobs) {
      const table = await runJob(engine, job, { snapshot, views });
      const made = { generated_at: formatTimestamp(now - 90_000), rows_read: rows.length, table };
      services.analytics.results.set(job.name, result(job.name, made));
      if (job.name !== "forecast") continue;
      // What it said thirty hours ago.
      const before = now - 30 * HOUR_MS;
      const then = await folder.snapshot(rows.filter(({ timestamp }) => Date.parse(timestamp) <= before));
      const past = { ...made, run: "run-0", generated_at: formatTimestamp(before) };
      services.analytics.pastResults = [
        result(job.name, made),
        result(job.name, { ...past, table: await runJob(engine, job, { snapshot: then, views }) }),
      ];
    }
    await engine.close();
  } finally {
    await folder.remove();
  }
  const london = rows.findLast(({ city }) => city === "London");
  if (london !== undefined) services.whyList = [why(london, { ...london, temperature: 99 })];
  return services;
}
