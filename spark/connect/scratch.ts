import { randomUUID } from "node:crypto";
import { DAY_MS } from "../../core/time.ts";

/** A place both Spark and this program reach, for what Spark writes before the lake takes it over. */
export interface SparkScratch {
  /** Where Spark writes a folder of that name: `hdfs://…/scratch/name` or `file:///…/name`. */
  location(name: string): string;
  /** The one `part-*.parquet` in that folder. @throws when there is none or more than one */
  readOnlyFile(name: string): Promise<Uint8Array>;
  /** Deletes the folder with all that is in it. It may not be there. */
  remove(name: string): Promise<void>;
  /** The folders that are there. */
  names(): Promise<string[]>;
}

/** A folder this old is no longer written to, ms: no compaction takes a day. */
const ABANDONED_MS = DAY_MS;
const ATTEMPT = /^compaction-(\d+)-[0-9a-f-]{36}$/;

/** The folder of one attempt at a compaction: another one each time, because a task of an earlier one may still write. */
export function attemptName(now: number): string {
  return `compaction-${now}-${randomUUID()}`;
}

/**
 * Deletes what attempts left that nobody works on any more: their program was killed, or Spark wrote on after it was told
 * to stop. An attempt under way is younger; what is named otherwise is somebody else's.
 */
export async function removeAbandoned(scratch: SparkScratch, now: number): Promise<void> {
  for (const name of await scratch.names()) {
    const begun = ATTEMPT.exec(name)?.[1];
    if (begun !== undefined && now - Number(begun) > ABANDONED_MS) await scratch.remove(name);
  }
}
