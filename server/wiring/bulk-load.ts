import type { Clock } from "../../core/clock.ts";
import { IsobarError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { JobStatus } from "../../core/pipeline-status.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { Log, NewRecord } from "../../jobs/log/log.ts";
import { Supervisor } from "../../jobs/supervisor.ts";
import { judgingBy } from "../../spark/judging.ts";
import type { Config } from "../config/config.ts";
import { placeViews } from "../config/place-views.ts";
import type { Ports } from "./ports.ts";
import { storageJobs } from "./storage-jobs.ts";

/** Records that may wait in the log for the consumer before the reader of the file pauses. */
const AHEAD = 100_000;
/** Time between two looks at a consumer that commits nothing, ms. */
const LOOK_MS = 100;
/** How often the consumer may fail for reasons that go away by themselves. */
const RESTARTS = 5;

/** What a load brought. */
export interface LoadReport {
  /** Records appended to the log. */
  records: number;
  rows: number;
  duplicates: number;
  rejected: number;
  /** From the first record read to the last one committed, s. */
  seconds: number;
}

/**
 * Appends records to a data set's log and runs the consumer and the compactor beside it until every one is committed.
 *
 * @throws IsobarError `consumer_failed` with what stopped the consumer; LogError, LakeError
 */
export async function loadRecords(options: {
  ports: Ports;
  config: Config;
  clock: Clock;
  logger: Logger;
  chunks: AsyncIterable<NewRecord[]>;
  signal: AbortSignal;
  /** Called now and then. */
  progress?: (records: number) => void;
}): Promise<LoadReport> {
  const { ports, config, clock, logger, chunks, signal, progress } = options;
  const { log, lake } = ports;
  const reader = new LakeReader(lake, log.topic, () => clock.now());
  const supervisor = new Supervisor({ clock, logger });
  let committed = Promise.withResolvers<void>();
  const onCommit = () => {
    committed.resolve();
    committed = Promise.withResolvers();
  };
  const judging = judgingBy(await placeViews(config));
  for (const job of storageJobs(ports, config, { judging, clock, logger, onCommit })) supervisor.add(job);
  /** Waits until at most `most` records are behind, or the consumer cannot go on. */
  const catchUp = async (most: number) => {
    while (!signal.aborted) {
      const commit = committed.promise;
      // It runs once it has found that the log is the one the lake was filled from.
      if (checkConsumer(supervisor) === "running" && (await uncommitted(log, reader)) <= most) return;
      const pause = new AbortController();
      await Promise.race([commit, clock.sleep(LOOK_MS, pause.signal)]);
      pause.abort();
    }
  };

  supervisor.start();
  let records = 0;
  let before = { rows: 0, duplicates: 0, rejected: 0 };
  let started = performance.now();
  try {
    await catchUp(0); // what waited in the log before is not of this load
    before = totals(reader);
    started = performance.now();
    let unchecked = 0;
    for await (const chunk of chunks) {
      if (signal.aborted) break;
      await log.append(chunk);
      records += chunk.length;
      unchecked += chunk.length;
      if (unchecked >= AHEAD) {
        progress?.(records);
        await catchUp(AHEAD);
        unchecked = 0;
      }
    }
    await catchUp(log.partitions * (config.batchRecords - 1)); // an incomplete batch is committed by the stop
  } finally {
    const { late } = await supervisor.stop(config.shutdownSeconds * 1000);
    if (late.length > 0) logger.warn("jobs did not stop in time", { jobs: late.join(", ") });
  }
  const seconds = (performance.now() - started) / 1000;
  checkConsumer(supervisor);
  const left = await uncommitted(log, reader);
  if (left > 0 && !signal.aborted)
    throw new IsobarError("consumer_failed", `Cannot load: ${left} records were not committed in time`, {
      hint: "They are in the log and are committed by the next start.",
    });
  const after = totals(reader);
  return {
    records,
    rows: after.rows - before.rows,
    duplicates: after.duplicates - before.duplicates,
    rejected: after.rejected - before.rejected,
    seconds,
  };
}

/**
 * The state of the consumer.
 *
 * @throws IsobarError `consumer_failed` when it cannot go on by itself
 */
function checkConsumer(supervisor: Supervisor): JobStatus["state"] {
  const { state, reason, restarts } = supervisor.status().find((job) => job.name === "consumer")!;
  const over = state === "stopped" || supervisor.needsPerson("consumer") || restarts >= RESTARTS;
  if (reason === null || (state !== "failed" && state !== "stopped") || !over) return state;
  throw new IsobarError("consumer_failed", `Cannot load: the consumer stopped: ${reason}`);
}

/** How many records of the log are not committed. Infinity where the lake is ahead: it was filled from another log. */
async function uncommitted(log: Log, reader: LakeReader): Promise<number> {
  await reader.refresh();
  let sum = 0;
  for (let partition = 0; partition < log.partitions; partition++) {
    const { low, high } = await log.bounds(partition);
    const next = reader.states.get(partition)?.next ?? low;
    sum += next > high ? Infinity : high - next;
  }
  return sum;
}

function totals(reader: LakeReader): { rows: number; duplicates: number; rejected: number } {
  const sum = { rows: 0, duplicates: 0, rejected: 0 };
  for (const { counts } of reader.states.values()) {
    sum.rows += counts.rows;
    sum.duplicates += counts.duplicates;
    sum.rejected += counts.rejected;
  }
  return sum;
}
