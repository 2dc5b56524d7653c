/** The stages from source to screen, in the order in which an observation passes them. */
export const STAGE_NAMES = ["source", "log", "lake", "result", "screen"] as const;

/** State of a stage of the pipeline. */
export interface Stage {
  name: (typeof STAGE_NAMES)[number];
  /** Its implementation. */
  by: string;
  /** Its watermark: the newest observation time it has seen, ISO 8601 UTC, or null. */
  watermark: string | null;
  /** Its lag: records it has not processed yet; null if that has no meaning. */
  behind: number | null;
  /** Why it is unavailable, for people; null while it is available. */
  trouble: string | null;
}

/** States of a background job. */
export const JOB_STATES = ["starting", "running", "waiting", "failed", "stopped"] as const;

/** State of a background job. */
export interface JobStatus {
  name: string;
  state: (typeof JOB_STATES)[number];
  /** Since when, ISO 8601 UTC. */
  since: string;
  /** Number of restarts. */
  restarts: number;
  /** Why it waits or has failed, for people. */
  reason: string | null;
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

/** Rate of a counter. */
export interface Rate {
  /** Per second. */
  per_second: number;
  /** Window of the measurement, s. */
  seconds: number;
}

/** The result of a proof of a whole data set. */
export interface KeptProof {
  /** Start of the proof, ISO 8601 UTC. */
  at: string;
  /** Number of offsets accounted for: rows + duplicates + rejected. */
  offsets: number;
  /** Records that were still in the log and were compared with the lake. */
  compared: number;
  /** Number of problems; 0 when log and lake are equal. */
  problems: number;
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
