import { join } from "node:path";
import { silentLogger } from "../../core/log.ts";
import { type Compacting, compactPartition } from "../../jobs/compactor.ts";
import { consumerJob } from "../../jobs/consumer.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { ConsumerHandler, Log } from "../../jobs/log/log.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { makeWorkload, NOW, type Workload } from "./workload.ts";

/** Topic of the embedded log under test. */
export const TOPIC = "observations";
/** Where the lake of an embedded run lies. */
export const lakeFolder = (folder: string): string => join(folder, "lake", "live");

/** The workload of a seed for the embedded run. */
export function crashWorkload(seed: number): Workload {
  // The second of three calls of `append` is taken back before the third.
  return { ...makeWorkload(seed, { chunks: 3, size: 20 }), retracted: 1 };
}

/** How a run is carried out. */
export interface Run {
  /** One partition; it is left open. */
  log: Log;
  lake: Lake;
  /** A batch is as many records as its first call of `append`. */
  workload: Workload;
  /** First call of `append` that is still to be made. */
  from: number;
  /** Opened on first use: it takes longer than all the rest. */
  engine: () => Promise<WritingEngine>;
  /** Called at each step that is neither the lake's nor the log's own. */
  step: (what: string) => void;
  /** An `append` was acknowledged. */
  acknowledged: () => void;
}

/**
 * The whole write path out of its real parts: records go into the log, the consumer moves them into the lake, what is
 * closed is compacted and what was replaced is deleted; in two rounds, so that the second one finds compacted files,
 * checkpoints and the claim of another writer. What the workload names is retracted in between.
 */
export async function run(options: Run): Promise<void> {
  const { log, lake, workload, engine, step, acknowledged } = options;
  const clock = new FakeClock(NOW);
  const { chunks } = workload;
  let chunk = options.from;
  for (const end of [Math.ceil(chunks.length / 2), chunks.length]) {
    for (; chunk < end; chunk++) {
      step("before an append");
      await log.append(chunks[chunk]!.map((value) => ({ key: "", value })));
      step("after an append that is not acknowledged");
      acknowledged();
    }
    await consumeAll(log, lake, clock, chunks[0]!.length, engine);
    const chain = { lake, topic: log.topic, partition: 0, newId, now: () => clock.now() };
    if (workload.retracted !== undefined && end < chunks.length) {
      const { retract } = await import("../../jobs/retract.ts");
      const parts = { chain, log, engine: await engine() };
      const range = await offsetsOfChunk(log, chunks, workload.retracted);
      step("before a retraction");
      await retract(parts, { source: "test", ...range }, { reason: "wrong" });
    }
    const stepped = async <T>(work: (engine: WritingEngine) => Promise<T>): Promise<T> => {
      step("before a compaction");
      const written = await work(await engine());
      step("after a compaction that is not written");
      return written;
    };
    const compacting: Compacting = {
      compact: (snapshot, signal) => stepped((engine) => engine.compact(snapshot, signal)),
      judge: (parts, input, signal) => stepped((engine) => engine.judge(parts, input, signal)),
    };
    const { JUDGING: judging } = await import("../support/judging.ts");
    await compactPartition(chain, { engine: compacting, judging }, { afterMs: 0, graceMs: 0 });
  }
}

const newId = (): string => crypto.randomUUID().replaceAll("-", "");

/** Where the records of a call of `append` lie in the log: one that was not acknowledged was made twice. */
async function offsetsOfChunk(
  log: Log,
  chunks: readonly string[][],
  chunk: number,
): Promise<{ first: number; last: number }> {
  const { high } = await log.bounds(0);
  const values: string[] = [];
  while (values.length < high)
    values.push(...(await log.read(0, values.length, high - values.length)).map(({ value }) => value));
  const placeOf = (wanted: readonly string[] | undefined) =>
    values.findIndex((_, at) => wanted?.every((value, i) => values[at + i] === value));
  const [first, after] = [placeOf(chunks[chunk]), placeOf(chunks[chunk + 1])];
  return { first, last: (after < 0 ? high : after) - 1 };
}

/** Runs the consumer's job until it has taken everything the log holds, then stops it. */
async function consumeAll(
  log: Log,
  lake: Lake,
  clock: FakeClock,
  batch: number,
  engine: () => Promise<WritingEngine>,
): Promise<void> {
  const { high } = await log.bounds(0);
  const stop = new AbortController();
  const watched = watchConsumer(log, (handler) => ({
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
  }));
  const job = consumerJob({
    log: watched,
    lake,
    clock,
    logger: silentLogger,
    newId,
    readRows: async (snapshot, from, to) => {
      const [{ readRows }, opened] = await Promise.all([
        import("../../jobs/readers/observation-rows.ts"),
        engine(),
      ]);
      return readRows(opened, snapshot, from, to);
    },
    batchRecords: batch,
    batchRecordsMax: batch,
    flushMs: 1_000,
    onCommit: () => {},
  });
  await job.run({ signal: stop.signal, running: () => {}, waiting: () => {} });
}

/** A log whose consumers are watched: `watch` makes a handler around theirs. */
export function watchConsumer(log: Log, watch: (handler: ConsumerHandler) => ConsumerHandler): Log {
  return {
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
    consume: (handler, options) => log.consume(watch(handler), options),
  };
}
