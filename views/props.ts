import type { Measure, Observation } from "../core/observation.ts";
import type { Anomaly as FoundAnomaly } from "../core/quality.ts";
import type { Units } from "./units.ts";

/** What every page shows around its content. */
export interface Frame {
  /** Path of the page, or null for one that has none of its own. */
  path: string | null;
  title: string;
  version: string;
  dataset: string;
  kind: "observed" | "simulated" | "replayed";
  /** The source in use, or null where this process only shows. */
  source: { name: string; reason: string; credit: { text: string; url: string } | null } | null;
  /** Seconds after which a value counts as stale. */
  staleAfterSeconds: number;
  /** When the page was made, ms. */
  now: number;
  /** The reader's units. */
  units: Units;
  /** Address of the live feed of what the page shows. */
  live: string;
  /** Addresses of the built files. */
  assets: { styles: string; icon: string; theme: string; boot: string; htmx: string };
  /** Where a reader without script is sent, for pages whose parts come late. */
  whole: string | null;
}

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
}

/** What the headline answers: is anything late or unusual? */
export interface HeadlineProps {
  /** The page's clock, ms: the newest observation's time where data is replayed, else now. */
  asOf: number;
  cities: number;
  /** Names of cities whose newest value is stale. */
  late: string[];
  /** Names of cities that have reported nothing yet. */
  silent: string[];
  /** Cities whose newest value lies outside its bounds. */
  unusual: { city: string; warm: boolean }[];
  /** Whether a result says what is unusual. */
  judged: boolean;
}

/** Where a result comes from. */
export interface ResultInfo {
  /** ms since the epoch. */
  generatedAt: number;
  engine: string;
  rowsRead: number;
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

/** The newest result of the statistics job; null before the first. */
export interface StatisticsProps {
  /** Now, ms. */
  now: number;
  result: { info: ResultInfo; rows: CityStatistics[]; more: number } | null;
}

/** Something unusual about one report of a place. */
export interface Anomaly extends Omit<FoundAnomaly, "variable" | "status"> {
  city: string;
  /** When it was observed, ms; the last report before a silence. */
  time: number;
}

/** The newest anomalies; `result` is null before the job's first run. */
export interface AnomaliesProps {
  /** The page's clock, ms. */
  asOf: number;
  /** Now, ms. */
  now: number;
  result: {
    info: ResultInfo;
    /** Whether any city has a past that is long enough to judge by. */
    judged: boolean;
    rows: Anomaly[];
  } | null;
}

/** How far a stage has come. */
export interface StageProps {
  name: string;
  by: string;
  /** ISO 8601 UTC. */
  watermark: string | null;
  behind: number | null;
  /** Why what implements it cannot be used now. */
  trouble: string | null;
}

/** State of a background job. */
export interface JobProps {
  name: string;
  state: "starting" | "running" | "waiting" | "failed" | "stopped";
  /** ISO 8601 UTC. */
  since: string;
  restarts: number;
  reason: string | null;
}

/** What one partition holds. */
export interface PartitionProps {
  partition: number;
  low: number | null;
  high: number | null;
  next: number;
  sequence: number;
  rows: number;
  duplicates: number;
  rejected: number;
  files: number;
  bytes: number;
}

/** Where everything stands. */
export interface PipelineProps {
  /** The page's clock, ms. */
  asOf: number;
  /** Now, ms. */
  now: number;
  staleAfterSeconds: number;
  stages: StageProps[];
  jobs: JobProps[];
  partitions: PartitionProps[];
  /** Records that the log takes, and that are committed; null until known. */
  rates: Record<"log" | "lake", { per_second: number; seconds: number } | null>;
  /** What the newest `verify` found; null before the first. */
  proof: { at: string; offsets: number; compared: number; problems: number } | null;
  live: { clients: number; dropped: number };
  /** The newest records that could not be read, newest first; null where they cannot be had now. */
  rejected: RejectedProps[] | null;
  /** Pages of the servers that are used. */
  servers: { name: string; href: string }[];
}

/** A record that could not be read. */
export interface RejectedProps {
  partition: number;
  offset: number;
  /** Which field, its value, and what was wanted. */
  reason: string;
  /** When the log took it, ms. */
  time: number;
  /** The beginning of its text. */
  record: string;
}
/** What will be, hour by hour; times are ms. */
export interface CityForecast {
  info: ResultInfo;
  issued: number;
  /** Whether there was enough past. */
  ok: boolean;
  status: string;
  points: { time: number; value: Measure; lower: Measure; upper: Measure }[];
}
