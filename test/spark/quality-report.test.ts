import { describe, expect, test } from "bun:test";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { row, START } from "../support/lake-files.ts";
import { faultyWeather } from "./quality-data.ts";
import { levelsView, NOTHING, qualityRunner, reports } from "./quality-reports.ts";

const { run, flags } = qualityRunner();

describe("q_consistency", () => {
  test("a dew point above the temperature: suspect above 0.1 °C, fails above 1 °C, and both variables are suspect", async () => {
    const rows = reports(
      [null, 9, 10.1, 10.2, 11, 11.1].map((dew_point) => ({
        temperature: 10,
        rainfall: null,
        ...(dew_point === null ? {} : { dew_point }),
      })),
    );
    const found = await run(
      "SELECT q_consistency, temperature_flag, humidity_flag, pressure_flag FROM quality ORDER BY timestamp",
      rows,
    );
    expect(found.map(Object.values)).toEqual([
      [2, 1, 1, 1],
      [1, 1, 1, 1],
      [1, 1, 1, 1],
      [3, 3, 3, 1],
      [3, 3, 3, 1],
      [4, 3, 3, 1],
    ]);
  });

  test("a dew point above the temperature is suspect itself, and none that fails makes the temperature suspect", async () => {
    const found = await run(
      "SELECT q_consistency, q_gross, temperature_flag, humidity_flag, dew_point_flag FROM quality ORDER BY timestamp",
      reports([9, 12, 60].map((dew_point) => ({ temperature: 10, rainfall: null, dew_point }))),
    );
    expect(found.map(Object.values)).toEqual([
      [1, 1, 1, 1, 1],
      [4, 1, 3, 3, 3],
      [2, 4, 1, 1, 4],
    ]);
  });

  test("a gust far above the wind is suspect, one that fails makes no wind suspect, and no wind that fails a gust", async () => {
    const found = await run(
      "SELECT q_consistency, q_gross, wind_speed_flag, wind_gust_flag, flag FROM quality ORDER BY timestamp",
      reports([
        { wind_speed: 5, wind_gust: 43.6 },
        { wind_speed: 5, wind_gust: 43.7 },
        { wind_speed: 5, wind_gust: 4 },
        { wind_speed: 5, wind_gust: 999.9 },
        { wind_speed: 468, wind_gust: 12 },
      ]).map((one) => ({ ...one, rainfall: null })),
    );
    expect(found.map(Object.values)).toEqual([
      [1, 1, 1, 1, 1],
      [3, 1, 1, 3, 3],
      [3, 1, 3, 3, 3],
      [2, 4, 1, 4, 4],
      [2, 4, 4, 1, 4],
    ]);
  });

  test("gusts below the mean wind and rain out of a clear sky are suspect", async () => {
    const found = await run(
      "SELECT q_consistency, wind_speed_flag, rainfall_flag FROM quality ORDER BY timestamp",
      reports([
        { wind_speed: 5, wind_gust: 5 },
        { wind_speed: 5, wind_gust: 4.9 },
        { rainfall: 0.1, weather_main: "Clear" },
        { rainfall: 0, weather_main: "Clear" },
        { rainfall: 0.1, weather_main: "Rain" },
        { rainfall: 0.1, weather_main: null },
      ]),
    );
    expect(found.map(Object.values)).toEqual([
      [1, 1, 1],
      [3, 3, 1],
      [3, 1, 3],
      [1, 1, 1],
      [1, 1, 1],
      [2, 1, 1],
    ]);
  });
});

describe("q_time", () => {
  const at = (minutes: number) => reports([{ ingested_at: formatTimestamp(START + minutes * 60_000) }]);

  test("late is suspect and says nothing about the values, history is not late, the future fails", async () => {
    const sql = "SELECT q_time, temperature_flag, flag FROM quality";
    const found = await Promise.all([120, 121, 1440, 1441, -5, -6].map((minutes) => run(sql, at(minutes))));
    expect(found.flat().map(Object.values)).toEqual([
      [1, 1, 1],
      [3, 1, 3],
      [3, 1, 3],
      [2, 1, 1],
      [1, 1, 1],
      [4, 4, 4],
    ]);
  });

  test("a time that fails takes part in nothing but the count of failures", async () => {
    const good = reports(Array.from({ length: 30 }, (_, i) => ({ temperature: 10 + (i % 3) })));
    const between = (hour: number) => formatTimestamp(START + (hour + 0.5) * HOUR_MS);
    // Some of another pressure and temperature that came too early: within the series, and after its end.
    const ahead = [5, 6, 20, 36].map((hour, i) => ({
      ...good[0]!,
      timestamp: between(hour),
      ingested_at: between(hour - 11),
      temperature: 40,
      pressure: 950,
      log_offset: 100 + i,
    }));
    const other = { ...ahead[0]!, source: "other", log_offset: 200 };
    const all = [...good, ...ahead, other];
    const sql = `SELECT ${FLAG_COLUMNS.join(", ")} FROM quality WHERE q_time <> 4 ORDER BY timestamp`;
    expect(await run(sql, all)).toEqual(await run(sql, good));
    const failed = "SELECT flag, count(*) AS n FROM quality WHERE q_time = 4 GROUP BY flag";
    expect((await run(failed, all)).map((one) => Object.values(one).map(Number))).toEqual([[4, 5]]);
  });

  test("what arrives after the next report of its series is out of order", async () => {
    const arrive = (minutes: number[]) =>
      reports(minutes.map((minute) => ({ ingested_at: formatTimestamp(START + minute * 60_000) })));
    expect(await flags("q_time", arrive([1, 62, 61 + 60]))).toEqual([1, 1, 1]);
    expect(await flags("q_time", arrive([62, 61, 61 + 60]))).toEqual([3, 1, 1]);
  });

  test("the order of reports within the usual delay of a source is no fault", async () => {
    const seconds = (observed: number, arrived: number) => ({
      timestamp: formatTimestamp(START + observed * 1000),
      ingested_at: formatTimestamp(START + arrived * 1000),
    });
    // Rapid-fire reports every five seconds, between them the archive record of a minute, which is sent later.
    const rapid = [55, 62, 65, 70, 75].map((second) => seconds(second, second));
    const archive = seconds(60, 73);
    const mixed = reports([rapid[0]!, archive, ...rapid.slice(1)]);
    expect(await flags("q_time", mixed)).toEqual([1, 1, 1, 1, 1, 1]);
    const late = (minutes: number) => reports([seconds(0, minutes * 60), seconds(5, 5)]);
    expect(await flags("q_time", late(30))).toEqual([1, 1]);
    expect(await flags("q_time", late(31))).toEqual([3, 1]);
  });
});

describe("q_neighbour", () => {
  /** One report of each source at the same hour. */
  const sources = (temperatures: Record<string, number>, timestamp = formatTimestamp(START)) =>
    Object.entries(temperatures).map(([source, temperature], log_offset) =>
      row({ city: "Madrid", source, temperature, timestamp, ingested_at: timestamp, log_offset }),
    );
  const of = (temperatures: Record<string, number>, timestamp?: string) =>
    flags("q_neighbour", sources(temperatures, timestamp));

  test("of two sources both are suspect when they differ, never failed", async () => {
    expect(await of({ a: 10, b: 14.4 })).toEqual([1, 1]);
    expect(await of({ a: 10, b: 14.5 })).toEqual([3, 3]);
    expect(await of({ a: 10, b: 40 })).toEqual([3, 3]);
    expect(await of({ a: 10 })).toEqual([2]);
  });

  test("of three the one fails that differs from two which agree", async () => {
    expect(await of({ a: 10, b: 11, c: 18.4 })).toEqual([1, 1, 4]);
    expect(await of({ a: 10, b: 11, c: 16 })).toEqual([1, 1, 3]);
    expect(await of({ a: 10, b: 20, c: 30 })).toEqual([3, 3, 3]);
    expect(await of({ a: 10, b: 10, c: 30, d: 30 })).toEqual([3, 3, 3, 3]);
    expect(await of({ a: 10, b: 10, c: 10, d: 30, e: 30 })).toEqual([1, 1, 1, 4, 4]);
  });

  test("a neighbour that fails the extremes accuses nobody, and is accused by nobody", async () => {
    expect(await of({ a: 10, b: 56 })).toEqual([2, 2]);
  });

  test("compares at the same height, by where each stood at the time", async () => {
    const heights = { "station:hill": 5, "station:valley": 11 };
    expect(await of(heights, "2026-01-01T00:00:00Z")).toEqual([3, 3]);
    expect(await of(heights, "2026-01-02T00:00:00Z")).toEqual([1, 1]);
  });

  test("looks half an hour around, at the report that comes nearest", async () => {
    const one = (source: string, minute: number, temperature: number, log_offset: number) => {
      const timestamp = formatTimestamp(START + minute * 60_000);
      return row({ city: "Madrid", source, temperature, timestamp, ingested_at: timestamp, log_offset });
    };
    const apart = (minute: number) => [one("a", 45, 10, 0), one("b", minute, 20, 1)];
    expect(await flags("q_neighbour", apart(75), "a")).toEqual([3]);
    expect(await flags("q_neighbour", apart(76), "a")).toEqual([2]);
    expect(await flags("q_neighbour", apart(15), "a")).toEqual([3]);
    expect(await flags("q_neighbour", [...apart(60), one("b", 50, 10, 2)], "a")).toEqual([1]);
  });
});

describe("flag", () => {
  test("is the worst of the tests, good beside tests that could not be made, and 9 only without any value", async () => {
    const found = await run(
      `SELECT ${FLAG_COLUMNS.join(", ")} FROM quality ORDER BY timestamp`,
      reports([{}, NOTHING, { wind_speed: 70 }, { ...NOTHING, rainfall: 1, weather_main: "Clear" }]),
    );
    expect(found.map(({ flag }) => flag)).toEqual([1, 9, 3, 3]);
    expect(found[0]).toMatchObject({ q_gross: 1, q_step: 2, q_level: 2, temperature_flag: 1 });
    expect(found[1]).toMatchObject({
      q_gross: 9,
      q_step: 9,
      q_spike: 9,
      q_stuck: 9,
      q_level: 9,
      q_consistency: 9,
      q_time: 1,
      q_neighbour: 9,
      temperature_flag: 9,
    });
    expect(found[3]).toMatchObject({ temperature_flag: 9, rainfall_flag: 3 });
  });

  test("a humidity of 100 to 104 % is good and stays as it is", async () => {
    const found = await run("SELECT humidity, humidity_flag FROM quality", reports([{ humidity: 104 }]));
    expect(found).toEqual([{ humidity: 104, humidity_flag: 1 }]);
  });

  test("of the newest report is the same from the last 25 hours as from all of the past", async () => {
    const rows = faultyWeather(3).filter(({ city }) => city === "Perth");
    const sql = `SELECT timestamp, ${FLAG_COLUMNS.join(", ")} FROM quality ORDER BY timestamp`;
    const all = await run(sql, rows);
    const levels = await run("SELECT city, source, day, pressure_level FROM levels", rows);
    const kept = levelsView(
      levels.map(({ city, source, day, pressure_level }) => ({
        city: String(city),
        source: String(source),
        day: Date.parse(String(day)),
        pressure_level: Number(pressure_level),
      })),
    );
    for (let i = 40; i < all.length; i += 23) {
      const newest = Date.parse(String(all[i]!.timestamp));
      const past = rows.filter(({ timestamp }) => {
        const ms = Date.parse(timestamp);
        return ms <= newest + HOUR_MS && ms > newest - 25 * HOUR_MS;
      });
      const live = (await run(sql, past, [kept])).find(({ timestamp }) => timestamp === all[i]!.timestamp);
      expect(live).toEqual(all[i]);
    }
  });
});
