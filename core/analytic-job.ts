/** What an analytic job is: the header of its .sql file. */
export interface JobInfo {
  /** The file's name without `.sql`. */
  name: string;
  title: string;
  /** The question it answers. */
  question: string;
  /** Cron expression, UTC, or null when it runs on demand only. */
  schedule: string | null;
  /** How to draw it: a kind, then `key=column` pairs; null for a table only. */
  chart: string | null;
  sql: string;
}

/** States of a run. */
export const RUN_STATES = ["queued", "running", "succeeded", "failed", "cancelled"] as const;

/** Who can ask for a run: the schedule, a person or program, the start of this one. */
export const RUN_TRIGGERS = ["schedule", "request", "start"] as const;

/** A run of an analytic job. */
export interface Run {
  id: string;
  job: string;
  state: (typeof RUN_STATES)[number];
  /** Who asked for it. */
  trigger: (typeof RUN_TRIGGERS)[number];
  /** 0 to 1. */
  progress: number;
  /** ISO 8601 UTC; null until then. */
  queued_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** Rows of the result. */
  rows: number | null;
  /** Why it failed, for people: no stack. */
  error: string | null;
  /** The failure's stable code, where it has one. */
  code: string | null;
}

/** What is known of a result beside its rows. */
export interface ResultInfo {
  job: string;
  /** The run that made it. */
  run: string;
  /** When it was computed, ISO 8601 UTC. */
  generated_at: string;
  engine: string;
  /** Newest sequence of each partition's chain it read. */
  commits: Record<string, number>;
  /** The newest observation time it could see, ISO 8601 UTC. */
  watermark: string | null;
  rows_read: number;
  duration_ms: number;
}

/** Where a result comes from: what stands below each table that is made of one. */
export type ResultOrigin = Pick<ResultInfo, "generated_at" | "engine" | "rows_read">;
