import type { Clock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { DatasetKind } from "../../jobs/dataset.ts";
import { chooseSource } from "../../jobs/sources/select.ts";
import type { Source } from "../../jobs/sources/source.ts";
import { SOURCES } from "../../jobs/sources/sources.ts";
import type { Config } from "../config/config.ts";
import { claimLake, datasetKind, isAway, openLake, type OpenedLake } from "./lakes.ts";

/** What this process works on. */
export interface Choice {
  dataset: string;
  kind: DatasetKind;
  /** Null where this process polls no source. */
  source: Source | null;
  /** Why it is this one: a sentence. */
  reason: string;
  /** The data set's lake. HDFS may be away: it then refuses everything until it is there. */
  lake: OpenedLake;
  /**
   * Resolves once the lake has said that the data set is of this kind: before, nothing may be collected for it or shown
   * of it. It may be asked again after a rejection.
   */
  claimed: () => Promise<void>;
}

/**
 * Decides once, at the start, which source is polled and which data set is used.
 *
 * @throws the signal's reason when it aborts
 * @throws ConfigError when the data set named holds data of another kind, or nothing says which one is meant
 */
export async function choose(
  config: Config,
  deps: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<Choice> {
  const kindOf = (dataset: string) => datasetKind(config, dataset, deps);
  const polls = config.roles.includes("producer");
  const { source, reason } = polls
    ? await chooseSource(SOURCES, config, {
        cities: config.cities,
        clock: deps.clock,
        observedData: async () => {
          try {
            return (await kindOf(config.dataset ?? "observed")) === "observed";
          } catch (error) {
            if (isAway(error)) return true; // there may be: weather must not be simulated because a server is down
            throw error;
          }
        },
        signal: deps.signal,
      })
    : { source: null, reason: "this process runs no producer" };
  deps.signal.throwIfAborted(); // what a probe that was cut short says is no choice

  if (source !== null) {
    const dataset = config.dataset ?? source.kind;
    const { claimed, ...lake } = await claimLake(config, dataset, source.kind, deps);
    deps.signal.throwIfAborted();
    return { dataset, kind: source.kind, source, reason, lake, claimed };
  }
  for (const dataset of config.dataset === null ? ["observed", "simulated"] : [config.dataset]) {
    const kind = await kindOf(dataset);
    if (kind === null) continue;
    const lake = await openLake(config, dataset, deps);
    return { dataset, kind, source: null, reason, lake, claimed: async () => {} };
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
