import { METAR } from "./metar.ts";
import { OPEN_METEO } from "./open-meteo.ts";
import { OPEN_METEO_ARCHIVE } from "./open-meteo-archive.ts";
import { OPENWEATHERMAP } from "./openweathermap.ts";
import { SIMULATOR } from "./simulator.ts";

/**
 * Every source that can be polled, in the order in which `WEATHER_SOURCE=auto` tries them. A new source is a file with an
 * entry, and a line here: its settings, the choice and the documentation follow.
 */
export const SOURCES = [OPENWEATHERMAP, OPEN_METEO, METAR, SIMULATOR] as const;

/** Where the past of a new data set comes from. */
export const ARCHIVE = OPEN_METEO_ARCHIVE;
