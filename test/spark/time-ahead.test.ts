import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { readSqlJobs } from "../../spark/sql-job.ts";
import { AHEAD_MS, isAhead } from "../../spark/time-ahead.ts";
import { row, START } from "../support/lake-files.ts";
import { jobRunner } from "./jobs.ts";
import { expectRows } from "./reference.ts";

const DAYS = 12;
const END = START + DAYS * DAY_MS;

/** Hourly reports of a city, each taken when it was observed. */
const hourly = (city: string, base: number): Row[] =>
  Array.from({ length: DAYS * 24 }, (_, hour) => {
    const timestamp = formatTimestamp(START + hour * HOUR_MS);
    const noise = Math.sin(hour * 12.9898);
    return row({
      city,
      timestamp,
      ingested_at: timestamp,
      log_offset: hour,
      temperature: base + 4 * Math.sin((hour % 24) / 4) + noise,
      humidity: 70 + Math.round(9 * noise),
      pressure: 1013 + noise,
      rainfall: hour % 2,
    });
  });

/** A report of extreme weather with a time that is hours ahead of the log's clock. */
const ahead = (city: string, source: string, observed: number, log_offset: number): Row =>
  row({
    city,
    source,
    timestamp: formatTimestamp(observed),
    ingested_at: formatTimestamp(observed - 11 * HOUR_MS),
    temperature: 44,
    humidity: 3,
    pressure: 930,
    wind_speed: 55,
    wind_gust: 80,
    rainfall: 90,
    weather_main: "Storm",
    log_offset,
  });

describe("isAhead()", () => {
  test("begins beyond the bound of the test of time", () => {
    expect(AHEAD_MS).toBe(5 * 60_000);
    expect([isAhead(START + AHEAD_MS, START), isAhead(START + AHEAD_MS + 1, START)]).toEqual([false, true]);
  });
});

describe("a report whose time is ahead", async () => {
  const good = [...hourly("London", 5), ...hourly("Oslo", -3)];
  const failed = [
    ahead("London", "test", START + 90 * HOUR_MS + HOUR_MS / 2, 1001),
    ahead("London", "other", START + 100 * HOUR_MS + 60_000, 1002),
    ahead("London", "test", END + 10 * HOUR_MS, 1003),
    ahead("Oslo", "other", END + 30 * HOUR_MS, 1004),
  ];
  /** Without the counts of reports, in which those that fail are. */
  const uncounted = (rows: readonly Record<string, unknown>[]) =>
    rows.map(({ n: _n, n_failed: _failed, ...rest }) => rest);

  for (const { name } of await readSqlJobs()) {
    const run = jobRunner(name);
    test(`takes part in nothing of ${name} but the count of failures`, async () => {
      const wanted = await run(good);
      expect(wanted.length).toBeGreaterThan(0);
      expectRows(uncounted(await run([...good, ...failed])), uncounted(wanted));
    });
  }

  const run = jobRunner("city_statistics");
  test("is counted as failed", async () => {
    const found = await run([...good, ...failed]);
    expect(found.map(({ city, n_failed }) => [city, Number(n_failed)])).toEqual([
      ["London", 3],
      ["Oslo", 1],
    ]);
  });
});
