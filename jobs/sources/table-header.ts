import type { ColumnMap, NameColumn } from "./column-map.ts";
import { splitCsv } from "./csv.ts";

/** The names of a table's columns, and where they stand. */
export interface TableHeader {
  columns: readonly string[];
  /** The line they were taken from, as it is. */
  text: string;
  /** Its number in the file, from 1; 0 where the map names the columns. */
  line: number;
  /** Lines before the first one of data. */
  size: number;
}

/** Lines among which a header is searched. */
export const HEAD_LINES = 200;

/**
 * Finds the header: the first line that has what the map asks for. Lines before it are not data.
 *
 * @param lines the file's first ones
 * @returns null where none of the first {@link HEAD_LINES} has it
 */
export function findHeader(lines: readonly string[], map: ColumnMap): TableHeader | null {
  if (map.columns !== null)
    return { columns: map.columns, text: map.columns.join(map.delimiter), line: 0, size: 0 };
  const wanted = wantedColumns(map);
  for (const index of headStarts(lines)) {
    const header = headerAt(lines, index, map);
    if (wanted.every((names) => names.some((name) => header.columns.includes(name)))) return header;
  }
  return null;
}

/** The line that has most of what the map asks for, to say what is missing in it. */
export function nearestHeader(lines: readonly string[], map: ColumnMap): TableHeader {
  const wanted = wantedColumns(map);
  const score = (header: TableHeader) =>
    wanted.filter((names) => names.some((name) => header.columns.includes(name))).length;
  let best = headerAt(lines, 0, map);
  for (const index of headStarts(lines)) {
    const header = headerAt(lines, index, map);
    if (score(header) > score(best)) best = header;
  }
  return best;
}

function headStarts(lines: readonly string[]): number[] {
  return Array.from({ length: Math.min(lines.length, HEAD_LINES) }, (_, index) => index);
}

/** The header that begins at a line. */
export function headerAt(lines: readonly string[], index: number, map: ColumnMap): TableHeader {
  const parts = lines
    .slice(index, index + map.headerLines)
    .map((line) => splitCsv(line, map.delimiter) ?? []);
  const width = Math.max(0, ...parts.map(({ length }) => length));
  const columns = Array.from({ length: width }, (_, at) =>
    parts
      .map((fields) => (fields[at] ?? "").trim())
      .join(" ")
      .trim(),
  );
  // A header may be marked as a comment: "# STN,YYYYMMDD,…".
  const mark = map.comments.find((comment) => columns[0]?.startsWith(comment));
  if (mark !== undefined) columns[0] = columns[0]!.slice(mark.length).trim();
  return { columns, text: lines[index] ?? "", line: index + 1, size: index + map.headerLines };
}

/** Names of columns of which the file must have one each. */
function wantedColumns(map: ColumnMap): string[][] {
  const named = [map.city, map.source].filter((one): one is NameColumn & { column: string } =>
    hasColumn(one),
  );
  const always = [
    ...map.time.columns,
    ...named.map(({ column }) => column),
    ...map.only.keys(),
    ...map.except.keys(),
    ...(map.long === null ? [] : [map.long.name, map.long.value]),
  ].map((column) => [column]);
  if (map.long !== null) return always;
  const fields = [...map.numbers, ...map.texts];
  if (map.isPartial) return [...always, fields.map(({ column }) => column)];
  const names = [...new Set(fields.map(({ field }) => field))];
  return [
    ...always,
    ...names.map((name) => fields.filter(({ field }) => field === name).map(({ column }) => column)),
  ];
}

/** Whether something is named by a column. */
export function hasColumn(name: NameColumn | null): name is NameColumn & { column: string } {
  return name !== null && "column" in name;
}
