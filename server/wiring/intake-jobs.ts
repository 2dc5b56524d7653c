import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import type { Log } from "../../jobs/log/log.ts";
import { producerJob } from "../../jobs/producer.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { Config } from "../config/config.ts";
import type { DatasetChoice } from "./dataset-choice.ts";
import { fetchesPast, pastJob } from "./past-weather.ts";
import type { Ports } from "./ports.ts";

/** Hours of the past that a first start fetches, so that the first picture is a line and not a dot. */
const HISTORY_HOURS = 48;

/** The jobs that fill the log. */
export interface IntakeJobs {
  jobs: BackgroundJob[];
  /** The newest observation time that the source has given, ISO 8601 UTC, or null before the first. */
  sourceWatermark: () => string | null;
}

/**
 * The jobs that fill the log, as the settings say: the producer, and the one that fetches the past. None where this process
 * polls no source.
 */
export function intakeJobs(
  ports: Ports,
  config: Config,
  { source, lake: { claimed } }: Pick<DatasetChoice, "source" | "lake">,
  deps: { reader: LakeReader; clock: Clock; logger: Logger },
): IntakeJobs {
  if (source === null) return { jobs: [], sourceWatermark: () => null };
  const { reader, clock, logger } = deps;
  const { log } = ports;
  const producer = producerJob({
    source,
    log,
    clock,
    logger,
    pollSeconds: config.pollSeconds ?? source.pollSeconds,
    historyHours: HISTORY_HOURS,
    firstStart: async () => {
      await claimed();
      return isEmpty(log);
    },
  });
  const jobs: BackgroundJob[] = [producer];
  if (fetchesPast(config, source)) jobs.push(pastJob(ports, config, { reader, claimed, clock, logger }));
  return { jobs, sourceWatermark: () => producer.status().watermark };
}

/** Whether nothing was ever appended. */
async function isEmpty(log: Log): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition++) {
    if ((await log.bounds(partition)).high > 0) return false;
  }
  return true;
}
