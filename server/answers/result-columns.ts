import type { Table, Vector } from "apache-arrow";
import { parseTimestamp } from "../../core/time.ts";
import type { ResultInfo } from "../../views/props.ts";
import type { Result } from "./services.ts";

/** Single values of a result. */
export interface Columns {
  /** A number, or a time as ms; null for null and NaN. */
  number(name: string, row: number): number | null;
  flag(name: string, row: number): boolean;
  text(name: string, row: number): string | null;
}

/**
 * Reads single values of a result.
 *
 * @throws {TypeError} (when read) for a column that is not there: the page and the job's SQL have parted
 */
export function columnsOf(table: Table): Columns {
  const columns = new Map(table.schema.fields.map(({ name }, i) => [name, table.getChildAt(i) as Vector]));
  const get = (name: string, row: number): unknown => {
    const column = columns.get(name);
    if (column === undefined) throw new TypeError(`Cannot show a result: it has no column "${name}"`);
    return column.get(row);
  };
  return {
    number(name, row) {
      const value = get(name, row);
      if (value === null || value === undefined) return null;
      const number = Number(value);
      return Number.isFinite(number) ? number : null;
    },
    flag: (name, row) => get(name, row) === true,
    text(name, row) {
      const value = get(name, row);
      return typeof value === "string" ? value : null;
    },
  };
}

/** The numbers of the rows that are of a city; of all rows where `city` is null. */
export function rowsOfCity(table: Table, city: string | null): number[] {
  const names = city === null ? null : table.getChild("city");
  const rows: number[] = [];
  for (let i = 0; i < table.numRows; i++) if (names === null || names.get(i) === city) rows.push(i);
  return rows;
}

/** Where a result comes from. */
export function infoOf({ generated_at, engine, rows_read }: Result): ResultInfo {
  return { generatedAt: parseTimestamp(generated_at), engine, rowsRead: rows_read };
}
