/**
 * The process that is killed: `bun child.ts <folder> <seed> <point>`. It carries out a run and kills itself at the
 * numbered point, with SIGKILL: before an operation of the disk, in the middle of a write, before and after an append to
 * the log and a compaction. With point 0 it runs to the end. One operation is carried out at a time, so that "after an
 * operation" is "before the next". It tells by lines: `acknowledged <chunk>`, and at the end `points <count>`.
 */
import { writeSync } from "node:fs";
import { join } from "node:path";
import { nodeDisk, type Disk } from "../../jobs/lake/disk.ts";
import { crashWorkload, lakeFolder, run, type RunEngine } from "./run.ts";

const [folder, seed, point] = process.argv.slice(2);
if (folder === undefined || seed === undefined || point === undefined)
  throw new TypeError("Wanted a folder, a seed and a point");

let points = 0;
const isPoint = () => ++points === Number(point);
const die = (): void => void process.kill(process.pid, "SIGKILL");
const step = (): void => {
  if (isPoint()) die();
};

/** Runs operations one after the other, each a numbered point. */
let last: Promise<unknown> = Promise.resolve();
function numbered<T>(operation: () => Promise<T>): Promise<T> {
  const result = last.then(() => {
    step();
    return operation();
  });
  last = result.catch(() => {}); // its caller sees it
  return result;
}

const disk: Disk = {
  ...nodeDisk,
  write: (path, bytes) =>
    numbered(async () => {
      if (isPoint()) {
        await nodeDisk.write(path, bytes.slice(0, bytes.length / 2));
        die();
      }
      const file = await nodeDisk.write(path, bytes);
      return { sync: () => numbered(() => file.sync()), close: () => file.close() };
    }),
  rename: (from, to) => numbered(() => nodeDisk.rename(from, to)),
  link: (from, to) => numbered(() => nodeDisk.link(from, to)),
  unlink: (path) => numbered(() => nodeDisk.unlink(path)),
  makeFolder: (path) => numbered(() => nodeDisk.makeFolder(path)),
  removeFolder: (path) => numbered(() => nodeDisk.removeFolder(path)),
  syncFolder: (path) => numbered(() => nodeDisk.syncFolder(path)),
};

let opened: Promise<RunEngine> | undefined;
const engine = () =>
  (opened ??= Promise.all([import("../../spark/duckdb.ts"), import("../../jobs/rows.ts")]).then(
    async ([{ openDuckDb }, { readRows }]) => {
      const folders = [lakeFolder(folder)];
      const duckDb = await openDuckDb({ tempFolder: join(folder, "engine"), folders, threads: 1 });
      return {
        compact: (snapshot, signal) => duckDb.compact(snapshot, signal),
        readRows: (snapshot, from, to) => readRows(duckDb, snapshot, from, to),
      };
    },
  ));

await run({
  folder,
  workload: crashWorkload(Number(seed)),
  from: 0,
  disk,
  engine,
  step,
  acknowledged: (chunk) => void writeSync(1, `acknowledged ${chunk}\n`),
});
writeSync(1, `points ${points}\n`);
process.exit(0);
