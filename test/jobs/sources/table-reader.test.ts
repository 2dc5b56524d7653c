import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseColumnMap } from "../../../jobs/sources/column-map.ts";
import { Notes } from "../../../jobs/sources/notes.ts";
import { readRecords } from "../../../jobs/sources/replay.ts";
import { rejection } from "./provider.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-table-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A map of one city and a temperature, changed as wanted. */
const mapOf = (changes: object = {}) => ({
  time: { column: "time", format: "YYYY-MM-DD HH:mm", zone: "UTC" },
  city: { value: "Bern" },
  fields: { temperature: { column: "t", unit: "C" } },
  ...changes,
});

let files = 0;
/** What becomes of a file: records, and reasons of those that are none. */
async function read(
  content: string | Uint8Array,
  changes: object = {},
  notes = new Notes(),
): Promise<Record<string, unknown>[]> {
  const path = join(folder, `${files++}.txt`);
  await Bun.write(path, content);
  const records: Record<string, unknown>[] = [];
  for await (const chunk of readRecords(path, { source: "file", map: parseColumnMap(mapOf(changes)), notes }))
    for (const { value } of chunk) records.push(JSON.parse(value) as Record<string, unknown>);
  return records;
}
const temperatures = async (...args: Parameters<typeof read>) =>
  (await read(...args)).map(({ temperature, unreadable }) => temperature ?? unreadable);

describe("tableReader() finds the header", () => {
  test("behind other lines, by what the map asks for", async () => {
    const lines = ['"My Station"', '"5 min"', "", "time,t", "2025-01-01 00:00,8.3"];
    expect(await temperatures(lines.join("\n"))).toEqual([8.3]);
  });

  test("marked as a comment, and leaves comments out before and behind it", async () => {
    const lines = [
      "# from here",
      "# time,   t",
      "2025-01-01 00:00, 8.3",
      "# t is in C",
      "[$]",
      "2025-01-01 01:00,8.4",
    ];
    expect(await temperatures(lines.join("\n"), { comments: ["#", "[$]"] })).toEqual([8.3, 8.4]);
  });

  test("in two lines, whose names are joined", async () => {
    const lines = ["\tTemp\tTemp", "time\tOut\tIn", "2025-01-01 00:00\t8.3\t21"];
    const changes = {
      delimiter: "\t",
      header_lines: 2,
      fields: { temperature: { column: "Temp Out", unit: "C" } },
    };
    expect(await temperatures(lines.join("\n"), changes)).toEqual([8.3]);
  });

  test("in no line: the map names the columns", async () => {
    const changes = { columns: ["time", "x", "t"] };
    expect(await temperatures("2025-01-01 00:00,1,8.3\n2025-01-01 01:00,1,8.4", changes)).toEqual([8.3, 8.4]);
  });

  test("and says what the nearest line lacks where none has all", async () => {
    const { message } = await rejection(read("from,here\ntime,temp\n2025-01-01 00:00,8.3"));
    expect(message).toBe('Cannot use the column map: the file has no column "t", its line 2 is "time,temp"');
  });
});

describe("tableReader() reads", () => {
  test("UTF-16 by its mark, and Windows-1252 where the map says so", async () => {
    const text = "time,t °C\n2025-01-01 00:00,8.3\n2025-01-01 01:00,8.4\n";
    const changes = { fields: { temperature: { column: "t °C", unit: "C" } } };
    const utf16 = Buffer.from(`\uFEFF${text}`, "utf16le");
    expect(await temperatures(utf16, changes)).toEqual([8.3, 8.4]);
    expect(await temperatures(utf16.swap16(), changes)).toEqual([8.3, 8.4]);
    const latin = Buffer.from(text, "latin1");
    expect(await temperatures(latin, { ...changes, encoding: "windows-1252" })).toEqual([8.3, 8.4]);
    expect((await rejection(read(latin, changes))).message).toContain('has no column "t °C"');
  });

  test("the column that the file has of several, and refuses a file with two of them", async () => {
    const fields = {
      temperature: [
        { column: "t", unit: "C" },
        { column: "t F", unit: "F" },
      ],
    };
    expect(await temperatures("time,t F\n2025-01-01 00:00,14", { fields })).toEqual([-10]);
    expect((await rejection(read("time,t,t F\n2025-01-01 00:00,1,14", { fields }))).message).toBe(
      'Cannot use the column map: the file has "t" and "t F", and both may be the temperature',
    );
  });

  test("a file that lacks fields where the map is partial, but not one that lacks all", async () => {
    const changes = {
      partial: true,
      fields: { temperature: { column: "t", unit: "C" }, humidity: { column: "rh", unit: "%" } },
    };
    expect(await read("time,rh\n2025-01-01 00:00,80", changes)).toMatchObject([
      { temperature: null, humidity: 80 },
    ]);
    expect((await rejection(read("time,x\n2025-01-01 00:00,80", changes))).message).toContain(
      'no column "t"',
    );
    const whole = { fields: changes.fields };
    expect((await rejection(read("time,rh\n2025-01-01 00:00,80", whole))).message).toContain('no column "t"');
  });

  test("lines with more or fewer fields only where the map is ragged", async () => {
    const text = "time,t,x\n2025-01-01 00:00,8.3,1,\n2025-01-01 01:00,8.4";
    expect(await temperatures(text, { ragged: true })).toEqual([8.3, 8.4]);
    expect(await temperatures(text)).toEqual([
      "the line has 4 fields, the header has 3",
      "the line has 2 fields, the header has 3",
    ]);
  });

  test("lines by their texts in other columns", async () => {
    const text = "time,type,t\n2025-01-01 00:00,FM-15,1\n2025-01-01 00:30,SOD  ,2\n2025-01-01 01:00,FM-12,3";
    expect(await temperatures(text, { only: { type: ["FM-15", "SOD"] } })).toEqual([1, 2]);
    expect(await temperatures(text, { except: { type: ["SOD"] } })).toEqual([1, 3]);
  });

  test("a line for each value, each as the field that its name says", async () => {
    const changes = {
      long: { name: "entity", value: "state" },
      missing: ["unavailable"],
      fields: { temperature: { column: "out.t", unit: "F" }, humidity: { column: "out.rh", unit: "%" } },
    };
    const text = [
      "entity,state,time",
      "out.t,14,2025-01-01 00:00",
      "in.t,70,2025-01-01 00:00",
      "out.rh,80,2025-01-01 00:00",
      "out.rh,unavailable,2025-01-01 01:00",
    ].join("\n");
    expect(await read(text, changes)).toMatchObject([
      { timestamp: "2025-01-01T00:00:00Z", temperature: -10, humidity: null },
      { timestamp: "2025-01-01T00:00:00Z", temperature: null, humidity: 80 },
    ]);
    expect((await rejection(read("entity,state,time\nin.t,70,2025-01-01 00:00", changes))).message).toBe(
      'Cannot use the column map: none of its columns is in the file, which has ["in.t"]',
    );
  });

  test("the source in a column, by its names", async () => {
    const source = { column: "who", names: { a: "garden" } };
    const text = "time,who,t\n2025-01-01 00:00,a,1\n2025-01-01 00:00,roof,2";
    expect((await read(text, { source })).map((record) => record.source)).toEqual(["garden", "roof"]);
  });

  test("times of one of several formats, with two digits of the year, names of months and a.m. by one letter", async () => {
    const time = {
      column: "time",
      format: ["M/D/YY h:mm A", "M/D/YY h:mmA", "DD-MMM-YYYY HH:mm"],
      zone: "UTC",
    };
    const text =
      "time,t\n1/31/25 12:05 AM,1\n1/31/25 1:05p,2\n31-Jan-1999 06:00,3\n31-Sept-2025 06:00,4\n1/31/70 1:00a,5";
    expect((await read(text, { time })).map(({ timestamp, unreadable }) => timestamp ?? unreadable)).toEqual([
      "2025-01-31T00:05:00Z",
      "2025-01-31T13:05:00Z",
      "1999-01-31T06:00:00Z",
      'time is "31-Sept-2025 06:00", wanted it as the map\'s format has it',
      "1970-01-31T01:00:00Z",
    ]);
  });
});

describe("tableReader() reads numbers", () => {
  /** What becomes of one text of a field. */
  const one = async (field: string, entry: object, text: string, changes: object = {}) => {
    const fields = { [field]: { column: "t", ...entry } };
    const [record] = await read(`time;t\n2025-01-01 00:00;"${text}"`, { delimiter: ";", fields, ...changes });
    return record?.[field] ?? record?.impossible ?? record?.unreadable;
  };

  test.each([
    ["950,5", null, 950.5],
    ["9.500", null, '{"pressure":"9.500"}'], // 9.5 or 9500: it is not guessed
    ["1.013,25", null, '{"pressure":"1.013,25"}'],
    ["1.013,25", ".", 1013.25],
    ["1.013", ".", 1013],
    ["1.01", ".", '{"pressure":"1.01"}'],
  ])("%s with a decimal comma and %j for thousands is %j", async (text, thousands, wanted) => {
    expect(await one("pressure", { unit: "hPa" }, text, { decimal: ",", thousands })).toBe(wanted);
  });

  test("with a comma for thousands", async () => {
    expect(await one("pressure", { unit: "hPa" }, "1,013.2", { thousands: "," })).toBe(1013.2);
    expect(await one("pressure", { unit: "hPa" }, "1,0132", { thousands: "," })).toBe(
      '{"pressure":"1,0132"}',
    );
  });

  test.each([
    ["wind_direction", { unit: "tens of degrees" }, "29", 290],
    ["wind_direction", { unit: "compass" }, "NNE", 22.5],
    ["wind_direction", { unit: "compass", missing: ["CALM"] }, "CALM", "no value"],
    ["temperature", { unit: "tenths of C" }, "-142", -14.2],
    ["temperature", { unit: "tenths of F" }, "140", -10],
    ["pressure", { unit: "tenths of hPa" }, "10132", 1013.2],
    ["temperature", { unit: "C", match: "(.*) °C" }, "12.3 °C", 12.3],
    ["temperature", { unit: "tenths of C", match: "([+-]\\d{4}),[0145]" }, "+0123,1", 12.3],
    [
      "temperature",
      { unit: "tenths of C", match: "([+-]\\d{4}),[0145]" },
      "+0123,3",
      '{"temperature":"+0123,3"}',
    ],
    ["temperature", { unit: "C", match: "([+-]\\d{4}),.", missing: ["+9999"] }, "+9999,9", "no value"],
    ["rainfall", { unit: "mm", match: "01,(\\d+)|06,.*", amount: "hour" }, "06,0005", "no value"],
    ["temperature", { unit: "C", missing: ["-999"] }, "-999.0", "no value"],
    ["rainfall", { unit: "in", trace: ["T"], amount: "hour" }, "T", 0],
  ])("%s as %j: %s is %j", async (field, entry, text, wanted) => {
    const made = await one(field, entry, text);
    if (wanted === "no value") expect(made).toMatch(/^no value: /);
    else expect(made).toBe(wanted);
  });

  test("and tells how often a trace was taken for 0", async () => {
    const notes = new Notes();
    const fields = { rainfall: { column: "t", unit: "mm", trace: ["T"], amount: "hour" } };
    await read("time,t\n2025-01-01 00:00,T\n2025-01-01 01:00,0.2\n2025-01-01 02:00,T", { fields }, notes);
    expect(notes.lines()).toEqual(["2 × a trace of rainfall counts as 0, first: 2025-01-01 00:00 Bern"]);
  });
});

test.each([
  [{ thousands: "x" }, 'thousands is "x"'],
  [{ decimal: ",", delimiter: ";", thousands: "," }, 'thousands is ","'],
  [{ encoding: "ebcdic" }, 'encoding is "ebcdic", wanted one of utf-8'],
  [{ header_lines: 3 }, "header_lines is 3, wanted 1 or 2"],
  [{ ragged: "yes" }, 'ragged is "yes", wanted true or false'],
  [{ long: { name: "a" } }, "long is"],
  [{ only: ["a"] }, "only is"],
  [{ except: { a: "b" } }, 'except.a is "b", wanted texts'],
  [{ fields: { temperature: { column: "t", unit: "C", match: "x" } } }, 'fields.temperature.match is "x"'],
  [
    { fields: { temperature: { column: "t", unit: "C", match: "((x)" } } },
    'fields.temperature.match is "((x)"',
  ],
  [
    { fields: { temperature: { column: "t", unit: "dozens of C" } } },
    'unit is "dozens of C", wanted one of C, F, K',
  ],
])("parseColumnMap() refuses %j", (changes, message) => {
  expect(() => parseColumnMap(mapOf(changes))).toThrow(message);
});
