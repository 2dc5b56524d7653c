import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isSqlite, readWeewx } from "../../../jobs/sources/weewx.ts";
import { rejection } from "./provider.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-weewx-"));
});
afterAll(() => rm(folder, { recursive: true }));

const NOON = Date.UTC(2026, 0, 31, 12) / 1000;
const US = 1;
const METRIC = 16;
const METRICWX = 17;

/** An archive record; what is not given is what a US station has most often. */
interface Archive {
  at: number;
  system?: number;
  interval?: number;
  values?: Record<string, number | null>;
}

let files = 0;
/** A database as WeeWX makes it: the columns that are read here, and some more. */
function database(rows: readonly Archive[], columns?: string): string {
  const path = join(folder, `${files++}.sdb`);
  const db = new Database(path);
  db.run(
    `CREATE TABLE archive (${
      columns ??
      `dateTime INTEGER NOT NULL UNIQUE PRIMARY KEY, usUnits INTEGER NOT NULL, interval INTEGER NOT NULL,
      barometer REAL, pressure REAL, altimeter REAL, inTemp REAL, outTemp REAL, outHumidity REAL, windSpeed REAL,
      windDir REAL, windGust REAL, windGustDir REAL, rainRate REAL, rain REAL, dewpoint REAL`
    })`,
  );
  db.run("BEGIN");
  for (const { at, system = US, interval = 5, values = {} } of rows) {
    const names = ["dateTime", "usUnits", "interval", ...Object.keys(values)];
    db.query(`INSERT INTO archive (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`).run(
      at,
      system,
      interval,
      ...Object.values(values),
    );
  }
  db.run("COMMIT");
  db.close();
  return path;
}

async function read(path: string): Promise<Record<string, unknown>[]> {
  const records: Record<string, unknown>[] = [];
  for await (const chunk of readWeewx(path, { city: "Bern", source: "station:garden" }))
    for (const { value } of chunk) records.push(JSON.parse(value) as Record<string, unknown>);
  return records;
}

/** Records every `interval` minutes up to noon, the rain of each in the database's unit. */
const rainy = (interval: number, rain: (number | null)[], system = METRICWX): Archive[] =>
  rain.map((value, index) => ({
    at: NOON - (rain.length - 1 - index) * interval * 60,
    system,
    interval,
    values: { rain: value },
  }));
const rainOf = async (rows: Archive[]) => (await read(database(rows))).map(({ rainfall }) => rainfall);

describe("readWeewx()", () => {
  test("takes each row by its own unit system", async () => {
    const values = {
      barometer: 29.92,
      outTemp: 50,
      outHumidity: 81,
      windSpeed: 10,
      windDir: 263,
      windGust: 20,
    };
    const metric = { ...values, barometer: 1013.2, outTemp: 10, windSpeed: 36, windGust: 72, dewpoint: 6.9 };
    const path = database([
      { at: NOON - 300, values: { ...values, dewpoint: 44.42, pressure: 28 } },
      { at: NOON, system: METRIC, values: metric },
      { at: NOON + 300, system: METRICWX, values: { ...metric, windSpeed: 10, windGust: 20 } },
    ]);
    const records = await read(path);
    expect(records[0]).toEqual({
      timestamp: "2026-01-31T11:55:00Z",
      city: "Bern",
      temperature: 10,
      humidity: 81,
      pressure: 1013.21,
      wind_speed: 4.47,
      rainfall: null,
      weather_main: null,
      weather_description: null,
      source: "station:garden",
      wind_direction: 263,
      wind_gust: 8.94,
      dew_point: 6.9,
    });
    for (const record of records.slice(1))
      expect(record).toMatchObject({ temperature: 10, pressure: 1013.2, wind_speed: 10, wind_gust: 20 });
  });

  test("rain of the archive intervals becomes the rain of the hour before, from the first whole hour on", async () => {
    const half = [0.2, 0, 0, 0.4, 0, 0, 0, 0, 0, 0, 0, 0.6, 1];
    expect(await rainOf(rainy(5, half))).toEqual([...Array.from({ length: 11 }, () => null), 1.2, 2]);
    expect(await rainOf(rainy(30, [1, 2, 4]))).toEqual([null, 3, 6]);
    expect(await rainOf(rainy(60, [1, 2]))).toEqual([1, 2]);
  });

  test("rain in inches and cm becomes mm", async () => {
    expect(await rainOf(rainy(30, [0.1, 0.2], US))).toEqual([null, 7.62]);
    expect(await rainOf(rainy(30, [0.1, 0.2], METRIC))).toEqual([null, 3]);
  });

  test("of an interval in which the hour begins the share inside it counts", async () => {
    const rows = rainy(8, [0, 0, 0.8, 0, 0, 0, 0, 0, 0, 0.1]);
    expect((await rainOf(rows)).at(-1)).toBe(0.5); // half of the 0.8, and the 0.1
  });

  test("rain is missing where an hour is not covered, a value is missing, or an interval is longer", async () => {
    const gap = rainy(
      5,
      Array.from({ length: 13 }, () => 0.1),
    ).filter((_, index) => index !== 6);
    expect((await rainOf(gap)).at(-1)).toBeNull();
    expect(
      (await rainOf(rainy(5, [0.1, ...Array.from({ length: 10 }, () => 0.1), null, 0.1]))).at(-1),
    ).toBeNull();
    expect(await rainOf(rainy(120, [1, 1]))).toEqual([null, null]);
    expect(
      (
        await rainOf([
          ...rainy(5, Array(12).fill(0.1) as number[]).slice(0, -1),
          { at: NOON, system: METRICWX, interval: 60, values: { rain: 1 } },
        ])
      ).at(-1),
    ).toBeNull();
  });

  test("columns that the table lacks are missing", async () => {
    const path = database(
      [{ at: NOON, values: { outTemp: 50 } }],
      "dateTime INTEGER PRIMARY KEY, usUnits INTEGER, interval INTEGER, outTemp REAL",
    );
    expect(await read(path)).toMatchObject([
      { temperature: 10, humidity: null, pressure: null, rainfall: null },
    ]);
  });

  test("a row in an unknown unit system, is passed on to be rejected; an impossible value loses itself alone", async () => {
    const path = database([
      { at: NOON, system: 2, values: { outTemp: 50 } },
      { at: NOON + 300, values: { outHumidity: 655 } },
      { at: NOON + 600, values: { outTemp: 50 } },
    ]);
    expect(await read(path)).toMatchObject([
      { timestamp: "2026-01-31T12:00:00.000Z", city: "Bern", source: "station:garden", usUnits: 2 },
      { humidity: null, impossible: '{"humidity":"655"}' },
      { timestamp: "2026-01-31T12:10:00Z", temperature: 10 },
    ]);
  });

  test("reads in chunks, and leaves the database as it was", async () => {
    const path = database(Array.from({ length: 1_500 }, (_, index) => ({ at: NOON + index * 300 })));
    const before = await Bun.file(path).bytes();
    const sizes: number[] = [];
    for await (const chunk of readWeewx(path, { city: "Bern", source: "weewx" })) sizes.push(chunk.length);
    expect(sizes).toEqual([1_000, 500]);
    expect(await Bun.file(path).bytes()).toEqual(before);
  });

  test("says what is no such database", async () => {
    const other = join(folder, "other.sdb");
    new Database(other).run("CREATE TABLE things (name TEXT)");
    const wrong = await rejection(read(other));
    expect([wrong.code, wrong.message]).toEqual([
      "bad_file",
      `Cannot read the WeeWX database ${other}: it has no column archive.dateTime`,
    ]);
    await Bun.write(join(folder, "text.sdb"), "SQLite format 3\0, but not really");
    expect((await rejection(read(join(folder, "text.sdb")))).code).toBe("bad_file");
    expect((await rejection(read(join(folder, "none.sdb")))).code).toBe("bad_file");
  });

  test("isSqlite() looks at the first bytes", async () => {
    expect(await isSqlite(database([]))).toBe(true);
    await Bun.write(join(folder, "a.csv"), "timestamp,city\n");
    expect(await isSqlite(join(folder, "a.csv"))).toBe(false);
    expect(await isSqlite(join(folder, "none"))).toBe(false);
  });
});
