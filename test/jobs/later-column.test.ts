import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { silentLogger } from "../../core/log.ts";
import { DAY_MS } from "../../core/time.ts";
import * as checkpoints from "../../jobs/commits/checkpoint.ts";
import { fold, type LiveFile } from "../../jobs/commits/fold.ts";
import * as compactor from "../../jobs/compactor.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import * as lakes from "../../jobs/lake/local.ts";
import * as writers from "../../jobs/partition-writer.ts";
import * as readers from "../../jobs/readers/lake-reader.ts";
import * as rejections from "../../jobs/readers/rejected.ts";
import * as rowReaders from "../../jobs/readers/observation-rows.ts";
import * as proofs from "../../jobs/verify.ts";
import { rowsOf } from "../../spark/arrow.ts";
import * as duckDb from "../../spark/duckdb.ts";
import * as judgings from "../../spark/judging.ts";
import * as views from "../../spark/views.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { FIRST_COLUMNS } from "../../spark/file-columns.ts";
import { LATER_COLUMN, NewerProgram } from "../support/newer-program.ts";
import { readLake, whyNotReadLake } from "../support/read-lake.ts";
import { at, recordOf, WritePath } from "../support/write-path.ts";

/** What a version of the program consists of here. */
const OWN = { checkpoints, compactor, lakes, writers, rowReaders, proofs, duckDb, judgings, views };
type Modules = typeof OWN;

let program: NewerProgram;
let newerModules: Modules;
beforeAll(async () => {
  program = await NewerProgram.make();
  newerModules = {
    checkpoints: await program.load("jobs/commits/checkpoint.ts"),
    compactor: await program.load("jobs/compactor.ts"),
    lakes: await program.load("jobs/lake/local.ts"),
    writers: await program.load("jobs/partition-writer.ts"),
    judgings: await program.load("spark/judging.ts"),
    views: await program.load("spark/views.ts"),
    rowReaders: await program.load("jobs/readers/observation-rows.ts"),
    proofs: await program.load("jobs/verify.ts"),
    duckDb: await program.load("spark/duckdb.ts"),
  };
});
afterAll(() => program.remove());

/** One version of the program at work on a log and a lake. */
class Version {
  readonly #modules: Modules;
  readonly #path: WritePath;
  readonly #lake: Lake;
  readonly engine: WritingEngine;
  readonly judging: judgings.Judging;

  private constructor(
    modules: Modules,
    path: WritePath,
    lake: Lake,
    own: { engine: WritingEngine; judging: judgings.Judging },
  ) {
    this.#modules = modules;
    this.#path = path;
    this.#lake = lake;
    this.engine = own.engine;
    this.judging = own.judging;
  }

  static async start(modules: Modules, path: WritePath, name: string): Promise<Version> {
    const engine = await modules.duckDb.openDuckDb({ tempFolder: join(path.root, ".tmp", name), threads: 1 });
    const judging = modules.judgings.judgingBy(await modules.views.analysisViews({ cities: [] }));
    return new Version(modules, path, await modules.lakes.openLocalLake(path.root), { engine, judging });
  }

  /** Takes records into the log and stores them as one batch, by a claim of its own. */
  async store(...values: string[]): Promise<void> {
    await this.#path.append(...values);
    const writer = await this.#modules.writers.PartitionWriter.open({
      chain: this.#path.chain(this.#lake),
      log: this.#path.log,
      clock: this.#path.clock,
      logger: silentLogger,
      readRows: (snapshot, from, to) => this.#modules.rowReaders.readRows(this.engine, snapshot, from, to),
      batchRecords: 1_000,
      flushMs: 1_000,
      onCommit: () => {},
      onFailure: () => {},
    });
    await writer.add(await this.#path.log.read(0, writer.next, values.length));
    await writer.flush();
  }

  /** Compacts what is due, and says how many files that made. */
  async compact(): Promise<number> {
    const options = { afterMs: 0, graceMs: 0 };
    const chain = this.#path.chain(this.#lake);
    const { engine, judging } = this;
    const { report } = await this.#modules.compactor.compactPartition(chain, { engine, judging }, options);
    return report.compacted;
  }

  async checkpoint(): Promise<boolean> {
    const state = await fold(this.#lake, this.#path.log.topic, 0);
    return this.#modules.checkpoints.makeCheckpoint(this.#path.chain(this.#lake), state);
  }

  /** What `verify` finds wrong. */
  async problems(): Promise<string[]> {
    return (await this.#modules.proofs.verifyPartition(this.#lake, this.#path.log, this.engine, 0)).problems;
  }

  /** `offset temperature` of the newest revisions, by offset, and one column more. */
  async rows(column?: string): Promise<string[]> {
    const files = (await live()).map((file) => readers.snapshotFile(this.#lake, file));
    const sql = `SELECT log_offset, temperature${column === undefined ? "" : `, ${column}`} FROM observations ORDER BY log_offset`;
    return rowsOf(await this.engine.query(sql, { snapshot: { files } })).map((row) =>
      Object.values(row).join(" "),
    );
  }
}

let path: WritePath;
let older: Version;
let newer: Version;
beforeEach(async () => {
  path = await WritePath.open();
  await path.clock.advance(DAY_MS); // the record of the day after, which closes the day, is not ahead of it
  older = await Version.start(OWN, path, "older");
  newer = await Version.start(newerModules, path, "newer");
});
afterEach(async () => {
  await older.engine.close();
  await newer.engine.close();
  await path.close();
});

const live = async (): Promise<LiveFile[]> => [...(await fold(path.lake, path.log.topic, 0)).live.values()];
/** Hour and later columns of the live files of 31 January; `day` for a file of the whole day. */
const columnsOf = async () =>
  (await live())
    .filter((file) => file.path.includes("date=2026-01-31"))
    .map((file) => `${/hour=(\d\d)/.exec(file.path)?.[1] ?? "day"} ${file.columns?.join() ?? "-"}`)
    .sort();
const record = (time: string, temperature: number, later?: number) =>
  recordOf({ timestamp: at(time), temperature, ...(later === undefined ? {} : { [LATER_COLUMN]: later }) });
/** The same, to replace what was reported before as a whole. */
const correction = (time: string, temperature: number) =>
  recordOf({ timestamp: at(time), temperature, correction: true });
/** A record of the day after, which closes 31 January. */
const nextDay = (temperature: number) => recordOf({ timestamp: at("03:00", "2026-02-01"), temperature });

describe("a lake that gains a column", () => {
  test("its files of before are read and compacted with the new ones, and no value is lost", async () => {
    await older.store(record("06:00", 0));
    await older.store(record("06:30", 1));
    await older.store(record("07:00", 2));
    expect(await older.compact()).toBe(1); // the hour of 6
    await newer.store(record("07:30", 3, 2.5), record("08:00", 4), record("06:00", 5, 1));
    await newer.store(record("09:00", 6, 0));
    expect(await columnsOf()).toEqual([
      "06 impossible",
      "06 uv_index",
      "07 -",
      "07 uv_index",
      "08 -",
      "09 uv_index",
    ]);
    const rows = ["1 1 ", "2 2 ", "3 3 2.5", "4 4 ", "5 5 1", "6 6 0"];
    expect(await newer.rows(LATER_COLUMN)).toEqual(rows);
    expect(await newer.problems()).toEqual([]);

    await newer.store(nextDay(7));
    expect(await newer.compact()).toBe(1);
    expect(await columnsOf()).toEqual(["day uv_index,impossible"]);
    expect(await newer.rows(LATER_COLUMN)).toEqual([...rows, "7 7 "]);
    expect(await newer.problems()).toEqual([]);
  });

  test("recognises duplicates and revisions of the new column, in JSON lines and in Parquet", async () => {
    await newer.store(record("06:00", 0, 1));
    for (let round = 0; round < 2; round++) {
      await newer.store(
        record("06:00", 0, 1),
        record("06:00", 0, 2),
        record("06:00", 0),
        correction("06:00", 0),
        record("06:00", 0, 1),
      );
      await newer.store(nextDay(1));
      await newer.compact();
    }
    const { counts } = await fold(path.lake, path.log.topic, 0);
    expect(counts).toEqual({ rows: 8, duplicates: 5, rejected: 0 });
    expect(await newer.problems()).toEqual([]);
  });
});

const reason = whyNotReadLake();

test.skipIf(reason !== null)(
  `docs/read_lake.py gives a column that came later, and leaves it out where it is missing${reason === null ? "" : ` (skipped: ${reason})`}`,
  async () => {
    await claimDataset(path.lake, "test", "observed", path.clock.now());
    await older.store(record("05:00", 0));
    await older.store(record("05:30", 1));
    await older.compact();
    await newer.store(record("06:00", 2, 1.5), record("06:00", 3, 2.5));
    await newer.store(record("06:30", 4));
    await newer.store(record("07:00", 5, 0));
    await newer.compact();
    await newer.store(record("07:30", 6, 11));
    expect((await live()).map(({ path: name }) => name.slice(name.lastIndexOf("."))).sort()).toEqual([
      ".jsonl",
      ".jsonl",
      ".parquet",
      ".parquet",
    ]);
    const { out, err } = await readLake(path.root);
    expect(err).toBe("");
    const rows = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(rows.map((row) => [row["temperature"], row[LATER_COLUMN]])).toEqual([
      [0, undefined],
      [1, undefined],
      [3, 2.5],
      [4, undefined],
      [5, 0],
      [6, 11],
    ]);
    expect(rows.filter((row) => LATER_COLUMN in row)).toHaveLength(3);
  },
);

describe("a program that is older than the lake", () => {
  /** A day of both programs: a compacted hour of the older, one of the newer, and lines of the newer. */
  beforeEach(async () => {
    await older.store(record("05:00", 0));
    await older.store(record("05:30", 1));
    await newer.store(record("06:00", 2, 1.5));
    await newer.store(record("06:30", 3, 2.5));
    await newer.store(record("07:00", 4, 3.5));
    await newer.compact();
    expect(await columnsOf()).toEqual(["05 uv_index,impossible", "06 uv_index,impossible", "07 uv_index"]);
  });

  test("reads it without the column, and `verify` finds nothing wrong", async () => {
    expect(await older.rows()).toEqual(["0 0", "1 1", "2 2", "3 3", "4 4"]);
    expect(await older.problems()).toEqual([]);
  });

  test("its `verify` passes over a record that has values of the newer column alone", async () => {
    const empty = [
      "temperature",
      "humidity",
      "pressure",
      "wind_speed",
      "rainfall",
      "weather_main",
      "weather_description",
    ];
    const later = recordOf({
      ...Object.fromEntries(empty.map((name) => [name, null])),
      timestamp: at("06:00"),
      [LATER_COLUMN]: 9,
    });
    await newer.store(later, later);
    expect(await newer.rows(LATER_COLUMN)).toContain("5 2 9"); // joined with the temperature of before
    expect(await newer.problems()).toEqual([]);
    expect(await older.problems()).toEqual([]);
  });

  test("leaves the newer files as they are, compacts its own, and the newer one finds every value again", async () => {
    const before = await live();
    // What is stored is a duplicate for it, whatever a column says that it does not know. Other values are a revision.
    await older.store(record("06:00", 2), record("06:30", 30), record("08:00", 7));
    await older.store(record("08:30", 8));
    await older.store(nextDay(9));
    expect(await older.compact()).toBe(1);
    expect(await older.compact()).toBe(0);
    expect(await older.checkpoint()).toBe(true);
    expect(await columnsOf()).toEqual([
      "05 uv_index,impossible",
      "06 uv_index,impossible",
      "07 uv_index",
      "day impossible",
    ]);
    expect(await live()).toEqual(expect.arrayContaining(before));
    expect((await fold(path.lake, path.log.topic, 0)).counts).toEqual({
      rows: 9,
      duplicates: 1,
      rejected: 0,
    });
    expect(await older.problems()).toEqual([]);

    const rows = ["0 0 ", "1 1 ", "2 2 1.5", "4 4 3.5", "6 30 ", "7 7 ", "8 8 ", "9 9 "];
    expect(await newer.rows(LATER_COLUMN)).toEqual(rows);
    expect(await newer.problems()).toEqual([]);
    for (let hour = 10; hour < 16; hour++) await newer.store(record(`${hour}:00`, hour, hour));
    expect(await newer.compact()).toBe(1);
    expect(await columnsOf()).toEqual(["day uv_index,impossible"]);
    expect((await newer.rows(LATER_COLUMN)).slice(0, rows.length)).toEqual(rows);
    expect(await newer.problems()).toEqual([]);
  });

  test("rejects a newer producer's record with its reason and keeps it, and `verify` of both accepts that", async () => {
    const value = record("08:00", 5, 4);
    await older.store(value, record("08:30", 6));
    expect((await fold(path.lake, path.log.topic, 0)).counts).toEqual({
      rows: 6,
      duplicates: 0,
      rejected: 1,
    });
    const reader = new readers.LakeReader(path.lake, path.log.topic, () => path.clock.now());
    await reader.refresh();
    expect(await rejections.newestRejected(path.lake, reader, 10)).toMatchObject([
      { offset: 5, reason: 'field "uv_index" is not known', record: value },
    ]);
    expect(await older.problems()).toEqual([]);
    expect(await newer.problems()).toEqual([]);
  });

  test("its `verify` still finds a record that it cannot read, or that was stored with other values", async () => {
    const set = (offset: number, value: string) => {
      (path.log.all()[offset] as { value: string }).value = value;
    };
    set(2, record("06:00", 20, 1.5));
    set(3, recordOf({ timestamp: at("06:30"), temperature: 3, snow_depth: 1 }));
    set(4, "not JSON");
    const problems = (await older.problems()).join("\n");
    expect(problems).toMatch(/offset 2 was stored with other values/);
    expect(problems).toMatch(/offset 3 cannot be read and was not rejected/);
    expect(problems).toMatch(/offset 4 cannot be read and was not rejected/);
  });

  test("the newer `verify` still finds a new value that was taken for a duplicate", async () => {
    await newer.store(record("07:00", 4, 3.5));
    (path.log.all()[5] as { value: string }).value = record("07:00", 4, 9);
    expect((await newer.problems()).join("\n")).toMatch(/offset 5 is a revision that was not stored/);
  });

  test("its compactor says once for all rounds which column it does not know", async () => {
    const warnings: unknown[] = [];
    const stop = new AbortController();
    const ended = compactor
      .compactorJob({
        log: path.log,
        lake: path.lake,
        engine: older.engine,
        judging: older.judging,
        clock: path.clock,
        logger: { ...silentLogger, warn: (_, fields) => void warnings.push(fields) },
        newId: path.newId,
        afterMs: 0,
      })
      .run({ signal: stop.signal, running: () => {}, waiting: () => {} });
    for (let round = 0; round < 3; round++) {
      await path.clock.sleepers(1);
      await path.clock.advance(30_000);
    }
    await path.clock.sleepers(1);
    stop.abort();
    await ended;
    expect(warnings).toEqual([{ column: LATER_COLUMN }]);
  });
});

test("FIRST_COLUMNS never change: of a file without values that came later only Parquet names columns", async () => {
  expect(FIRST_COLUMNS.size).toBe(17);
  const everything = Object.fromEntries(
    ["wind_direction", "wind_gust", "dew_point", "clouds", "visibility"].map((name) => [name, 1]),
  );
  await older.store(recordOf(everything));
  await older.store(recordOf({ ...everything, timestamp: at("06:30") }));
  await older.store(nextDay(1));
  expect(await older.compact()).toBe(1);
  expect(await older.checkpoint()).toBe(true);
  const { entry } = (await path.entries())[0]!;
  expect(entry["kind"]).toBe("checkpoint");
  const first = ["path", "rows", "revisions", "bytes", "sha256", "sequence"];
  for (const file of entry["live"] as { path: string; columns?: string[] }[]) {
    const isParquet = file.path.endsWith(".parquet");
    expect(file.columns).toEqual(isParquet ? ["impossible"] : undefined);
    const names = isParquet ? [...first, "columns", "judged"] : first;
    expect(Object.keys(file).toSorted()).toEqual(names.toSorted());
  }
});
