/**
 * The process that is killed: `bun child.ts <folder> <seed> <point>`. It carries out a run and kills itself at the point
 * of that name, with SIGKILL: before an operation of the disk, in the middle of a write, before and after an append to
 * the log and a compaction. With an empty point it runs to the end.
 */
import { join } from "node:path";
import { nodeDisk, type Disk } from "../../jobs/lake/disk.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { Points } from "./points.ts";
import { crashWorkload, lakeFolder, run, TOPIC } from "./run.ts";
import { NOW } from "./workload.ts";

const [folder, seed, point] = process.argv.slice(2);
if (folder === undefined || seed === undefined || point === undefined)
  throw new TypeError("Wanted a folder, a seed and a point");

const points = new Points(point);
const numbered = <T>(what: string, operation: () => Promise<T>): Promise<T> =>
  points.inOrder(() => {
    points.step(what);
    return operation();
  });
const disk: Disk = {
  ...nodeDisk,
  write: (path, bytes) =>
    numbered("write", async () => {
      if (points.isHere("half a write")) {
        await nodeDisk.write(path, bytes.slice(0, bytes.length / 2));
        points.die();
      }
      const file = await nodeDisk.write(path, bytes);
      return { sync: () => numbered("sync", () => file.sync()), close: () => file.close() };
    }),
  rename: (from, to) => numbered("rename", () => nodeDisk.rename(from, to)),
  link: (from, to) => numbered("link", () => nodeDisk.link(from, to)),
  unlink: (path) => numbered("unlink", () => nodeDisk.unlink(path)),
  makeFolder: (path) => numbered("make a folder", () => nodeDisk.makeFolder(path)),
  removeFolder: (path) => numbered("remove a folder", () => nodeDisk.removeFolder(path)),
  syncFolder: (path) => numbered("sync a folder", () => nodeDisk.syncFolder(path)),
};

let opened: Promise<WritingEngine> | undefined;
const engine = () =>
  (opened ??= import("../../spark/duckdb.ts").then(({ openDuckDb }) =>
    openDuckDb({ tempFolder: join(folder, "engine"), folders: [lakeFolder(folder)], threads: 1 }),
  ));

const log = await openSqliteLog({ folder: join(folder, "log"), topic: TOPIC, clock: new FakeClock(NOW) });
await run({
  log,
  lake: await openLocalLake(lakeFolder(folder), { disk, now: () => NOW }),
  workload: crashWorkload(Number(seed)),
  from: 0,
  engine,
  step: (what) => points.step(what),
  acknowledged: () => points.acknowledged(),
});
await log.close();
points.finish();
