import { DataType, type Table } from "apache-arrow";
import type { JobTable } from "../../../views/pages/jobs/job-table.tsx";
import { unitsOf } from "../../formats/column-units.ts";
import { columnsOf, rowsOfCity } from "../../answers/result-columns.ts";

/** Most rows of a result on a page. */
export const JOB_ROWS = 24;

/**
 * The first rows of a result as a page shows them.
 *
 * @param job its name: what columns such as `expected` are about
 * @param city only the rows of this one; null for all
 */
export function jobTable(table: Table, job: string, city: string | null): JobTable {
  const rows = rowsOfCity(table, city);
  const shown = rows.slice(0, JOB_ROWS);
  const read = columnsOf(table);
  // Of one city only, its name on every row says nothing.
  const fields = table.schema.fields.filter(({ name }) => city === null || name !== "city");
  const units = unitsOf(
    fields.map(({ name }) => name),
    job,
  );
  const columns = fields.map(({ name, type }): JobTable["columns"][number] => {
    const unit = units[name] ?? null;
    if (DataType.isTimestamp(type) || DataType.isDate(type)) {
      const kind = DataType.isDate(type) ? "date" : "time";
      return { name, unit, kind, values: shown.map((row) => read.number(name, row)) };
    }
    if (DataType.isInt(type) || DataType.isFloat(type) || DataType.isDecimal(type)) {
      const values = shown.map((row) => read.number(name, row));
      return { name, unit, kind: "number", digits: digitsOf(values), values };
    }
    if (DataType.isBool(type)) {
      return { name, unit, kind: "text", values: shown.map((row) => (read.flag(name, row) ? "yes" : "no")) };
    }
    return { name, unit, kind: "text", values: shown.map((row) => read.text(name, row)) };
  });
  return { columns, rows: shown.length, more: rows.length - shown.length };
}

/** Decimals that tell the values of a column apart: none for whole numbers, else fewer the larger they are. */
function digitsOf(values: readonly (number | null)[]): number {
  const numbers = values.filter((value) => value !== null);
  if (numbers.every(Number.isInteger)) return 0;
  const largest = Math.max(...numbers.map(Math.abs));
  return largest >= 10 ? 1 : largest >= 1 ? 2 : 3;
}
