import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { observationOfRow, type Row } from "../../core/observation.ts";
import { DAY_MS, parseTimestamp } from "../../core/time.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { commitCompaction } from "../../jobs/commits/compaction.ts";
import { dataFileName, dayFolder, offsetsOf, placeOf } from "../../jobs/commits/names.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import { queryRows, rowsMark } from "../../jobs/readers/lake-queries.ts";
import { LakeReader, snapshotFile } from "../../jobs/readers/lake-reader.ts";
import { retract } from "../../jobs/retract.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { OBSERVATION_COLUMNS, type Snapshot, type WritingEngine } from "../../spark/engine.ts";
import { isJudgedBy, judgingBy, overVerdicts } from "../../spark/judging.ts";
import { readSqlJobs, runJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { faultyWeather, QUALITY_CITIES, QUALITY_STATIONS } from "../spark/quality-data.ts";
import { expectRows } from "../spark/reference.ts";
import { judgedFiles, judgedRows } from "../support/judging.ts";
import { randomFrom } from "../support/lake-files.ts";
import { WritePath } from "../support/write-path.ts";

const views = await analysisViews({ cities: QUALITY_CITIES, stations: QUALITY_STATIONS });
const judging = judgingBy(views);
const COLUMNS = [...OBSERVATION_COLUMNS.map(([name]) => name), ...FLAG_COLUMNS].join(", ");
const ORDER = "ORDER BY city, source, timestamp";

let path: WritePath;
let engine: WritingEngine;
let reader: LakeReader;
beforeEach(async () => {
  path = await WritePath.open();
  engine = await openDuckDb({ tempFolder: join(path.root, ".tmp", "engine"), threads: 2 });
  reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
});
afterEach(async () => {
  await engine.close();
  await path.close();
});

/** Stores rows as one batch, at the time at which the log took the last of them. */
async function store(rows: readonly Row[]): Promise<void> {
  const arrived = Math.max(...rows.map(({ ingested_at }) => parseTimestamp(ingested_at)));
  await path.clock.advance(Math.max(0, arrived - path.clock.now()));
  const values = rows.map((row) => JSON.stringify(observationOfRow(row)));
  await path.commit(engine, 0, values);
}

const compact = () =>
  compactPartition(path.chain(), { engine, judging }, { afterMs: 0, graceMs: 0 }).then(
    ({ report }) => report,
  );

async function snapshotNow(): Promise<Snapshot> {
  await reader.refresh();
  return (await reader.snapshot()).snapshot;
}

/** How many days have flags that stand, of how many. */
async function judgedDays(): Promise<[number, number]> {
  const { live } = await fold(path.lake, path.log.topic, 0);
  const days = Map.groupBy(live.values(), ({ path: name }) => placeOf(name).date);
  return [
    [...days.values()].filter((files) => files.every(({ judged }) => isJudgedBy(judged, judging.version)))
      .length,
    days.size,
  ];
}

/** Every row with its flags: computed over the whole of history, and as whoever reads them gets them. */
async function expectEqualFlags(): Promise<void> {
  const snapshot = await snapshotNow();
  const scratch = await engine.query(`SELECT ${COLUMNS} FROM quality ${ORDER}`, { snapshot, views });
  const judged = judgedRows(engine, path.root, views);
  const { snapshot: files } = await judged.of(snapshot, null);
  const sql = `SELECT ${COLUMNS} FROM judged ${ORDER}`;
  const kept = await engine.query(sql, { snapshot: { files: [] }, judged: files });
  expect(kept.numRows).toBeGreaterThan(0);
  expect(rowsOf(kept)).toEqual(rowsOf(scratch));
  const asked = { city: null, from: 0, to: Date.UTC(2030, 0), limit: 1_000_000, after: null };
  const { rows } = await queryRows(reader, engine, { judged, views: async () => views }, asked);
  const newest = rowsOf(scratch).reduce(
    (last, { timestamp }) => Math.max(last, Date.parse(String(timestamp))),
    0,
  );
  const told = (all: readonly Record<string, unknown>[]) =>
    all
      .map((row) => {
        // An answer to a request reads no 30 days for the level of the newest days: it takes the newest that is kept.
        const isOpen = Date.parse(String(row.timestamp)) >= Math.floor(newest / DAY_MS) * DAY_MS - 2 * DAY_MS;
        const { q_level, q_step, q_spike, pressure_flag, flag, ...others } = row;
        return JSON.stringify(isOpen ? others : { ...others, q_level, q_step, q_spike, pressure_flag, flag });
      })
      .sort();
  expect(told(rows as unknown as Record<string, unknown>[])).toEqual(told(rowsOf(scratch)));
}

/** Weather in the order in which the log takes it. */
function weather(seed: number): Row[] {
  return faultyWeather(seed).toSorted(
    (a, b) => parseTimestamp(a.ingested_at) - parseTimestamp(b.ingested_at) || a.log_offset - b.log_offset,
  );
}

describe("flags that are kept equal those computed over the whole of history", () => {
  for (const seed of [1, 2])
    test(`of weather with every kind of fault, as its days close (seed ${seed})`, async () => {
      const rows = weather(seed);
      const size = Math.ceil(rows.length / 7);
      let judged = 0;
      for (let start = 0; start < rows.length; start += size) {
        await store(rows.slice(start, start + size));
        if (start / size === 3) await expectEqualFlags(); // some days are judged, and what is new is not
        judged += (await compact()).judged;
      }
      await expectEqualFlags();
      const [standing, days] = await judgedDays();
      expect(judged).toBeGreaterThan(standing); // some were closed anew
      expect(standing).toBeGreaterThan(days - 4);
    });

  test("after late data, revisions, joined records and retractions, closed anew or not yet", async () => {
    const random = randomFrom(5);
    const rows = weather(3);
    const late = rows.filter(() => random() < 0.02);
    await store(rows.filter((row) => !late.includes(row)));
    await compact();
    const [before] = await judgedDays();
    await store(late);
    const [after, days] = await judgedDays();
    expect(after).toBeLessThan(before);
    await expectEqualFlags();
    await compact();
    expect((await judgedDays())[0]).toBe(before);
    await expectEqualFlags();

    const of = (index: number) => rows[Math.floor((index * rows.length) / 5)]!;
    const revised = { ...of(1), temperature: (of(1).temperature ?? 0) + 30 };
    const joined = { ...of(2), temperature: null, pressure: null, clouds: 40 };
    const { next } = await fold(path.lake, path.log.topic, 0);
    const wrong = Array.from({ length: 30 }, (_, i) => ({
      ...of(3),
      source: "wrong",
      timestamp: new Date(parseTimestamp(of(3).timestamp) + i * 600_000).toISOString().replace(".000Z", "Z"),
      temperature: 90,
    }));
    await store([revised, joined]);
    await store(wrong);
    await compact();
    await expectEqualFlags();
    const parts = { chain: path.chain(), log: path.log, engine };
    await retract(parts, { source: "wrong", first: next! + 2, last: next! + 31 }, { reason: "a test" });
    expect((await judgedDays())[0]).toBeLessThan(before);
    await expectEqualFlags();
    await compact();
    await expectEqualFlags();
    expect((await judgedDays())[0]).toBeGreaterThanOrEqual(before);
    expect(days).toBeGreaterThan(15);
  });

  test("and every job gives the same rows from them, without any, and from a mix", async () => {
    const rows = weather(4);
    await store(rows);
    const over = async (judged: Snapshot) => {
      const found: Record<string, Record<string, unknown>[]> = {};
      for (const job of await readSqlJobs()) {
        const options = { snapshot: judged, judged, views: overVerdicts(views) };
        found[job.name] = rowsOf(await runJob(engine, job, options));
      }
      return found;
    };
    const snapshot = await snapshotNow();
    const scratch: Record<string, Record<string, unknown>[]> = {};
    for (const job of await readSqlJobs())
      scratch[job.name] = rowsOf(await runJob(engine, job, { snapshot, views }));
    const same = async () => {
      const found = await over(await judgedFiles(engine, path.root, await snapshotNow(), views));
      for (const [name, wanted] of Object.entries(scratch)) {
        expect([name, found[name]!.length]).toEqual([name, wanted.length]);
        expectRows(found[name]!, wanted);
      }
    };
    await same();
    await compact();
    expect((await judgedDays())[0]).toBeGreaterThan(10);
    await same();
    // The same report again: it is a duplicate, and another in its hour takes the flags of three days back.
    const middle = rows[Math.floor(rows.length / 2)]!;
    await store([{ ...middle, temperature: (middle.temperature ?? 0) + 1 }, middle]);
    const [standing, days] = await judgedDays();
    expect(standing).toBeGreaterThan(0);
    expect(standing).toBeLessThan(days);
    const revised = await snapshotNow();
    for (const job of await readSqlJobs())
      scratch[job.name] = rowsOf(await runJob(engine, job, { snapshot: revised, views }));
    await same();
  });
});

test("rowsMark() changes with the rows of a time and those that their flags depend on, and with no others", async () => {
  const report = (day: string, hour: string, changes: Partial<Row> = {}): Row => {
    const timestamp = `2026-03-${day}T${hour}:00:00Z`;
    return { ...weather(1)[0]!, city: "Oslo", source: "s", timestamp, ingested_at: timestamp, ...changes };
  };
  const mark = async () => {
    await reader.refresh();
    const range = { from: Date.UTC(2026, 2, 10), to: Date.UTC(2026, 2, 11) };
    return rowsMark(reader, range, judging.version);
  };
  await store([report("10", "12"), report("20", "12")]);
  const marks = [await mark()];
  const changes = async (isChanged: boolean) => {
    const now = await mark();
    expect(now !== marks.at(-1)).toBe(isChanged);
    marks.push(now);
  };
  await store([report("20", "13")]);
  await changes(false);
  await store([report("10", "13")]);
  await changes(true);
  await store([report("11", "02")]); // the next report of some series
  await changes(true);
  await store([report("11", "04")]);
  await changes(false);
  await store([report("09", "00")]);
  await changes(true);
  const parts = { chain: path.chain(), log: path.log, engine };
  await retract(parts, { source: "s", first: 0, last: 0 }, { reason: "a test" });
  await changes(true);
  expect(new Set(marks).size).toBe(5);
});

test("a lake of before, whose days are compacted without flags, is judged in place and read all the while", async () => {
  await store(weather(6));
  // As the version before compacted a day: its rows in one file, in an entry of the first format.
  const state = await fold(path.lake, path.log.topic, 0);
  const days = Map.groupBy(state.live.values(), (file) => placeOf(file.path).date);
  let after = state;
  for (const [date, inputs] of [...days].slice(0, 10)) {
    const files = inputs.map((file) => snapshotFile(path.lake, file));
    const { bytes, rows } = await engine.compact({ files });
    const offsets = inputs.map((file) => offsetsOf(file.path));
    const [first, last] = [
      Math.min(...offsets.map((one) => one.first)),
      Math.max(...offsets.map((one) => one.last)),
    ];
    const name = dataFileName({
      topic: path.log.topic,
      partition: 0,
      first,
      last,
      sequence: after.sequence,
      random: path.newId(),
      format: "parquet",
    });
    const output = {
      path: `${dayFolder(date)}/${name}`,
      rows,
      revisions: 0,
      bytes: bytes.length,
      sha256: sha256Hex(bytes),
    };
    await path.lake.put([{ path: output.path, bytes }]);
    after = (await commitCompaction(
      path.chain(),
      after,
      inputs.map((file) => file.path),
      output,
    ))!;
  }
  expect((await path.entries()).at(-1)?.entry["format"]).toBe(1);
  expect((await judgedDays())[0]).toBe(0);
  await expectEqualFlags();
  const { judged } = await compact();
  const [standing, all] = await judgedDays();
  expect(judged).toBe(standing);
  expect(standing).toBeGreaterThan(all - 4);
  await expectEqualFlags();
  // A program of before refuses this chain by its format.
  expect((await path.entries()).at(-1)?.entry["format"]).toBe(3);
  expect(path.clock.now()).toBeGreaterThan(DAY_MS);
});
