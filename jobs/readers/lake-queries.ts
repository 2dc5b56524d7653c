import { sha256Hex } from "../../core/checksum.ts";
import type { Row } from "../../core/observation.ts";
import { FLAG_COLUMNS, type Flags } from "../../core/quality.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Argument, Engine, SnapshotFile, SqlView } from "../../spark/engine.ts";
import { JUDGED_AFTER_MS, JUDGED_PAST_MS, LEVEL_PAST_MS } from "../../spark/judging.ts";
import { divide, filesOf, inputsOf, type JudgedRows } from "./judged-rows.ts";
import type { CommittedSnapshot, LakeReader } from "./lake-reader.ts";
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

/**
 * A page of rows: the newest revision of each, sorted by timestamp, city, source, with the flags of quality control. Those of closed
 * days are read; those of the newest two are judged here, since they change with each commit.
 *
 * @param judging.judged the closed days with their flags
 * @param judging.views those of analysis up to `quality`, with the kept levels
 * @throws EngineError, CommitError, LakeError
 */
export async function queryRows(
  reader: LakeReader,
  engine: Engine,
  judging: { judged: JudgedRows; views: () => Promise<readonly SqlView[]> },
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
  const select = (view: string, condition: string) =>
    `SELECT ${OBSERVATION_COLUMN_LIST}, ${FLAG_COLUMNS.join(", ")} FROM ${view} WHERE ${condition}`;
  // One extra row tells whether another page follows.
  const end = `ORDER BY timestamp, city, source LIMIT ${limit + 1}`;
  const asked = conditions.join(" AND ");
  const options = { arguments: named, ...(signal === undefined ? {} : { signal }) };
  const range = { from: from - JUDGED_PAST_MS, to: to + JUDGED_AFTER_MS };
  const table = await reader.read(range, async (committed) => {
    const { files } = committed.snapshot;
    const { kept, open, release } = await withFlags(reader, judging.judged, committed, { from, to });
    try {
      const judged = { files: kept };
      if (open.length === 0)
        return await engine.query(`${select("judged", asked)} ${end}`, {
          snapshot: { files: [] },
          judged,
          ...options,
        });
      const days = open.map((date) => timestampLiteral(Date.parse(date))).join(", ");
      const inOpen = `${asked} AND date_trunc('day', timestamp) IN (${days})`;
      const sql = `SELECT * FROM (${select("judged", asked)} UNION ALL ${select("quality", inOpen)}) AS rows ${end}`;
      const { around } = inputsOf(
        files,
        files.filter(({ date }) => open.includes(date)),
      );
      const views = await judging.views();
      return await engine.query(sql, { snapshot: around, judged, views, ...options });
    } finally {
      await release();
    }
  });
  const rows = observationRows(table) as FlaggedRow[];
  return { rows: rows.slice(0, limit), more: rows.length > limit };
}

/**
 * What the rows of a time and their flags are made of: the committed files of the time and of all that the flags depend on, without what
 * is retracted. As long as it is the same, so are they, but for the kept level of open days.
 *
 * @throws CommitError, LakeError
 */
export async function rowsMark(
  reader: LakeReader,
  { from, to }: { from: number; to: number },
  version: string,
): Promise<string> {
  const range = { from: from - JUDGED_PAST_MS - LEVEL_PAST_MS, to: to + JUDGED_AFTER_MS };
  const { snapshot } = await reader.snapshot(range);
  const files = snapshot.files.map(({ location, retracted }) => [location, retracted]);
  return sha256Hex(JSON.stringify([version, files]));
}

/** The files with flags for a time, and its newest days, which have none yet. */
async function withFlags(
  reader: LakeReader,
  judged: JudgedRows,
  { snapshot, watermark }: CommittedSnapshot,
  { from, to }: { from: number; to: number },
): Promise<{ kept: readonly SnapshotFile[]; open: string[]; release: () => Promise<void> }> {
  const { standing, dates } = divide(filesOf(snapshot.files, { from, to }), judged.version);
  const yesterday = Date.parse((watermark ?? "1970-01-01").slice(0, 10)) - DAY_MS;
  const [open, closed]: string[][] = [[], []];
  for (const date of dates) (Date.parse(date) >= yesterday ? open! : closed!).push(date);
  if (closed!.length === 0) return { kept: standing, open: open!, release: async () => {} };
  closed!.sort();
  const days = { first: closed![0]!, last: closed!.at(-1)! };
  const { snapshot: all } = await reader.snapshot();
  const files = await judged.of(all, days);
  const others = standing.filter(({ date }) => date < days.first || date > days.last);
  return { kept: [...others, ...files.snapshot.files], open: open!, release: () => files.release() };
}
