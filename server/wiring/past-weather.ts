import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { parseTimestamp } from "../../core/time.ts";
import { backfillJob, storedHours } from "../../jobs/backfill.ts";
import { readDataset } from "../../jobs/dataset.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { Source } from "../../jobs/sources/source.ts";
import { ARCHIVE } from "../../jobs/sources/sources.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { Config } from "../config/config.ts";
import type { Ports } from "./ports.ts";

/** Whether the past of the data set is fetched: real weather is polled, and the settings ask for it. */
export function fetchesPast(config: Config, source: Source | null): boolean {
  return source?.kind === "observed" && config.backfillDays > 0;
}

/**
 * The job that fetches the past of the data set, as the settings say.
 *
 * @param deps.claimed resolves once the lake has said that the data set is of the right kind
 */
export function pastJob(
  ports: Ports,
  config: Config,
  deps: { reader: LakeReader; claimed: () => Promise<void>; clock: Clock; logger: Logger },
): BackgroundJob {
  const { lake, log, reads } = ports;
  const { reader, claimed, clock, logger } = deps;
  return backfillJob({
    archive: ARCHIVE.open(config, { clock }),
    cities: config.cities,
    log,
    begun: async () => {
      await claimed();
      return parseTimestamp((await readDataset(lake))!.created_at); // claimed, so it is there
    },
    stored: (from, to) => storedHours(reader, reads, from, to),
    days: config.backfillDays,
    clock,
    logger,
  });
}

/** The credit to be shown: the source's, and that of the past where it comes from elsewhere. */
export function creditOf(config: Config, source: Source): Source["credit"] {
  const { credit } = source;
  if (!fetchesPast(config, source) || credit?.url === ARCHIVE.credit.url) return credit;
  if (credit === null) return ARCHIVE.credit;
  return { text: `${credit.text}. ${ARCHIVE.credit.text}`, url: credit.url };
}
