import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { row, START } from "../support/lake-files.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { expectRows, hourOf, mean, quantile, stddev } from "./reference.ts";

/** Hours with a report every ten minutes, and then those with one every two seconds. */
const [SLOW, FAST] = [14 * 24 - 3, 3];
const [TEN_MINUTES, TWO_SECONDS] = [600_000, 2000];

/** What is measured in an hour: days and a wave of a week, so that no two hours are alike. */
const wave = (hour: number) => Math.sin((2 * Math.PI * hour) / 170);
const temperature = (hour: number) => 20 + 2 * Math.sin((2 * Math.PI * hour) / 24) + 4 * wave(hour);
const pressure = (hour: number) => 1013 + 6 * wave(hour + 30);

/** Reports of some hours; those of the fast ones are rainy. The same values the whole hour, of which only the pace changes. */
function reports(from: number, to: number, stepMs: number, source = "test"): Row[] {
  const count = Math.round(((to - from) * HOUR_MS) / stepMs);
  return Array.from({ length: count }, (_, i) => {
    const ms = START + from * HOUR_MS + i * stepMs;
    const hour = Math.floor((ms - START) / HOUR_MS);
    const timestamp = formatTimestamp(ms);
    const isRainy = hour >= SLOW;
    return row({
      timestamp,
      ingested_at: timestamp,
      city: "Sydney",
      source,
      temperature: temperature(hour),
      pressure: pressure(hour),
      humidity: 60 + 0.1 * (hour % 24),
      wind_speed: 3 + (hour % 5),
      wind_direction: (10 * hour) % 360,
      rainfall: isRainy ? 0.5 : 0,
      weather_main: isRainy ? "Rain" : "Clear",
    });
  });
}

const numbered = (rows: readonly Row[]) => rows.map((one, log_offset) => ({ ...one, log_offset }));
const history = reports(0, SLOW, TEN_MINUTES);
/** The history, and then hours of the fast pace. */
const mixed = (hours: number) => numbered([...history, ...reports(SLOW, SLOW + hours, TWO_SECONDS)]);
const steady = numbered([...history, ...reports(SLOW, SLOW + FAST, TEN_MINUTES)]);
/** The first report of each hour. */
const thinned = numbered(
  steady.filter((one) => Date.parse(one.timestamp) === hourOf(one)).map((one) => ({ ...one })),
);
const without = (rows: readonly Record<string, unknown>[], pattern: RegExp) =>
  rows.map((one) => Object.fromEntries(Object.entries(one).filter(([name]) => !pattern.test(name))));

/** Counts of reports, and the time of the last one. */
const OF_REPORTS = /^(n|n_.*|last_timestamp|temperature_change)$/;

describe("statistics of a series of ten minutes that then reports every two seconds", () => {
  test("city_statistics has the means, quantiles and shares of time, and they do not move with reports", async () => {
    const hours = Array.from({ length: SLOW + FAST }, (_, hour) => temperature(hour));
    const [found] = await statistics(mixed(FAST));
    expect(found?.n).toBe(6 * SLOW + 1800 * FAST);
    expect(found?.hours).toBe(SLOW + FAST);
    expect(found?.temperature_mean).toBeCloseTo(mean(hours)!, 9);
    expect(found?.temperature_stddev).toBeCloseTo(stddev(hours)!, 9);
    expect(found?.temperature_median).toBeCloseTo(quantile(hours, 0.5)!, 9);
    expect(found?.temperature_p05).toBeCloseTo(quantile(hours, 0.05)!, 9);
    expect(found?.temperature_p95).toBeCloseTo(quantile(hours, 0.95)!, 9);
    expect(found?.weather_dominant).toBe("Clear");
    expectRows(without([found!], OF_REPORTS), without(await statistics(thinned), OF_REPORTS));
    // A quarter of an hour later it is what it was after the first two minutes of the hour.
    expectRows(
      without(await statistics(mixed(FAST - 0.75)), OF_REPORTS),
      without(await statistics(mixed(FAST - 0.97)), OF_REPORTS),
    );
  });

  test("city_statistics weighs two sources alike in an hour, however often each reports", async () => {
    const other = reports(0, 3, TWO_SECONDS, "fast").map((one) => ({
      ...one,
      temperature: one.temperature! + 2,
    }));
    const [found] = await statistics(numbered([...reports(0, 3, HOUR_MS), ...other]));
    expect(found?.temperature_mean).toBeCloseTo(mean([0, 1, 2].map((hour) => temperature(hour) + 1))!, 9);
  });

  test("daily_summary, hourly_trends and climate_clusters are those of the hourly series", async () => {
    for (const [run, given] of [
      [daily, { days: null }],
      [trends, { hours: null }],
      [clusters, {}],
    ] as const) {
      expectRows(
        without(await run(mixed(FAST), given), OF_REPORTS),
        without(await run(thinned, given), OF_REPORTS),
      );
    }
    const [found] = await clusters(mixed(FAST));
    expect(found?.wet_share).toBeCloseTo(3 / 24 / 14, 9);
  });

  test("the view level has the median of hours, once a day of them is known", async () => {
    const [found] = await sql("SELECT * FROM level", mixed(FAST));
    const hours = Array.from({ length: SLOW + FAST }, (_, hour) => pressure(hour));
    expect(found?.pressure_level).toBeCloseTo(quantile(hours, 0.5)!, 9);
    expect(found?.n).toBe(6 * SLOW + 1800 * FAST);
    expect(await sql("SELECT * FROM level", numbered(reports(0, 3, TWO_SECONDS)))).toEqual([]);
  });

  test("baseline has the usual temperature of the hourly series, and the spreads of a steady one", async () => {
    const usual = (rows: readonly Row[]) => sql("SELECT * FROM baseline ORDER BY hour_of_day", rows);
    const [found, hourly, even] = [await usual(mixed(FAST)), await usual(thinned), await usual(steady)];
    const columns = ["hour_of_day", "days", "median", "mean", "stddev"];
    const picked = (rows: readonly Record<string, unknown>[]) =>
      rows.map((one) => Object.fromEntries(columns.map((name) => [name, one[name]])));
    expectRows(picked(found), picked(hourly));
    expect(found).toHaveLength(24);
    for (const [hour, one] of found.entries()) {
      expect(Number(one.spread)).toBeGreaterThan(1);
      expect(Math.abs(Number(one.spread) - Number(even[hour]!.spread))).toBeLessThan(0.02);
      expect(one.step_spread).toBeCloseTo(Number(even[hour]!.step_spread), 1);
    }
  });

  const statistics = jobRunner("city_statistics");
  const daily = jobRunner("daily_summary");
  const trends = jobRunner("hourly_trends");
  const clusters = jobRunner("climate_clusters");
  const sql = sqlRunner({ cities: [] });
});
