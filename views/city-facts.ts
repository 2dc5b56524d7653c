import type { ResultOrigin } from "../core/analytic-job.ts";
import type { Measure, Observation } from "../core/observation.ts";
import type { Anomaly } from "../core/quality.ts";

/** The newest of one city. */
export interface CityNow {
  city: string;
  /** As it stands in the address of its page. */
  slug: string;
  /** Null while nothing was observed. */
  observation: Observation | null;
  /** ms since it was observed, measured on the page's clock. */
  ageMs: number;
  stale: boolean;
  /** Whether it is of a recording, whose end is the page's clock. */
  recorded: boolean;
}

/** Statistics of one city over everything stored. */
export interface CityStatistics {
  city: string;
  /** Observations with a temperature. */
  n: number;
  /** Share of the hours with one, 0 to 1. */
  coverage: Measure;
  min: Measure;
  p05: Measure;
  median: Measure;
  mean: Measure;
  p95: Measure;
  max: Measure;
  deviation: Measure;
  humidity: Measure;
  pressure: Measure;
  wind: Measure;
  rain: Measure;
  weather: string | null;
}

/** Something unusual about one report of a place. */
export interface CityAnomaly extends Omit<Anomaly, "variable" | "status"> {
  city: string;
  /** When it was observed, ms; the last report before a silence. */
  time: number;
}

/** What will be, hour by hour; times are ms. */
export interface CityForecast {
  info: ResultOrigin;
  issued: number;
  /** Whether there was enough past. */
  ok: boolean;
  /** Hours of the past that are there, why they do not do, and when it comes; null where there is a forecast. */
  waits: { hours: number; why: string } | null;
  points: { time: number; value: Measure; lower: Measure; upper: Measure }[];
}
