import type { Table } from "apache-arrow";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { OBSERVATION_COLUMNS, type Engine, type Snapshot } from "../../spark/engine.ts";

/** The columns of `observations`, as a SELECT lists them. */
export const OBSERVATION_COLUMN_LIST = OBSERVATION_COLUMNS.map(([name]) => name).join(", ");

/** SQL literal of a point in time, ms since the epoch. */
export function timestampLiteral(ms: number): string {
  return `TIMESTAMP '${new Date(ms).toISOString().slice(0, 23).replace("T", " ")}+00:00'`;
}

/** The rows of a table with the columns of `observations`. */
export function observationRows(table: Table): Row[] {
  return rowsOf(table) as unknown as Row[];
}

/** The newest revision of every row of a snapshot with `from` ≤ timestamp < `to` (ms), in no order. */
export async function readRows(engine: Engine, snapshot: Snapshot, from: number, to: number): Promise<Row[]> {
  const table = await engine.query(
    `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations WHERE timestamp >= ${timestampLiteral(from)} AND timestamp < ${timestampLiteral(to)}`,
    { snapshot },
  );
  return observationRows(table);
}

/** The same snapshot with all rows, older revisions included. */
export function withRevisions(snapshot: Snapshot): Snapshot {
  return { files: snapshot.files.map((file) => ({ ...file, revisions: 0 })) };
}
