import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { newId } from "../../core/random.ts";
import { HOUR_MS } from "../../core/time.ts";
import { compactorJob } from "../../jobs/compactor.ts";
import { consumerJob } from "../../jobs/consumer.ts";
import { readRows } from "../../jobs/readers/observation-rows.ts";
import type { Judging } from "../../spark/judging.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { Config } from "../config/config.ts";
import type { Ports } from "./ports.ts";

/**
 * The jobs that move the log into the lake and keep the lake in few files, as the settings say.
 *
 * @param deps.judging how the compactor makes the flags of closed days
 * @param deps.onCommit called after each commit of a partition
 */
export function storageJobs(
  ports: Ports,
  config: Config,
  deps: { judging: Judging; clock: Clock; logger: Logger; onCommit?: (partition: number) => void },
): BackgroundJob[] {
  const { log, lake, reads } = ports;
  const { judging, clock, logger, onCommit = () => {} } = deps;
  const { batchRecords, batchRecordsMax } = config;
  return [
    consumerJob({
      log,
      lake,
      clock,
      logger,
      newId,
      readRows: (snapshot, from, to) => readRows(reads, snapshot, from, to),
      batchRecords,
      batchRecordsMax,
      flushMs: config.flushSeconds * 1000,
      onCommit,
    }),
    compactorJob({
      log,
      lake,
      engine: reads,
      judging,
      clock,
      logger,
      newId,
      afterMs: config.compactAfterHours * HOUR_MS,
    }),
  ];
}
