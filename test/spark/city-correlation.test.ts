import { describe, expect, test } from "bun:test";
import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { randomFrom, row, START } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { expectRows, groupBy, hourMean, mean, passed, type QualityRow } from "./reference.ts";

const place = (name: string, latitude: number, longitude: number): City => ({
  name,
  slug: name.toLowerCase(),
  latitude,
  longitude,
  zone: "Etc/UTC",
});
const CITIES = [place("Oslo", 59.9139, 10.7522), place("Perth", -31.9523, 115.8613)];

/** Hourly temperatures of a city. */
function hourly(city: string, hours: number, temperature: (hour: number) => number): Row[] {
  return Array.from({ length: hours }, (_, hour) => {
    const timestamp = formatTimestamp(START + hour * HOUR_MS);
    return row({ city, timestamp, ingested_at: timestamp, log_offset: hour, temperature: temperature(hour) });
  });
}

describe("city_correlation", () => {
  const run = jobRunner("city_correlation", CITIES);
  const runSql = sqlRunner({ cities: CITIES });

  test("equals an independent computation over weather with every kind of fault", async () => {
    const rows = faultyWeather(6);
    const judged = (await runSql("SELECT * FROM quality", rows)) as unknown as QualityRow[];
    const found = await run(rows);
    expect(found).toHaveLength(6);
    const near = (one: Record<string, unknown>) => ({ ...one, distance: rounded(one.distance) });
    expectRows(found.map(near), reference(judged).map(near));
    expect(found.some(({ correlation }) => correlation === null)).toBe(true);
  });

  test("tells the weather from the time of day: a shared day is no correlation, a shared departure is one", async () => {
    const random = randomFrom(2);
    const departures = Array.from({ length: 480 }, () => 2 * random() - 1);
    const day = (hour: number) => 8 * Math.sin((2 * Math.PI * hour) / 24);
    const rows = [
      ...hourly("A", 480, (hour) => day(hour) + departures[hour]!),
      ...hourly("B", 480, (hour) => day(hour) + departures[(hour * 7 + 3) % 480]!),
      ...hourly("C", 480, (hour) => day(hour + 12) + departures[hour]!),
    ].map((one, log_offset) => ({ ...one, log_offset }));
    const [ab, ac] = await run(rows);
    expect([ab?.city_b, ac?.city_b]).toEqual(["B", "C"]);
    expect(ab?.correlation_raw).toBeGreaterThan(0.95);
    expect(Math.abs(Number(ab?.correlation))).toBeLessThan(0.2);
    expect(ac?.correlation_raw).toBeLessThan(-0.8);
    expect(ac?.correlation).toBeGreaterThan(0.999);
    expect(ab).toMatchObject({ n: 480, n_raw: 480, distance: null });
  });

  test("compares the cities with the most temperatures, of equal ones the first by name", async () => {
    const rows = [
      ...hourly("A", 30, (hour) => hour % 5),
      ...hourly("B", 40, (hour) => hour % 7),
      ...hourly("C", 40, (hour) => hour % 6),
      ...hourly("D", 30, (hour) => hour % 4),
    ].map((one, log_offset) => ({ ...one, log_offset }));
    const pairs = async (cities: number | null) =>
      (await run(rows, { cities })).map(({ city_a, city_b }) => `${city_a}${city_b}`);
    expect(await pairs(2)).toEqual(["BC"]);
    expect(await pairs(3)).toEqual(["AB", "AC", "BC"]);
    expect(await pairs(null)).toEqual(["AB", "AC", "AD", "BC", "BD", "CD"]);
  });

  test("says nothing of less than a day, of what never changes, and of too few days to know the usual one", async () => {
    const rows = [
      ...hourly("A", 23, (hour) => hour % 5),
      ...hourly("B", 120, (hour) => (hour * hour) % 7),
      // So rarely that it cannot be told from a sensor that is stuck.
      ...hourly("C", 120, () => 9.1).filter((_, hour) => hour % 4 === 0),
    ].map((one, log_offset) => ({ ...one, log_offset }));
    const found = await run(rows);
    expect(found.map(({ n, n_raw }) => [n, n_raw])).toEqual([
      [0, 23],
      [0, 6],
      [30, 30],
    ]);
    for (const one of found) expect(one).toMatchObject({ correlation: null, correlation_raw: null });
  });

  test("of no rows, and of one city, is empty", async () => {
    expect(await run([])).toEqual([]);
    expect(await run([row()])).toEqual([]);
  });
});

const rounded = (value: unknown) => (value === null ? null : Math.round(1e6 * Number(value)) / 1e6);

/** Pearson's, of what changes and is long enough. */
function correlation(xs: readonly number[], ys: readonly number[]): number | null {
  const [x, y] = [mean(xs), mean(ys)];
  if (x === null || y === null || xs.length < 24) return null;
  const sum = (one: readonly number[], other: readonly number[], a: number, b: number) =>
    one.reduce((total, value, i) => total + (value - a) * (other[i]! - b), 0);
  const [xx, yy] = [sum(xs, xs, x, x), sum(ys, ys, y, y)];
  if (Math.sqrt(xx / xs.length) <= 1e-6 || Math.sqrt(yy / ys.length) <= 1e-6) return null;
  return sum(xs, ys, x, y) / Math.sqrt(xx * yy);
}

/** On a sphere of 6371 km, by the angle between two vectors. */
function distance(a: City | undefined, b: City | undefined): number | null {
  if (a === undefined || b === undefined) return null;
  const [latA, lonA, latB, lonB] = [a.latitude, a.longitude, b.latitude, b.longitude].map(
    (degrees) => (degrees * Math.PI) / 180,
  ) as [number, number, number, number];
  return (
    6371 *
    Math.acos(Math.sin(latA) * Math.sin(latB) + Math.cos(latA) * Math.cos(latB) * Math.cos(lonA - lonB))
  );
}

function reference(rows: readonly QualityRow[]): Record<string, unknown>[] {
  const series = new Map<string, Map<string, { temperature: number; anomaly: number | null }>>();
  for (const [city, own] of groupBy(rows, (one) => one.city)) {
    const means = new Map<string, number>();
    for (const [hour, ofHour] of groupBy(own, ({ timestamp }) => timestamp.slice(0, 13))) {
      const value = hourMean(ofHour, (some) => passed(some, "temperature"));
      if (value !== null) means.set(hour, value);
    }
    // The month and the hour of the day.
    const cycles = groupBy([...means], ([hour]) => hour.slice(0, 7) + hour.slice(10));
    const hours = new Map<string, { temperature: number; anomaly: number | null }>();
    for (const cycle of cycles.values()) {
      const usual = mean(cycle.map(([, value]) => value))!;
      for (const [hour, temperature] of cycle)
        hours.set(hour, { temperature, anomaly: cycle.length >= 5 ? temperature - usual : null });
    }
    series.set(city, hours);
  }
  const names = [...series.keys()].sort();
  return names.flatMap((city_a, index) =>
    names.slice(index + 1).map((city_b) => {
      const both = [...series.get(city_a)!].flatMap(([hour, a]) => {
        const b = series.get(city_b)!.get(hour);
        return b === undefined ? [] : [{ a, b }];
      });
      const unusual = both.filter(({ a, b }) => a.anomaly !== null && b.anomaly !== null);
      const of = (name: string) => CITIES.find((city) => city.name === name);
      return {
        city_a,
        city_b,
        correlation: correlation(
          unusual.map(({ a }) => a.anomaly!),
          unusual.map(({ b }) => b.anomaly!),
        ),
        n: unusual.length,
        correlation_raw: correlation(
          both.map(({ a }) => a.temperature),
          both.map(({ b }) => b.temperature),
        ),
        n_raw: both.length,
        distance: distance(of(city_a), of(city_b)),
      };
    }),
  );
}
