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

/**
 * The interface between the web and the rest of the program. Pages and API read data only through it. They know no log, lake
 * or engine, and tests can give them any data.
 */
export interface Services {
  /** Facts that are constant while the program runs. */
  readonly about: About;
  /** The places shown. The list grows when a city that is not configured reports. */
  cities(): readonly Place[];
  /** The newest observation of each city that has one, from memory. */
  current(): readonly CurrentObservation[];
  /** Rows of the lake in time order, only the newest revisions. */
  observations(query: RowQuery): Promise<ObservationPage>;
  /** Rows of the lake in the order in which they were stored. */
  arrivals(query: ArrivalsQuery): Promise<Arrivals>;
  /** The origin of an observation, one entry for each source. */
  why(key: ObservationKey): Promise<Why[]>;
  /** The lake's days in bulk. */
  readonly days: Pick<LakeDays, "list" | "find" | "read">;
  /** The analytic jobs. */
  readonly analytics: AnalyticsService;
  /** The present state of the pipeline. */
  pipeline(): PipelineStatus;
  /** The newest rejected records, newest first. Rejects with a LakeError while the lake is unavailable. */
  rejected(limit: number): Promise<RejectedRecord[]>;
  /** Appends records durably; the consumer validates them. Rejects with `conflict` if this process is no producer. */
  ingest(lines: readonly string[]): Promise<{ appended: number }>;
}

/** Facts that are constant while the program runs. */
export interface About {
  version: string;
  dataset: string;
  /** Simulated data is labelled on every page and in every answer. */
  kind: "observed" | "simulated" | "replayed";
  /** The source in use and why it was chosen; null if this process does not collect. */
  source: { name: string; reason: string; credit: { text: string; url: string } | null } | null;
  log: string;
  lake: string;
  engine: string;
  /** Age at which a value is stale, s: three times the expected interval. */
  staleAfterSeconds: number;
}

/** The newest observation of a city. */
export interface CurrentObservation {
  observation: Observation;
  /** Its offset in the log. */
  offset: number;
  /** Time at which the log took it, ms. */
  receivedMs: number;
  /** Its judgement by the live judge; null until there is one, which takes a moment. */
  judgement: Judgement | null;
}

/** A page of rows, sorted by timestamp, city, source. */
export interface ObservationPage {
  rows: FlaggedRow[];
  /** Whether more rows follow. */
  more: boolean;
}

/** Rate of a counter. */
export interface Rate {
  /** Per second. */
  per_second: number;
  /** Window of the measurement, s. */
  seconds: number;
}

/** State of a stage of the pipeline. */
export interface Stage {
  name: "source" | "log" | "lake" | "result" | "screen";
  /** Its implementation. */
  by: string;
  /** Its watermark: the newest observation time it has seen, ISO 8601 UTC, or null. */
  watermark: string | null;
  /** Its lag: records it has not processed yet; null if that has no meaning. */
  behind: number | null;
  /** Why it is unavailable, for people; null while it is available. */
  trouble: string | null;
}

/** State of one partition. */
export interface PartitionStatus {
  partition: number;
  /** The log's bounds; null while the log is unavailable. */
  low: number | null;
  high: number | null;
  /** First offset not committed yet, and the newest entry of the chain. */
  next: number;
  sequence: number;
  rows: number;
  duplicates: number;
  rejected: number;
  files: number;
  bytes: number;
}

/** State of the pipeline. */
export interface PipelineStatus {
  stages: Stage[];
  jobs: JobStatus[];
  partitions: PartitionStatus[];
  /** Throughput over the last minutes: records appended to the log, and offsets committed to the lake; null until known. */
  rates: { log: Rate | null; lake: Rate | null };
  /** Result of the newest `verify`; null before the first. */
  proof: KeptProof | null;
  /** Connected live clients, and how many were dropped for being slow. */
  live: { clients: number; dropped: number };
}
