import type { Row } from "../../core/observation.ts";
import { FLAG_COLUMNS, type Flags } from "../../core/quality.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Argument, Engine, SqlView } from "../../spark/engine.ts";
import type { LakeReader } from "./lake-reader.ts";
import { OBSERVATION_COLUMN_LIST, observationRows, timestampLiteral } from "./observation-rows.ts";

/** Which rows of the lake to read. Times are ms since the epoch. */
export interface RowQuery {
  /** Name of a city, or null for all. */
  city: string | null;
  /** Start, inclusive. */
  from: number;
  /** End, exclusive. */
  to: number;
  /** Most rows. */
  limit: number;
  /** Cursor: only rows after this one, in the order of timestamp, city, source. */
  after: { timestamp: string; city: string; source: string } | null;
  signal?: AbortSignal;
}

/** A row of the lake with the flags of quality control. */
export type FlaggedRow = Row & Flags;

/** Time around a row that quality control needs, ms: a day before it, and the next report after it. */
const CONTEXT_MS = { before: 25 * HOUR_MS, after: 3 * HOUR_MS };

/**
 * A page of rows: the newest revision of each, sorted by timestamp, city, source, with the flags of quality control.
 *
 * @param views those of analysis up to `quality`
 * @throws EngineError, CommitError, LakeError
 */
export async function queryRows(
  reader: LakeReader,
  engine: Engine,
  views: readonly SqlView[],
  query: RowQuery,
): Promise<{ rows: FlaggedRow[]; more: boolean }> {
  const { city, to, limit, after, signal } = query;
  const from = after === null ? query.from : Math.max(query.from, Date.parse(after.timestamp));
  if (from >= to) return { rows: [], more: false };
  const conditions = [`timestamp >= ${timestampLiteral(from)}`, `timestamp < ${timestampLiteral(to)}`];
  const named: Record<string, Argument> = {};
  if (city !== null) {
    conditions.push("city = :city");
    named.city = city;
  }
  if (after !== null) {
    conditions.push(
      `(timestamp > ${timestampLiteral(from)} OR city > :after_city OR (city = :after_city AND source > :after_source))`,
    );
    named.after_city = after.city;
    named.after_source = after.source;
  }
  // One extra row tells whether another page follows.
  const sql = `SELECT ${OBSERVATION_COLUMN_LIST}, ${FLAG_COLUMNS.join(", ")} FROM quality WHERE ${conditions.join(" AND ")}
    ORDER BY timestamp, city, source LIMIT ${limit + 1}`;
  const range = { from: from - CONTEXT_MS.before, to: to + CONTEXT_MS.after };
  const options = {
    views,
    arguments: named,
    ...(signal === undefined ? {} : { signal }),
  };
  const table = await reader.read(range, ({ snapshot }) => engine.query(sql, { snapshot, ...options }));
  const rows = observationRows(table) as FlaggedRow[];
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}
