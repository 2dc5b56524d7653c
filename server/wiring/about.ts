import type { About } from "../../core/about.ts";
import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/config.ts";
import type { DatasetChoice } from "./dataset-choice.ts";
import { creditOf } from "./past-weather.ts";
import type { Ports } from "./ports.ts";

/** Hours after which a value is stale where nobody polls: hourly observations, three of them missing. */
const UNPOLLED_STALE_HOURS = 3;
/** A value is not called stale before this, s: sources polled every few seconds stumble. */
const SHORTEST_STALE = 60;

/** Facts of a program that do not change while it runs. */
export function aboutOf(
  config: Config,
  { dataset, kind, source, reason }: Pick<DatasetChoice, "dataset" | "kind" | "source" | "reason">,
  { log, lake, engine }: Pick<Ports, "log" | "lake" | "engine">,
): About {
  const interval =
    source === null ? null : Math.max(config.pollSeconds ?? source.pollSeconds, source.reportSeconds ?? 0);
  return {
    version: packageJson.version,
    dataset,
    kind,
    source: source === null ? null : { name: source.name, reason, credit: creditOf(config, source) },
    log: log.kind,
    lake: lake.kind,
    engine: engine.name,
    staleAfterSeconds:
      interval === null ? UNPOLLED_STALE_HOURS * 3600 : Math.max(SHORTEST_STALE, 3 * interval),
  };
}
