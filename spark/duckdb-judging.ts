import { FLAG_COLUMNS } from "../core/quality.ts";
import type { Session } from "./duckdb-pool.ts";
import { runStatement, timeLiteral, withObservations } from "./duckdb-statements.ts";
import type { JudgingInput, SqlView } from "./engine.ts";
import { JUDGED_AFTER_MS, JUDGED_PAST_MS, LEVEL_PAST_MS } from "./judging.ts";
import { neededViews } from "./needed-views.ts";

/** The levels of the days that are judged, computed once: they read more days than all other tests. */
const LEVELS_TABLE = "judging_levels";
const LEVELS: SqlView = { name: "levels", sql: `SELECT * FROM ${LEVELS_TABLE}` };
/** The flags of the rows of all parts. */
const FLAGS_TABLE = "judging_flags";
const KEY = ["city", "source", "timestamp", "log_offset"];

/**
 * Judges the rows of a time, and gives `action` a way to add their flags to them.
 *
 * @param action gets a function from a SELECT with the columns of `observations` to one that has the flags too
 */
export async function withFlags<T>(
  session: Session,
  { from, to, around, before, views }: JudgingInput,
  signal: AbortSignal,
  action: (flagged: (rows: string) => string) => Promise<T>,
): Promise<T> {
  const { connection } = session;
  const span = { from: from - JUDGED_PAST_MS, to: to + JUDGED_AFTER_MS };
  const keep = (name: string, select: string) =>
    runStatement(connection, `CREATE TEMP TABLE ${name} AS ${select}`, signal);
  try {
    await withObservations(
      session,
      {
        snapshot: before,
        span: { from: span.from - LEVEL_PAST_MS, to: span.to },
        views: neededViews("SELECT * FROM levels", views),
        signal,
      },
      () =>
        keep(LEVELS_TABLE, `SELECT * FROM levels WHERE day >= date_trunc('day', ${timeLiteral(span.from)})`),
    );
    await withObservations(
      session,
      {
        snapshot: around,
        span,
        views: views.map((view) => (view.name === LEVELS.name ? LEVELS : view)),
        signal,
      },
      () =>
        keep(
          FLAGS_TABLE,
          `SELECT ${[...KEY, ...FLAG_COLUMNS].join(", ")} FROM quality
           WHERE timestamp >= ${timeLiteral(from)} AND timestamp < ${timeLiteral(to)}`,
        ),
    );
    const flags = FLAG_COLUMNS.map((name) => `q."${name}"`).join(", ");
    const same = KEY.map((name) => `q."${name}" = r."${name}"`).join(" AND ");
    return await action(
      (rows) => `SELECT r.*, ${flags} FROM (${rows}) AS r LEFT JOIN ${FLAGS_TABLE} AS q ON ${same}`,
    );
  } finally {
    for (const name of [LEVELS_TABLE, FLAGS_TABLE]) await connection.run(`DROP TABLE IF EXISTS ${name}`);
  }
}
