import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { DAY_MS } from "../../core/time.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { type BatchEntry, encodeEntry, type Entry, type RetractionEntry } from "../../jobs/commits/entry.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import { queryArrivals } from "../../jobs/readers/lake-arrivals.ts";
import { LakeDays } from "../../jobs/readers/lake-days.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import { retract } from "../../jobs/retract.ts";
import { verifyPartition } from "../../jobs/verify.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { at, recordOf, WritePath } from "../support/write-path.ts";
import { JUDGING } from "../support/judging.ts";

let path: WritePath;
let engine: WritingEngine;
beforeEach(async () => {
  path = await WritePath.open();
  await path.clock.advance(2 * DAY_MS);
  engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
});
afterEach(async () => {
  await engine.close();
  await path.close();
});

const openWriter = () => path.writer(engine);

/** Appends records and commits them as one batch. */
async function store(...records: Readonly<Record<string, unknown>>[]): Promise<void> {
  await path.commit(engine, 0, records.map(recordOf));
}

const take = (
  source: string,
  first: number,
  last: number,
  reason: string | null = "days and months swapped",
) => retract({ chain: path.chain(), log: path.log, engine }, { source, first, last }, { reason });

/** What is read now, as `city hour temperature`. */
async function read(): Promise<string[]> {
  const { snapshot } = await new LakeReader(path.lake, path.log.topic, () => 0).snapshot();
  const rows = await readRows(engine, snapshot, 0, Date.UTC(2100, 0, 1));
  return rows.map((row) => `${row.city} ${row.timestamp.slice(11, 16)} ${row.temperature}`).sort();
}

const stateNow = () => fold(path.lake, path.log.topic, 0);
const proof = async () => {
  const { problems, retractions, ...counts } = await verifyPartition(path.lake, path.log, engine, 0);
  return { problems, retractions, counts };
};

type Forged = Pick<BatchEntry, "files"> & Pick<RetractionEntry, "rows">;
/** Changes the newest entry that a condition finds, with its checksum. */
async function forge(kind: string, change: (entry: Forged) => Promise<void> | void): Promise<void> {
  const { path: name, entry } = (await path.entries()).findLast(({ entry }) => entry.kind === kind)!;
  const { sha256: _, ...forged } = entry;
  await change(forged as unknown as Forged);
  await Bun.write(name, encodeEntry(forged as unknown as Entry));
}

const wrong = { source: "csv", temperature: 30 };

describe("retract()", () => {
  test("takes the rows of a source in a range away, the revision before stands again, and no file changes", async () => {
    await store({ source: "csv", temperature: 1 });
    await store(
      { ...wrong },
      { ...wrong, timestamp: at("07:00") },
      { temperature: 8, timestamp: at("07:00") },
    );
    const files = (await stateNow()).live;
    expect(await read()).toEqual(["London 06:00 30", "London 07:00 30", "London 07:00 8"]);
    const report = await take("csv", 1, 3);
    expect(report).toMatchObject({ rows: 2, fresh: 2, cities: 1, from: at("06:00"), to: at("07:00") });
    expect(report.committed).toMatchObject({ first: 1, last: 3, next: 4, rows: 2, source: "csv" });
    expect(await read()).toEqual(["London 06:00 1", "London 07:00 8"]);
    expect((await stateNow()).live).toEqual(files);
    expect(await proof()).toMatchObject({ problems: [], counts: { rows: 4 } });
    expect((await proof()).retractions).toMatchObject([{ source: "csv", reason: "days and months swapped" }]);
  });

  test("lets a second, right import be stored as if the first had never been", async () => {
    await store({ ...wrong, humidity: 55 }, { ...wrong, timestamp: at("07:00"), humidity: 55 });
    await take("csv", 0, 1);
    // The first is what was retracted word for word, the second lacks what the retracted row had.
    await store(
      { ...wrong, humidity: 55 },
      { ...wrong, timestamp: at("07:00"), temperature: 4, humidity: null },
    );
    expect((await stateNow()).counts).toEqual({ rows: 4, duplicates: 0, rejected: 0 });
    expect(await read()).toEqual(["London 06:00 30", "London 07:00 4"]);
    const { snapshot } = await new LakeReader(path.lake, path.log.topic, () => 0).snapshot();
    const rows = await readRows(engine, snapshot, 0, Date.UTC(2100, 0, 1));
    expect(rows.find(({ temperature }) => temperature === 4)?.humidity).toBeNull();
    expect((await proof()).problems).toEqual([]);
  });

  test("holds for a writer that runs: what it had in memory, and a batch that it was about to commit", async () => {
    const writer = await openWriter();
    const add = async (...records: Readonly<Record<string, unknown>>[]) => {
      await path.append(...records.map(recordOf));
      await writer.add(await path.log.read(0, writer.next, records.length));
      await writer.flush();
    };
    await add({ ...wrong, humidity: 55 });
    await take("csv", 0, 0);
    await add({ ...wrong, humidity: 55 });
    await add({ ...wrong, humidity: null, temperature: 31 });
    expect((await stateNow()).counts).toEqual({ rows: 3, duplicates: 0, rejected: 0 });
    expect((await proof()).problems).toEqual([]);
    await take("csv", 1, 2);
    await add({ ...wrong, temperature: null, humidity: 60 });
    const { snapshot } = await new LakeReader(path.lake, path.log.topic, () => 0).snapshot();
    expect(await readRows(engine, snapshot, 0, Date.UTC(2100, 0, 1))).toMatchObject([
      { temperature: null, humidity: 60, log_offset: 3 },
    ]);
    expect((await proof()).problems).toEqual([]);
    // Only what is committed names a file: the refused batches left none.
    const { live } = await stateNow();
    const found = (await path.lake.list("observations/date=2026-01-31/hour=06")).map(({ name }) => name);
    expect(found.sort()).toEqual(
      [...live.keys()].map((file) => file.slice(file.lastIndexOf("/") + 1)).sort(),
    );
  });

  test("is refused while later rows hold values of the rows, and says which", async () => {
    await store({ ...wrong, humidity: null });
    await store({ source: "csv", temperature: null, humidity: 44 }); // a file per variable: it was joined
    const report = await take("csv", 0, 0);
    expect(report).toMatchObject({ joined: { count: 1, first: 1, last: 1 }, committed: null });
    expect(await read()).toEqual(["London 06:00 30"]);
    expect((await take("csv", 1, 1)).committed).not.toBeNull();
    expect((await take("csv", 0, 0)).committed).not.toBeNull();
    expect(await read()).toEqual([]);
    expect((await proof()).problems).toEqual([]);
  });

  test("goes on where a later row is just what its record says, and tells of those that were duplicates", async () => {
    await store({ ...wrong }, { ...wrong, timestamp: at("05:00") });
    await store({ source: "csv", temperature: 3 }, { ...wrong, timestamp: at("05:00") });
    const report = await take("csv", 0, 1);
    expect(report).toMatchObject({ joined: null, duplicates: { count: 1, first: 3, last: 3 } });
    expect(await read()).toEqual(["London 06:00 3"]);
    expect((await proof()).problems).toEqual([]);
  });

  test("takes a later row for joined where the log no longer holds its record", async () => {
    await store({ ...wrong });
    await store({ source: "csv", temperature: 3 });
    await store({ temperature: 9 });
    path.log.trimTo(2);
    expect(await take("csv", 0, 0)).toMatchObject({ joined: { count: 1, first: 1 }, committed: null });
  });

  test("knows a joined row by its own name of the city, as an older program stored it", async () => {
    await store({ ...wrong, humidity: null }, { source: "csv", temperature: null, humidity: 44 });
    await forge("batch", async ({ files }) => {
      const file = files[0]!;
      const place = join(path.root, file.path);
      const bytes = new TextEncoder().encode((await Bun.file(place).text()).replaceAll("London", "London "));
      await Bun.write(place, bytes);
      Object.assign(file, { bytes: bytes.length, sha256: sha256Hex(bytes) });
    });
    expect(await take("csv", 0, 0)).toMatchObject({ joined: { count: 1, first: 1 }, committed: null });
  });

  test("only looks where no reason is given, says what is done already, and refuses what is not there", async () => {
    await store({ ...wrong });
    const { sequence } = await stateNow();
    expect(await take("csv", 0, 0, null)).toMatchObject({ rows: 1, fresh: 1, committed: null });
    expect((await stateNow()).sequence).toBe(sequence);
    expect((await take("csv", 0, 0)).committed).not.toBeNull();
    expect(await take("csv", 0, 0)).toMatchObject({ rows: 1, fresh: 0, committed: null });
    expect((await stateNow()).retractions).toHaveLength(1);
    expect(take("other", 0, 0)).rejects.toMatchObject({ code: "not_there" });
    expect(take("csv", 0, 1)).rejects.toMatchObject({ code: "not_committed" });
  });

  test("survives compaction and checkpoints, which keep every row and its offset", async () => {
    await store({ source: "csv", temperature: 1 }, { temperature: 7, timestamp: at("06:00", "2026-02-01") });
    await store({ ...wrong });
    await take("csv", 2, 2);
    await makeCheckpoint(path.chain(), await stateNow());
    await compactPartition(path.chain(), { engine, judging: JUDGING }, { afterMs: 0, graceMs: 0 });
    expect([...(await stateNow()).live.keys()].filter((file) => file.endsWith(".parquet"))).toHaveLength(1);
    expect(await read()).toEqual(["London 06:00 1", "London 06:00 7"]);
    expect(await proof()).toMatchObject({ problems: [], counts: { rows: 3 } });
    const reader = new LakeReader(path.lake, path.log.topic, () => 0);
    const days = new LakeDays({ lake: path.lake, reader, engine });
    expect(await days.find("2026-01-31")).toMatchObject({ rows: 2, compacted: false, bytes: null });
    expect(await days.read("2026-01-31")).not.toHaveProperty("location");
    const arrivals = await queryArrivals(
      { reader, lake: path.lake, engine },
      { since: new Map(), city: null, limit: 10 },
    );
    expect(arrivals.rows.map(({ log_offset }) => log_offset)).toEqual([0, 1]);
  });

  test("takes the watermark back to the newest row that stands", async () => {
    await store({ timestamp: at("05:00") }, { ...wrong, timestamp: at("09:00") });
    expect((await stateNow()).watermark).toBe(at("09:00"));
    await take("csv", 1, 1);
    expect((await stateNow()).watermark).toBe(at("05:00"));
    await store({ timestamp: at("05:30") });
    expect((await stateNow()).watermark).toBe(at("05:30"));
  });

  test("an entry that names a retraction is of a format that a program without them refuses", async () => {
    await store({ ...wrong });
    await take("csv", 0, 0);
    await makeCheckpoint(path.chain(), await stateNow());
    await store({ temperature: 2 });
    const entries = (await path.entries()).map(
      ({ entry }) => `${String(entry.kind)} ${String(entry.format)}`,
    );
    expect(entries).toEqual(["checkpoint 2", "claim 1", "batch 1"]);
    expect((await stateNow()).retractions).toMatchObject([{ source: "csv", first: 0, last: 0, next: 1 }]);
  });
});

describe("verifyPartition()", () => {
  test("finds a row that was joined with what had been retracted before its record came", async () => {
    await store({ ...wrong });
    await take("csv", 0, 0);
    await store({ source: "csv", temperature: null, humidity: 44 });
    expect((await proof()).problems).toEqual([]);
    await forge("batch", async ({ files }) => {
      const file = files[0]!;
      const at = join(path.root, file.path);
      const bytes = new TextEncoder().encode(
        (await Bun.file(at).text()).replace('"temperature":null', '"temperature":30'),
      );
      await Bun.write(at, bytes);
      Object.assign(file, { bytes: bytes.length, sha256: sha256Hex(bytes) });
    });
    expect((await proof()).problems).toContain("offset 1 was stored with other values");
  });

  test("finds a retraction that names other rows than it says", async () => {
    await store({ ...wrong });
    await take("csv", 0, 0);
    await forge("retraction", (entry) => void (entry.rows = 2));
    expect((await proof()).problems).toEqual([
      expect.stringMatching(/^the retraction of .* names 2 rows, offsets 0–0 of csv hold 1$/),
    ]);
  });
});
