import {
  JOB_STATES,
  type JobStatus,
  type KeptProof,
  type PartitionStatus,
  type PipelineStatus,
  type Rate,
  type Stage,
  STAGE_NAMES,
} from "../../core/pipeline-status.ts";
import { type SchemasOf, integer, list, nullable, number, object, oneOf, text, time } from "./schema.ts";

const RATE = nullable(
  object({
    per_second: number("Records a second"),
    seconds: integer("Over how many seconds it was measured, up to 300"),
  } satisfies SchemasOf<Rate>),
);

/** What `/api/v1/pipeline` and the event `status` say, without a label. */
export const PIPELINE = {
  stages: list(
    object({
      name: oneOf(STAGE_NAMES, "The stage"),
      by: text("What implements it"),
      watermark: nullable(time("The newest observation time it has seen")),
      behind: nullable(integer("Records it has still to do; null where that has no meaning or is not known")),
      trouble: nullable(text("Why it cannot be used now; null while it can")),
    } satisfies SchemasOf<Stage>),
    "From source to screen",
  ),
  jobs: list(
    object({
      name: text("Name of the background job"),
      state: oneOf(JOB_STATES, "How it stands"),
      since: time("Since when"),
      restarts: integer("How often it was run again"),
      reason: nullable(text("Why it waits or failed")),
    } satisfies SchemasOf<JobStatus>),
    "Background jobs of this process",
  ),
  partitions: list(
    object({
      partition: integer("Number of the partition"),
      low: nullable(integer("First offset in the log; null while the log is away")),
      high: nullable(integer("Offset that the next record gets; null while the log is away")),
      next: integer("First offset that is not committed"),
      sequence: integer("Newest commit"),
      rows: integer("Rows committed"),
      duplicates: integer("Records that were there already"),
      rejected: integer("Records that are no observations"),
      files: integer("Files of rows"),
      bytes: integer("Size of these files, bytes"),
    } satisfies SchemasOf<PartitionStatus>),
    "Partitions of the log, and what is committed of each",
  ),
  rates: object({ log: RATE, lake: RATE } satisfies SchemasOf<PipelineStatus["rates"]>, {
    description: "Records that the log takes, and that are committed; null until known",
  }),
  proof: nullable(
    object(
      {
        at: time("When it was begun"),
        offsets: integer("Offsets accounted for: rows + duplicates + rejected"),
        compared: integer("Records the log still had, each of them compared with the lake"),
        problems: integer("What is wrong; 0 when log and lake are equal"),
      } satisfies SchemasOf<KeptProof>,
      { description: "What the newest `verify` found; null before the first" },
    ),
  ),
  live: object({
    clients: integer("Connected clients of `/live`"),
    dropped: integer("Clients dropped because they did not read"),
  } satisfies SchemasOf<PipelineStatus["live"]>),
} as const satisfies SchemasOf<PipelineStatus>;
