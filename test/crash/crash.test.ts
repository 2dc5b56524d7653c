/**
 * The crash test: a process that carries out the whole write path is killed at every step of it, by SIGKILL; then the
 * program recovers over what is left, while the producer sends again what was not acknowledged. Every acknowledged record
 * must be in the log, and the lake must hold the log: as multisets, by code of its own.
 *
 * `CRASH_SEEDS=5` walks through five workloads instead of one, `CRASH_SEED=3` begins with the third, and `CRASH_TELL=1`
 * prints what was done.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { sweep } from "../../jobs/commits/sweep.ts";
import { nodeDisk, type Disk } from "../../jobs/lake/disk.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import { readRows } from "../../jobs/rows.ts";
import { verifyPartition } from "../../jobs/verify.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Engine } from "../../spark/engine.ts";
import { FakeClock } from "../fake-clock.ts";
import { crashWorkload, lakeFolder, run, TOPIC } from "./run.ts";
import { compare, contentOf, newestOf, type Files } from "./truth.ts";
import { NOW, type Workload } from "./workload.ts";

/** The recovery without syncs: a kill does not show what they do, and they take most of its time. */
const unsynced: Disk = {
  ...nodeDisk,
  write: async (path, bytes) => ({ ...(await nodeDisk.write(path, bytes)), sync: async () => {} }),
  syncFolder: async () => {},
};

/** Children at once. */
const AT_ONCE = 2;
const seeds = Number(process.env["CRASH_SEEDS"] ?? 1);
const firstSeed = Number(process.env["CRASH_SEED"] ?? 1);

let home: string;
let engine: Engine;
let parquet: (path: string) => Promise<Record<string, unknown>[]>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "isobar-crash-"));
  engine = await openDuckDb({ tempFolder: join(home, "engine"), threads: 1 });
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  parquet = async (path) => {
    const reader = await connection.runAndReadAll(
      `SELECT * REPLACE (strftime("timestamp", '%Y-%m-%dT%H:%M:%SZ') AS "timestamp") FROM read_parquet('${path}')`,
    );
    return reader.getRowObjectsJson();
  };
});
afterAll(async () => {
  await engine.close();
  await rm(home, { recursive: true, force: true });
});

const filesIn = (folder: string): Files => {
  const root = lakeFolder(folder);
  return {
    list: (path) => readdir(join(root, path)).catch(() => []),
    read: (path) => readFile(join(root, path)),
    readParquet: (path) => parquet(join(root, path)),
  };
};

/** Runs a child to its end, or to the point where it is killed. */
async function runChild(folder: string, seed: number, point: number) {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "child.ts"), folder, String(seed), String(point)],
    {
      stdout: "pipe",
      stderr: "pipe",
    },
  );
  const [told, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const lines = told.split("\n");
  const points = lines.find((line) => line.startsWith("points "));
  return {
    killed: child.signalCode === "SIGKILL",
    errors,
    acknowledged: lines.filter((line) => line.startsWith("acknowledged ")).length,
    points: points === undefined ? undefined : Number(points.slice("points ".length)),
  };
}

/** Lets the program recover in a folder, and looks at everything it left. */
async function recover(
  folder: string,
  workload: Workload,
  acknowledged: number,
): Promise<{ newest: string[]; problems: string[] }> {
  const problems: string[] = [];
  const clock = new FakeClock(NOW);
  const openLog = () => openSqliteLog({ folder: join(folder, "log"), topic: TOPIC, clock });

  // What was acknowledged is in the log, in order; of the call under way all or nothing.
  const before = await openLog();
  const { high } = await before.bounds(0);
  const held = (await before.read(0, 0, high + 1)).map((record) => record.value);
  await before.close();
  const sent = workload.chunks.slice(0, acknowledged).flat();
  const under = workload.chunks.slice(0, acknowledged + 1).flat();
  const expected = held.length > sent.length ? under : sent;
  if (JSON.stringify(held) !== JSON.stringify(expected))
    problems.push(`${sent.length} records were acknowledged, the log holds ${held.length}`);

  await run({
    folder,
    workload,
    from: acknowledged,
    disk: unsynced,
    engine: async () => ({
      compact: (snapshot, signal) => engine.compact(snapshot, signal),
      readRows: (snapshot, from, to) => readRows(engine, snapshot, from, to),
    }),
    step: () => {},
    acknowledged: () => {},
  });

  const log = await openLog();
  try {
    const end = (await log.bounds(0)).high;
    const records = await log.read(0, 0, end);
    const content = await contentOf(filesIn(folder), TOPIC);
    if (content.next !== end) problems.push(`the lake ends at offset ${content.next}, the log at ${end}`);
    problems.push(...compare(records, workload.meaningOf, content));

    // Two days on, temporaries are old, and a sweep of every folder leaves nothing but what is committed.
    const lake = await openLocalLake(lakeFolder(folder), { now: () => Date.now() + 2 * 86_400_000 });
    const proof = await verifyPartition(lake, log, engine, 0);
    problems.push(...proof.problems);
    const chain = { lake, topic: TOPIC, partition: 0, newId: () => "final", now: () => NOW };
    const entries = await readdir(lakeFolder(folder), { recursive: true, withFileTypes: true });
    const folders = entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name).slice(lakeFolder(folder).length + 1))
      .filter((path) => /^(observations|rejected)/.test(path));
    const { state } = await sweep(chain, folders, 0, await fold(lake, TOPIC, 0));
    await makeCheckpoint(chain, state, new Set(state.removed.keys()));
    const after = await contentOf(filesIn(folder), TOPIC);
    problems.push(...compare(records, workload.meaningOf, after));
    const files = await readdir(lakeFolder(folder), { recursive: true, withFileTypes: true });
    for (const entry of files) {
      const path = join(entry.parentPath, entry.name).slice(lakeFolder(folder).length + 1);
      if (path === `commits/${TOPIC}/partitions.json`) continue;
      const isEntry = path === `commits/${TOPIC}/0/${String(state.sequence).padStart(12, "0")}.json`;
      if (entry.isFile() && !isEntry && !after.paths.has(path)) problems.push(`${path} is left over`);
    }
    return { newest: newestOf(after), problems };
  } finally {
    await log.close();
  }
}

describe("crash", () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    test(`SIGKILL at every step of the write path loses and doubles nothing (seed ${seed})`, async () => {
      const workload = crashWorkload(seed);
      const started = performance.now();
      const folder = (point: number) => join(home, `${seed}-${point}`);

      // Without a crash: how many points there are, and what readers see in the end.
      const whole = await runChild(folder(0), seed, 0);
      expect(whole.errors).toBe("");
      expect(whole.acknowledged).toBe(workload.chunks.length);
      const { newest, problems } = await recover(folder(0), workload, whole.acknowledged);
      expect(problems).toEqual([]);
      const points = whole.points!;
      expect(points).toBeGreaterThan(150);

      const failures: string[] = [];
      let walked = 0;
      let next = 1;
      const worker = async () => {
        while (next <= points) {
          const point = next++;
          const child = await runChild(folder(point), seed, point);
          if (!child.killed) failures.push(`point ${point}: it was not killed: ${child.errors}`);
          const recovered = await recover(folder(point), workload, child.acknowledged).catch(
            (error: unknown) => ({
              newest,
              problems: [String(error)],
            }),
          );
          for (const problem of recovered.problems) failures.push(`point ${point}: ${problem}`);
          if (JSON.stringify(recovered.newest) !== JSON.stringify(newest))
            failures.push(`point ${point}: readers see other values`);
          await rm(folder(point), { recursive: true, force: true });
          walked++;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(failures).toEqual([]);
      expect(walked).toBe(points);
      if (process.env["CRASH_TELL"] !== undefined) {
        const seconds = Math.round(performance.now() - started) / 1000;
        console.log(`crash: seed ${seed}, ${points} points, ${seconds} s`);
      }
    }, 600_000);
  }
});
