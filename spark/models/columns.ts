import {
  type Data,
  Field,
  Float64,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMicrosecond,
  Utf8,
} from "apache-arrow";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";

/** A column of a model's result, in the types the engines give. Every column may hold nulls. */
export type ModelColumn =
  | { type: "text"; values: readonly (string | null)[] }
  /** NaN is null. */
  | { type: "double"; values: Float64Array }
  | { type: "int"; values: Int32Array }
  /** Milliseconds since the epoch; NaN is null. */
  | { type: "timestamp"; values: Float64Array };

/**
 * An Arrow table of one batch from columns of equal length, in the given order. It yields to the event loop after each
 * column.
 *
 * @throws EngineError `cancelled` after `signal` aborts
 */
export async function tableOf(
  columns: Readonly<Record<string, ModelColumn>>,
  signal?: AbortSignal,
): Promise<Table> {
  const data: Data[] = [];
  for (const column of Object.values(columns)) {
    data.push(dataOf(column));
    await yieldToEventLoop(signal);
  }
  const schema = new Schema(Object.keys(columns).map((name, i) => new Field(name, data[i]!.type, true)));
  const length = data[0]?.length ?? 0;
  const struct = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children: data });
  return new Table(schema, [new RecordBatch(schema, struct)]);
}

function dataOf({ type, values }: ModelColumn): Data {
  const { length } = values;
  if (type === "text") return textOf(values);
  if (type === "int") return makeData({ type: new Int32(), length, nullCount: 0, data: values });
  const nulls = nullsOf(length, (i) => Number.isNaN(values[i]));
  if (type === "double") return makeData({ type: new Float64(), length, data: values, ...nulls });
  const data = BigInt64Array.from(values, (ms) => (Number.isNaN(ms) ? 0n : BigInt(ms) * 1000n));
  return makeData({ type: new TimestampMicrosecond("UTC"), length, data, ...nulls });
}

/** Arrow's UTF-8 column. A value that repeats is encoded once. */
function textOf(values: readonly (string | null)[]): Data {
  const encoder = new TextEncoder();
  const known = new Map<string, Uint8Array>();
  const parts: Uint8Array[] = [];
  const valueOffsets = new Int32Array(values.length + 1);
  for (const [i, value] of values.entries()) {
    let bytes = known.get(value ?? "");
    if (bytes === undefined) known.set(value ?? "", (bytes = encoder.encode(value ?? "")));
    parts.push(bytes);
    valueOffsets[i + 1] = valueOffsets[i]! + bytes.length;
  }
  const data = new Uint8Array(valueOffsets[values.length]!);
  for (const [i, bytes] of parts.entries()) data.set(bytes, valueOffsets[i]);
  const nulls = nullsOf(values.length, (i) => values[i] === null);
  return makeData({ type: new Utf8(), length: values.length, valueOffsets, data, ...nulls });
}

/** Arrow's validity bitmap: one bit a row, least significant bit first, set where there is a value. */
function nullsOf(length: number, isNull: (row: number) => boolean) {
  const nullBitmap = new Uint8Array(Math.ceil(length / 8));
  let nullCount = 0;
  for (let i = 0; i < length; i++) {
    if (isNull(i)) nullCount++;
    else nullBitmap[i >> 3]! |= 1 << (i & 7);
  }
  return { nullCount, nullBitmap };
}
