import type { Table } from "apache-arrow";
import type { Row } from "../../core/observation.ts";
import { DAY_MS, parseTimestamp } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { Engine, Snapshot } from "../../spark/engine.ts";
import { AHEAD_MS } from "../../spark/time-ahead.ts";
import type { LakeReader } from "./lake-reader.ts";
import {
  OBSERVATION_COLUMN_LIST,
  observationRows,
  timestampLiteral,
  withRevisions,
} from "./observation-rows.ts";

/** Days before the lake's watermark that are read whole: almost every city's newest row is of them. */
const RECENT_MS = 7 * DAY_MS;

/** A time that is ahead fails, and is of nothing. */
const IN_TIME = `timestamp <= ingested_at + INTERVAL '${AHEAD_MS} milliseconds'`;

/** A result of the job `city_statistics`: when each city reported last, as of some positions of the chains. */
export interface LastReports {
  table: Table;
  /** Newest sequence that was read, by partition. */
  commits: Readonly<Record<string, number>>;
}

/**
 * The newest row of each city in the lake, however long ago it was, without rows whose time was ahead. The last days are read
 * whole. Of what is older only the days that hold a city's last report are: the kept statistics say which, and what was
 * committed after them is asked by two columns.
 *
 * @param lastReports the newest result of `city_statistics`; null if there is none, and all history is asked. So it is where
 *   rows were retracted since: the last report that it knows may be one of them
 * @throws EngineError, CommitError, LakeError
 */
export async function newestRows(
  reader: LakeReader,
  engine: Engine,
  lastReports: LastReports | null,
): Promise<Row[]> {
  await reader.refresh();
  const { watermark } = reader;
  if (watermark === null) return [];
  const to = parseTimestamp(watermark) + 1;
  const from = to - RECENT_MS;
  const recent = await reader.read({ from, to }, ({ snapshot }) => newestIn(engine, snapshot, from, to));
  const known = new Set(recent.map(({ city }) => city));
  const before = { from: -Infinity, to: from };
  const kept = lastReports === null || isBeforeRetraction(reader, lastReports) ? null : lastReports;
  const last = await reader.read(before, async ({ snapshot }) => lastIn(engine, snapshot, before.to), {
    after: kept?.commits ?? {},
  });
  for (const [city, ms] of kept === null ? [] : lastOf(kept)) {
    if (ms < from) last.set(city, Math.max(ms, last.get(city) ?? -Infinity));
  }
  const missing = new Map([...last].filter(([city]) => !known.has(city)));
  if (missing.size === 0) return recent;
  const dates = new Set([...missing.values()].map((ms) => new Date(ms).toISOString().slice(0, 10)));
  const older = await reader.read(before, ({ snapshot }) => {
    const files = snapshot.files.filter(({ date }) => dates.has(date));
    return newestIn(engine, { files }, null, before.to);
  });
  return [...recent, ...older.filter(({ city }) => missing.has(city))];
}

/** The newest row of each city in a snapshot, of those with `from` ≤ timestamp < `to`. */
async function newestIn(engine: Engine, snapshot: Snapshot, from: number | null, to: number): Promise<Row[]> {
  const since = from === null ? "" : `AND timestamp >= ${timestampLiteral(from)}`;
  const sql = `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations
    WHERE timestamp < ${timestampLiteral(to)} ${since} AND ${IN_TIME}
    QUALIFY row_number() OVER (PARTITION BY city ORDER BY timestamp DESC, log_offset DESC) = 1`;
  return observationRows(await engine.query(sql, { snapshot }));
}

/** When each city reported last before a time, ms, by the rows of a snapshot. Revisions change no time. */
async function lastIn(engine: Engine, snapshot: Snapshot, to: number): Promise<Map<string, number>> {
  if (snapshot.files.length === 0) return new Map();
  const sql = `SELECT city, max(timestamp) AS last FROM observations
    WHERE timestamp < ${timestampLiteral(to)} AND ${IN_TIME} GROUP BY city`;
  const rows = rowsOf(await engine.query(sql, { snapshot: withRevisions(snapshot) }));
  return new Map(rows.map(({ city, last }) => [String(city), parseTimestamp(String(last))]));
}

/** Whether rows were retracted after a result was computed. */
function isBeforeRetraction(reader: LakeReader, { commits }: LastReports): boolean {
  return [...reader.states].some(([partition, { retractions }]) =>
    retractions.some(({ sequence }) => sequence > (commits[partition] ?? 0)),
  );
}

/** When each city reported last, ms, by a result of `city_statistics`. */
function lastOf({ table }: LastReports): [string, number][] {
  return rowsOf(table).flatMap(({ city, last_timestamp: last }) =>
    last === null ? [] : [[String(city), parseTimestamp(String(last))] as [string, number]],
  );
}
