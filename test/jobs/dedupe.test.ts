import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  canonicalJson,
  identityOf,
  parseObservation,
  type Observation,
  type Row,
} from "../../core/observation.ts";
import { CommittedIndex } from "../../jobs/dedupe.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { WritingEngine, SnapshotFile } from "../../spark/engine.ts";
import { at, recordOf } from "../support/write-path.ts";

function observationOf(fields: Record<string, unknown>): Observation {
  const parsed = parseObservation(JSON.parse(recordOf(fields)), Date.UTC(2026, 0, 31, 12));
  if (!parsed.ok) throw new TypeError(parsed.reason);
  return parsed.observation;
}

const rowOf = (fields: Record<string, unknown>, offset = 0): Row => ({
  ...observationOf(fields),
  log_offset: offset,
  ingested_at: "2026-01-31T12:00:00Z",
});
const HOUR = "2026-01-31T06";
const identity = identityOf(observationOf({}));

describe("CommittedIndex", () => {
  test("loads the hours it does not know, in one call, and only once", async () => {
    const calls: (readonly string[])[] = [];
    const index = new CommittedIndex(async (hours) => {
      calls.push(hours);
      return [rowOf({})];
    });
    await index.prepare(new Set([HOUR, "2026-01-31T07"]));
    await index.prepare(new Set([HOUR]));
    await index.prepare(new Set());
    expect(calls).toEqual([[HOUR, "2026-01-31T07"]]);
    expect(index.valuesOf(HOUR, identity)).toBe(canonicalJson(observationOf({})));
    expect(index.valuesOf("2026-01-31T07", identity)).toBeUndefined();
  });

  test("refuses to answer for an hour that is not prepared", async () => {
    const index = new CommittedIndex(async () => []);
    expect(() => index.valuesOf(HOUR, identity)).toThrow(RangeError);
    expect(() => index.remember(new Map([[HOUR, new Map()]]))).toThrow(RangeError);
  });

  test("knows nothing of an hour whose load failed", async () => {
    let fail = true;
    const index = new CommittedIndex(async () => {
      if (fail) throw new Error("away");
      return [rowOf({})];
    });
    await expect(index.prepare(new Set([HOUR]))).rejects.toThrow("away");
    expect(() => index.valuesOf(HOUR, identity)).toThrow(RangeError);
    fail = false;
    await index.prepare(new Set([HOUR]));
    expect(index.valuesOf(HOUR, identity)).toBeDefined();
  });

  test("takes over what a batch stored", async () => {
    const index = new CommittedIndex(async () => [rowOf({})]);
    await index.prepare(new Set([HOUR]));
    index.remember(new Map([[HOUR, new Map([[identity, "newer"]])]]));
    expect(index.valuesOf(HOUR, identity)).toBe("newer");
  });

  test("forgets the hours used longest ago when it holds too many rows, and loads them again", async () => {
    const loads: string[] = [];
    const index = new CommittedIndex(async (hours) => {
      loads.push(...hours);
      return [];
    }, 4);
    const hours = ["00", "01", "02", "03"].map((hour) => `2026-01-31T${hour}`);
    for (const hour of hours.slice(0, 2)) {
      await index.prepare(new Set([hour]));
      index.remember(
        new Map([
          [
            hour,
            new Map([
              ["a", "1"],
              ["b", "2"],
            ]),
          ],
        ]),
      );
    }
    await index.prepare(new Set([hours[0]!])); // used again: the second is now the oldest
    await index.prepare(new Set([hours[2]!]));
    index.remember(new Map([[hours[2]!, new Map([["c", "3"]])]]));
    expect(() => index.valuesOf(hours[1]!, "a")).toThrow(RangeError);
    expect(index.valuesOf(hours[0]!, "a")).toBe("1");
    expect(index.valuesOf(hours[2]!, "c")).toBe("3");
    await index.prepare(new Set([hours[1]!]));
    expect(loads).toEqual([hours[0]!, hours[1]!, hours[2]!, hours[1]!]);
  });

  test("the same rows remembered again and again do not count again", async () => {
    const index = new CommittedIndex(async () => [], 3);
    await index.prepare(new Set([HOUR, "2026-01-31T07"]));
    for (let i = 0; i < 10; i++)
      index.remember(
        new Map([
          [
            HOUR,
            new Map([
              ["a", String(i)],
              ["b", "2"],
            ]),
          ],
        ]),
      );
    expect(index.valuesOf(HOUR, "a")).toBe("9");
    expect(index.valuesOf("2026-01-31T07", "a")).toBeUndefined();
  });
});

describe("CommittedIndex over rows that went through the engine", () => {
  let folder: string;
  let engine: WritingEngine;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobar-dedupe-"));
    engine = await openDuckDb({ tempFolder: join(folder, "engine"), threads: 1 });
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Values that a reader or a format may bend. */
  const OBSERVATIONS = [
    {},
    { temperature: 0.1 + 0.2, humidity: 1 / 3, pressure: 1013.2500000000001, rainfall: 5e-324 },
    { temperature: -0, wind_speed: 999.9999999999999, humidity: null, pressure: null, rainfall: null },
    { temperature: 1e-7, wind_speed: 123456789e-6 },
    { weather_main: null, weather_description: null },
    { city: 'quotes " and \\ and /', weather_main: "it's; -- $x %_*" },
    { city: "São Paulo ☀ 東京 \u{1f327}", weather_description: "e\u0301 \u2028 \u2029 \ufeff \u00a0 \uffff" },
    { city: " spaces ", weather_main: " " },
    { city: "NULL", source: "null", weather_main: "NaN", weather_description: "true" },
    { city: "2026-01-31", source: "0123", weather_main: "1e5", weather_description: '{"a":1}' },
    { wind_direction: 0, wind_gust: 0, dew_point: -0.5, clouds: 100, visibility: 10_000 },
    { timestamp: "2026-01-31T06:59:59.999Z" },
    { timestamp: "2026-01-31T06:00:00.001Z" },
    { timestamp: at("06:00", "1900-01-01") },
    { timestamp: at("06:00", "1969-12-31") },
    { timestamp: "1969-12-31T06:59:59.999Z" },
  ].map((fields, i) => ({ source: `s${i}`, ...fields }));

  for (const format of ["jsonl", "parquet"] as const) {
    test(`every value comes back from ${format} as it was sent, so that a duplicate is recognised`, async () => {
      for (const [i, fields] of OBSERVATIONS.entries()) {
        const row = rowOf(fields, i);
        const date = row.timestamp.slice(0, 10);
        const hour = row.timestamp.slice(0, 13);
        const jsonl: SnapshotFile = {
          location: join(folder, `${i}.jsonl`),
          format: "jsonl",
          date,
          rows: 1,
          revisions: 0,
        };
        await Bun.write(jsonl.location, `${JSON.stringify(row)}\n`);
        let file = jsonl;
        if (format === "parquet") {
          file = { ...jsonl, location: join(folder, `${i}.parquet`), format };
          await Bun.write(file.location, (await engine.compact({ files: [jsonl] })).bytes);
        }
        const from = Date.parse(`${hour}:00:00Z`);
        const index = new CommittedIndex(() => readRows(engine, { files: [file] }, from, from + 3_600_000));
        await index.prepare(new Set([hour]));
        const sent = observationOf(fields);
        expect(index.valuesOf(hour, identityOf(sent))).toBe(canonicalJson(sent));
      }
    });
  }
});
