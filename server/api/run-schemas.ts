import { type ResultInfo, type Run, RUN_STATES, RUN_TRIGGERS } from "../../core/analytic-job.ts";
import { type SchemasOf, integer, map, nullable, number, object, oneOf, text, time } from "./schema.ts";

/** A run of an analytic job. */
export const RUN = object({
  id: text("Its id"),
  job: text("Name of the job"),
  state: oneOf(RUN_STATES, "How it stands"),
  trigger: oneOf(RUN_TRIGGERS, "Who asked for it"),
  progress: number("Share that is done, 0 to 1"),
  queued_at: time("When it was asked for"),
  started_at: nullable(time("When it began")),
  finished_at: nullable(time("When it ended")),
  rows: nullable(integer("Rows of its result")),
  error: nullable(text("Why it failed, for people")),
  code: nullable(text("Why it failed, for programs")),
} satisfies SchemasOf<Run>);

/** What a result says about itself. */
export const RESULT_FACTS = object({
  job: text("Name of the job"),
  run: text("Id of the run that made it"),
  generated_at: time("When it was computed"),
  engine: text("What computed it"),
  commits: map(integer("Sequence"), "Newest commit that it read, by partition"),
  rows_read: integer("Observations that it could read"),
  duration_ms: number("How long it took", "ms"),
  rows: integer("Rows of the whole result"),
} satisfies SchemasOf<Omit<ResultInfo, "watermark"> & { rows: number }>);

/** A run that is shown. */
export const EXAMPLE_RUN = {
  id: "mf3k2p-7q1x",
  job: "daily_summary",
  state: "succeeded",
  trigger: "request",
  progress: 1,
  queued_at: "2026-01-31T11:55:00Z",
  started_at: "2026-01-31T11:55:00Z",
  finished_at: "2026-01-31T11:55:01Z",
  rows: 150,
  error: null,
  code: null,
} as const;

/** The facts of a result that is shown. */
export const EXAMPLE_RESULT = {
  job: "daily_summary",
  run: EXAMPLE_RUN.id,
  generated_at: "2026-01-31T11:55:01Z",
  engine: "DuckDB 1.5.6",
  commits: { "0": 96 },
  rows_read: 43_200,
  duration_ms: 212,
  rows: 150,
} as const;
