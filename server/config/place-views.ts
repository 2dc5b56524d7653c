import type { SqlView } from "../../spark/engine.ts";
import { analysisViews } from "../../spark/views.ts";
import type { Config } from "./config.ts";
import { readStations } from "./stations-file.ts";

/** The views of analysis over the configured cities and the own stations. @throws ConfigError when the stations cannot be read */
export async function placeViews(config: Config): Promise<SqlView[]> {
  return analysisViews({ cities: config.cities, stations: await readStations(config) });
}
