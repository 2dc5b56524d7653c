import type { Table } from "apache-arrow";
import { CONTRACT_VARIABLES, OPTIONAL_VARIABLES } from "../core/variables.ts";

/** The committed files a query may read: nothing else in the lake exists for it. */
export interface Snapshot {
  /** Files of rows, as the engine opens them. */
  files: readonly SnapshotFile[];
}

/** One committed file. */
export interface SnapshotFile {
  /** Absolute path or URL. */
  location: string;
  /** How it is written. */
  format: "jsonl" | "parquet";
  /** The UTC day its rows belong to: `2026-01-31`. Only files of one day can hold revisions of one observation. */
  date: string;
  /** Rows in it. */
  rows: number;
  /** How many of its rows revise an observation that was stored before. 0 spares the reader the search for the newest. */
  revisions: number;
  /** Rows that are not to be read: those of a source in a range of offsets, inclusive. Default: none. */
  retracted?: readonly { source: string; first: number; last: number }[];
  /** Its columns beyond {@link ./file-columns.ts FIRST_COLUMNS}; a JSONL file's may be left out. Default: none. */
  columns?: readonly string[];
  /** Which judging made the flags of its rows, which it has as columns. Default: it has none that stand. */
  judged?: string;
}

/** A named argument of a query: `:name` in its text. */
export type Argument = string | number | boolean | null;

/** A view that a query may read beside `observations`: one SELECT in the dialect both engines share, without arguments. */
export interface SqlView {
  /** Lower case letters, digits and `_`. */
  name: string;
  sql: string;
}

/** What a query is run with. */
export interface QueryOptions {
  /** The view `observations` reads these files; of each observation the newest revision that is not retracted. */
  snapshot: Snapshot;
  /**
   * The view `judged` reads these files, which have their flags: the columns of {@link OBSERVATION_COLUMNS}, then those of
   * {@link ../core/quality.ts FLAG_COLUMNS} as integers; of each observation the newest revision that is not retracted. Default: no
   * files.
   */
  judged?: Snapshot;
  /** More views: each may read `observations` and those before it. Those that the text does not need are not made. */
  views?: readonly SqlView[];
  /** Named arguments. */
  arguments?: Readonly<Record<string, Argument>>;
  /** Aborting it cancels the query, which then rejects with `cancelled`. */
  signal?: AbortSignal;
  /** Called now and then with the share done, 0 to 1. */
  progress?: (share: number) => void;
  /** It may take long, and must not hold up the queries that somebody waits for. Default: false. */
  background?: boolean;
}

/**
 * The engine port: SQL over committed files. The view `observations` has the columns of {@link OBSERVATION_COLUMNS};
 * sessions are in UTC. Every method rejects with an {@link ../core/errors.ts EngineError}.
 */
export interface Engine {
  /** What it is, for people: `DuckDB 1.5.6`. */
  readonly name: string;
  /** Runs one SELECT and returns its result as Arrow. */
  query(sql: string, options: QueryOptions): Promise<Table>;
  /** Releases what is held; what runs is cancelled. */
  close(): Promise<void>;
}

/** What the flags of a file's rows are computed from. */
export interface JudgingInput {
  /** Start (inclusive) and end (exclusive) of the time of the rows, ms since the epoch. */
  from: number;
  to: number;
  /** The files of the rows and of those around them: {@link ./judging.ts JUDGED_PAST_MS} before and {@link ./judging.ts JUDGED_AFTER_MS} after. */
  around: Snapshot;
  /** The files of the days whose pressures say what is usual: {@link ./judging.ts LEVEL_PAST_MS} before those. */
  before: Snapshot;
  /** The views up to `quality`. */
  views: readonly SqlView[];
}

/** Rows as one Parquet file, sorted by city, source, timestamp and offset. */
export interface RowsFile {
  bytes: Uint8Array;
  rows: number;
}

/** An engine that also writes files of rows: how hours and days are compacted, and judged. */
export interface WritingEngine extends Engine {
  /** Every row of the files but the retracted, revisions included, as one file. */
  compact(snapshot: Snapshot, signal?: AbortSignal): Promise<RowsFile>;
  /**
   * The same of each of some parts, with the flags of the rows; those of a row that is not the newest revision are null. Many days
   * at once cost little more than one, most of which is planning.
   */
  judge(parts: readonly Snapshot[], judging: JudgingInput, signal?: AbortSignal): Promise<RowsFile[]>;
}

/**
 * Columns of `observations`, in order: the names and types of the lake's rows. `timestamp` and `ingested_at` are points in
 * time (UTC), `log_offset` is a 64-bit integer, measures are doubles, null when missing.
 */
export const OBSERVATION_COLUMNS: readonly (readonly [
  name: string,
  type: "timestamp" | "string" | "double" | "bigint",
])[] = [
  ["timestamp", "timestamp"],
  ["city", "string"],
  ...CONTRACT_VARIABLES.map((name) => [name, "double"] as const),
  ["weather_main", "string"],
  ["weather_description", "string"],
  ["source", "string"],
  ...OPTIONAL_VARIABLES.map((name) => [name, "double"] as const),
  ["impossible", "string"],
  ["log_offset", "bigint"],
  ["ingested_at", "timestamp"],
];
