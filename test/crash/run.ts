import { join } from "node:path";
import { silentLogger } from "../../core/log.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import { consumerJob, type ConsumerOptions } from "../../jobs/consumer.ts";
import type { Disk } from "../../jobs/lake/disk.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import type { Log } from "../../jobs/log/log.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import type { Engine } from "../../spark/engine.ts";
import { FakeClock } from "../fake-clock.ts";
import { makeWorkload, NOW, type Workload } from "./workload.ts";

/** Topic of the log under test. */
export const TOPIC = "observations";
/** Records in a batch, and in a call of `append`. */
const BATCH = 20;

/** The workload of a seed. */
export function crashWorkload(seed: number): Workload {
  return makeWorkload(seed, { chunks: 3, size: BATCH });
}

/** Where the lake of a run lies. */
export const lakeFolder = (folder: string): string => join(folder, "lake", "live");

/** What a run needs of the real engine. */
export interface RunEngine {
  compact: Engine["compact"];
  readRows: ConsumerOptions["readRows"];
}

/** How a run is carried out. */
export interface Run {
  folder: string;
  workload: Workload;
  /** First call of `append` that is still to be made. */
  from: number;
  disk: Disk;
  /** Loaded on first use: it takes longer than all the rest. */
  engine: () => Promise<RunEngine>;
  /** Called at each step that is not an operation of the disk. */
  step: (what: string) => void;
  /** An `append` was acknowledged. */
  acknowledged: (chunk: number) => void;
}

/**
 * The whole write path out of its real parts: records go into the log, the consumer moves them into the lake, what is
 * closed is compacted and what was replaced is deleted; in two rounds, so that the second one finds compacted files,
 * checkpoints and the claim of another writer.
 */
export async function run(options: Run): Promise<void> {
  const { folder, workload, disk, engine, step, acknowledged } = options;
  const clock = new FakeClock(NOW);
  const log = await openSqliteLog({ folder: join(folder, "log"), topic: TOPIC, clock });
  try {
    const lake = await openLocalLake(lakeFolder(folder), { disk, now: () => NOW });
    const { chunks } = workload;
    let chunk = options.from;
    for (const end of [Math.ceil(chunks.length / 2), chunks.length]) {
      for (; chunk < end; chunk++) {
        step("before an append");
        await log.append(chunks[chunk]!.map((value) => ({ key: "", value })));
        step("after an append that is not acknowledged");
        acknowledged(chunk);
      }
      await consumeAll(log, lake, clock, engine);
      const chain = { lake, topic: TOPIC, partition: 0, newId, now: () => clock.now() };
      const compact: Engine["compact"] = async (snapshot, signal) => {
        step("before a compaction");
        const { compact } = await engine();
        const compacted = await compact(snapshot, signal);
        step("after a compaction that is not written");
        return compacted;
      };
      await compactPartition(chain, { compact }, { afterMs: 0, graceMs: 0 });
    }
  } finally {
    await log.close();
  }
}

const newId = (): string => crypto.randomUUID().replaceAll("-", "");

/** Runs the consumer's job until it has taken everything the log holds, then stops it. */
async function consumeAll(
  log: Log,
  lake: Lake,
  clock: FakeClock,
  engine: () => Promise<RunEngine>,
): Promise<void> {
  const { high } = await log.bounds(0);
  const stop = new AbortController();
  const watched: Log = {
    topic: log.topic,
    kind: log.kind,
    incarnation: log.incarnation,
    partitions: log.partitions,
    append: (records) => log.append(records),
    bounds: (partition) => log.bounds(partition),
    read: (partition, from, limit) => log.read(partition, from, limit),
    tail: (handler, options) => log.tail(handler, options),
    sizeBytes: () => log.sizeBytes(),
    close: () => log.close(),
    consume: (handler, options) =>
      log.consume(
        {
          async assigned(partition) {
            const next = await handler.assigned(partition);
            if (next >= high) stop.abort();
            return next;
          },
          async records(partition, records, context) {
            await handler.records(partition, records, context);
            if (records.at(-1)!.offset + 1 >= high) stop.abort();
          },
          revoked: (partition) => handler.revoked(partition),
        },
        options,
      ),
  };
  const job = consumerJob({
    log: watched,
    lake,
    clock,
    logger: silentLogger,
    newId,
    readRows: async (snapshot, from, to) => (await engine()).readRows(snapshot, from, to),
    batchRecords: BATCH,
    batchRecordsMax: BATCH,
    flushMs: 1_000,
    onCommit: () => {},
  });
  await job.run({ signal: stop.signal, running: () => {}, waiting: () => {} });
}
