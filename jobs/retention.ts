import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { HOUR_MS } from "../core/time.ts";
import type { LakeReader } from "./readers/lake-reader.ts";
import type { SqliteLog } from "./log/sqlite.ts";
import type { BackgroundJob } from "./supervisor.ts";

/** Interval of the job, ms. */
const INTERVAL_MS = HOUR_MS / 4;

/** The background job that deletes old records of the embedded log. It never deletes a record that is not in the lake yet. */
export function retentionJob(options: {
  log: SqliteLog;
  reader: LakeReader;
  clock: Clock;
  logger: Logger;
  /** Whether the lake is filled from this log, and not from an earlier log with other offsets. */
  isStoring: () => boolean;
}): BackgroundJob {
  const { log, reader, clock, logger, isStoring } = options;
  return {
    name: "retention",
    async run({ signal, running, waiting }) {
      while (!signal.aborted) {
        running();
        if (isStoring()) {
          await reader.refresh();
          const deleted = await log.trim(reader.states.get(0)?.next ?? 0);
          if (deleted > 0) logger.info("Old records of the log were deleted", { deleted });
        }
        waiting("for records to age");
        await clock.sleep(INTERVAL_MS, signal);
      }
    },
  };
}
