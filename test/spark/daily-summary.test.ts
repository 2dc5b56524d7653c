import { describe, expect, test } from "bun:test";
import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { jobRunner, sqlRunner } from "./jobs.ts";
import { row } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { expectRows, groupBy, hourMean, mean, passed, type QualityRow } from "./reference.ts";

const place = (name: string, zone: string): City => ({ name, slug: name, latitude: 40, longitude: 0, zone });

/** Oslo's clocks change within the data, Adelaide's by 9½ and 10½ hours; the others of the data are not known. */
const CITIES = [place("Oslo", "Europe/Oslo"), place("Perth", "Australia/Adelaide")];

/** A report of a time that arrives at once: one that comes before its time would fail. */
const at = (ms: number, changes: Partial<Row>): Row =>
  row({ timestamp: formatTimestamp(ms), ingested_at: formatTimestamp(ms), ...changes });

/** Reports of one city every `minutes`, from one time up to, not including, another. */
function reports(city: string, from: number, to: number, minutes: number, changes: Partial<Row> = {}): Row[] {
  const step = minutes * 60_000;
  return Array.from({ length: Math.round((to - from) / step) }, (_, i) =>
    at(from + i * step, { city, log_offset: i, temperature: 5 + (i % 3), ...changes }),
  );
}

describe("daily_summary", () => {
  const run = jobRunner("daily_summary", CITIES);
  const runSql = sqlRunner({ cities: CITIES });

  test("equals an independent computation over weather with every kind of fault", async () => {
    const rows = [
      ...faultyWeather(3),
      // A second source of the same times, so that of two last rain totals one must be chosen.
      ...reports("Perth", Date.UTC(2026, 2, 22), Date.UTC(2026, 2, 25), 60, { source: "a", rainfall: 7 }),
    ].map((one, log_offset) => ({ ...one, wind_direction: (37 * log_offset) % 360, log_offset }));
    const judged = (await runSql("SELECT * FROM quality", rows)) as unknown as QualityRow[];
    const wanted = reference(judged);
    const all = await run(rows, { days: null });
    expectRows(all, wanted);
    expect(new Set(all.map(({ zone }) => zone))).toEqual(
      new Set(["Europe/Oslo", "Australia/Adelaide", null]),
    );
    expect(new Set(all.map(({ hours_of_day }) => hours_of_day))).toEqual(new Set([23, 24, 25]));
    expect(all.some(({ n_failed }) => Number(n_failed) > 0)).toBe(true);

    const newest = Math.max(...wanted.map(({ date }) => Date.parse(String(date))));
    expectRows(
      await run(rows, { days: 5 }),
      wanted.filter(({ date }) => Date.parse(String(date)) > newest - 5 * DAY_MS),
    );
  });

  test("has 23 hours where the clocks go forward, 25 where they go back, and counts the hour shown twice as two", async () => {
    const spring = await run(reports("Oslo", Date.UTC(2026, 2, 27, 23), Date.UTC(2026, 2, 30, 22), 60), {
      days: null,
    });
    expect(
      spring.map(({ date, hours_of_day, hours, coverage, n }) => [date, hours_of_day, hours, coverage, n]),
    ).toEqual([
      ["2026-03-28", 24, 24, 1, 24],
      ["2026-03-29", 23, 23, 1, 23],
      ["2026-03-30", 24, 24, 1, 24],
    ]);
    const autumn = await run(reports("Oslo", Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 26, 11), 30));
    expect(
      autumn.map(({ date, hours_of_day, hours, coverage, n }) => [date, hours_of_day, hours, coverage, n]),
    ).toEqual([
      ["2026-10-25", 25, 25, 1, 50],
      ["2026-10-26", 24, 12, 0.5, 24],
    ]);
  });

  test("knows the length of a day whose clocks change outside of what was reported", async () => {
    const evening = reports("Oslo", Date.UTC(2026, 2, 29, 18), Date.UTC(2026, 2, 29, 20), 60);
    expect((await run(evening))[0]).toMatchObject({ date: "2026-03-29", hours_of_day: 23, coverage: 2 / 23 });
    const morning = reports("Oslo", Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 24, 23), 30);
    expect((await run(morning))[0]).toMatchObject({ date: "2026-10-25", hours_of_day: 25, coverage: 1 / 25 });
  });

  test("begins and ends days at half past where the clocks are half an hour off", async () => {
    const found = await run(reports("Perth", Date.UTC(2026, 5, 1, 14, 30), Date.UTC(2026, 5, 2, 14, 30), 10));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ date: "2026-06-02", hours_of_day: 24, hours: 24, coverage: 1, n: 144 });
  });

  test("has days of UTC for a city that is not known", async () => {
    const found = await run(reports("Nowhere", Date.UTC(2026, 2, 29), Date.UTC(2026, 2, 30), 60));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ date: "2026-03-29", zone: null, hours_of_day: 24, coverage: 1 });
  });

  test("takes one rain total an hour, the last, of two at the same time the first source's", async () => {
    const rain = (minute: number, rainfall: number | null, source = "test") =>
      at(Date.UTC(2026, 0, 1, 6, minute), { rainfall, source });
    const rows = [rain(10, 9), rain(20, 5, "b"), rain(50, 2, "b"), rain(50, 1, "a"), rain(59, null, "c")];
    const found = await run(rows.map((one, log_offset) => ({ ...one, log_offset })));
    expect(found[0]).toMatchObject({ rainfall_total: 1, rainfall_hours: 1 });
  });

  test("leaves failed values out and counts the reports that have them", async () => {
    const rows = reports("Oslo", Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 1, 4), 60, {
      temperature: 1,
      rainfall: null,
    });
    rows[2] = { ...rows[2]!, temperature: 75 };
    const [found] = await run(rows);
    expect(found).toMatchObject({
      n: 4,
      n_failed: 1,
      n_temperature: 3,
      temperature_max: 1,
      temperature_mean: 1,
    });
    expect(found).toMatchObject({ rainfall_total: null, rainfall_hours: 0 });
  });

  test("adds winds as vectors, and has no direction where they cancel out", async () => {
    const wind = (hour: number, wind_direction: number, wind_speed = 4) =>
      at(Date.UTC(2026, 0, 1, hour), { log_offset: hour, wind_direction, wind_speed });
    expect((await run([wind(1, 350), wind(2, 10)]))[0]?.wind_direction_mean).toBeCloseTo(0, 9);
    expect((await run([wind(1, 90, 1), wind(2, 180, 3)]))[0]?.wind_direction_mean).toBeCloseTo(161.565, 3);
    expect((await run([wind(1, 90), wind(2, 270)]))[0]?.wind_direction_mean).toBeNull();
    expect((await run([wind(1, 90, 0)]))[0]?.wind_direction_mean).toBeNull();
  });

  test("of no rows is empty", async () => {
    expect(await run([])).toEqual([]);
  });
});

/** What the clocks of a zone show, by Intl: the date, and the hour with its distance from UTC. */
function clockOf(zone: string): (ms: number) => { date: string; hour: string } {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    timeZoneName: "longOffset",
  });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
    const date = `${parts.year}-${parts.month}-${parts.day}`;
    return { date, hour: `${date} ${parts.hour} ${parts.timeZoneName}` };
  };
}

function reference(rows: readonly QualityRow[]): Record<string, unknown>[] {
  const days: Record<string, unknown>[] = [];
  for (const [city, own] of groupBy(rows, (one) => one.city)) {
    const zone = CITIES.find(({ name }) => name === city)?.zone ?? null;
    const clock = clockOf(zone ?? "UTC");
    const clocks = new Map(own.map((one) => [one, clock(Date.parse(one.timestamp))]));
    const rain = rainOf(own);
    for (const [date, ofDay] of groupBy(own, (one) => clocks.get(one)!.date)) {
      const hours = new Set(ofDay.map((one) => clocks.get(one)!.hour)).size;
      const hours_of_day = hoursOf(date, clock);
      const coverage = Math.min(1, hours / hours_of_day);
      days.push({
        city,
        date,
        zone,
        hours_of_day,
        hours,
        coverage,
        ...valuesOf(ofDay, rain, (one) => clocks.get(one)!.hour),
      });
    }
  }
  return days.sort((a, b) => (`${a.date} ${a.city}` < `${b.date} ${b.city}` ? -1 : 1));
}

/** Hours of a date in a zone, by asking its clocks every half an hour. */
function hoursOf(date: string, clock: ReturnType<typeof clockOf>): number {
  let halves = 0;
  for (let ms = Date.parse(date) - DAY_MS / 2; ms < Date.parse(date) + 1.5 * DAY_MS; ms += HOUR_MS / 2)
    if (clock(ms).date === date) halves++;
  return halves / 2;
}

/** The reports whose rain total counts. */
function rainOf(rows: readonly QualityRow[]): Set<QualityRow> {
  const hours = groupBy(
    rows.filter(({ rainfall, rainfall_flag }) => rainfall !== null && rainfall_flag !== 4),
    ({ timestamp }) => timestamp.slice(0, 13),
  );
  const last = (a: QualityRow, b: QualityRow) =>
    Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.source < b.source ? -1 : 1);
  return new Set([...hours.values()].map((hour) => hour.sort(last)[0]!));
}

function valuesOf(
  rows: readonly QualityRow[],
  rain: ReadonlySet<QualityRow>,
  hourOf: (one: QualityRow) => string,
): Record<string, unknown> {
  const hours = [...groupBy(rows, hourOf).values()];
  const hourly = (values: (own: QualityRow[]) => number[]) =>
    mean(hours.flatMap((own) => hourMean(own, values) ?? []));
  const of = (name: Parameters<typeof passed>[1]) => passed(rows, name);
  const part = (trigonometry: (radians: number) => number) =>
    hourly((own) =>
      own
        .filter((one) => one.wind_speed !== null && one.wind_speed_flag !== 4)
        .map((one) => one.wind_speed! * trigonometry((one.wind_direction! * Math.PI) / 180)),
    );
  const [east, north] = [part(Math.sin), part(Math.cos)];
  const hasDirection = east !== null && north !== null && Math.hypot(east, north) >= 0.1;
  const rains = rows.filter((one) => rain.has(one)).map(({ rainfall }) => rainfall!);
  const largest = (values: readonly number[]) => (values.length === 0 ? null : Math.max(...values));
  return {
    n: rows.length,
    n_suspect: rows.filter(({ flag }) => flag === 3).length,
    n_failed: rows.filter(({ flag }) => flag === 4).length,
    n_temperature: of("temperature").length,
    temperature_min: of("temperature").length === 0 ? null : Math.min(...of("temperature")),
    temperature_mean: hourly((own) => passed(own, "temperature")),
    temperature_max: largest(of("temperature")),
    humidity_mean: hourly((own) => passed(own, "humidity")),
    pressure_mean: hourly((own) => passed(own, "pressure")),
    wind_speed_mean: hourly((own) => passed(own, "wind_speed")),
    wind_speed_max: largest(of("wind_speed")),
    wind_gust_max: largest(of("wind_gust")),
    wind_direction_mean: hasDirection ? ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360 : null,
    rainfall_total: rains.length === 0 ? null : rains.reduce((sum, value) => sum + value, 0),
    rainfall_hours: rains.length,
  };
}
