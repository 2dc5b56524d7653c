/**
 * The process that is killed: `bun crash-child.ts <options> <point>`, the options as JSON of {@link CrashOptions}. It carries
 * out a run of the crash test on a real Kafka and a real HDFS, and kills itself at the point of that name, with SIGKILL. With
 * an empty point it runs to the end. Points are whatever changes something outside the process: before each request to HDFS
 * and in the middle of a write; around an append, a take-over of the partition, each call with records, a compaction, the word
 * to the group and its leave; and before the look at the chain after each new entry.
 */
import { Kafka } from "kafkajs";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { cachedEngine } from "../../../jobs/lake/cached-engine.ts";
import { openHdfsLake } from "../../../jobs/lake/hdfs.ts";
import { WebHdfs } from "../../../jobs/lake/webhdfs.ts";
import { openKafkaLog } from "../../../jobs/log/kafka.ts";
import type { WritingEngine } from "../../../spark/engine.ts";
import { changedLake } from "../../support/changed-lake.ts";
import { Points } from "../../crash/points.ts";
import { run, watchConsumer } from "../../crash/run.ts";
import { makeWorkload } from "../../crash/workload.ts";

/** What a child is told. */
export interface CrashOptions {
  brokers: string[];
  topic: string;
  hdfs: { urls: string[]; root: string; hdfsUri: string; user: string };
  /** Of its own: engine and copies. */
  folder: string;
  seed: number;
  /** Records in a call of `append`, of which there are two. */
  size: number;
}

const [given, point] = process.argv.slice(2);
if (given === undefined || point === undefined) throw new TypeError("Wanted options and a point");
const { brokers, topic, hdfs, folder, seed, size } = JSON.parse(given) as CrashOptions;
const points = new Points(point);

const deps = { clock: systemClock, logger: silentLogger };
const stored = await openHdfsLake({ ...hdfs, ...deps });
const log = await openKafkaLog({
  brokers,
  topic,
  partitions: 1,
  replication: 1,
  retentionMs: 7 * 86_400_000,
  group: topic,
  clientId: "isobar-crash",
  ...deps,
});

// Both are open: from here on every step is a point.
const requests = WebHdfs.prototype;
const { write } = requests;
requests.write = function (newPath, bytes, until) {
  return points.inOrder(async () => {
    if (points.isHere("half a write")) {
      await write.call(this, newPath, bytes.slice(0, bytes.length / 2), until);
      points.die();
    }
    return write.call(this, newPath, bytes, until);
  });
};
for (const what of ["mkdir", "rename", "unlink"] as const) {
  const request: (...args: never[]) => Promise<unknown> = requests[what];
  Object.assign(requests, {
    [what](this: WebHdfs, ...args: never[]) {
      return points.inOrder(() => {
        points.step(what);
        return request.apply(this, args);
      });
    },
  });
}

// How often a group is told depends on the time: only the first word is a point, and that there is one does not.
let told = false;
const { consumer } = Kafka.prototype;
Kafka.prototype.consumer = function (options) {
  const member = consumer.call(this, options);
  let left = false;
  return {
    ...member,
    async commitOffsets(offsets) {
      const first = !told;
      told = true;
      if (first) points.step("before the group is told");
      await member.commitOffsets(offsets);
      if (first) points.step("after the group was told");
    },
    async disconnect() {
      const first = !left;
      left = true;
      if (first) points.step("before the group is left");
      await member.disconnect();
      if (first) points.step("after the group was left");
    },
  };
};

let created = false;
const lake = changedLake(stored, {
  async create(path, bytes) {
    await stored.create(path, bytes);
    created = true;
  },
  async list(path) {
    if (created) points.step("look again");
    created = false;
    return stored.list(path);
  },
});

let opened: Promise<WritingEngine> | undefined;
const engine = () =>
  (opened ??= import("../../../spark/duckdb.ts").then(async ({ openDuckDb }) => {
    const cache = `${folder}/cache`;
    const duckDb = await openDuckDb({ tempFolder: `${folder}/engine`, folders: [cache], threads: 1 });
    return cachedEngine({ engine: duckDb, lake, folder: cache, maxBytes: 100_000_000 });
  }));

await run({
  log: watchConsumer(log, (handler) => ({
    async assigned(partition) {
      points.step("before the partition is taken over");
      return handler.assigned(partition);
    },
    async records(partition, records, context) {
      await handler.records(partition, records, context);
      points.step("after records were taken");
    },
    revoked: (partition) => handler.revoked(partition),
  })),
  lake,
  workload: makeWorkload(seed, { chunks: 2, size }),
  from: 0,
  engine,
  step: (what) => points.step(what),
  acknowledged: () => points.acknowledged(),
});
await log.close();
points.finish();
