import type { Place } from "../../../core/city.ts";
import type { Measure } from "../../../core/observation.ts";
import type { Anomaly, Flag } from "../../../core/quality.ts";
import type { Variable } from "../../../core/variables.ts";
import type { BandPoint, PlotPoint } from "../../plot.ts";
import type { AnomaliesProps } from "../../parts/anomalies.tsx";
import type { CityForecast, CityAnomaly, CityStatistics, CityNow } from "../../city-facts.ts";
import type { ResultOrigin } from "../../../core/analytic-job.ts";
import type { Units } from "../../units.ts";
import type { TimeWindow } from "../../zoom.ts";

/** How many values of a variable passed quality control. */
export interface QualityCount {
  variable: Variable;
  good: number;
  suspect: number;
  failed: number;
  /** Not reported. */
  missing: number;
  /** Not evaluated. */
  unjudged: number;
}

/** A city's past in the units of the record; times are seconds. */
export interface CityHistory {
  from: number;
  to: number;
  /** Observations in the window. */
  rows: number;
  lines: { variable: Variable; points: PlotPoint[] }[];
  /** Stretches without a report. */
  gaps: { from: number; to: number }[];
  quality: QualityCount[];
}

/** Windows of the history, as they stand in the address. */
export const RANGES = [
  { name: "24h", label: "24 h", hours: 24, forecastHours: 24 },
  { name: "7d", label: "7 days", hours: 7 * 24, forecastHours: 48 },
  { name: "30d", label: "30 days", hours: 30 * 24, forecastHours: 48 },
] as const;

/** One of {@link RANGES}. */
export type HistoryRange = (typeof RANGES)[number];

/** One day of the city's own calendar. */
export interface CityDay {
  /** Midnight UTC of the date, ms. */
  date: number;
  n: number;
  coverage: Measure;
  min: Measure;
  mean: Measure;
  max: Measure;
  humidity: Measure;
  windMax: Measure;
  rain: Measure;
}

/** An extreme of everything stored. */
export interface CityRecord {
  /** Such as `temperature_max`. */
  record: string;
  value: Measure;
  /** When it was first reached, ms. */
  time: number;
  isSuspect: boolean;
  n: number;
}

/** What a city's page shows at once. Values are in the units of the record, times ms unless said otherwise. */
export interface CityPageProps {
  place: Place;
  /** The page's clock, and the real time. */
  asOf: number;
  now: number;
  units: Units;
  range: HistoryRange;
  /** The time the history shows, ms: a part a reader zoomed to, else the range and what comes next. */
  window: TimeWindow & {
    /** Where the forecast ends, or the present. */
    latest: number;
    zoomed: boolean;
  };
  current: CityNow;
  /** How it feels, °C, and when that was observed: the newest that is computed, no older than an hour; else null. */
  feels: { value: Measure; time: number } | null;
  /** The flag of the newest observation, and what was usual; null until judged. */
  flag: Flag | null;
  usual: Pick<Anomaly, "expected" | "lower" | "upper"> | null;
  /** What is usual over the window; x is seconds. */
  band: BandPoint[];
  /** Another city, whose temperature is shown over the same window. */
  compare: { name: string; slug: string } | null;
  /** Whether it is one of the reader's favourites. */
  isFavourite: boolean;
  /** Cities to compare with. */
  others: { name: string; slug: string }[];
  anomalies: AnomaliesProps;
  /** Everything unusual in the time the history shows. */
  marks: CityAnomaly[];
  forecast: CityForecast | null;
  /** What a forecast needs, in words. */
  forecastNeeds: string;
  days: { info: ResultOrigin; rows: CityDay[] } | null;
  statistics: { info: ResultOrigin; row: CityStatistics | null } | null;
  records: { info: ResultOrigin; rows: CityRecord[] } | null;
}

/** All of it: with the history, which is read from the lake. */
export interface CityHistoryProps extends CityPageProps {
  /** Null when it cannot be read now. */
  history: CityHistory | null;
  /** The temperature of the city to compare with. */
  compared: PlotPoint[];
}
