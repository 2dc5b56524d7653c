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
import { nodeDisk, type Disk } from "../../jobs/lake/disk.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { parquetReader } from "./parquet.ts";
import { runToPoint } from "./points.ts";
import { recover, walk, type Remains } from "./recover.ts";
import { crashWorkload, lakeFolder, TOPIC } from "./run.ts";
import type { Files } from "../support/truth.ts";
import { NOW } from "./workload.ts";

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
let engine: WritingEngine;
let parquet: (path: string) => Promise<Record<string, unknown>[]>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "isobar-crash-"));
  engine = await openDuckDb({ tempFolder: join(home, "engine"), threads: 1 });
  parquet = await parquetReader();
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

/** What a child left in a folder. */
const remainsIn = (folder: string): Remains => ({
  openLog: () => openSqliteLog({ folder: join(folder, "log"), topic: TOPIC, clock: new FakeClock(NOW) }),
  openLake: (laterMs) =>
    openLocalLake(lakeFolder(folder), { disk: unsynced, now: () => Date.now() + laterMs }),
  engine,
  files: filesIn(folder),
  everyFile: async () => {
    const entries = await readdir(lakeFolder(folder), { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(lakeFolder(folder).length + 1));
  },
});

describe("crash", () => {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    test(`SIGKILL at every step of the write path loses and doubles nothing (seed ${seed})`, async () => {
      const workload = crashWorkload(seed);
      const started = performance.now();
      const folder = (point: string) => join(home, `${seed}-${point.replaceAll(" ", "-")}`);
      const runChild = (point: string) =>
        runToPoint(join(import.meta.dir, "child.ts"), [folder(point), String(seed), point]);

      // Without a crash: which points there are, and what readers see in the end.
      const whole = await runChild("");
      expect(whole.errors).toBe("");
      expect(whole.acknowledged).toBe(workload.chunks.length);
      const { newest, problems } = await recover(remainsIn(folder("")), workload, whole.acknowledged);
      expect(problems).toEqual([]);
      const points = whole.points!;
      expect(points.length).toBeGreaterThan(150);

      const failures = await walk(points, {
        atOnce: AT_ONCE,
        workload,
        newest,
        kill: runChild,
        remains: (point) => remainsIn(folder(point)),
        remove: (point) => rm(folder(point), { recursive: true, force: true }),
      });
      expect(failures).toEqual([]);
      if (process.env["CRASH_TELL"] !== undefined) {
        const seconds = Math.round(performance.now() - started) / 1000;
        console.log(`crash: seed ${seed}, ${points.length} points, ${seconds} s`);
      }
    }, 600_000);
  }
});
