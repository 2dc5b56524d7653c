import type { RejectedRecord } from "../../core/rejected-record.ts";
import type { Lake } from "../lake/lake.ts";
import type { LakeReader } from "./lake-reader.ts";

/** Characters of a rejected record that are shown. */
export const RECORD_SHOWN = 300;

/**
 * The newest rejected records of the lake, newest first, as of the reader's last refresh. It reads only as many files of
 * each partition as it needs.
 *
 * @throws LakeError
 */
export async function newestRejected(
  lake: Lake,
  reader: LakeReader,
  limit: number,
): Promise<RejectedRecord[]> {
  const records: RejectedRecord[] = [];
  for (const { rejected } of reader.states.values()) {
    let found = 0;
    for (const { path } of rejected.toReversed()) {
      if (found >= limit) break;
      const lines = new TextDecoder()
        .decode(await lake.read(path))
        .trimEnd()
        .split("\n");
      found += lines.length;
      for (const line of lines) {
        const { partition, offset, reason, ingested_at, record } = JSON.parse(line) as RejectedRecord;
        records.push({ partition, offset, reason, ingested_at, record: record.slice(0, RECORD_SHOWN) });
      }
    }
  }
  return records
    .sort((a, b) => Date.parse(b.ingested_at) - Date.parse(a.ingested_at) || b.offset - a.offset)
    .slice(0, limit);
}
