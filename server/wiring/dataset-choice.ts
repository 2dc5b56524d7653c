import type { Clock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { DatasetKind } from "../../core/dataset-kind.ts";
import { chooseSource } from "../../jobs/sources/select.ts";
import type { Source } from "../../jobs/sources/source.ts";
import { SOURCES } from "../../jobs/sources/sources.ts";
import type { Config } from "../config/config.ts";
import { type ClaimedLake, type DatasetLake, datasetLake, isLakeAway } from "./lakes.ts";

/** What this process works on. */
export interface DatasetChoice {
  dataset: string;
  kind: DatasetKind;
  /** Null where this process polls no source. */
  source: Source | null;
  /** Why it is this one: a sentence. */
  reason: string;
  /**
   * The data set's lake. HDFS may be away: the lake then refuses everything until HDFS is there, and before it is
   * `claimed` nothing may be collected for the data set or shown of it.
   */
  lake: ClaimedLake;
}

/**
 * Decides once, at the start, which source is polled and which data set is used.
 *
 * @throws the signal's reason when it aborts
 * @throws ConfigError when the data set named holds data of another kind, or nothing says which one is meant
 */
export async function chooseDataset(
  config: Config,
  deps: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<DatasetChoice> {
  const polls = config.roles.includes("producer");
  const { source, reason } = polls
    ? await chooseSource(SOURCES, config, {
        cities: config.cities,
        clock: deps.clock,
        observedData: () => mayHoldObserved(datasetLake(config, config.dataset ?? "observed", deps)),
        signal: deps.signal,
      })
    : { source: null, reason: "this process runs no producer" };
  deps.signal.throwIfAborted(); // what a probe that was cut short says is no choice

  if (source !== null) {
    const { kind } = source;
    const dataset = config.dataset ?? kind;
    const lake = await datasetLake(config, dataset, deps).claim(kind);
    deps.signal.throwIfAborted();
    return { dataset, kind, source, reason, lake };
  }
  const found = await findDataset(config, config.dataset, deps);
  if (found !== null) {
    const lake = { ...(await found.lake.open()), claimed: async () => {} };
    return { dataset: found.dataset, kind: found.kind, source: null, reason, lake };
  }
  throw new ConfigError(
    "bad_setting",
    `Cannot start without a source: there is no data set "${config.dataset ?? "observed"}" in ${config.dataDir} yet`,
    {
      hint: polls
        ? "Set WEATHER_SOURCE, or DATASET to one that is there, or make one with `bun run replay FILE --dataset NAME`."
        : "Start the process that runs the producer first, or set DATASET to one that is there.",
    },
  );
}

/**
 * Finds a data set that is there already.
 *
 * @param named the one that is asked for; null: "observed", else "simulated"
 * @returns null when there is none
 * @throws LakeError
 */
export async function findDataset(
  config: Config,
  named: string | null,
  deps: { clock: Clock; logger: Logger },
): Promise<{ dataset: string; kind: DatasetKind; lake: DatasetLake } | null> {
  for (const dataset of named === null ? ["observed", "simulated"] : [named]) {
    const lake = datasetLake(config, dataset, deps);
    const kind = await lake.kind();
    if (kind !== null) return { dataset, kind, lake };
  }
  return null;
}

/** Whether a lake holds observed data, or is away: weather must not be simulated because a server is down. */
async function mayHoldObserved(lake: DatasetLake): Promise<boolean> {
  try {
    return (await lake.kind()) === "observed";
  } catch (error) {
    if (isLakeAway(error)) return true;
    throw error;
  }
}
