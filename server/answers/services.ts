import type { Place } from "../../core/city.ts";
import type { Observation } from "../../core/observation.ts";
import type { Judgement } from "../../core/quality.ts";
import type { AnalyticsService } from "../../jobs/analytics/analytics.ts";
import type { Arrivals, ArrivalsQuery } from "../../jobs/readers/lake-arrivals.ts";
import type { LakeDays } from "../../jobs/readers/lake-days.ts";
import type { FlaggedRow, RowQuery } from "../../jobs/readers/lake-queries.ts";
import type { ObservationKey } from "../../jobs/readers/provenance.ts";
import type { RejectedRecord } from "../../jobs/readers/rejected.ts";
import type { KeptProof } from "../../jobs/proofs.ts";
import type { JobStatus } from "../../jobs/supervisor.ts";
import type { Why } from "./origin.ts";

export type { RowQuery as ObservationQuery } from "../../jobs/readers/lake-queries.ts";
export type { Arrivals, ArrivalsQuery } from "../../jobs/readers/lake-arrivals.ts";
export type { JobStatus } from "../../jobs/supervisor.ts";
export type { AnalyticsService, JobInfo } from "../../jobs/analytics/analytics.ts";
export type { Result } from "../../jobs/analytics/results.ts";
export type { Run } from "../../jobs/analytics/runs.ts";
export type { RejectedRecord } from "../../jobs/readers/rejected.ts";

/**
 * What the web needs of the rest of the program, and nothing more: the pages and the API see data through this seam, so
 * they can be tested with any data and know no log, lake or engine.
 */
export interface Services {
  /** Facts that do not change while the program runs. */
  readonly about: About;
  /** The places shown. Grows when a city that is not configured reports. */
  cities(): readonly Place[];
  /** The newest observation of each city that has one, from memory. */
  current(): readonly CurrentObservation[];
  /** Rows of the lake in time order, newest revision only. */
  observations(query: RowQuery): Promise<ObservationPage>;
  /** Rows of the lake in the order in which they were stored. */
  arrivals(query: ArrivalsQuery): Promise<Arrivals>;
  /** Where an observation comes from, of each source. */
  why(key: ObservationKey): Promise<Why[]>;
  /** The lake's days in bulk. */
  readonly days: Pick<LakeDays, "list" | "find" | "read">;
  /** The analytic jobs. */
  readonly analytics: AnalyticsService;
  /** Where everything stands now. */
  pipeline(): PipelineStatus;
  /** The newest records that could not be read, newest first. Rejects with a LakeError while the lake is away. */
  rejected(limit: number): Promise<RejectedRecord[]>;
  /** Appends records durably; the consumer judges them. Rejects with `conflict` where this process does not produce. */
  ingest(lines: readonly string[]): Promise<{ appended: number }>;
}

/** Facts that do not change while the program runs. */
export interface About {
  version: string;
  dataset: string;
  /** Simulated data is labelled on every page and in every answer. */
  kind: "observed" | "simulated" | "replayed";
  /** The source in use and why it was chosen, or null where this process only shows. */
  source: { name: string; reason: string; credit: { text: string; url: string } | null } | null;
  log: string;
  lake: string;
  engine: string;
  /** Seconds after which a value counts as stale: three times the expected interval. */
  staleAfterSeconds: number;
}

/** The newest observation of a city. */
export interface CurrentObservation {
  observation: Observation;
  /** Its offset in the log. */
  offset: number;
  /** When the log took it, ms. */
  receivedMs: number;
  /** What the live judge says of it; null until it has, which is shortly after. */
  judgement: Judgement | null;
}

/** A page of rows, sorted by timestamp, city, source. */
export interface ObservationPage {
  rows: FlaggedRow[];
  /** Whether more rows follow. */
  more: boolean;
}

/** How fast a counter rises. */
export interface Rate {
  /** Per second. */
  per_second: number;
  /** Over how many seconds it was measured. */
  seconds: number;
}

/** How far a stage has come. */
export interface Stage {
  name: "source" | "log" | "lake" | "result" | "screen";
  /** What implements it. */
  by: string;
  /** The newest observation time it has seen, ISO 8601 UTC, or null. */
  watermark: string | null;
  /** Records it has still to do; null where that has no meaning. */
  behind: number | null;
  /** Why what implements it cannot be used now, for people; null while it can. */
  trouble: string | null;
}

/** What one partition holds. */
export interface PartitionStatus {
  partition: number;
  /** The log's bounds; null while the log is away. */
  low: number | null;
  high: number | null;
  /** First offset not yet committed, and the newest entry of the chain. */
  next: number;
  sequence: number;
  rows: number;
  duplicates: number;
  rejected: number;
  files: number;
  bytes: number;
}

/** Where everything stands. */
export interface PipelineStatus {
  stages: Stage[];
  jobs: JobStatus[];
  partitions: PartitionStatus[];
  /** Records that the log takes, and offsets that are committed, over the last minutes; null until known. */
  rates: { log: Rate | null; lake: Rate | null };
  /** What the newest `verify` found; null before the first. */
  proof: KeptProof | null;
  /** Connected live clients, and how many were dropped for being slow. */
  live: { clients: number; dropped: number };
}
