import { FLAG_COLUMNS } from "../core/quality.ts";
import type { Session } from "./duckdb-pool.ts";
import { runStatement, timeLiteral, withObservations } from "./duckdb-statements.ts";
import type { JudgingInput, SqlView } from "./engine.ts";
import { JUDGED_AFTER_MS, JUDGED_PAST_MS, LEVEL_PAST_MS } from "./judging.ts";
import { neededViews } from "./needed-views.ts";

/** The levels of the days that are judged, computed once: they read more days than all other tests. */
const LEVELS_TABLE = "judging_levels";
const LEVELS: SqlView = { name: "levels", sql: `SELECT * FROM ${LEVELS_TABLE}` };
const KEY = ["city", "source", "timestamp", "log_offset"];

/**
 * Gives `action` a SELECT of some rows with their flags.
 *
 * @param input.rows a SELECT with the columns of `observations`
 */
export async function withVerdicts<T>(
  session: Session,
  { rows, judging, signal }: { rows: string; judging: JudgingInput; signal: AbortSignal },
  action: (select: string) => Promise<T>,
): Promise<T> {
  const { connection } = session;
  const { from, to, around, before, views } = judging;
  const span = { from: from - JUDGED_PAST_MS, to: to + JUDGED_AFTER_MS };
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
        runStatement(
          connection,
          `CREATE TEMP TABLE ${LEVELS_TABLE} AS SELECT * FROM levels WHERE day >= date_trunc('day', ${timeLiteral(span.from)})`,
          signal,
        ),
    );
    const flags = FLAG_COLUMNS.map((name) => `q."${name}"`).join(", ");
    const same = KEY.map((name) => `q."${name}" = r."${name}"`).join(" AND ");
    return await withObservations(
      session,
      {
        snapshot: around,
        span,
        views: views.map((view) => (view.name === LEVELS.name ? LEVELS : view)),
        signal,
      },
      () => action(`SELECT r.*, ${flags} FROM (${rows}) AS r LEFT JOIN quality AS q ON ${same}`),
    );
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${LEVELS_TABLE}`);
  }
}
