import type { SqlView } from "./engine.ts";

/** A value in a table of {@link valuesView}. */
export type CellValue = string | number | null;

/**
 * Columns of a small table, in order, with their types. `timestamp` takes ms since the epoch; compare it with
 * those of `observations`, but put it into no result: DuckDB has another type for it.
 */
export type ValueColumns = readonly (readonly [
  name: string,
  type: "string" | "double" | "int" | "bigint" | "timestamp",
])[];

/** A small table as a view: its rows stand in the text, in the dialect both engines share. */
export function valuesView(
  name: string,
  columns: ValueColumns,
  rows: readonly (readonly CellValue[])[],
): SqlView {
  const casts = columns.map(([column, type]) => `cast(${column} AS ${type}) AS ${column}`).join(", ");
  const lines = rows.map(
    (row) => `(${columns.map(([, type], i) => literal(row[i] ?? null, type)).join(", ")})`,
  );
  // No rows: a row that no condition lets through gives the columns.
  const values = lines.length === 0 ? `(${columns.map(() => "NULL").join(", ")})` : lines.join(",\n");
  const none = lines.length === 0 ? " WHERE false" : "";
  const names = columns.map(([column]) => column).join(", ");
  return { name, sql: `SELECT ${casts} FROM (VALUES ${values}) AS t(${names})${none}` };
}

function literal(value: CellValue, type: ValueColumns[number][1]): string {
  if (value === null) return "NULL";
  if (type === "timestamp") {
    return `TIMESTAMP '${new Date(Number(value)).toISOString().slice(0, 23).replace("T", " ")}+00:00'`;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "NULL";
    return type === "double" ? `${value.toExponential()}` : String(value);
  }
  // The engines escape differently, so no quote and no backslash stands in a literal.
  const parts = value
    .split(/(['\\])/)
    .map((part) => (/^['\\]$/.test(part) ? `chr(${part.charCodeAt(0)})` : `'${part}'`));
  return parts.length === 1 ? parts[0]! : `concat(${parts.join(", ")})`;
}
