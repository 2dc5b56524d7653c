import duckdb from "@duckdb/node-bindings";
import { type DuckDBMaterializedResult, DuckDBTypeId } from "@duckdb/node-api";
import {
  Bool,
  type Data,
  DataType,
  DateDay,
  Field,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  Int8,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  tableFromIPC,
  tableToIPC,
  TimestampMicrosecond,
  Utf8,
} from "apache-arrow";
import { EngineError } from "../core/errors.ts";
import { formatTimestamp } from "../core/time.ts";

/** Arrow types of the columns whose values DuckDB lays out as Arrow does. */
const FIXED = {
  [DuckDBTypeId.DOUBLE]: [() => new Float64(), Float64Array],
  [DuckDBTypeId.FLOAT]: [() => new Float32(), Float32Array],
  [DuckDBTypeId.BIGINT]: [() => new Int64(), BigInt64Array],
  [DuckDBTypeId.INTEGER]: [() => new Int32(), Int32Array],
  [DuckDBTypeId.SMALLINT]: [() => new Int16(), Int16Array],
  [DuckDBTypeId.TINYINT]: [() => new Int8(), Int8Array],
  [DuckDBTypeId.DATE]: [() => new DateDay(), Int32Array],
  [DuckDBTypeId.TIMESTAMP_TZ]: [() => new TimestampMicrosecond("UTC"), BigInt64Array],
  [DuckDBTypeId.TIMESTAMP]: [() => new TimestampMicrosecond(), BigInt64Array],
} as const;

/** Chunks (of at most 2,048 rows) copied before it yields to the event loop: about 10 ms. */
const CHUNKS_PER_TURN = 16;
/** Arrow's Utf8 offsets are 32 bits wide. */
const UTF8_MAX = 2 ** 31 - 1;

/**
 * Copies a DuckDB result into an Arrow table of one batch, column by column: no row objects, no text decoded.
 *
 * TIMESTAMPTZ becomes Timestamp(µs, UTC), TIMESTAMP Timestamp(µs), DATE Date(day), VARCHAR Utf8; BOOLEAN, the signed
 * integers up to 64 bits and the floating-point types stay what they are.
 *
 * @throws EngineError `bad_query` for a column of another type (a HUGEINT sum, a DECIMAL): cast it in the SQL
 */
export async function tableFromDuckDb(
  result: DuckDBMaterializedResult,
  signal?: AbortSignal,
): Promise<Table> {
  const rows = result.rowCount;
  const columns = result.columnNames().map((name, index) => {
    const id = result.columnTypeId(index);
    const column = columnFor(id, rows);
    if (column === undefined) {
      throw new EngineError(
        "bad_query",
        `Cannot return the column "${name}" of type ${String(result.columnType(index))}: wanted a number, text, boolean or time`,
        { hint: "Cast it in the SQL: integer sums to bigint, decimals to double." },
      );
    }
    return { name, column };
  });
  let offset = 0;
  for (let index = 0; index < result.chunkCount; index++) {
    if (index % CHUNKS_PER_TURN === CHUNKS_PER_TURN - 1)
      await new Promise<void>((turn) => setImmediate(turn));
    if (signal?.aborted) throw new EngineError("cancelled", "The query was cancelled");
    const { chunk, rowCount } = result.getChunk(index);
    columns.forEach(({ column }, position) => {
      column.append(duckdb.data_chunk_get_vector(chunk, position), offset, rowCount);
    });
    offset += rowCount;
  }
  const data = columns.map(({ column }) => column.data());
  const schema = new Schema(columns.map(({ name }, i) => new Field(name, (data[i] as Data).type, true)));
  const struct = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: data });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

interface Column {
  /** Copies the `count` values of a vector into the rows from `offset` on. */
  append(vector: duckdb.Vector, offset: number, count: number): void;
  data(): Data;
}

function columnFor(id: DuckDBTypeId, rows: number): Column | undefined {
  if (id === DuckDBTypeId.BOOLEAN) return new BoolColumn(rows);
  if (id === DuckDBTypeId.VARCHAR) return new TextColumn(rows);
  if (!(id in FIXED)) return undefined;
  const [type, Values] = FIXED[id as keyof typeof FIXED];
  return new FixedColumn(type(), new Values(rows), rows);
}

/** Validity bitmap: one bit a row, least significant bit first, in DuckDB as in Arrow. */
class Validity {
  readonly #rows: number;
  #bits: Uint8Array | null = null;
  #valid = 0;

  constructor(rows: number) {
    this.#rows = rows;
  }

  append(vector: duckdb.Vector, offset: number, count: number): void {
    // The binding returns whole 64-bit words, or null when every row holds a value.
    const words = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
    if (words === null) {
      this.#valid += count;
      if (this.#bits !== null) for (let i = 0; i < count; i++) setBit(this.#bits, offset + i);
      return;
    }
    if (this.#bits === null) {
      this.#bits = new Uint8Array(Math.ceil(this.#rows / 8));
      for (let i = 0; i < offset; i++) setBit(this.#bits, i);
    }
    for (let i = 0; i < count; i++) {
      if (!getBit(words, i)) continue;
      setBit(this.#bits, offset + i);
      this.#valid++;
    }
  }

  /** The parts of Arrow's data that describe the nulls. */
  parts(): { nullCount: number; nullBitmap: Uint8Array | null } {
    return { nullCount: this.#rows - this.#valid, nullBitmap: this.#bits };
  }
}

const getBit = (bits: Uint8Array, index: number): boolean =>
  (((bits[index >> 3] as number) >> (index & 7)) & 1) === 1;
const setBit = (bits: Uint8Array, index: number): void => {
  bits[index >> 3] = (bits[index >> 3] as number) | (1 << (index & 7));
};

type FixedType = ReturnType<(typeof FIXED)[keyof typeof FIXED][0]>;
type FixedValues = InstanceType<(typeof FIXED)[keyof typeof FIXED][1]>;

/** Values of a fixed width: copied as bytes. */
class FixedColumn implements Column {
  readonly #type: FixedType;
  readonly #bytes: Uint8Array;
  readonly #values: FixedValues;
  readonly #validity: Validity;

  constructor(type: FixedType, values: FixedValues, rows: number) {
    this.#type = type;
    this.#values = values;
    this.#bytes = new Uint8Array(values.buffer);
    this.#validity = new Validity(rows);
  }

  append(vector: duckdb.Vector, offset: number, count: number): void {
    const width = this.#values.BYTES_PER_ELEMENT;
    this.#bytes.set(duckdb.vector_get_data(vector, count * width), offset * width);
    this.#validity.append(vector, offset, count);
  }

  data(): Data {
    const length = this.#values.length;
    // The cast is safe: each pair of type and values comes from one row of FIXED.
    return makeData({
      type: this.#type as Float64,
      length,
      data: this.#values as Float64Array,
      ...this.#validity.parts(),
    });
  }
}

/** Booleans: a byte each in DuckDB, a bit each in Arrow. */
class BoolColumn implements Column {
  readonly #rows: number;
  readonly #bits: Uint8Array;
  readonly #validity: Validity;

  constructor(rows: number) {
    this.#rows = rows;
    this.#bits = new Uint8Array(Math.ceil(rows / 8));
    this.#validity = new Validity(rows);
  }

  append(vector: duckdb.Vector, offset: number, count: number): void {
    const bytes = duckdb.vector_get_data(vector, count);
    for (let i = 0; i < count; i++) if (bytes[i] !== 0) setBit(this.#bits, offset + i);
    this.#validity.append(vector, offset, count);
  }

  data(): Data {
    return makeData({
      type: new Bool(),
      length: this.#rows,
      data: this.#bits,
      ...this.#validity.parts(),
    });
  }
}

/** Bytes of one string slot of DuckDB: the length, then the text if it has at most 12 bytes, else a prefix and a pointer. */
const SLOT = 16;
const INLINE_MAX = 12;

/** Text: UTF-8 in both, so the bytes are copied and never decoded. */
class TextColumn implements Column {
  readonly #rows: number;
  readonly #offsets: Int32Array;
  readonly #validity: Validity;
  #bytes = new Uint8Array(1024);
  #used = 0;

  constructor(rows: number) {
    this.#rows = rows;
    this.#offsets = new Int32Array(rows + 1);
    this.#validity = new Validity(rows);
  }

  append(vector: duckdb.Vector, offset: number, count: number): void {
    const slots = duckdb.vector_get_data(vector, count * SLOT);
    const view = new DataView(slots.buffer, slots.byteOffset, slots.byteLength);
    const words = duckdb.vector_get_validity(vector, Math.ceil(count / 64) * 8) as Uint8Array | null;
    for (let i = 0; i < count; i++) {
      // The slot of a null is not initialised: it may hold an invalid pointer.
      if (words === null || getBit(words, i)) this.#add(slots, view, i * SLOT);
      this.#offsets[offset + i + 1] = this.#used;
    }
    this.#validity.append(vector, offset, count);
  }

  #add(slots: Uint8Array, view: DataView, slot: number): void {
    const length = view.getUint32(slot, true);
    const end = this.#used + length;
    if (end > UTF8_MAX) {
      throw new EngineError("bad_query", "Cannot return more than 2 GiB of text in one column", {
        hint: "Select fewer rows.",
      });
    }
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    if (length <= INLINE_MAX) {
      for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = slots[slot + 4 + i] as number;
    } else {
      const pointer = slots.byteOffset + slot + 8;
      this.#bytes.set(duckdb.get_data_from_pointer(slots.buffer as ArrayBuffer, pointer, length), this.#used);
    }
    this.#used = end;
  }

  data(): Data {
    return makeData({
      type: new Utf8(),
      length: this.#rows,
      valueOffsets: this.#offsets,
      data: this.#bytes.subarray(0, this.#used),
      ...this.#validity.parts(),
    });
  }
}

/** The table as Arrow IPC: `stream` as the API serves it, `file` as the lake keeps it. */
export function tableToBytes(table: Table, form: "stream" | "file"): Uint8Array {
  return tableToIPC(table, form);
}

/** Reads Arrow IPC of either form. @throws when the bytes are not Arrow IPC */
export function tableFromBytes(bytes: Uint8Array): Table {
  return tableFromIPC(bytes);
}

/**
 * The rows as JSON can hold them: times as ISO 8601 UTC, dates as `2026-01-31`, 64-bit integers as numbers (as text where a
 * number would be inexact), NaN and infinities null.
 */
export function rowsOf(table: Table): Record<string, unknown>[] {
  const rows: Record<string, unknown>[] = Array.from({ length: table.numRows }, () => ({}));
  for (const [index, field] of table.schema.fields.entries()) {
    const vector = table.getChildAt(index);
    const convert = converterFor(field.type);
    let row = 0;
    for (const value of vector ?? []) (rows[row++] as Record<string, unknown>)[field.name] = convert(value);
  }
  return rows;
}

function converterFor(type: DataType): (value: unknown) => unknown {
  if (DataType.isTimestamp(type)) {
    // Formatting a time is slow, and consecutive rows often have the same one.
    let last: unknown = null;
    let text: string | null = null;
    return (value) => {
      if (value !== last) {
        last = value;
        text = value === null ? null : formatTimestamp(Number(value));
      }
      return text;
    };
  }
  if (DataType.isDate(type)) {
    return (value) => (value === null ? null : formatTimestamp(Number(value)).slice(0, 10));
  }
  return (value) => {
    if (typeof value === "bigint") {
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : String(value);
    }
    return typeof value === "number" && !Number.isFinite(value) ? null : (value ?? null);
  };
}
