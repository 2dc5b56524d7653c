import { randomUUID } from "node:crypto";
import { DAY_MS } from "../../core/time.ts";

/** A storage location that both Spark and this program can reach, for files that Spark writes before the lake takes them. */
export interface SparkScratch {
  /** Where Spark writes a folder of that name: `hdfs://…/scratch/name` or `file:///…/name`. */
  location(name: string): string;
  /** The content of the only `part-*.parquet` in that folder. @throws when there is none or more than one */
  readOnlyFile(name: string): Promise<Uint8Array>;
  /** Deletes the folder and its content. A missing folder is no error. */
  remove(name: string): Promise<void>;
  /** The names of the existing folders. */
  names(): Promise<string[]>;
}

/** Age after which a folder counts as abandoned, ms: no compaction takes a day. */
const ABANDONED_MS = DAY_MS;
const ATTEMPT = /^compaction-(\d+)-[0-9a-f-]{36}$/;

/** A new folder name for each attempt at a compaction, because a task of an earlier attempt may still write. */
export function attemptName(now: number): string {
  return `compaction-${now}-${randomUUID()}`;
}

/**
 * Deletes the folders of abandoned attempts: their process was killed, or Spark went on writing after the interrupt. A
 * running attempt is younger than the limit. Folders with other names are not touched.
 */
export async function removeAbandoned(scratch: SparkScratch, now: number): Promise<void> {
  for (const name of await scratch.names()) {
    const begun = ATTEMPT.exec(name)?.[1];
    if (begun !== undefined && now - Number(begun) > ABANDONED_MS) await scratch.remove(name);
  }
}
