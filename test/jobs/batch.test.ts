import { describe, expect, test } from "bun:test";
import { sha256Hex } from "../../core/checksum.ts";
import { parseRecords, sortBatch } from "../../jobs/batch.ts";
import { CommittedIndex } from "../../jobs/dedupe.ts";
import type { LogRecord } from "../../jobs/log/log.ts";
import { at, recordOf } from "../support/write-path.ts";

const TAKEN = Date.UTC(2026, 0, 31, 12);
const recordsOf = (values: readonly string[], first = 0): LogRecord[] =>
  values.map((value, i) => ({ offset: first + i, timestamp: TAKEN, value }));

/** Sorts records over an index with nothing committed. */
async function sort(records: readonly LogRecord[], first = records[0]?.offset ?? 0) {
  const parsed = parseRecords(records);
  const index = new CommittedIndex(async () => []);
  await index.prepare(new Set(parsed.flatMap((record) => (record.ok ? [record.hour] : []))));
  return sortBatch("topic", 3, first, records, parsed, index);
}

describe("parseRecords()", () => {
  test("puts observations into canonical form and hours of UTC", () => {
    const [record] = parseRecords(
      recordsOf([recordOf({ timestamp: "2026-02-01T01:30:00.250+02:00", clouds: null })]),
    );
    expect(record).toMatchObject({ ok: true, hour: "2026-01-31T23", observed: "2026-01-31T23:30:00.250Z" });
    expect(record!.ok && JSON.parse(record!.json)).toEqual({
      ...JSON.parse(recordOf()),
      timestamp: "2026-01-31T23:30:00.250Z",
    });
  });

  test("never throws, and tells why a record is none", () => {
    const values = ["", "{", "[]", "null", "\u0000", "1e999", '"text"', "{}", recordOf({ city: null })];
    for (const record of parseRecords(recordsOf(values))) {
      expect(record.ok).toBe(false);
      if (!record.ok) expect(record.reason.length).toBeGreaterThan(10);
    }
  });

  test("measures the future from when the log took the record, so that it reads the same for ever", () => {
    const value = recordOf({ timestamp: "2026-02-01T12:00:00Z" });
    const [early, late] = parseRecords([
      { offset: 0, timestamp: TAKEN - 1, value },
      { offset: 1, timestamp: TAKEN, value },
    ]);
    expect([early!.ok, late!.ok]).toEqual([false, true]);
  });
});

describe("sortBatch()", () => {
  test("writes each row as its canonical JSON with the offset and the time the log took it", async () => {
    const batch = await sort(recordsOf([recordOf({ wind_gust: 9 })], 41));
    expect(batch.hours).toHaveLength(1);
    const [hour] = batch.hours;
    expect(hour!.hour).toBe("2026-01-31T06");
    expect(hour!.lines).toHaveLength(1);
    expect(hour!.lines[0]!.endsWith("\n")).toBe(true);
    expect(JSON.parse(hour!.lines[0]!)).toEqual({
      ...JSON.parse(recordOf()),
      wind_gust: 9,
      log_offset: 41,
      ingested_at: "2026-01-31T12:00:00Z",
    });
  });

  test("every record is in exactly one of rows, duplicates and rejected", async () => {
    const batch = await sort(
      recordsOf([
        recordOf(),
        "bad",
        recordOf(),
        recordOf({ temperature: 6 }),
        recordOf({ timestamp: at("07:00") }),
        "bad",
      ]),
    );
    expect(batch.counts).toEqual({ rows: 3, duplicates: 1, rejected: 2 });
    expect(batch.hours.map(({ hour, lines, revisions }) => [hour, lines.length, revisions])).toEqual([
      ["2026-01-31T06", 2, 1],
      ["2026-01-31T07", 1, 0],
    ]);
    expect(batch.rejected).toHaveLength(2);
    expect(batch.watermark).toBe("2026-01-31T07:00:00Z");
  });

  const missing = {
    temperature: null,
    humidity: null,
    pressure: null,
    wind_speed: null,
    rainfall: null,
    weather_main: null,
    weather_description: null,
  };

  test("a record is joined with the values before: a missing value never replaces a value", async () => {
    const batch = await sort(
      recordsOf([
        recordOf({ ...missing, temperature: 6.4, humidity: 93 }),
        recordOf({ ...missing, wind_speed: 4.1, wind_gust: 8 }),
        recordOf({ ...missing, humidity: 93 }),
        recordOf({ ...missing, humidity: 90 }),
        recordOf(missing),
      ]),
    );
    expect(batch.counts).toEqual({ rows: 3, duplicates: 1, rejected: 1 });
    expect(batch.hours[0]!.revisions).toBe(2);
    const joined = { ...JSON.parse(recordOf(missing)), temperature: 6.4, wind_speed: 4.1, wind_gust: 8 };
    const taken = { ingested_at: "2026-01-31T12:00:00Z" };
    expect(batch.hours[0]!.lines.slice(1).map((line) => JSON.parse(line))).toEqual([
      { ...joined, humidity: 93, log_offset: 1, ...taken },
      { ...joined, humidity: 90, log_offset: 3, ...taken },
    ]);
    expect(JSON.parse(batch.rejected[0]!)).toMatchObject({
      offset: 4,
      reason: expect.stringMatching(/^no value: /),
    });
  });

  test("a correction replaces as a whole, also with missing values, and is never stored itself", async () => {
    const corrected = recordOf({ ...missing, temperature: 6.4, correction: true });
    const batch = await sort(
      recordsOf([recordOf({ clouds: 75 }), corrected, corrected, recordOf({ correction: "yes" })]),
    );
    expect(batch.counts).toEqual({ rows: 2, duplicates: 1, rejected: 1 });
    expect(JSON.parse(batch.hours[0]!.lines[1]!)).toEqual({
      ...JSON.parse(recordOf({ ...missing, temperature: 6.4 })),
      log_offset: 1,
      ingested_at: "2026-01-31T12:00:00Z",
    });
  });

  test("records of other sources and times are not joined", async () => {
    const batch = await sort(
      recordsOf([
        recordOf(),
        recordOf({ ...missing, humidity: 1, source: "other" }),
        recordOf({ ...missing, humidity: 1, timestamp: at("06:01") }),
      ]),
    );
    const temperatures = batch.hours[0]!.lines.map(
      (line) => (JSON.parse(line) as { temperature: unknown }).temperature,
    );
    expect(temperatures).toEqual([5, null, null]);
  });

  test("the watermark is the newest time stored, not the last, and null when nothing was", async () => {
    const late = await sort(
      recordsOf([recordOf({ timestamp: at("09:00") }), recordOf({ timestamp: at("02:00") })]),
    );
    expect(late.watermark).toBe("2026-01-31T09:00:00Z");
    expect((await sort(recordsOf(["bad"]))).watermark).toBeNull();
  });

  test("a record whose time was ahead is stored, and does not move the watermark", async () => {
    const values = [at("11:00"), at("12:05"), at("12:06"), at("23:00")];
    const records = recordsOf(values.map((timestamp) => recordOf({ timestamp })));
    expect(await sort(records)).toMatchObject({ counts: { rows: 4 }, watermark: "2026-01-31T12:05:00Z" });
    expect(await sort(records.slice(2))).toMatchObject({ counts: { rows: 2 }, watermark: null });
  });

  test("offsets without a record belong to the batch, and its last record is remembered by its checksum", async () => {
    const [a, b] = [recordOf(), recordOf({ temperature: 6 })];
    const batch = await sort(
      [
        { offset: 12, timestamp: TAKEN, value: a },
        { offset: 15, timestamp: TAKEN, value: b },
      ],
      10,
    );
    expect([batch.first, batch.last]).toEqual([10, 15]);
    expect(batch.record).toEqual({ offset: 15, sha256: sha256Hex(b) });
  });

  test("a rejected record is one line, cut when it is long", async () => {
    const value = `line\nfeed \u2028 ${"x".repeat(2_000_000)}`;
    const { rejected } = await sort(recordsOf([value], 7));
    expect(rejected).toHaveLength(1);
    expect(rejected[0]!.indexOf("\n")).toBe(rejected[0]!.length - 1);
    const line = JSON.parse(rejected[0]!) as Record<string, unknown>;
    expect(line).toMatchObject({ topic: "topic", partition: 3, offset: 7, record_length: value.length });
    expect(line["record"]).toBe(value.slice(0, 1_000_000));
  });

  test("the same records give the same bytes", async () => {
    const records = recordsOf([recordOf(), "bad", recordOf({ temperature: 6 })]);
    expect(await sort(records)).toEqual(await sort(records));
  });

  test("no records are no batch", () => {
    expect(() => sortBatch("topic", 0, 0, [], [], new CommittedIndex(async () => []))).toThrow(RangeError);
  });
});
