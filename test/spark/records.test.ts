import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { row, START } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { expectRows, groupBy, type QualityRow } from "./reference.ts";

const hourly = (values: readonly Partial<Row>[]): Row[] =>
  values.map((changes, hour) => {
    const timestamp = formatTimestamp(START + hour * HOUR_MS);
    return row({ timestamp, ingested_at: timestamp, log_offset: hour, ...changes });
  });

describe("records", () => {
  const run = jobRunner("records");
  const runSql = sqlRunner({ cities: [] });

  test("equals an independent computation over weather with every kind of fault", async () => {
    const rows = faultyWeather(5);
    const judged = (await runSql("SELECT * FROM quality", rows)) as unknown as QualityRow[];
    const found = await run(rows);
    expectRows(found, reference(judged));
    expect(found.some(({ is_suspect }) => is_suspect === true)).toBe(true);
    expect(found.some(({ times }) => Number(times) > 1)).toBe(true);
    expect(judged.some(({ flag }) => flag === 4)).toBe(true);
  });

  test("has the first time of an extreme, of two sources at the same time the first by name, and how often it was reached", async () => {
    const at = (hour: number, temperature: number, source: string) => ({
      ...hourly(Array.from({ length: hour + 1 }, () => ({})))[hour]!,
      temperature,
      source,
    });
    const rows = [at(1, 5, "b"), at(2, 7, "b"), at(2, 7, "a"), at(3, 7, "a"), at(4, 6, "a")];
    const found = await run(rows.map((one, log_offset) => ({ ...one, log_offset })));
    expect(found.find(({ record }) => record === "temperature_max")).toEqual({
      city: "London",
      record: "temperature_max",
      value: 7,
      timestamp: "2026-01-01T02:00:00Z",
      source: "a",
      times: 3,
      is_suspect: false,
      n: 5,
      since: "2026-01-01T01:00:00Z",
    });
  });

  test("holds no value that fails, and no rain where none fell", async () => {
    const found = await run(hourly([{ temperature: 5 }, { temperature: 70 }, { temperature: 6 }]));
    const values = Object.fromEntries(found.map(({ record, value }) => [record, value]));
    expect(values).toMatchObject({ temperature_max: 6, temperature_min: 5, pressure_max: 1013.2 });
    expect(Object.keys(values)).not.toContain("rainfall_1h_max");
    expect(Object.keys(values)).not.toContain("wind_gust_max");
    expect(found.find(({ record }) => record === "temperature_max")).toMatchObject({ n: 2, times: 1 });
  });

  test("holds no gust that fails beside a wind that is good", async () => {
    const found = await run(
      hourly([
        { wind_speed: 5, wind_gust: 9.3 },
        { wind_speed: 5, wind_gust: 999.9 },
      ]),
    );
    expect(found.find(({ record }) => record === "wind_gust_max")).toMatchObject({
      value: 9.3,
      is_suspect: false,
      times: 1,
      n: 1,
    });
    expect(found.find(({ record }) => record === "wind_speed_max")).toMatchObject({ value: 5, n: 2 });
  });

  test("of no rows is empty", async () => {
    expect(await run([])).toEqual([]);
  });
});

function reference(rows: readonly QualityRow[]): Record<string, unknown>[] {
  const kinds = [
    ["humidity_min", "humidity", "humidity_flag", -1],
    ["pressure_max", "pressure", "pressure_flag", 1],
    ["pressure_min", "pressure", "pressure_flag", -1],
    ["rainfall_1h_max", "rainfall", "rainfall_flag", 1],
    ["temperature_max", "temperature", "temperature_flag", 1],
    ["temperature_min", "temperature", "temperature_flag", -1],
    ["wind_gust_max", "wind_gust", "wind_gust_flag", 1],
    ["wind_speed_max", "wind_speed", "wind_speed_flag", 1],
  ] as const;
  const cities = [...groupBy(rows, ({ city }) => city)].sort(([a], [b]) => (a < b ? -1 : 1));
  return cities.flatMap(([city, own]) => {
    const byTime = own.toSorted(
      (a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp) || (a.source < b.source ? -1 : 1),
    );
    return kinds.flatMap(([record, name, flag, sign]) => {
      const good = byTime.filter((one) => (one[name] ?? null) !== null && one[flag] !== 4);
      const best = sign * Math.max(...good.map((one) => sign * one[name]!));
      const [first, ...others] = good.filter((one) => one[name] === best);
      if (first === undefined || (record === "rainfall_1h_max" && best === 0)) return [];
      return [
        {
          city,
          record,
          value: best,
          timestamp: first.timestamp,
          source: first.source,
          times: others.length + 1,
          is_suspect: first[flag] === 3,
          n: good.length,
          since: byTime[0]?.timestamp,
        },
      ];
    });
  });
}
