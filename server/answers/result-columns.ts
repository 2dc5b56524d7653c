import type { Table, Vector } from "apache-arrow";

/** Single values of a result. */
export interface Columns {
  /** A number, or a time in ms; null for null and NaN. */
  number(name: string, row: number): number | null;
  flag(name: string, row: number): boolean;
  text(name: string, row: number): string | null;
}

/**
 * Reads single values of a result.
 *
 * @throws {TypeError} (when read) for a missing column: page and SQL of the job no longer match
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

/** The indices of a city's rows; of all rows if `city` is null. */
export function rowsOfCity(table: Table, city: string | null): number[] {
  const names = city === null ? null : table.getChild("city");
  const rows: number[] = [];
  for (let i = 0; i < table.numRows; i++) if (names === null || names.get(i) === city) rows.push(i);
  return rows;
}
