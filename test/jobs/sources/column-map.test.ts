import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceError } from "../../../core/errors.ts";
import type { Observation } from "../../../core/observation.ts";
import { type DraftLine, finished, isDraft } from "../../../jobs/sources/draft.ts";
import { parseColumnMap, readColumnMap } from "../../../jobs/sources/column-map.ts";
import { importUnits } from "../../../jobs/sources/columns/units.ts";
import { mapParser } from "../../../jobs/sources/map-parser.ts";
import { headerAt } from "../../../jobs/sources/table-header.ts";
import { Notes } from "../../../jobs/sources/notes.ts";
import { readRecords } from "../../../jobs/sources/replay.ts";
import { rejection } from "./provider.ts";

const maps = join(import.meta.dir, "../../../docs/maps");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-map-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A map of one city and a temperature, changed as wanted. */
const mapOf = (changes: object = {}) => ({
  time: { column: "t", format: "iso" },
  city: { value: "Bern" },
  fields: { temperature: { column: "x", unit: "C" } },
  ...changes,
});
/** What a parser makes of a line: the observation, or the reason why it is none. */
const madeOf = (read: DraftLine["read"] | null) => {
  if (read === null) return "left out";
  const parsed = isDraft(read) ? finished(read) : read;
  return parsed.ok ? parsed.observation : parsed.reason;
};
/** What becomes of a line of the columns t and x. */
const parse = (changes: object, line: string, header = "t,x") =>
  madeOf(parserOf(header, mapOf(changes))(line));
/** Reads lines by a map. */
const parserOf = (
  header: string,
  input: object,
  options = { source: "file", city: null as string | null },
) => {
  const map = parseColumnMap(input);
  return mapParser(headerAt([header], 0, map), map, { ...options, notes: new Notes() });
};
const one = (field: string, unit: string, text: string) => {
  const made = parse({ fields: { [field]: { column: "x", unit } } }, `2026-01-31T06:00:00Z,${text}`);
  return (made as Observation)[field as "humidity"];
};

/** The records of a file with some lines, read by a map. */
async function imported(name: string, map: string, lines: string[]): Promise<Record<string, unknown>[]> {
  const path = join(folder, name);
  await Bun.write(path, lines.join("\n"));
  const records: Record<string, unknown>[] = [];
  const options = { source: "file", map: await readColumnMap(map) };
  for await (const chunk of readRecords(path, options))
    for (const { value } of chunk) records.push(JSON.parse(value) as Record<string, unknown>);
  return records;
}

describe("the example maps", () => {
  test("read airport observations in US units, with their missing values and an impossible wind", async () => {
    const records = await imported("nyc.csv", join(maps, "nycflights13-weather.json"), [
      "origin,year,month,day,hour,temp,dewp,humid,wind_dir,wind_speed,wind_gust,precip,pressure,visib,time_hour",
      "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.357019999999999,NA,0.01,1012,10,2013-01-01T06:00:00Z",
      "JFK,2013,2,12,3,NA,NA,NA,NA,1048.36058,NA,NA,NA,NA,2013-02-12T08:00:00Z",
    ]);
    expect(records).toEqual([
      {
        timestamp: "2013-01-01T06:00:00Z",
        city: "Newark",
        temperature: 3.9,
        humidity: 59.37,
        pressure: 1012,
        wind_speed: 4.63,
        rainfall: 0.254,
        weather_main: null,
        weather_description: null,
        source: "asos",
        wind_direction: 270,
        dew_point: -3.3,
        visibility: 16093.44,
      },
      expect.objectContaining({
        city: "New York JFK",
        temperature: null,
        humidity: null,
        pressure: null,
        rainfall: null,
        wind_speed: 468.659, // kept as it was measured: judging it is quality control's work
      }),
    ]);
    expect("visibility" in records[1]!).toBe(false);
  });

  test("read a column of office temperatures", async () => {
    const records = await imported("nab.csv", join(maps, "nab-ambient-temperature.json"), [
      "timestamp,value",
      "2013-07-04 00:00:00,69.88083514",
    ]);
    expect(records).toMatchObject([
      { timestamp: "2013-07-04T00:00:00Z", city: "Office", temperature: 21.04, source: "nab" },
    ]);
  });
});

describe("mapParser()", () => {
  test.each([
    ["temperature", "C", "-3.25", -3.25],
    ["temperature", "F", "14", -10],
    ["temperature", "K", "273.15", 0],
    ["humidity", "%", "81", 81],
    ["humidity", "1", "0.815", 81.5],
    ["pressure", "hPa", "1013.25", 1013.25],
    ["pressure", "Pa", "101325", 1013.25],
    ["pressure", "kPa", "101.3", 1013],
    ["pressure", "inHg", "29.92", 1013.208],
    ["pressure", "mmHg", "760", 1013.251],
    ["wind_speed", "km/h", "36", 10],
    ["wind_speed", "mph", "10", 4.47],
    ["wind_speed", "kn", "10", 5.144],
    ["rainfall", "cm", "0.12", 1.2],
    ["rainfall", "in", "0.01", 0.254],
    ["clouds", "oktas", "4", 50],
    ["visibility", "km", "10", 10_000],
    ["visibility", "ft", "1000", 304.8],
  ])("%s in %s: %s is %d", (field, unit, text, wanted) => {
    expect(one(field, unit, text)).toBeCloseTo(wanted, 6);
  });

  test("takes another delimiter and a decimal comma, joins columns to a time, and takes quoted fields apart", () => {
    const map = {
      delimiter: ";",
      decimal: ",",
      time: { column: ["day", "clock"], format: "D.M.YYYY H:mm", zone: "Europe/Zurich" },
      city: { column: "place" },
      fields: {
        temperature: { column: "t", unit: "C" },
        weather_description: { column: "words" },
      },
    };
    const header = "day; clock;place;t;words";
    const reader = parserOf(header, map);
    const parser = (line: string) => madeOf(reader(line));
    expect(parser('31.1.2026;6:00;Bern;-3,5;"fog; dense"')).toMatchObject({
      timestamp: "2026-01-31T05:00:00Z",
      city: "Bern",
      temperature: -3.5,
      weather_description: "fog; dense",
      source: "file",
    });
    expect(parser("31.1.2026;6:00;Bern;-3.5.1;fog")).toMatchObject({
      temperature: null,
      impossible: '{"temperature":"-3.5.1"}',
    });
    expect(parser("31.1.2026;6:00;Bern;-3,5")).toBe("the line has 4 fields, the header has 5");
    expect(parser('31.1.2026;6:00;Bern;-3,5;"fog')).toBe("the line's quotes do not match");
    expect(parser("31.1.2026;6:00;;-3,5;fog")).toBe('city is "", wanted a name');
    expect(parser("31.2.2026;6:00;Bern;-3,5;fog")).toBe(
      'time is "31.2.2026 6:00", wanted it as the map\'s format has it',
    );
  });

  test("the empty text and those named missing are missing; anything else that is no number is impossible", () => {
    const missing = { missing: ["---"] };
    const fields = { temperature: { column: "x", unit: "C" }, humidity: { column: "h", unit: "%" } };
    const beside = (text: string) =>
      parse({ missing: ["---"], fields }, `2026-01-31T06:00:00Z,${text},80`, "t,x,h");
    expect(beside("")).toMatchObject({ temperature: null, humidity: 80 });
    expect(beside("---")).toMatchObject({ temperature: null, humidity: 80 });
    for (const text of ["", "---"])
      expect(parse(missing, `2026-01-31T06:00:00Z,${text}`)).toMatch(/^no value: /);
    for (const text of ["NA", "200"])
      expect(parse(missing, `2026-01-31T06:00:00Z,${text}`)).toMatchObject({
        temperature: null,
        impossible: JSON.stringify({ temperature: text }),
      });
  });

  test("a city given by the caller counts before the map's", () => {
    const map = mapOf({ city: undefined });
    const parser = parserOf("t,x", map, { source: "station:garden", city: "Basel" });
    expect(madeOf(parser("2026-01-31T06:00:00Z,1"))).toMatchObject({
      city: "Basel",
      source: "station:garden",
    });
    expect(() => parserOf("t,x", map)).toThrow("it names no city");
  });

  test("a column of the map that the file has twice is refused: which one is meant is not guessed", () => {
    expect(() => parse({}, "", "t,x,y,x")).toThrow(
      'Cannot use the column map: the file has two columns "x", number 2 and number 4',
    );
    expect(parse({}, "2026-01-31T06:00:00Z,1,2,3", "t,x,y,y")).toMatchObject({ temperature: 1 });
  });

  test("a column of the map that the file does not have is said", () => {
    expect(() => parse({}, "", "t,y")).toThrow(SourceError);
    expect(() => parse({}, "", "t,y")).toThrow(
      'Cannot use the column map: the file has no column "x", its first line is "t,y"',
    );
  });
});

describe("parseColumnMap()", () => {
  test.each<[unknown, string]>([
    [[], "the map is [], wanted an object"],
    [
      mapOf({ feilds: {} }),
      'the map has "feilds", wanted delimiter, decimal, missing, time, city, source, fields',
    ],
    [mapOf({ fields: {} }), "fields is {}, wanted"],
    [
      mapOf({ fields: { temp: { column: "x", unit: "C" } } }),
      'fields has "temp", wanted temperature, humidity',
    ],
    [mapOf({ fields: { temperature: { unit: "C" } } }), "fields.temperature.column is missing"],
    [
      mapOf({ fields: { temperature: { column: "x" } } }),
      "fields.temperature.unit is missing, wanted one of C, F, K",
    ],
    [mapOf({ fields: { temperature: { column: "x", unit: "constructor" } } }), "wanted one of C, F, K"],
    [
      mapOf({ fields: { rainfall: { column: "x", unit: "mm", factor: 2 } } }),
      'fields.rainfall has "factor", wanted column, unit, missing, trace, match',
    ],
    [mapOf({ time: { column: "t" } }), "time is"],
    [mapOf({ time: { column: "t", format: "YYYY-MM-DD" } }), "time: a pattern such as"],
    [mapOf({ time: { column: [1], format: "iso" } }), "time.column is [1], wanted texts"],
    [mapOf({ city: "Bern" }), "city is"],
    [mapOf({ city: { column: "c", names: { a: 1 } } }), "city is"],
    [mapOf({ delimiter: ";;" }), 'delimiter is ";;", wanted one character'],
    [mapOf({ decimal: "," }), 'decimal is ",", wanted . or , and another one than the delimiter'],
    [mapOf({ missing: "NA" }), 'missing is "NA", wanted texts'],
    [mapOf({ source: "" }), 'source is "", wanted a name'],
  ])("refuses %j", (input, message) => {
    expect(() => parseColumnMap(input)).toThrow(TypeError);
    expect(() => parseColumnMap(input)).toThrow(message);
  });

  test("takes oktas of clouds and of nothing else", () => {
    expect(importUnits("clouds")).toEqual(["%", "1", "oktas"]);
    const oktas = (field: string) => mapOf({ fields: { [field]: { column: "x", unit: "oktas" } } });
    expect(parseColumnMap(oktas("clouds")).numbers[0]?.convert(4)).toBe(50);
    expect(() => parseColumnMap(oktas("humidity"))).toThrow("wanted one of %, 1");
  });

  test("readColumnMap() says which file cannot be used, and why", async () => {
    const missing = await rejection(readColumnMap(join(folder, "none.json")));
    expect(missing.message).toBe(
      `Cannot use the column map ${join(folder, "none.json")}: there is no such file`,
    );
    await Bun.write(join(folder, "bad.json"), "{");
    expect((await rejection(readColumnMap(join(folder, "bad.json")))).message).toContain("it is no JSON");
    await Bun.write(join(folder, "odd.json"), "[]");
    const odd = await rejection(readColumnMap(join(folder, "odd.json")));
    expect([odd.code, odd.message]).toEqual(["bad_file", expect.stringContaining("wanted an object")]);
  });
});
