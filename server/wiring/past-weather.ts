import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { parseTimestamp } from "../../core/time.ts";
import { backfillJob, storedHours } from "../../jobs/backfill.ts";
import { readDataset } from "../../jobs/dataset.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { OPEN_METEO_CREDIT } from "../../jobs/sources/open-meteo-answer.ts";
import { openMeteoArchive } from "../../jobs/sources/open-meteo-archive.ts";
import type { Source } from "../../jobs/sources/source.ts";
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
    archive: openMeteoArchive({ endpoint: config.openMeteoArchiveUrl, clock }),
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
  if (!fetchesPast(config, source) || credit?.url === OPEN_METEO_CREDIT.url) return credit;
  if (credit === null) return OPEN_METEO_CREDIT;
  return { text: `${credit.text}. ${OPEN_METEO_CREDIT.text}`, url: credit.url };
}
