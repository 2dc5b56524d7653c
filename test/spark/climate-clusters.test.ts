import { describe, expect, test } from "bun:test";
import { FEATURES } from "../../spark/models/clusters.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { row } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { expectRows, groupBy, hourMeans, mean, passed, type QualityRow, stddev } from "./reference.ts";

describe("climate_clusters", () => {
  const run = jobRunner("climate_clusters");
  const runSql = sqlRunner({ cities: [] });

  test("has features that equal an independent computation over weather with every kind of fault", async () => {
    const rows = faultyWeather(7);
    const judged = (await runSql("SELECT * FROM quality", rows)) as unknown as QualityRow[];
    const found = await run(rows);
    expectRows(
      found.map((one) => Object.fromEntries(["city", "days", ...FEATURES].map((name) => [name, one[name]]))),
      reference(judged),
    );
    expect(found.map(({ city, status }) => [city, status])).toEqual([
      ["Elsewhere", "insufficient data"],
      ["Nowhere", "ok"],
      ["Oslo", "ok"],
      ["Perth", "ok"],
    ]);
    for (const { cluster, status } of found) expect(cluster === null).toBe(status !== "ok");
  });

  test("of no rows is empty, of one row has no day", async () => {
    expect(await run([])).toEqual([]);
    expect(await run([row()])).toMatchObject([
      { status: "insufficient data", days: 0, temperature_mean: null },
    ]);
  });
});

function reference(rows: readonly QualityRow[]): Record<string, unknown>[] {
  const cities = [...groupBy(rows, ({ city }) => city)].sort(([a], [b]) => (a < b ? -1 : 1));
  return cities.map(([city, own]) => {
    const days = [...groupBy(own, ({ timestamp }) => timestamp.slice(0, 10)).values()].filter((day) => {
      const good = day.filter((one) => one.temperature !== null && one.temperature_flag !== 4);
      return new Set(good.map(({ timestamp }) => timestamp.slice(0, 13))).size >= 8;
    });
    const means = (name: Parameters<typeof passed>[1]) =>
      days.flatMap((day) => mean(hourMeans(day, (some) => passed(some, name))) ?? []);
    const ranges = days.map((day) => passed(day, "temperature")).map((t) => Math.max(...t) - Math.min(...t));
    const wet = days.flatMap(
      (day) =>
        mean(hourMeans(day, (some) => passed(some, "rainfall").map((rain) => (rain >= 0.1 ? 1 : 0)))) ?? [],
    );
    return {
      city,
      days: days.length,
      temperature_mean: mean(means("temperature")),
      temperature_spread: stddev(means("temperature")),
      temperature_day_range: mean(ranges),
      humidity_mean: mean(means("humidity")),
      wind_speed_mean: mean(means("wind_speed")),
      wet_share: mean(wet),
    };
  });
}
