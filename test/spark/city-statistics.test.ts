import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { HOUR_MS } from "../../core/time.ts";
import { jobRunner } from "./jobs.ts";
import { withoutFailed } from "./quality-reference.ts";
import { observations, row } from "../support/lake-files.ts";
import { expectRows, groupBy, hourMeans, hourOf, mean, present, quantile, stddev } from "./reference.ts";

describe("city_statistics", () => {
  const run = jobRunner("city_statistics");

  test("equals an independent computation over generated data", async () => {
    const { rows, newest } = observations(20);
    const found = await run(rows);
    expect(found).toHaveLength(3);
    expectRows(found, reference(await withoutFailed(newest)));
    expect(found[0]?.coverage).toBeLessThan(1);
    expect(found[2]).toMatchObject({ rainfall_total: null, rainfall_hours: 0 });
  });

  test("leaves out values that fail quality control, and counts what is suspect apart", async () => {
    const values = [5, 5.2, 40, 5.1, 5, 9.4].map((temperature, hour) =>
      row({ timestamp: `2026-01-01T0${hour}:00:00Z`, temperature, wind_speed: hour, log_offset: hour }),
    );
    const [found] = await run(values);
    // The spike is left out, the step at the end is not; the wind of every report counts.
    expect(found).toMatchObject({ n: 6, n_failed: 1, n_suspect: 1, n_temperature: 5, temperature_max: 9.4 });
    expect(found?.wind_speed_mean).toBe(2.5);
  });

  test("of one row has no deviation and a coverage of 1", async () => {
    const found = await run([row()]);
    expectRows(found, reference(await withoutFailed([row()])));
    expect(found[0]).toMatchObject({
      n: 1,
      hours: 1,
      coverage: 1,
      temperature_stddev: null,
      temperature_p05: 5.5,
    });
  });

  test("of no rows is empty", async () => {
    expect(await run([])).toEqual([]);
  });

  test("of a city that reports no values has a row of nulls, and counts its hours", async () => {
    const nothing = { temperature: null, humidity: null, pressure: null, wind_speed: null, rainfall: null };
    const [found] = await run([row({ ...nothing, weather_main: null })]);
    expect(found).toMatchObject({ n: 1, n_temperature: 0, temperature_mean: null, weather_dominant: null });
  });

  test("takes the last rain total of each hour, of two at the same time the first source's, and never sums within it", async () => {
    const at = (time: string, rainfall: number | null, log_offset: number, source = "test") =>
      row({ timestamp: `2026-01-01T${time}:00Z`, rainfall, log_offset, source });
    const [found] = await run([
      at("00:10", 5, 0),
      at("00:50", 1, 1),
      at("00:55", null, 2),
      at("01:10", 2, 3, "b"),
      at("01:10", 4, 4, "a"),
      at("02:00", 0, 5),
    ]);
    expect(found).toMatchObject({ rainfall_total: 5, rainfall_hours: 3 });
  });

  test("names the first in the alphabet of equally frequent weathers", async () => {
    const [found] = await run(
      ["Rain", "Clear", "Rain", "Clear", null].map((weather_main, i) =>
        row({ timestamp: `2026-01-01T0${i}:00:00Z`, weather_main, log_offset: i }),
      ),
    );
    expect(found?.weather_dominant).toBe("Clear");
  });

  test("measures each city by its own span: an old report of one takes nothing from the others", async () => {
    const hours = (city: string, count: number) =>
      Array.from({ length: count }, (_, i) =>
        row({ city, timestamp: `2026-01-01T0${i}:00:00Z`, log_offset: i }),
      );
    const old = row({ city: "Oslo", timestamp: "1970-01-01T00:00:12Z", log_offset: 9 });
    const found = await run([...hours("London", 6), ...hours("Oslo", 3), old]);
    expect(found.map(({ city, coverage }) => [city, coverage])).toEqual([
      ["London", 1],
      ["Oslo", 4 / (Date.UTC(2026, 0, 1, 3) / 3_600_000)],
    ]);
  });

  test("counts the hours of the snapshot across months", async () => {
    const [found] = await run([
      row({ timestamp: "2026-01-31T23:59:00Z" }),
      row({ timestamp: "2026-03-01T00:00:00Z", log_offset: 1 }),
    ]);
    expect(found?.coverage).toBeCloseTo(2 / (28 * 24 + 2), 12);
  });
});

function reference(rows: readonly (Row & { flag: unknown })[]): Record<string, unknown>[] {
  const byTime = [...rows].sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
  const cities = [...groupBy(byTime, ({ city }) => city)].sort(([a], [b]) => (a < b ? -1 : 1));
  return cities.map(([city, own]) => {
    const hours = new Set(own.map(hourOf)).size;
    const span = (Math.max(...own.map(hourOf)) - Math.min(...own.map(hourOf))) / HOUR_MS + 1;
    const temperatures = present(own.map(({ temperature }) => temperature));
    const hourly = (name: "temperature" | "humidity" | "pressure" | "wind_speed") =>
      hourMeans(own, (some) => present(some.map((one) => one[name])));
    const rain = [
      ...groupBy(
        own.filter(({ rainfall }) => rainfall !== null),
        hourOf,
      ).values(),
    ].map((hour) => hour.at(-1)?.rainfall ?? 0);
    const weathers = [...groupBy(own, ({ weather_main }) => weather_main)]
      .filter(([weather]) => weather !== null)
      .map(([weather, some]) => [weather, [...new Set(some.map(hourOf))]] as const)
      .sort(([a, as], [b, bs]) => bs.length - as.length || (String(a) < String(b) ? -1 : 1));
    return {
      city,
      n: own.length,
      n_suspect: own.filter(({ flag }) => flag === 3).length,
      n_failed: own.filter(({ flag }) => flag === 4).length,
      hours,
      coverage: hours / span,
      first_timestamp: own[0]?.timestamp,
      last_timestamp: own.at(-1)?.timestamp,
      n_temperature: temperatures.length,
      temperature_min: Math.min(...temperatures),
      temperature_max: Math.max(...temperatures),
      temperature_mean: mean(hourly("temperature")),
      temperature_stddev: stddev(hourly("temperature")),
      temperature_median: quantile(hourly("temperature"), 0.5),
      temperature_p05: quantile(hourly("temperature"), 0.05),
      temperature_p95: quantile(hourly("temperature"), 0.95),
      humidity_mean: mean(hourly("humidity")),
      pressure_mean: mean(hourly("pressure")),
      wind_speed_mean: mean(hourly("wind_speed")),
      rainfall_total: rain.length === 0 ? null : rain.reduce((sum, value) => sum + value, 0),
      rainfall_hours: rain.length,
      weather_dominant: weathers[0]?.[0] ?? null,
    };
  });
}
