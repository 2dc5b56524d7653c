import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sha256Hex } from "../../../core/checksum.ts";
import { compactPartition } from "../../../jobs/compactor.ts";
import { LakeDays } from "../../../jobs/readers/lake-days.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { findProvenance, wasCommittedBy } from "../../../jobs/readers/provenance.ts";
import type { AnalyticsService } from "../../../jobs/analytics/analytics.ts";
import { retract } from "../../../jobs/retract.ts";
import { whyOf } from "../../../server/answers/origin.ts";
import { readRows } from "../../../jobs/readers/observation-rows.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { WritingEngine } from "../../../spark/engine.ts";
import { at, recordOf, WritePath } from "../../support/write-path.ts";
import { JUDGING } from "../../support/judging.ts";

let path: WritePath;
let engine: WritingEngine;
let reader: LakeReader;
beforeEach(async () => {
  path = await WritePath.open(2);
  engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
  reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
});
afterEach(async () => {
  await engine.close();
  await path.close();
});

async function write(partition: number, ...values: string[]): Promise<void> {
  await path.commit(engine, partition, values);
  await reader.refresh();
}

async function compact(): Promise<void> {
  await compactPartition(
    path.chain(path.lake, 0),
    { engine, judging: JUDGING },
    { afterMs: 0, graceMs: 600_000 },
  );
  await reader.refresh();
}

const six = Date.parse(at("06:00"));
const ask = (more: { city?: string; timestamp?: number; source?: string | null } = {}) =>
  findProvenance(
    { reader, lake: path.lake, engine, version: JUDGING.version },
    { city: "London", timestamp: six, source: null, ...more },
  );

describe("findProvenance()", () => {
  test("tells record, file and entry of every revision and source, the newest revision first", async () => {
    await write(0, recordOf({ temperature: 1 }), recordOf({ temperature: 9, timestamp: at("07:00") }));
    await write(0, recordOf({ temperature: 2 }), recordOf({ temperature: 3, source: "other" }));
    await write(1, recordOf({ temperature: 8, city: "Tokyo" }));
    const found = await ask();
    expect(
      found.map(({ row, commit }) => [row.source, row.temperature, row.log_offset, commit.kind]),
    ).toEqual([
      ["other", 3, 3, "batch"],
      ["test", 2, 2, "batch"],
      ["test", 1, 0, "batch"],
    ]);
    for (const { row, file, commit, partition } of found) {
      const bytes = await path.lake.read(file.path);
      expect([sha256Hex(bytes), bytes.byteLength]).toEqual([file.sha256, file.bytes]);
      expect(new TextDecoder().decode(bytes)).toContain(`"log_offset":${row.log_offset}`);
      const entry = JSON.parse(new TextDecoder().decode(await path.lake.read(commit.path))) as object;
      expect(JSON.stringify(entry)).toContain(file.path);
      expect(entry).toMatchObject({ at: commit.at });
      expect(partition).toBe(0);
    }
    expect((await ask({ source: "test" })).map(({ row }) => row.temperature)).toEqual([2, 1]);
    expect((await ask({ city: "Tokyo" })).map(({ partition }) => partition)).toEqual([1]);
    expect(await ask({ city: "London'" })).toEqual([]);
    expect(await ask({ timestamp: six + 1 })).toEqual([]);
  });
  test("tells of a retracted revision when and why it was, by which entry, and keeps the place of the others", async () => {
    await write(0, recordOf({ temperature: 1 }));
    await write(0, recordOf({ temperature: 30 }));
    const parts = { chain: path.chain(), log: path.log, engine };
    await retract(parts, { source: "test", first: 1, last: 1 }, { reason: "wrong month" });
    await reader.refresh();
    const found = await ask();
    expect(found.map(({ row, retraction }) => [row.temperature, retraction?.reason ?? null])).toEqual([
      [30, "wrong month"],
      [1, null],
    ]);
    const { at: when, path: entry } = found[0]!.retraction!;
    expect(JSON.parse(new TextDecoder().decode(await path.lake.read(entry)))).toMatchObject({
      kind: "retraction",
      at: when,
    });
    expect(found[0]!.retractedBy).toBe(reader.states.get(0)?.sequence ?? 0);
    const analytics = {
      jobs: () => [{ name: "records" }],
      result: () => ({ run: "r", generated_at: when, commits: { 0: reader.states.get(0)!.sequence } }),
    } as unknown as AnalyticsService;
    const explained = () =>
      whyOf(
        { reader, lake: path.lake, engine, version: JUDGING.version, analytics },
        { city: "London", timestamp: six, source: null },
      );
    const [why] = await explained();
    expect([why?.newest.row.temperature, why?.others.map(({ row }) => row.temperature)]).toEqual([1, [30]]);
    expect(why?.results).toMatchObject([{ used: true }]);
    await retract(parts, { source: "test", first: 0, last: 0 }, { reason: "all of it" });
    await reader.refresh();
    const [gone] = await explained();
    expect([gone?.newest.row.temperature, gone?.newest.retraction?.reason]).toEqual([30, "wrong month"]);
    expect(gone?.results).toMatchObject([{ used: false }]);
  });
  test("finds the compacted file that replaced others", async () => {
    await write(0, recordOf({ temperature: 1 }));
    await write(0, recordOf({ temperature: 2 }));
    await write(0, recordOf({ timestamp: at("11:00") }));
    await compact();
    const found = await ask();
    expect(found.map(({ row, commit }) => [row.temperature, commit.kind])).toEqual([
      [2, "compaction"],
      [1, "compaction"],
    ]);
    expect(found[0]?.file).toMatchObject({ rows: 2, first: 0, last: 1 });
    expect(found[0]?.file.path).toEndWith(".parquet");
  });
});

describe("wasCommittedBy()", () => {
  test("skips entries without records, and is null where the entries were trimmed", async () => {
    await write(0, recordOf({ temperature: 1 }));
    const first = reader.states.get(0)!.sequence;
    await write(0, recordOf({ temperature: 2 }));
    const second = reader.states.get(0)!.sequence;
    await write(0, recordOf({ timestamp: at("11:00") }));
    await compact();
    const last = reader.states.get(0)!.sequence;
    const asked = (offset: number, sequence: number) =>
      wasCommittedBy(path.lake, { topic: path.log.topic, partition: 0, offset }, sequence);
    expect(await Promise.all([asked(0, first), asked(1, first)])).toEqual([true, false]);
    expect(await Promise.all([asked(1, second), asked(2, second)])).toEqual([true, false]);
    expect(await Promise.all([asked(2, last), asked(3, last)])).toEqual([true, false]);
    expect(await Promise.all([asked(0, 0), asked(0, 1), asked(0, last + 1)])).toEqual([false, false, null]);
  });
});

describe("LakeDays", () => {
  const parquetRows = async (bytes: Uint8Array) => {
    const location = join(path.root, "day.parquet");
    await Bun.write(location, bytes);
    const file = { location, format: "parquet", date: "2026-01-31", rows: 0, revisions: 0 } as const;
    return (await readRows(engine, { files: [file] }, 0, Date.UTC(2100, 0, 1))).map((row) => row.temperature);
  };
  test("writes a day of several files as one, and gives the lake's own file of a compacted one", async () => {
    await write(
      0,
      recordOf({ temperature: 1, timestamp: at("22:00", "2026-01-29") }),
      recordOf({ temperature: 4 }),
    );
    await write(0, recordOf({ temperature: 2, timestamp: at("22:00", "2026-01-29") }));
    const days = new LakeDays({ reader, lake: path.lake, engine });
    const before = await days.list();
    expect(before.map(({ date, rows, revisions, compacted }) => [date, rows, revisions, compacted])).toEqual([
      ["2026-01-29", 2, 1, false],
      ["2026-01-31", 1, 0, false],
    ]);
    const written = await days.read("2026-01-29");
    expect(await parquetRows("bytes" in written ? written.bytes : new Uint8Array())).toEqual([1, 2]);
    await compact();
    const after = await days.find("2026-01-29");
    expect(after).toMatchObject({ compacted: true, rows: 2, revisions: 1 });
    expect(after?.tag).not.toBe(before[0]!.tag);
    const kept = await days.read("2026-01-29");
    const location = "location" in kept ? kept.location : "";
    expect((await Bun.file(location).bytes()).byteLength).toBe(after!.bytes!);
    expect(await days.find("2026-01-30")).toBeNull();
  });
});
