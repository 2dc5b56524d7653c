import type { Row } from "./observation.ts";
import type { Flags, QualityTest, Limit } from "./quality.ts";

/** Whether the newest result of a job used an observation. */
export interface WhyResult {
  job: string;
  run: string;
  /** ISO 8601 UTC. */
  generated_at: string;
  /** Whether the revision was committed when the result was computed; null if that can no longer be found out. */
  used: boolean | null;
}

/** Where a revision of an observation is stored. */
export interface Stored {
  /** The record of the log that it came from. */
  record: { topic: string; partition: number; offset: number; ingested_at: string };
  /** The committed file that holds it, and the range of offsets in that file. */
  file: {
    path: string;
    rows: number;
    bytes: number;
    sha256: string;
    first: number;
    last: number;
    /** The judging whose flags are kept in it; null where the flags are computed when they are asked for. */
    judged: string | null;
  };
  /** The entry that committed the file: a batch, or the compaction that replaced the batch's file. */
  commit: {
    sequence: number;
    path: string;
    /** Null if the entry was trimmed after a checkpoint. */
    kind: "claim" | "batch" | "compaction" | "retraction" | "checkpoint" | null;
    /** Time of the commit, ISO 8601 UTC. */
    at: string | null;
  };
  /** The entry that retracted it, with its reason for people and its time, ISO 8601 UTC; null where it counts. */
  retraction: { path: string; at: string; reason: string } | null;
}

/** The explanation of one source's observation. */
export interface Explanation extends Stored {
  /** The newest revision that counts, or the newest of all where none does; its flags are null until it is judged. */
  observation: Row & {
    [Name in keyof Flags]: Flags[Name] | null;
  };
  tests: { test: QualityTest; flag: Flags[QualityTest] | null; limits: Limit[] }[];
  /** The other revisions, the newest first: older ones, and those that were retracted. */
  revisions: (Stored & { observation: Row })[];
  results: WhyResult[];
}
