import type { Clock } from "../core/clock.ts";
import type { Row } from "../core/observation.ts";
import type { Logger } from "../core/log.ts";
import type { Snapshot } from "../spark/engine.ts";
import { keepPartitionCount } from "./commits/partition-count.ts";
import type { Lake } from "./lake/lake.ts";
import type { Log } from "./log/log.ts";
import { PartitionWriter } from "./partition-writer.ts";
import type { BackgroundJob, JobContext } from "./supervisor.ts";

/** What the consumer needs. */
export interface ConsumerOptions {
  log: Log;
  lake: Lake;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  /** See {@link PartitionWriter}. */
  readRows: (snapshot: Snapshot, from: number, to: number) => Promise<Row[]>;
  /** Records that make a full batch. */
  batchRecords: number;
  /** Most records in a batch while the consumer is behind: this is what bounds its memory. */
  batchRecordsMax: number;
  /** Longest wait of a record for its batch to fill, ms. */
  flushMs: number;
  /** Called after each commit. */
  onCommit: (partition: number) => void;
}

/** The background job that moves the log into the lake, exactly once. */
export function consumerJob(options: ConsumerOptions): BackgroundJob {
  return { name: "consumer", run: (context) => consume(options, context) };
}

/** Moves records until the signal aborts or something fails, each partition by a writer of its own. */
async function consume(options: ConsumerOptions, { signal, running }: JobContext): Promise<void> {
  await keepPartitionCount(options.lake, options.log);
  const partitions = new Map<number, PartitionWriter>();
  /** First offset not taken yet, by partition. */
  const taken = new Map<number, number>();
  let progress = Promise.withResolvers<void>();
  const advance = () => {
    progress.resolve();
    progress = Promise.withResolvers();
  };
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {}); // it is raced below; until then it is nobody's
  const drop = async (partition: number) => {
    const writer = partitions.get(partition);
    partitions.delete(partition);
    advance();
    await writer?.drop();
  };
  const subscription = await options.log.consume(
    {
      async assigned(partition) {
        await drop(partition);
        const writer = await openWriter(options, partition, (error) => {
          // A flush that was fenced in a rebalance is of the past.
          if (partitions.get(partition) === writer) failure.reject(error);
        });
        partitions.set(partition, writer);
        taken.set(partition, writer.next);
        running();
        return writer.next;
      },
      async records(partition, records) {
        const writer = partitions.get(partition);
        if (writer === undefined) throw new Error(`records of partition ${partition}, which is not assigned`);
        await writer.add(records);
        const last = records.at(-1);
        if (last !== undefined) taken.set(partition, last.offset + 1);
        advance();
      },
      revoked: drop,
    },
    {
      maxRecords: () => {
        const buffered = [...partitions.values()].reduce((sum, writer) => sum + writer.buffered, 0);
        return Math.max(1, options.batchRecordsMax - buffered);
      },
    },
  );
  const stopped = Promise.withResolvers<void>();
  const stop = () => stopped.resolve();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  /** Takes what the log holds at the stop, so that nothing is left to be committed; not when that is very much. */
  const drain = async () => {
    for (const partition of partitions.keys()) {
      const bounds = await options.log.bounds(partition).catch(() => null); // a log that is away gives nothing more
      if (bounds === null || bounds.high - (taken.get(partition) ?? 0) > options.batchRecordsMax) continue;
      while (partitions.has(partition) && (taken.get(partition) ?? 0) < bounds.high) await progress.promise;
    }
  };
  try {
    await Promise.race([subscription.done, failure.promise, stopped.promise.then(drain)]);
    await subscription.stop();
    await Promise.all([...partitions.values()].map((writer) => writer.flush()));
  } finally {
    signal.removeEventListener("abort", stop);
    await subscription.stop();
    await Promise.all([...partitions.keys()].map(drop));
  }
}

/** Opens the writer of a partition. @param onFailure called when a flush fails */
function openWriter(
  options: ConsumerOptions,
  partition: number,
  onFailure: (error: unknown) => void,
): Promise<PartitionWriter> {
  const { log, lake, clock, logger, newId, readRows, batchRecords, flushMs, onCommit } = options;
  return PartitionWriter.open({
    chain: { lake, topic: log.topic, partition, newId, now: () => clock.now() },
    log,
    clock,
    logger,
    readRows,
    batchRecords,
    flushMs,
    onCommit,
    onFailure,
  });
}
