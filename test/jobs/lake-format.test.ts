import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import type { Clock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { observationOfRow, type Row } from "../../core/observation.ts";
import { OPTIONAL_VARIABLES } from "../../core/variables.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { parseRecords } from "../../jobs/batch.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { decodeEntry, entryPath, type Entry } from "../../jobs/commits/entry.ts";
import { applyEntry, emptyState, fold } from "../../jobs/commits/fold.ts";
import { keepPartitionCount } from "../../jobs/commits/partition-count.ts";
import { parseDataFileName, placeOf } from "../../jobs/commits/names.ts";
import type { Chain } from "../../jobs/commits/writer.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import { claimDataset, readDataset } from "../../jobs/dataset.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { PartitionWriter } from "../../jobs/partition-writer.ts";
import { newestProof } from "../../jobs/proofs.ts";
import { Results } from "../../jobs/analytics/results.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import { retract } from "../../jobs/retract.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { OBSERVATION_COLUMNS, type WritingEngine } from "../../spark/engine.ts";
import { FIRST_COLUMNS } from "../../spark/file-columns.ts";
import { MemoryLake } from "../support/memory-lake.ts";
import { MemoryLog } from "../support/memory-log.ts";
import { readLake, whyNotReadLake } from "../support/read-lake.ts";
import { JUDGING } from "../support/judging.ts";

const root = join(import.meta.dir, "../..");
const documentText = await Bun.file(join(root, "docs/lake-format.md")).text();

/** The examples of the document, by the path they stand for: one line and its line feed each. */
const examples = new Map(
  [...documentText.matchAll(/^```text (\S+)\n([^\n]*\n)```$/gm)].map(([, path, text]) => [path!, text!]),
);
const entries = [...examples.keys()].filter((path) => path.startsWith("commits/weather.observed/0/")).sort();
const bytesOf = (path: string) => new TextEncoder().encode(examples.get(path));

/** What the document's example chain says, entry by entry. */
function exampleEntries(): { sequence: number; entry: Entry }[] {
  return entries.map((path, index) => {
    expect(path).toBe(entryPath("weather.observed", 0, index + 1));
    return { sequence: index + 1, entry: decodeEntry(path, bytesOf(path)) };
  });
}

describe("docs/lake-format.md", () => {
  test("has an example of every kind of file, and the program reads each", async () => {
    expect(examples.size).toBe(13);
    const lake = new MemoryLake();
    for (const path of examples.keys()) lake.files.set(path, bytesOf(path));
    expect(await readDataset(lake)).toMatchObject({ kind: "observed" });
    const files = lake.files.size;
    await keepPartitionCount(lake, { topic: "weather.observed", partitions: 1 });
    expect(lake.files.size).toBe(files);
    expect(await newestProof(lake)).toMatchObject({ offsets: 4, problems: 0 });
    // The Arrow file itself is not in the document: the pointer is read, and its file is what is missed.
    const misses: string[] = [];
    const error = (_: string, fields?: object) => void misses.push(JSON.stringify(fields));
    const results = new Results({ lake, logger: { ...silentLogger, error } });
    expect(await results.latest("city_statistics")).toBeNull();
    expect(misses).toHaveLength(1);
    expect(misses[0]).toContain("000000001-5f0c1a94d2e548f7.arrow");
  });

  test("its entries follow from each other, and its checkpoint is what they add up to", () => {
    const state = emptyState();
    const chain = exampleEntries();
    expect(chain.map(({ entry }) => entry.kind)).toEqual([
      "claim",
      "batch",
      "batch",
      "compaction",
      "checkpoint",
      "retraction",
    ]);
    for (const { sequence, entry } of chain.slice(0, 4)) applyEntry(state, sequence, entry, "example");
    const { entry } = chain[4]!;
    const fresh = emptyState();
    applyEntry(fresh, 5, entry, "example");
    expect(entry.prev).toBe(state.id);
    expect(fresh).toEqual({ ...state, sequence: 5, id: entry.id, sinceCheckpoint: 0 });
    applyEntry(fresh, 6, chain[5]!.entry, "example");
    expect(fresh.retractions).toMatchObject([{ source: "open-meteo", first: 1, last: 3, next: 4, rows: 1 }]);
  });

  test("its files are what its entries say, and its names are read by the program", () => {
    const files = exampleEntries().flatMap(({ entry }) =>
      entry.kind === "batch" ? [...entry.files, ...(entry.rejected === null ? [] : [entry.rejected])] : [],
    );
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(examples.has(file.path)).toBe(true);
      expect(bytesOf(file.path).length).toBe(file.bytes);
      expect(sha256Hex(bytesOf(file.path))).toBe(file.sha256);
      expect(parseDataFileName(file.path.slice(file.path.lastIndexOf("/") + 1))).toMatchObject({
        topic: "weather.observed",
        partition: 0,
        sequence: 1,
        format: "jsonl",
      });
    }
    const rows = files.filter((file) => file.path.startsWith("observations/"));
    for (const { path } of rows) expect(placeOf(path)).toEqual({ date: "2026-01-31", hour: "06" });
    const values = rows.map(({ path }) => {
      const { log_offset, ingested_at, ...observation } = JSON.parse(examples.get(path)!) as Row;
      return { offset: log_offset, timestamp: Date.parse(ingested_at), value: JSON.stringify(observation) };
    });
    expect(parseRecords(values).map((record) => record.ok && record.observed)).toEqual([
      "2026-01-31T06:00:00Z",
      "2026-01-31T06:00:00Z",
    ]);
  });

  test("lists the columns with the types the engine reads", () => {
    const types = { timestamp: "timestamp[us, UTC]", string: "string", double: "double", bigint: "int64" };
    const listed = [...documentText.matchAll(/^\| `(\w+)` +\| `([^`]+)` +\|[^|]*\|[^|]*\|$/gm)];
    expect(listed.map(([, name, type]) => `${name} ${type}`)).toEqual(
      OBSERVATION_COLUMNS.map(([name, type]) => `${name} ${types[type]}`),
    );
    const optional = listed.filter(([line]) => line.includes("; optional")).map(([, name]) => name);
    expect(optional).toEqual([...OPTIONAL_VARIABLES, "impossible"]);
  });

  test("names the columns that the format began with", () => {
    const [, began = ""] = /^The format began with these columns, .*?: (.*?)\.$/ms.exec(documentText) ?? [];
    expect([...began.matchAll(/`(\w+)`/g)].map(([, name]) => name!)).toEqual([...FIRST_COLUMNS]);
  });

  test("names every field of every kind of entry", () => {
    for (const { entry } of exampleEntries()) {
      const named = Object.keys(entry).filter((field) => !documentText.includes(`\`${field}\``));
      expect(named).toEqual([]);
    }
  });
});

const reason = whyNotReadLake();

describe.skipIf(reason !== null)(`docs/read_lake.py${reason === null ? "" : ` (skipped: ${reason})`}`, () => {
  let folder: string;
  let lake: Lake;
  let engine: WritingEngine;
  let chain: Chain;
  let counts: { rows: number; duplicates: number; rejected: number };
  const start = Date.UTC(2026, 0, 30, 20);
  const now = start + 30 * HOUR_MS;
  const clock: Clock = {
    now: () => now,
    sleep: (_, signal) => new Promise((resolve) => signal?.addEventListener("abort", () => resolve())),
  };

  const read = (...options: string[]) => readLake(join(folder, "lake"), ...options);
  const line = (row: Row) => {
    const { log_offset, ingested_at } = row;
    return JSON.stringify({ ...observationOfRow(row), log_offset, ingested_at });
  };
  /** What the program's own reader gives, as sorted lines. */
  const own = async () => {
    const reader = new LakeReader(lake, chain.topic, () => now);
    const { snapshot } = await reader.snapshot();
    return (await readRows(engine, snapshot, 0, Date.UTC(2100, 0, 1))).map(line).sort();
  };
  const strangers = async () => {
    const { out, err, code } = await read();
    expect(err).toBe("");
    expect(code).toBe(0);
    const rows = out.split("\n").flatMap((text) => (text === "" ? [] : [JSON.parse(text) as Row]));
    return rows.map(line).sort();
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobar-format-"));
    lake = await openLocalLake(join(folder, "lake"));
    engine = await openDuckDb({ tempFolder: join(folder, "tmp") });
    const log = new MemoryLog({ clock, topic: "weather.observed" });
    let id = 0;
    const newId = () => `id${id++}`;
    chain = { lake, topic: log.topic, partition: 0, newId, now: () => now };
    await claimDataset(lake, "observed", "observed", now);
    const writer = await PartitionWriter.open({
      chain,
      log,
      clock,
      logger: silentLogger,
      readRows: (snapshot, from, to) => readRows(engine, snapshot, from, to),
      batchRecords: 1_000_000,
      flushMs: 1_000,
      onCommit: () => {},
      onFailure: (error) => {
        throw error;
      },
    });
    const store = async (records: NewRecord[]) => {
      const { high } = await log.bounds(0);
      await log.append(records);
      await writer.add(await log.read(0, high, records.length));
      await writer.flush();
    };
    const at = (hour: number, changes: Partial<Row> = {}): NewRecord => {
      const { city = "Zürich" } = changes;
      const observation = {
        timestamp: formatTimestamp(start + hour * HOUR_MS),
        city,
        temperature: hour / 3,
        humidity: 70,
        pressure: null,
        wind_speed: 1.5,
        rainfall: 0,
        weather_main: "Rain",
        weather_description: 'light "rain" \\ 雨',
        source: "station",
        ...changes,
      };
      return { key: city, value: JSON.stringify(observation) };
    };
    const bad: NewRecord = { key: "", value: "not JSON\u2028\u0000" };
    // Both days closed later, out of order, with duplicates in and between the batches.
    await store([at(5), at(2), at(2), at(2.25, { wind_gust: 7.25, visibility: 9_000 }), bad, at(4.000125)]);
    await store([at(2), at(6), at(7, { city: "Ōsaka" }), at(2, { temperature: -3.5 })]);
    await compactPartition(chain, { engine, judging: JUDGING }, { afterMs: 0, graceMs: HOUR_MS });
    await store([at(2, { temperature: 41 }), at(2, { temperature: -3.5 }), at(1), at(13)]); // late, and revised twice
    await store([at(20), at(20, { temperature: null, source: "other" }), at(20, { rainfall: 0.2 }), bad]);
    // A wrong import of revisions and of times of its own, half of them compacted: none of them counts.
    await store([at(2, { temperature: 99, city: "Ōsaka" }), at(13, { temperature: 98 })]);
    const parts = { chain, log, engine };
    const range = { source: "station", first: 18, last: 19 };
    expect(await retract(parts, range, { reason: "wrong" })).toMatchObject({ rows: 2, joined: null });
    ({ counts } = await fold(lake, chain.topic, 0));
  });
  afterAll(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("gives the rows that the program gives: JSON lines and Parquet, revised, late, after a checkpoint", async () => {
    const state = await fold(lake, chain.topic, 0);
    const formats = new Set([...state.live.keys()].map((path) => path.slice(path.lastIndexOf("."))));
    expect([...formats].sort()).toEqual([".jsonl", ".parquet"]);
    expect(counts).toEqual({ rows: 16, duplicates: 2, rejected: 2 });
    expect(state.retractions).toHaveLength(1);
    const rows = await own();
    expect(rows).toHaveLength(10);
    expect(await strangers()).toEqual(rows);

    await compactPartition(chain, { engine, judging: JUDGING }, { afterMs: -20 * HOUR_MS, graceMs: 0 }); // deletes what it replaced
    await makeCheckpoint(chain, await fold(lake, chain.topic, 0));
    expect(await strangers()).toEqual(rows);
    expect(JSON.parse((await read("--count")).out)).toEqual({
      observations: 10,
      partitions: {
        "weather.observed/0": { next: 20, files: (await fold(lake, chain.topic, 0)).live.size, ...counts },
      },
    });
  });

  test("stops at what is damaged, lost or newer, and says which file", async () => {
    const state = await fold(lake, chain.topic, 0);
    const file = lake.locate([...state.live.keys()][0]!);
    const entry = lake.locate(entryPath(chain.topic, 0, state.sequence));
    const damage = async (path: string, change: (bytes: Uint8Array) => Uint8Array | string | null) => {
      const bytes = await Bun.file(path).bytes();
      const changed = change(bytes);
      if (changed === null) await Bun.file(path).delete();
      else await Bun.write(path, changed);
      const result = await read();
      await Bun.write(path, bytes);
      expect(result.code).toBe(1);
      expect(result.err).toContain(path.slice(path.lastIndexOf("/") + 1));
      return result.err;
    };
    const flip = (bytes: Uint8Array) => bytes.with(bytes.length >> 1, bytes[bytes.length >> 1]! ^ 1);
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    const [damaged, lost, changed, newer] = [
      await damage(file, flip),
      await damage(file, () => null),
      await damage(entry, (bytes) => text(bytes).replace('"next":20', '"next":19')),
      await damage(entry, (bytes) => text(bytes).replace(/"format":\d/, '"format":9')),
    ];
    expect(damaged).toContain("is not what was committed");
    expect(lost).toContain("is committed, and gone");
    expect(changed).toContain("is not what its checksum says");
    expect(newer).toContain("has format 9");
    expect((await read()).code).toBe(0);
  });
});
