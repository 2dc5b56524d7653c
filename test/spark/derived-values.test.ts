import { describe, expect, test } from "bun:test";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { row, START } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { expectRows, type QualityRow } from "./reference.ts";

/** A report of each set of values, hour by hour. */
function reports(values: readonly Partial<Row>[]): Row[] {
  return values.map((changes, hour) => {
    const timestamp = formatTimestamp(START + hour * HOUR_MS);
    return row({ timestamp, ingested_at: timestamp, log_offset: hour, ...changes });
  });
}

const celsius = (fahrenheit: number) => (fahrenheit - 32) / 1.8;

describe("derived_values", () => {
  const run = jobRunner("derived_values");
  const runSql = sqlRunner({ cities: [] });
  /** One column of a result whose rows are so far apart that no value is doubted for another. */
  const valuesOf = async (name: string, values: readonly Partial<Row>[]) => {
    const apart = values.map((one, i) => ({ ...one, city: `City ${String(i).padStart(3, "0")}` }));
    return (await run(reports(apart), { hours: null })).map((one) => one[name] as number | null);
  };

  test("equals an independent computation over weather with every kind of fault", async () => {
    const rows = faultyWeather(4).map((one) =>
      one.city === "Perth" && one.temperature !== null ? { ...one, temperature: one.temperature + 8 } : one,
    );
    const judged = (await runSql("SELECT * FROM quality", rows)) as unknown as QualityRow[];
    const wanted = reference(judged);
    const all = await run(rows, { hours: null });
    expectRows(all, wanted);
    for (const name of ["dew_point", "heat_index", "wind_chill", "beaufort"])
      expect([name, all.filter((one) => one[name] !== null).length > 50]).toEqual([name, true]);
    const newest = Math.max(
      ...judged.filter(({ q_time }) => q_time !== 4).map(({ timestamp }) => Date.parse(timestamp)),
    );
    expectRows(
      await run(rows),
      wanted.filter(({ timestamp }) => Date.parse(String(timestamp)) > newest - 48 * HOUR_MS),
    );
  });

  test("gives the heat index of the Weather Service's chart, to its whole °F", async () => {
    // Rounded values of the chart at https://www.weather.gov/safety/heat-index: °F, %, heat index in °F.
    const chart = [
      [80, 40, 80],
      [84, 60, 88],
      [90, 50, 95],
      [90, 70, 106],
      [96, 50, 108],
      [100, 40, 109],
      [100, 60, 129],
      [104, 40, 119],
      [110, 40, 136],
    ] as const;
    const found = await valuesOf(
      "heat_index",
      chart.map(([fahrenheit, humidity]) => ({ temperature: celsius(fahrenheit), humidity })),
    );
    expect(found.map((value) => Math.round(1.8 * value! + 32))).toEqual(chart.map(([, , index]) => index));
  });

  test("adjusts the heat index of dry and of humid air, and follows the simple formula where that stays below 80 °F", async () => {
    const [dry, humid, mild, below, beyond] = await valuesOf("heat_index", [
      { temperature: celsius(95), humidity: 8 },
      { temperature: celsius(82), humidity: 95 },
      { temperature: celsius(80.5), humidity: 5 },
      { temperature: celsius(79.9), humidity: 90 },
      { temperature: celsius(115), humidity: 80 },
    ]);
    expect(1.8 * dry! + 32).toBeCloseTo(regression(95, 8) - ((13 - 8) / 4) * 1, 6);
    expect(1.8 * humid! + 32).toBeCloseTo(regression(82, 95) + ((95 - 85) / 10) * ((87 - 82) / 5), 6);
    const simple = 0.5 * (80.5 + 61 + (80.5 - 68) * 1.2 + 5 * 0.094);
    expect(1.8 * mild! + 32).toBeCloseTo((simple + 80.5) / 2, 6);
    expect((simple + 80.5) / 2).toBeLessThan(80);
    expect([below, beyond]).toEqual([null, null]);
  });

  test("has the dew point of known cases, and none where the formula does not hold", async () => {
    const found = await valuesOf("dew_point", [
      { temperature: 20, humidity: 100 },
      { temperature: 20, humidity: 103 },
      { temperature: 25, humidity: 50 },
      { temperature: -10, humidity: 80 },
      { temperature: 20, humidity: 0 },
      { temperature: -41, humidity: 80 },
      { temperature: 51, humidity: 10 },
      { temperature: null, humidity: 80 },
      { temperature: 20, humidity: null },
    ]);
    expect(found[0]).toBeCloseTo(20, 9);
    expect(found[1]).toBeCloseTo(20, 9);
    expect(found[2]).toBeCloseTo(13.9, 1);
    expect(found[3]).toBeCloseTo(-12.8, 1);
    expect(found.slice(4)).toEqual([null, null, null, null, null]);
  });

  test("has the wind chill of cold wind only", async () => {
    // Environment Canada's table: -10 °C and 20 km/h feel like -18, 0 °C and 40 km/h like -7.
    const found = await valuesOf("wind_chill", [
      { temperature: -10, wind_speed: 20 / 3.6 },
      { temperature: 0, wind_speed: 40 / 3.6 },
      { temperature: 10, wind_speed: 4.9 / 3.6 },
      { temperature: 10.1, wind_speed: 20 },
      { temperature: 0, wind_speed: 4.8 / 3.6 },
      { temperature: 0, wind_speed: 0 },
      { temperature: 0, wind_speed: null },
    ]);
    expect(found.slice(0, 2).map((value) => Math.round(value!))).toEqual([-18, -7]);
    expect(found[2]).not.toBeNull();
    expect(found.slice(3)).toEqual([null, null, null, null]);
  });

  test("has Beaufort's number from each lower bound on", async () => {
    const bounds = [0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7];
    const below = await valuesOf(
      "beaufort",
      bounds.map((bound) => ({ wind_speed: bound - 0.01 })),
    );
    const from = await valuesOf(
      "beaufort",
      bounds.map((bound) => ({ wind_speed: bound })),
    );
    expect(below).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(from).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(await valuesOf("beaufort", [{ wind_speed: null }, { wind_speed: 0 }])).toEqual([null, 0]);
  });

  test("of no rows is empty", async () => {
    expect(await run([])).toEqual([]);
  });
});

/** Rothfusz's regression as the Weather Service writes it, °F and %. */
function regression(t: number, rh: number): number {
  return (
    -42.379 +
    2.04901523 * t +
    10.14333127 * rh -
    0.22475541 * t * rh -
    0.00683783 * t * t -
    0.05481717 * rh * rh +
    0.00122874 * t * t * rh +
    0.00085282 * t * rh * rh -
    0.00000199 * t * t * rh * rh
  );
}

function heatIndex(temperature: number | null, rh: number | null): number | null {
  if (temperature === null || rh === null) return null;
  const t = 1.8 * temperature + 32;
  if (t < 80) return null;
  const mild = (t + 0.5 * (t + 61 + (t - 68) * 1.2 + rh * 0.094)) / 2;
  let index = mild;
  if (mild >= 80) {
    index = regression(t, rh);
    if (rh < 13 && t <= 112) index -= ((13 - rh) / 4) * Math.sqrt((17 - Math.abs(t - 95)) / 17);
    else if (rh > 85 && t <= 87) index += ((rh - 85) / 10) * ((87 - t) / 5);
  }
  return index > 137 ? null : celsius(index);
}

function dewPoint(temperature: number | null, rh: number | null): number | null {
  if (temperature === null || rh === null || Math.abs(temperature - 5) > 45 || rh < 1) return null;
  const gamma = Math.log(rh / 100) + (17.625 * temperature) / (243.04 + temperature);
  return (243.04 * gamma) / (17.625 - gamma);
}

function windChill(temperature: number | null, wind: number | null): number | null {
  if (temperature === null || wind === null || temperature > 10 || 3.6 * wind <= 4.8) return null;
  const power = (3.6 * wind) ** 0.16;
  return 13.12 + 0.6215 * temperature - 11.37 * power + 0.3965 * temperature * power;
}

function reference(rows: readonly QualityRow[]): Record<string, unknown>[] {
  const bounds = [0.3, 1.6, 3.4, 5.5, 8.0, 10.8, 13.9, 17.2, 20.8, 24.5, 28.5, 32.7];
  const key = ({ timestamp, city, source }: QualityRow) => `${timestamp} ${city} ${source}`;
  return rows
    .filter(({ q_time }) => q_time !== 4)
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((one) => {
      const temperature = one.temperature_flag === 4 ? null : one.temperature;
      const reported = one.humidity_flag === 4 ? null : one.humidity;
      const humidity = reported === null ? null : Math.min(reported, 100);
      const wind = one.wind_speed_flag === 4 ? null : one.wind_speed;
      return {
        timestamp: one.timestamp,
        city: one.city,
        source: one.source,
        temperature,
        humidity,
        wind_speed: wind,
        dew_point: dewPoint(temperature, humidity),
        heat_index: heatIndex(temperature, humidity),
        wind_chill: windChill(temperature, wind),
        beaufort: wind === null ? null : bounds.filter((bound) => wind >= bound).length,
        is_suspect: [one.temperature_flag, one.humidity_flag, one.wind_speed_flag].includes(3),
      };
    });
}
