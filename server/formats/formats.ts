import {
  Bool,
  type Data,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  Utf8,
  type Vector,
  makeData,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";

/** The formats of every tabular answer. */
export const FORMATS = ["json", "csv", "arrow"] as const;
/** One of {@link FORMATS}. */
export type Format = (typeof FORMATS)[number];

/** What each format is called on the wire. */
export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: "application/json; charset=utf-8",
  csv: "text/csv; charset=utf-8; header=present",
  arrow: "application/vnd.apache.arrow.stream",
};

/** A column of rows that are made here. Missing values are null in every format. */
export type Column = readonly [
  name: string,
  type: "timestamp" | "string" | "double" | "int" | "bigint" | "boolean",
];

/** A row by column name. */
export type Cells = Readonly<Record<string, unknown>>;

/** One line of CSV (RFC 4180) with its CRLF: null is empty. */
export function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvCell).join(",")}\r\n`;
}

function csvCell(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string")
    return typeof value === "object" ? csvCell(JSON.stringify(value)) : String(value);
  // A spreadsheet runs a text that begins like a formula.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV with a header. */
export function csvOf(columns: readonly Column[], rows: readonly Cells[]): string {
  return csvLine(columns.map(([name]) => name)) + csvRows(columns, rows);
}

/** Rows as CSV, without the header. */
export function csvRows(columns: readonly Column[], rows: readonly Cells[]): string {
  let text = "";
  for (const row of rows) text += csvLine(columns.map(([name]) => row[name]));
  return text;
}

/** Rows as an Arrow IPC stream; `metadata` goes into its schema. */
export function arrowOf(
  columns: readonly Column[],
  rows: readonly Cells[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const fields = columns.map(([name, type]) => new Field(name, arrowType(type), true));
  const children = columns.map(([name, type]) =>
    arrowColumn(
      type,
      rows.map((row) => row[name]),
    ),
  );
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children });
  return tableToIPC(new Table(schema, [new RecordBatch(schema, data)]), "stream");
}

/** How an Arrow IPC stream ends: a continuation mark and a length of 0. */
const ARROW_END = 8;

/**
 * The parts of an Arrow IPC stream (schema, then any number of record batches, then its end), so that it can be sent as
 * it is made.
 */
export function arrowParts(
  columns: readonly Column[],
  metadata: Readonly<Record<string, string>>,
): { begin: Uint8Array; batch(rows: readonly Cells[]): Uint8Array; end: Uint8Array } {
  const fields = columns.map(([name, type]) => new Field(name, arrowType(type), true));
  const schema = new Schema(fields, new Map(Object.entries(metadata)));
  const empty = tableToIPC(new Table(schema, []), "stream");
  const begin = empty.subarray(0, empty.length - ARROW_END);
  return {
    begin,
    batch(rows) {
      // A stream of one batch begins and ends with the same bytes as one of none.
      const whole = arrowOf(columns, rows, metadata);
      return whole.subarray(begin.length, whole.length - ARROW_END);
    },
    end: empty.subarray(empty.length - ARROW_END),
  };
}

/** One column. Numbers and times are put in place directly: the library's builders take ten times as long. */
function arrowColumn(type: Column[1], values: readonly unknown[]): Data {
  const { length } = values;
  switch (type) {
    case "double": {
      const { nullBitmap, nullCount } = validityOf(values);
      const data = Float64Array.from(values, (value) => Number(value ?? 0));
      return makeData({ type: arrowType(type), length, nullCount, nullBitmap, data });
    }
    case "int": {
      const { nullBitmap, nullCount } = validityOf(values);
      const data = Int32Array.from(values, (value) => Number(value ?? 0));
      return makeData({ type: arrowType(type), length, nullCount, nullBitmap, data });
    }
    case "bigint":
    case "timestamp": {
      const { nullBitmap, nullCount } = validityOf(values);
      // Times are canonical here, so that the quick reader reads them right.
      const data = BigInt64Array.from(values, (value) =>
        BigInt(typeof value === "string" ? Date.parse(value) : ((value ?? 0) as number)),
      );
      return makeData({ type: arrowType(type) as Int64, length, nullCount, nullBitmap, data });
    }
    case "string":
    case "boolean": {
      const vector: Vector = vectorFromArray(
        values.map((value) => value ?? null),
        arrowType(type) as DataType,
      );
      return vector.data[0] ?? makeData({ type: arrowType(type) });
    }
  }
}

/** Which values are there, a bit each. */
function validityOf(values: readonly unknown[]): { nullBitmap: Uint8Array; nullCount: number } {
  const nullBitmap = new Uint8Array((values.length + 7) >> 3);
  let nullCount = values.length;
  for (const [index, value] of values.entries()) {
    if (value === null || value === undefined) continue;
    nullBitmap[index >> 3] = (nullBitmap[index >> 3] ?? 0) | (1 << (index & 7));
    nullCount--;
  }
  return { nullBitmap, nullCount };
}

function arrowType<Type extends Column[1]>(type: Type): ArrowTypes[Type] {
  return ARROW_TYPES[type];
}

interface ArrowTypes {
  timestamp: TimestampMillisecond;
  string: Utf8;
  double: Float64;
  int: Int32;
  bigint: Int64;
  boolean: Bool;
}

const ARROW_TYPES: ArrowTypes = {
  timestamp: new TimestampMillisecond("UTC"),
  string: new Utf8(),
  double: new Float64(),
  int: new Int32(),
  bigint: new Int64(),
  boolean: new Bool(),
};
