import {
  type Data,
  DataType,
  type Float64,
  RecordBatch,
  Struct,
  Table,
  type Vector,
  makeData,
  vectorFromArray,
} from "apache-arrow";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";

/** Rows handled before others get their turn: about 10 ms. */
export const SLICE_ROWS = 1_000;

/** Where the rows of each value of a text column lie: ranges of row numbers, the end exclusive. */
export async function rangesBy(table: Table, column: string): Promise<Map<string, RowRange[]>> {
  const ranges = new Map<string, [number, number][]>();
  const vector = table.getChild(column);
  if (vector === null) return ranges;
  for (let i = 0; i < table.numRows; i++) {
    if (i % SLICE_ROWS === SLICE_ROWS - 1) await yieldToEventLoop();
    const value = String(vector.get(i));
    const own = ranges.get(value);
    const last = own?.at(-1);
    if (own === undefined) ranges.set(value, [[i, i + 1]]);
    else if (last?.[1] === i) last[1] = i + 1;
    else own.push([i, i + 1]);
  }
  return ranges;
}

/** Rows from `start` up to, not including, `end`. */
export type RowRange = readonly [start: number, end: number];

/** Some rows of a table as a table of the same columns, in one batch. */
export function take(table: Table, ranges: readonly RowRange[]): Table {
  const length = ranges.reduce((sum, [start, end]) => sum + end - start, 0);
  const { schema } = table;
  const children = schema.fields.map((_field, i) =>
    takeColumn(table.getChildAt(i) as Vector, ranges, length),
  );
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

function takeColumn(vector: Vector, ranges: readonly RowRange[], length: number): Data {
  const { type } = vector;
  const isPlain =
    DataType.isInt(type) || DataType.isFloat(type) || DataType.isTimestamp(type) || DataType.isDate(type);
  const first = vector.data[0];
  if (!isPlain || first === undefined) {
    const values: unknown[] = [];
    for (const [start, end] of ranges) for (let i = start; i < end; i++) values.push(vector.get(i));
    return vectorFromArray(values, type).data[0] ?? makeData({ type });
  }
  // The values as they are: a builder would take times through ms and lose what is finer. The compiler takes every plain
  // kind for doubles here.
  const Values = first.values.constructor as Float64ArrayConstructor;
  const data = new Values(length);
  const nullBitmap = new Uint8Array((length + 7) >> 3);
  let nullCount = length;
  let at = 0;
  let chunk = 0;
  let base = 0;
  for (const [start, end] of ranges) {
    for (let i = start; i < end; i++, at++) {
      let source = vector.data[chunk];
      while (source !== undefined && i >= base + source.length) {
        base += source.length;
        source = vector.data[++chunk];
      }
      if (source?.getValid(i - base) !== true) continue;
      data[at] = (source.values as Float64Array)[i - base] as number;
      nullBitmap[at >> 3] = (nullBitmap[at >> 3] ?? 0) | (1 << (at & 7));
      nullCount--;
    }
  }
  return makeData({ type: type as Float64, length, nullCount, nullBitmap, data });
}
