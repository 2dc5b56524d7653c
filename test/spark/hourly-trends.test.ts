import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner } from "./jobs.ts";
import { observations, row, START } from "../support/lake-files.ts";
import { withoutFailed } from "./quality-reference.ts";
import { expectRows, groupBy, hourMean, hourOf, mean, present } from "./reference.ts";

describe("hourly_trends", () => {
  const run = jobRunner("hourly_trends");

  test("equals an independent computation over generated data, for all hours and for the last ones", async () => {
    const { rows, newest: unjudged } = observations(20);
    const newest = await withoutFailed(unjudged);
    const all = await run(rows, { hours: null });
    expect(all.length).toBeGreaterThan(900);
    expectRows(all, reference(newest, Infinity));
    for (const hours of [1, 5, 168]) expectRows(await run(rows, { hours }), reference(newest, hours));
    expectRows(await run(rows), reference(newest, 168));
  });

  test("leaves out values that fail quality control, and counts what is suspect apart", async () => {
    const rows = [5, 5.2, 40, 5.1, 5, 9.4].map((temperature, hour) =>
      row({ timestamp: formatTimestamp(START + hour * HOUR_MS), temperature, log_offset: hour }),
    );
    const found = await run(rows);
    expect(
      found.map(({ temperature_mean, n, n_suspect, n_failed }) => [temperature_mean, n, n_suspect, n_failed]),
    ).toEqual([
      [5, 1, 0, 0],
      [5.2, 1, 0, 0],
      [null, 1, 0, 1],
      [5.1, 1, 0, 0],
      [5, 1, 0, 0],
      [9.4, 1, 1, 0],
    ]);
  });

  test("of one row and of none", async () => {
    expectRows(await run([row()]), reference(await withoutFailed([row()]), 168));
    expect(await run([])).toEqual([]);
  });

  test("looks back by time: hours that are missing are no part of an average, and no change spans them", async () => {
    const rows = [0, 1, 4, 5].map((hour, i) =>
      row({ timestamp: formatTimestamp(START + hour * HOUR_MS), temperature: 10 * i, log_offset: i }),
    );
    const found = await run(rows);
    expect(found.map(({ temperature_3h }) => temperature_3h)).toEqual([0, 5, 20, 25]);
    expect(found.map(({ temperature_change }) => temperature_change)).toEqual([null, 10, null, 10]);
  });

  test("an hour without a temperature has none, nor a change", async () => {
    const rows = [1, null, 3].map((temperature, hour) =>
      row({ timestamp: formatTimestamp(START + hour * HOUR_MS), temperature, log_offset: hour }),
    );
    const found = await run(rows);
    expect(
      found.map(({ temperature_mean, temperature_3h, temperature_change: change }) => [
        temperature_mean,
        temperature_3h,
        change,
      ]),
    ).toEqual([
      [1, 1, null],
      [null, 1, null],
      [3, 2, null],
    ]);
  });
});

function reference(rows: readonly (Row & { flag: unknown })[], hours: number): Record<string, unknown>[] {
  const newest = Math.max(...rows.map(hourOf));
  const trends: Record<string, unknown>[] = [];
  const valueOf = (some: readonly Row[], name: "temperature" | "humidity" | "pressure" | "wind_speed") =>
    hourMean(some, (own) => present(own.map((one) => one[name])));
  for (const [city, own] of groupBy(rows, (one) => one.city)) {
    const byHour = new Map(
      [...groupBy(own, hourOf)].map(([hour, some]) => [
        hour,
        { some, temperature: valueOf(some, "temperature") },
      ]),
    );
    const moving = (hour: number, width: number) =>
      mean(
        present(
          Array.from({ length: width }, (_, back) => byHour.get(hour - back * HOUR_MS)?.temperature ?? null),
        ),
      );
    for (const [hour, { some, temperature }] of byHour) {
      if (hour <= newest - hours * HOUR_MS) continue;
      const before = byHour.get(hour - HOUR_MS)?.temperature ?? null;
      trends.push({
        city,
        hour: formatTimestamp(hour),
        n: some.length,
        n_suspect: some.filter(({ flag }) => flag === 3).length,
        n_failed: some.filter(({ flag }) => flag === 4).length,
        temperature_mean: temperature,
        humidity_mean: valueOf(some, "humidity"),
        pressure_mean: valueOf(some, "pressure"),
        wind_speed_mean: valueOf(some, "wind_speed"),
        temperature_3h: moving(hour, 3),
        temperature_24h: moving(hour, 24),
        temperature_change: temperature === null || before === null ? null : temperature - before,
      });
    }
  }
  const key = ({ hour, city }: Record<string, unknown>) => `${String(hour)} ${String(city)}`;
  return trends.sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
