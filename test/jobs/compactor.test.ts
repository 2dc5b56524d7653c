import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../core/errors.ts";
import { silentLogger } from "../../core/log.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { commitCompaction } from "../../jobs/commits/compaction.ts";
import { emptyState, fold, type ChainState } from "../../jobs/commits/fold.ts";
import { placeOf } from "../../jobs/commits/names.ts";
import { sweep } from "../../jobs/commits/sweep.ts";
import { planCompactions } from "../../jobs/compaction-plan.ts";
import { compactorJob, type Compacting, compactPartition, GRACE_MS } from "../../jobs/compactor.ts";
import { PartitionWriter } from "../../jobs/partition-writer.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import { snapshotFile } from "../../jobs/readers/lake-reader.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { at, recordOf, WritePath } from "../support/write-path.ts";
import { JUDGING } from "../support/judging.ts";

/** A chain's state with one live file a path; `.jsonl` unless told. */
function stateOf(watermark: string | null, paths: readonly string[], rows = 10): ChainState {
  const state = { ...emptyState(), watermark };
  for (const [i, path] of paths.entries()) {
    const full = path.includes(".") ? path : `${path}/t+0+${i}+${i}+1-x${i}.jsonl`;
    state.live.set(full, { path: full, rows, revisions: 0, bytes: 1, sha256: "", sequence: i + 1 });
  }
  return state;
}

/** The same state with the flags of a file. */
function judged(state: ChainState, path: string, version: string): ChainState {
  state.live.set(path, { ...state.live.get(path)!, judged: version });
  return state;
}

const DAY = "observations/date=2026-01-30";
const parquet = (folder: string) => `${folder}/t+0+0+9+1-p.parquet`;
const RULES = { afterMs: HOUR_MS };
const plansOf = (state: ChainState, afterMs = HOUR_MS) =>
  planCompactions(state, { afterMs }).map(({ folder, inputs }) => [folder, inputs.length]);

describe("planCompactions()", () => {
  test("leaves an empty chain and an open hour alone", () => {
    expect(plansOf(stateOf(null, []))).toEqual([]);
    expect(plansOf(stateOf("2026-01-30T07:59:00Z", [`${DAY}/hour=06`, `${DAY}/hour=06`]))).toEqual([]);
    expect(plansOf(stateOf("2026-01-30T12:00:00Z", [`${DAY}/hour=06`]))).toEqual([]);
  });

  test("a closed hour of several files becomes one, from the end of the wait on", () => {
    const files = [`${DAY}/hour=06`, `${DAY}/hour=06`, `${DAY}/hour=07`];
    expect(plansOf(stateOf("2026-01-30T08:00:00Z", files))).toEqual([[`${DAY}/hour=06`, 2]]);
    expect(plansOf(stateOf("2026-01-30T07:00:00Z", files), 0)).toEqual([[`${DAY}/hour=06`, 2]]);
    expect(planCompactions(stateOf("2026-01-30T08:00:00Z", files), RULES)[0]?.judge).toBe(false);
  });

  test("a day becomes one file with its flags once the reports are there that they may depend on", () => {
    const files = [parquet(`${DAY}/hour=06`), `${DAY}/hour=07`, `${DAY}/hour=23`];
    expect(plansOf(stateOf("2026-01-31T03:59:00Z", files))).toEqual([]);
    expect(plansOf(stateOf("2026-01-31T04:00:00Z", files))).toEqual([[DAY, 3]]);
    expect(planCompactions(stateOf("2026-01-31T04:00:00Z", files), RULES)[0]?.judge).toBe(true);
    expect(plansOf(stateOf("2026-01-31T04:00:00Z", [`${DAY}/hour=06`]))).toEqual([[DAY, 1]]);
  });

  test("a day whose flags stand is left alone, by whichever judging; to judge again takes those of another", () => {
    const state = judged(stateOf("2026-02-05T00:00:00Z", [parquet(DAY)]), parquet(DAY), "old");
    expect(planCompactions(state, RULES)).toEqual([]);
    expect(planCompactions(state, { ...RULES, again: "old" })).toEqual([]);
    expect(planCompactions(state, { ...RULES, again: "new" })).toHaveLength(1);
  });

  test("a day that was written before waits while late data comes, in it or in the time that its flags depend on", () => {
    const late = (count: number) => [parquet(DAY), ...Array.from({ length: count }, () => `${DAY}/hour=06`)];
    const before = [parquet(DAY), "observations/date=2026-01-29/hour=00"];
    const plans = (files: readonly string[], settled: number) =>
      planCompactions(stateOf("2026-02-05T00:00:00Z", files), { ...RULES, settled })
        .filter(({ folder }) => folder === DAY)
        .map(({ inputs }) => inputs.length);
    expect(plans(late(7), 7)).toEqual([]);
    expect(plans(late(7), 8)).toEqual([8]);
    expect(plans(late(8), 0)).toEqual([9]); // it goes on for too long
    expect(plans(before, 1)).toEqual([]);
    expect(plans(before, 2)).toEqual([1]);
    // Two days before only the last hour counts.
    expect(plans([parquet(DAY), "observations/date=2026-01-28/hour=22"], 1)).toEqual([1]);
    expect(plans([parquet(DAY), "observations/date=2026-01-28/hour=23"], 1)).toEqual([]);
  });

  test("an hour of very many files is compacted while it is open, a compacted one only again for as many", () => {
    const open = (count: number) => Array.from({ length: count }, () => `${DAY}/hour=06`);
    expect(plansOf(stateOf("2026-01-30T06:30:00Z", open(31)))).toEqual([]);
    expect(plansOf(stateOf("2026-01-30T06:30:00Z", open(32)))).toEqual([[`${DAY}/hour=06`, 32]]);
    const closed = "2026-01-30T12:00:00Z";
    expect(plansOf(stateOf(closed, [parquet(`${DAY}/hour=06`), ...open(30)]))).toEqual([]);
    expect(plansOf(stateOf(closed, [parquet(`${DAY}/hour=06`), ...open(31)]))).toEqual([
      [`${DAY}/hour=06`, 32],
    ]);
  });

  test("a day too large for one file stays in hours", () => {
    const files = [`${DAY}/hour=06`, `${DAY}/hour=06`, `${DAY}/hour=07`, `${DAY}/hour=07`];
    expect(plansOf(stateOf("2026-02-05T00:00:00Z", files, 2_000_000))).toEqual([
      [`${DAY}/hour=06`, 2],
      [`${DAY}/hour=07`, 2],
    ]);
  });

  test("each day is planned on its own, and no file twice", () => {
    const other = "observations/date=2026-01-29";
    const state = stateOf("2026-01-31T05:00:00Z", [
      `${other}/hour=01`,
      `${DAY}/hour=06`,
      `${other}/hour=02`,
      `${DAY}/hour=06`,
    ]);
    expect(plansOf(state)).toEqual([
      [other, 2],
      [DAY, 2],
    ]);
    const inputs = planCompactions(state, { afterMs: 0 }).flatMap((plan) =>
      plan.inputs.map((file) => file.path),
    );
    expect(new Set(inputs).size).toBe(inputs.length);
  });
});

describe("compactPartition()", () => {
  let path: WritePath;
  let engine: WritingEngine;
  beforeEach(async () => {
    path = await WritePath.open();
    await path.clock.advance(DAY_MS); // the records of the day after are not ahead of it
    engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
  });
  afterEach(async () => {
    await engine.close();
    await path.close();
  });

  const openWriter = () => path.writer(engine);

  /** Commits each group of values as a batch of its own, by one writer. */
  async function write(...batches: string[][]): Promise<void> {
    const writer = await openWriter();
    for (const values of batches) await writeBy(writer, values);
  }

  async function writeBy(writer: PartitionWriter, values: string[]): Promise<void> {
    await path.append(...values);
    await writer.add(await path.log.read(0, writer.next, values.length));
    await writer.flush();
  }

  const folded = () => fold(path.lake, path.log.topic, 0);
  const compact = (
    options: Partial<Parameters<typeof compactPartition>[2]> = {},
    over: Compacting = engine,
  ) =>
    compactPartition(
      path.chain(),
      { engine: over, judging: JUDGING },
      { afterMs: 0, graceMs: GRACE_MS, ...options },
    );

  /** `offset temperature` of what the engine reads, revisions included or the newest only. */
  async function seen(revisions = false): Promise<string[]> {
    const state = await folded();
    const files = [...state.live.values()].map((file) =>
      snapshotFile(path.lake, revisions ? { ...file, revisions: 0 } : file),
    );
    const rows = await readRows(engine, { files }, 0, Date.UTC(2030, 0));
    return rows.map((row) => `${row.log_offset} ${row.temperature}`).sort();
  }

  /** The days whose flags stand. */
  const judgedDays = async () =>
    [...(await folded()).live.values()]
      .filter((file) => file.judged !== undefined)
      .map((file) => placeOf(file.path).date)
      .sort();

  /** Data files on the disk. */
  const onDisk = async () =>
    (await readdir(join(path.root, "observations"), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(path.root.length + 1))
      .sort();

  /** A closed day of two hours in three files, with a revision and a duplicate, and one record of the day after. */
  const closedDay = () =>
    write(
      [recordOf({ temperature: 1 }), recordOf({ timestamp: at("07:00"), temperature: 2 })],
      [recordOf({ temperature: 3 }), recordOf({ temperature: 3 })],
      [recordOf({ timestamp: at("10:00", "2026-02-01"), temperature: 4 })],
    );

  test("replaces a closed day by one Parquet file with the same rows, revisions included", async () => {
    await closedDay();
    const [before, newest] = [await seen(true), await seen()];
    const { report } = await compact();
    expect(report).toEqual({ compacted: 1, judged: 1, deleted: 0 });
    const state = await folded();
    const live = [...state.live.values()];
    const compacted = live.find((file) => file.path.endsWith(".parquet"))!;
    expect(compacted.path).toMatch(
      /^observations\/date=2026-01-31\/observations\+0\+0\+3\+4-[a-z0-9]+\.parquet$/,
    );
    expect([compacted.rows, compacted.revisions]).toEqual([3, 1]);
    expect(live).toHaveLength(2);
    expect(await seen(true)).toEqual(before);
    expect(await seen()).toEqual(newest);
    expect(newest).toEqual(["1 2", "2 3", "4 4"]);
    expect((await compact()).report).toEqual({ compacted: 0, judged: 0, deleted: 0 });
  });

  test("keeps what was replaced until the grace is over, then deletes it and the empty folders, and forgets it", async () => {
    await closedDay();
    await compact();
    expect(await onDisk()).toHaveLength(5);
    await path.clock.advance(GRACE_MS - 1);
    expect((await compact()).report.deleted).toBe(0);
    await path.clock.advance(1);
    expect((await compact()).report.deleted).toBe(3);
    const state = await folded();
    expect(await onDisk()).toEqual([...state.live.keys()].sort());
    expect(state.removed.size).toBe(0);
    expect((await path.lake.list("observations/date=2026-01-31")).map((entry) => entry.folder)).toEqual([
      false,
    ]);
    expect(await seen()).toEqual(["1 2", "2 3", "4 4"]);
  });

  test("late data after the compaction: duplicates and revisions are recognised in Parquet, and taken in later", async () => {
    await closedDay();
    await compact({ graceMs: 0 });
    await write(
      [recordOf({ temperature: 3 }), recordOf({ temperature: 5 })],
      [recordOf({ timestamp: at("08:00"), temperature: 6 })],
    );
    expect((await folded()).counts).toEqual({ rows: 6, duplicates: 2, rejected: 0 });
    expect(await seen()).toEqual(["1 2", "4 4", "6 5", "7 6"]);
    expect((await compact({ settled: 0 })).report.compacted).toBe(0); // more may follow
    await write(
      ...Array.from({ length: 6 }, (_, i) => [recordOf({ timestamp: at("09:00"), city: `City ${i}` })]),
    );
    expect((await compact({ settled: 0, graceMs: 0 })).report.compacted).toBe(1);
    const state = await folded();
    expect([...state.live.keys()].filter((name) => name.includes("date=2026-01-31"))).toHaveLength(1);
    expect((await seen()).filter((row) => !row.endsWith(" 5"))).toEqual(["1 2", "4 4", "7 6"]);
    expect(await seen()).toContain("6 5");
    expect((await seen(true)).length).toBe(state.counts.rows);
  });

  test("a writer that was quiet while files were replaced and deleted looks into the new ones", async () => {
    await closedDay();
    const writer = await openWriter();
    await compact({ graceMs: 0 });
    await writeBy(writer, [recordOf({ temperature: 3 }), recordOf({ temperature: 5 })]);
    expect((await folded()).counts).toEqual({ rows: 5, duplicates: 2, rejected: 0 });
    expect(await seen()).toEqual(["1 2", "4 4", "6 5"]);
  });

  test("stops with `damaged` at an input that is not what was committed, and leaves everything as it is", async () => {
    await closedDay();
    const input = [...(await folded()).live.keys()][0]!;
    const whole = await readFile(join(path.root, input));
    const damages: [string, () => Promise<unknown>][] = [
      [
        "a flipped bit",
        () =>
          writeFile(
            join(path.root, input),
            whole.map((byte, i) => (i === 20 ? byte ^ 1 : byte)),
          ),
      ],
      ["cut short", () => writeFile(join(path.root, input), whole.subarray(0, -1))],
      ["a row more", () => writeFile(join(path.root, input), Buffer.concat([whole, whole]))],
    ];
    for (const [, damage] of damages) {
      await damage();
      const before = await onDisk();
      const error: unknown = await compact().catch((error: unknown) => error);
      expect(codeOf(error)).toBe("damaged");
      expect(String(error)).toContain(input);
      expect(await onDisk()).toEqual(before);
      expect((await folded()).removed.size).toBe(0);
    }
    await rm(join(path.root, input));
    expect(codeOf(await compact().catch((error: unknown) => error))).toBe("missing");
    await writeFile(join(path.root, input), whole);
    expect((await compact()).report.compacted).toBe(1);
  });

  test("stops with `damaged` when the engine returns fewer rows than are committed", async () => {
    await closedDay();
    const short: Compacting = {
      compact: (snapshot) => engine.compact(snapshot),
      judge: async (parts, judging) =>
        (await engine.judge(parts, judging)).map(({ bytes, rows }) => ({ bytes, rows: rows - 1 })),
    };
    expect(codeOf(await compact({}, short).catch((error: unknown) => error))).toBe("damaged");
    expect((await folded()).removed.size).toBe(0);
  });

  /** Commits a record while a compaction is at work. */
  const meanwhile = (timestamp: string): Compacting => ({
    compact: (snapshot) => engine.compact(snapshot),
    async judge(parts, judging) {
      await write([recordOf({ timestamp, temperature: 9 })]);
      return engine.judge(parts, judging);
    },
  });

  test("a batch that is committed meanwhile is no obstacle where no flag depends on it", async () => {
    await closedDay();
    expect((await compact({}, meanwhile(at("11:00", "2026-02-01")))).report.compacted).toBe(1);
    expect(await seen()).toEqual(["1 2", "2 3", "4 4", "5 9"]);
    expect(await judgedDays()).toEqual(["2026-01-31"]);
  });

  for (const late of [at("11:00"), at("00:00", "2026-01-30"), at("02:59", "2026-02-01")]) {
    test(`a batch of ${late} that is committed meanwhile refuses the compaction, whose flags it may change`, async () => {
      await closedDay();
      const before = (await onDisk()).length;
      expect((await compact({}, meanwhile(late))).report.compacted).toBe(0);
      expect(await onDisk()).toHaveLength(before + 1); // the batch's
      expect(await judgedDays()).toEqual([]);
      await compact();
      expect(await judgedDays()).toContain("2026-01-31");
    });
  }

  test("late data takes back the flags that may change by it, and those alone", async () => {
    const days = ["2026-01-28", "2026-01-29", "2026-01-30", "2026-01-31", "2026-02-01"];
    await path.clock.advance(DAY_MS);
    await write(days.map((day) => recordOf({ timestamp: at("12:00", day) })));
    await compact();
    expect(await judgedDays()).toEqual(days.slice(0, 4));
    await write([recordOf({ timestamp: at("23:00", "2026-01-29") })]);
    expect(await judgedDays()).toEqual(["2026-01-28"]);
    await compact({ graceMs: 0 });
    expect(await judgedDays()).toEqual(days.slice(0, 4));
    await write([recordOf({ timestamp: at("02:00", "2026-01-30") })]);
    expect(await judgedDays()).toEqual(["2026-01-28"]);
    expect((await compact({ graceMs: 0 })).report).toMatchObject({ compacted: 3, judged: 3 });
    // A checkpoint says the same as the entries below it.
    expect(await judgedDays()).toEqual(days.slice(0, 4));
  });

  test("of two compactors one wins each day; the other leaves neither a file nor an entry, and the chain stays whole", async () => {
    await write(
      [recordOf({ temperature: 1 }), recordOf({ timestamp: at("06:00", "2026-01-30"), temperature: 2 })],
      [recordOf({ temperature: 3 }), recordOf({ timestamp: at("06:00", "2026-01-30"), temperature: 4 })],
      [recordOf({ timestamp: at("10:00", "2026-02-01"), temperature: 5 })],
    );
    let others = 0;
    const slow: Compacting = {
      compact: (snapshot) => engine.compact(snapshot),
      async judge(parts, judging) {
        const written = await engine.judge(parts, judging);
        if (others === 0) others = (await compact()).report.compacted; // all of it, while the first one is at work
        return written;
      },
    };
    const { report } = await compact({}, slow);
    expect([others, report.compacted]).toEqual([2, 0]);
    const state = await folded();
    expect(state.live.size).toBe(3);
    await sweep(path.chain(), [], 0);
    expect(await onDisk()).toEqual([...state.live.keys()].sort());
    expect(await seen()).toEqual(["2 3", "3 4", "4 5"]);
  });

  test("commitCompaction() writes nothing when an input is no longer live", async () => {
    await closedDay();
    const inputs = [...(await folded()).live.keys()].filter((name) => name.includes("date=2026-01-31"));
    await compact();
    const state = await folded();
    const output = { path: `${DAY}/x.parquet`, rows: 3, revisions: 1, bytes: 1, sha256: "" };
    expect(await commitCompaction(path.chain(), state, inputs, output)).toBeNull();
    expect((await folded()).sequence).toBe(state.sequence);
  });

  test("compactors at the same time lose and double nothing", async () => {
    await closedDay();
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => compact({ graceMs: 0 })));
    expect(results.filter((result) => result.status === "rejected")).toEqual([]);
    expect(await seen(true)).toEqual(["0 1", "1 2", "2 3", "4 4"]);
  });

  test("leftovers of killed writers and compactions go with the compaction; committed rejected records stay", async () => {
    await write([recordOf({ temperature: 1 }), "bad"], [recordOf({ temperature: 2 })]);
    const bytes = new TextEncoder().encode("{}\n");
    const leftovers = [
      "observations/date=2026-01-31/hour=06/observations+0+0+9+1-dead.jsonl",
      "observations/date=2026-01-31/observations+0+0+9+2-dead.parquet",
      "rejected/observations+0+0+9+1-dead.jsonl",
    ];
    const others = [
      "observations/date=2026-01-31/hour=06/other+0+0+9+1-dead.jsonl",
      "observations/date=2026-01-31/hour=06/observations+1+0+9+1-dead.jsonl",
      "observations/date=2026-01-31/hour=06/notes.txt",
    ];
    for (const name of [...leftovers, ...others]) await path.lake.put([{ path: name, bytes }]);
    await write([recordOf({ timestamp: at("10:00", "2026-02-01") })]); // a new claim: the old writer is dead
    const running = "observations/date=2026-01-31/hour=06/observations+0+4+9+4-busy.jsonl";
    await path.lake.put([{ path: running, bytes }]);
    await compact({ graceMs: 0 });
    const state = await folded();
    expect(state.rejected).toHaveLength(1);
    expect(await onDisk()).toEqual([...state.live.keys(), ...others, running].sort());
    expect(await path.lake.list("rejected")).toHaveLength(1);
    expect((await path.lake.read(state.rejected[0]!.path)).length).toBe(state.rejected[0]!.bytes);
  });

  test("an aborted run ends between two compactions", async () => {
    await closedDay();
    expect((await compact({ signal: AbortSignal.abort() })).report).toEqual({
      compacted: 0,
      judged: 0,
      deleted: 0,
    });
    expect((await folded()).removed.size).toBe(0);
  });

  test("compactorJob() looks again every 30 s, from what it knows, until it is stopped", async () => {
    const stop = new AbortController();
    const states: string[] = [];
    const job = compactorJob({
      log: path.log,
      lake: path.lake,
      engine,
      judging: JUDGING,
      clock: path.clock,
      logger: silentLogger,
      newId: path.newId,
      afterMs: 0,
    });
    const ended = job.run({
      signal: stop.signal,
      running: () => void states.push("running"),
      waiting: (reason) => void states.push(`waiting ${reason}`),
    });
    await path.clock.sleepers(1);
    await closedDay();
    expect(path.clock.nextWakeMs).toBe(30_000);
    await path.clock.advance(30_000);
    await path.clock.sleepers(1);
    expect((await folded()).removed.size).toBe(3);
    stop.abort();
    await ended;
    expect(states).toEqual([
      "running",
      "waiting for hours to close",
      "running",
      "waiting for hours to close",
    ]);
  });
});
