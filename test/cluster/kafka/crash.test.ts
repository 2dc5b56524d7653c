/**
 * The crash test of `test/crash/` on a real Kafka and a real HDFS: a process that carries out the whole write path is killed
 * at every step of it; then the program recovers over what is left.
 *
 * `CRASH_TELL=1` prints what was done.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { cachedEngine } from "../../../jobs/lake/cached-engine.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { WritingEngine } from "../../../spark/engine.ts";
import { parquetReader } from "../../crash/parquet.ts";
import { runToPoint } from "../../crash/points.ts";
import { recover, walk, type Remains } from "../../crash/recover.ts";
import type { Files } from "../../support/truth.ts";
import { makeWorkload } from "../../crash/workload.ts";
import { TestHdfs } from "../hdfs/server.ts";
import type { CrashOptions } from "./crash-child.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";

/** Children at once: they wait for the servers most of the time. */
const AT_ONCE = 3;
/** As small as a workload can be that has rows, duplicates, revisions, rejected records, and a day to compact. */
const SEED = 1;
const SIZE = 6;

let home: string;
let kafka: TestKafka;
let hdfs: TestHdfs;
let duckDb: WritingEngine;
let parquet: (path: string) => Promise<Record<string, unknown>[]>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "isobar-crash-"));
  [kafka, hdfs] = await Promise.all([testKafka({ basePort: 21_092 }), TestHdfs.start(1, 26_000)]);
  duckDb = await openDuckDb({ tempFolder: join(home, "engine"), folders: [home], threads: 1 });
  parquet = await parquetReader();
});
afterAll(async () => {
  await duckDb?.close();
  await Promise.all([kafka?.end(), hdfs?.stop()]);
  await rm(home, { recursive: true, force: true });
});

/** The lake of a topic, by REST alone. */
function filesOf(topic: string): Files & { every(): Promise<string[]> } {
  const at = (path: string) => `/isobar/${topic}/${path}`;
  const statuses = async (path: string) => {
    const response = await hdfs.rest("GET", at(path), "op=LISTSTATUS");
    if (response.status === 404) return [];
    const { FileStatuses } = (await response.json()) as {
      FileStatuses: { FileStatus: { pathSuffix: string; type: "FILE" | "DIRECTORY" }[] };
    };
    return FileStatuses.FileStatus;
  };
  const read = async (path: string) => {
    const response = await hdfs.rest("GET", at(path), "op=OPEN");
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response.bytes();
  };
  const below = async (folder: string): Promise<string[]> => {
    const found = (await statuses(folder)).map(async ({ pathSuffix, type }) => {
      const path = folder === "" ? pathSuffix : `${folder}/${pathSuffix}`;
      return type === "FILE" ? [path] : below(path);
    });
    return (await Promise.all(found)).flat();
  };
  return {
    list: async (folder) => (await statuses(folder)).map(({ pathSuffix }) => pathSuffix),
    read,
    async readParquet(path) {
      const copy = join(home, `${crypto.randomUUID()}.parquet`);
      await Bun.write(copy, await read(path));
      const rows = await parquet(copy);
      await rm(copy);
      return rows;
    },
    every: () => below(""),
  };
}

/** What a child left of a topic and its lake. */
async function remainsOf(topic: string): Promise<Remains> {
  const openLake = (laterMs: number) =>
    hdfs.open(topic, { clock: { ...systemClock, now: () => Date.now() + laterMs } });
  const lake = await openLake(0);
  const files = filesOf(topic);
  return {
    // A group of its own: the killed member holds its partition in the old one until its session is over, which is waited
    // for in `zombie.test.ts`. Where to go on is the lake's to say, whatever the group.
    openLog: () => openKafkaLog(kafka.options({ topic, group: `${topic}.again` })),
    openLake,
    engine: cachedEngine({ engine: duckDb, lake, folder: join(home, topic), maxBytes: 100_000_000 }),
    files,
    everyFile: files.every,
  };
}

test("SIGKILL at every step of the write path on Kafka and HDFS loses and doubles nothing", async () => {
  const started = performance.now();
  const workload = makeWorkload(SEED, { chunks: 2, size: SIZE });
  const topicOf = (point: string) => `crash-${point.replaceAll(" ", "-")}`;
  const kill = (point: string) => {
    const topic = topicOf(point);
    const options: CrashOptions = {
      brokers: kafka.brokers,
      topic,
      hdfs: {
        urls: [hdfs.server.webUrl],
        root: `/isobar/${topic}`,
        hdfsUri: hdfs.server.uri,
        user: hdfs.server.user,
      },
      folder: join(home, `${topic}-child`),
      seed: SEED,
      size: SIZE,
    };
    return runToPoint(join(import.meta.dir, "crash-child.ts"), [JSON.stringify(options), point]);
  };

  // Without a crash: which points there are, and what readers see in the end.
  const whole = await kill("");
  expect(whole.errors).toBe("");
  expect(whole.acknowledged).toBe(workload.chunks.length);
  const { newest, problems } = await recover(await remainsOf(topicOf("")), workload, whole.acknowledged);
  expect(problems).toEqual([]);
  const points = whole.points!;
  expect(points.length).toBeGreaterThan(60);
  for (const kind of ["rename", "half a write", "look again", "unlink", "after the group was told"])
    expect(points).toContain(`${kind} 1`);

  const failures = await walk(points, {
    atOnce: AT_ONCE,
    workload,
    newest,
    kill,
    remains: (point) => remainsOf(topicOf(point)),
    remove: async (point) => {
      for (const name of [topicOf(point), `${topicOf(point)}-child`])
        await rm(join(home, name), { recursive: true, force: true });
    },
  });
  expect(failures).toEqual([]);
  if (process.env["CRASH_TELL"] !== undefined) {
    const seconds = Math.round(performance.now() - started) / 1000;
    console.log(`crash: Kafka and HDFS, ${points.length} points, ${seconds} s`);
  }
}, 900_000);
