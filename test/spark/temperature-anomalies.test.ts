import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner } from "./jobs.ts";
import { observations, row, START } from "./lake-files.ts";
import { expectRows, groupBy, mean, present, quantile, stddev } from "./reference.ts";

describe("temperature_anomalies", () => {
  const run = jobRunner("temperature_anomalies");

  test("equals an independent computation over generated data, for all hours and for the last ones", async () => {
    const { rows, newest } = observations(20);
    const all = await run(rows, { hours: null });
    expect(all.filter(({ is_anomaly }) => is_anomaly === true).length).toBeGreaterThan(5);
    expectRows(all, reference(newest, Infinity));
    for (const hours of [1, 100]) expectRows(await run(rows, { hours }), reference(newest, hours));
    expectRows(await run(rows), reference(newest, 48));
  });

  test("says insufficient data below ten days of an hour, and judges from ten on", async () => {
    const days = (count: number) =>
      Array.from({ length: count }, (_, day) =>
        row({
          timestamp: formatTimestamp(START + day * DAY_MS),
          temperature: day === count - 1 ? 30 : day % 3,
          log_offset: day,
        }),
      );
    expect(await run(days(9))).toMatchObject([
      { status: "insufficient data", is_anomaly: false, severity: null, n: 9, days: 9 },
    ]);
    expect(await run(days(10))).toMatchObject([
      { status: "unusual", is_anomaly: true, severity: 3, n: 10, days: 10 },
    ]);
  });

  test("takes no spread for smaller than 0.5 °C, and grades by 3.5, 5 and 6.5", async () => {
    const last = async (temperature: number) => {
      const rows = Array.from({ length: 30 }, (_, day) =>
        row({
          timestamp: formatTimestamp(START + day * DAY_MS),
          temperature: day === 29 ? temperature : 10,
          log_offset: day,
        }),
      );
      const [found] = await run(rows);
      return [found?.z_robust, found?.lower, found?.upper, found?.status, found?.severity];
    };
    expect(await last(11.5)).toEqual([3, 8.25, 11.75, "normal", null]);
    expect(await last(11.75)).toEqual([3.5, 8.25, 11.75, "unusual", 1]);
    expect(await last(7.5)).toEqual([-5, 8.25, 11.75, "unusual", 2]);
    expect(await last(13.25)).toEqual([6.5, 8.25, 11.75, "unusual", 3]);
  });

  test("has the newest observation of every city, however old it is", async () => {
    const rows = [
      row({ city: "A", timestamp: formatTimestamp(START) }),
      row({ city: "B", timestamp: formatTimestamp(START + 100 * HOUR_MS), log_offset: 1 }),
      row({ city: "B", timestamp: formatTimestamp(START + 101 * HOUR_MS), temperature: null, log_offset: 2 }),
    ];
    const found = await run(rows);
    expect(found.map(({ city, timestamp, is_newest }) => [city, timestamp, is_newest])).toEqual([
      ["B", "2026-01-05T04:00:00Z", true],
      ["A", "2026-01-01T00:00:00Z", true],
    ]);
  });

  test("has one newest observation a city where two sources report at the same time", async () => {
    const found = await run([row({ source: "b" }), row({ source: "a", log_offset: 1 })]);
    expect(found.map(({ source }) => source)).toEqual(["a"]);
  });

  test("of one row has bounds but no classic z, and of none is empty", async () => {
    expectRows(await run([row()]), reference([row()], 48));
    expect(await run([])).toEqual([]);
  });
});

function reference(rows: readonly Row[], hours: number): Record<string, unknown>[] {
  const measured = rows.filter(({ temperature }) => temperature !== null);
  const newest = Math.max(...measured.map(({ timestamp }) => Date.parse(timestamp)));
  const order = (a: Row, b: Row) =>
    Date.parse(b.timestamp) - Date.parse(a.timestamp) ||
    (a.city === b.city ? (a.source < b.source ? -1 : 1) : a.city < b.city ? -1 : 1);
  const sorted = [...measured].sort(order);
  const newestOf = new Map<string, Row>();
  for (const one of sorted) if (!newestOf.has(one.city)) newestOf.set(one.city, one);
  const groups = groupBy(measured, keyOf);
  return sorted.flatMap((one) => {
    const { city, source, timestamp, temperature } = one;
    const group = groups.get(keyOf(one)) ?? [];
    const values = present(group.map((other) => other.temperature));
    const centre = quantile(values, 0.5) ?? NaN;
    const deviations = values.map((value) => Math.abs(value - centre));
    const spread = Math.max(0.5, 1.4826 * (quantile(deviations, 0.5) ?? NaN));
    const days = new Set(group.map((other) => other.timestamp.slice(0, 10))).size;
    const z = ((temperature ?? NaN) - centre) / spread;
    const deviation = stddev(values);
    const average = mean(values) ?? NaN;
    const status = days < 10 ? "insufficient data" : Math.abs(z) >= 3.5 ? "unusual" : "normal";
    const isNewest = newestOf.get(city) === one;
    const isRecent = Date.parse(timestamp) > newest - hours * HOUR_MS;
    if (!isNewest && !(isRecent && status === "unusual")) return [];
    return [
      {
        timestamp,
        city,
        source,
        temperature,
        expected: centre,
        lower: centre - 3.5 * spread,
        upper: centre + 3.5 * spread,
        z_robust: z,
        z_classic:
          deviation === null || deviation === 0 ? null : ((temperature ?? NaN) - average) / deviation,
        mean: average,
        stddev: deviation,
        n: values.length,
        days,
        method: "median and MAD by city and hour of day (UTC)",
        status,
        severity: status !== "unusual" ? null : Math.abs(z) >= 6.5 ? 3 : Math.abs(z) >= 5 ? 2 : 1,
        is_anomaly: status === "unusual",
        is_newest: isNewest,
      },
    ];
  });
}

function keyOf({ city, timestamp }: Row): string {
  return `${city} ${timestamp.slice(11, 13)}`;
}
