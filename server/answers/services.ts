import type { PostedAnswer, PostedLine } from "../../jobs/posted-lines.ts";
import type { Place } from "../../core/city.ts";
import type { Observation } from "../../core/observation.ts";
import type { Judgement } from "../../core/quality.ts";
import type { AnalyticsService } from "../../jobs/analytics/analytics.ts";
import type { Arrivals, ArrivalsQuery } from "../../jobs/readers/lake-arrivals.ts";
import type { LakeDays } from "../../jobs/readers/lake-days.ts";
import type { FlaggedRow, RowQuery } from "../../jobs/readers/lake-queries.ts";
import type { ObservationKey } from "../../jobs/readers/provenance.ts";
import type { RejectedRecord } from "../../core/rejected-record.ts";
import type { PipelineStatus } from "../../core/pipeline-status.ts";
import type { Why } from "./origin.ts";
import type { About } from "../../core/about.ts";

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
  /**
   * What an answer about the rows of a time is made of, from (inclusive) to (exclusive), ms: as long as it is the same, so is the answer.
   * Null where it cannot be told.
   */
  rowsMark(range: { from: number; to: number }): Promise<string | null>;
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
  ingest(lines: readonly PostedLine[], options: { history: boolean }): Promise<PostedAnswer>;
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
