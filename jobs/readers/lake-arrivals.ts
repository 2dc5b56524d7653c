import type { Row } from "../../core/observation.ts";
import type { Argument, Engine, SnapshotFile } from "../../spark/engine.ts";
import { offsetsOf } from "../commits/names.ts";
import { type LakeReader, standingRows } from "./lake-reader.ts";
import type { Lake } from "../lake/lake.ts";
import { OBSERVATION_COLUMN_LIST, observationRows } from "./observation-rows.ts";

/** Position of a reader: the first offset not read, by partition. A partition that is not listed is read from its start. */
export type Positions = ReadonlyMap<number, number>;

/** Which arrivals to read. */
export interface ArrivalsQuery {
  /** Where to begin; `now` is after everything committed. */
  since: Positions | "now";
  /** Name of a city, or null for all. */
  city: string | null;
  /** Most rows. */
  limit: number;
  signal?: AbortSignal;
}

/** Committed rows, and the position after them. */
export interface Arrivals {
  rows: Row[];
  /** Position for the next query. */
  next: Positions;
  /** Whether there are more rows already. */
  more: boolean;
}

/**
 * The rows committed since a position, in log order, partition by partition, whatever the age of the observations. Every row
 * comes once. If an observation was revised again before it was read, only its newest revision comes.
 *
 * @throws EngineError, CommitError, LakeError
 */
export function queryArrivals(
  { reader, lake, engine }: { reader: LakeReader; lake: Lake; engine: Engine },
  query: ArrivalsQuery,
): Promise<Arrivals> {
  const { since, city, limit, signal } = query;
  return reader.read(undefined, async () => {
    const rows: Row[] = [];
    const next = new Map(since === "now" ? [] : since);
    let more = false;
    for (const [partition, state] of [...reader.states].sort(([a], [b]) => a - b)) {
      const end = state.next ?? 0;
      const begin = since === "now" ? end : (since.get(partition) ?? 0);
      next.set(partition, begin);
      if (begin >= end) continue;
      const files: SnapshotFile[] = [];
      for (const file of state.live.values()) {
        if (offsetsOf(file.path).last >= begin) files.push(standingRows(lake, file, state.retractions));
      }
      const left = limit - rows.length;
      const found: Row[] = [];
      if (files.length > 0) {
        const named: Record<string, Argument> = city === null ? {} : { city };
        // One extra row tells whether there are more.
        const sql = `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations
          WHERE log_offset >= ${begin} AND log_offset < ${end}${city === null ? "" : " AND city = :city"}
          ORDER BY log_offset LIMIT ${left + 1}`;
        const table = await engine.query(sql, {
          snapshot: { files },
          arguments: named,
          ...(signal === undefined ? {} : { signal }),
        });
        found.push(...observationRows(table));
      }
      rows.push(...found.slice(0, left));
      if (found.length > left) {
        more = true;
        next.set(partition, left === 0 ? begin : found[left - 1]!.log_offset + 1);
      } else {
        next.set(partition, end);
      }
    }
    return { rows, next, more };
  });
}
