import {
  DataType,
  Field,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimeUnit,
  makeData,
  tableFromIPC,
} from "apache-arrow";
import { EngineError } from "../../core/errors.ts";

/**
 * Joins the Arrow batches of Spark's result into one table, with the types of the embedded engine: Timestamp(µs, UTC),
 * Timestamp(µs) without a zone, Date(day), Utf8, Bool, integers up to 64 bits and floating-point numbers, all nullable.
 *
 * @param batches each a whole Arrow IPC stream; at least one, since Spark sends the columns of an empty result too
 * @throws EngineError `bad_query` for a column of another type: cast it in the SQL
 */
export function tableFromSpark(batches: readonly Uint8Array[]): Table {
  let schema: Schema | undefined;
  const parts: RecordBatch[] = [];
  for (const bytes of batches) {
    const table = tableFromIPC(bytes);
    schema ??= new Schema(table.schema.fields.map(nullable));
    for (const { data } of table.batches) {
      if (data.length === 0) continue;
      const { length, children } = data;
      parts.push(
        new RecordBatch(
          schema,
          makeData({ type: new Struct(schema.fields), length, nullCount: 0, children }),
        ),
      );
    }
  }
  if (schema === undefined)
    throw new EngineError("unavailable", "Cannot read Spark's result: it has no columns");
  return parts.length === 0 ? new Table(schema) : new Table(schema, parts);
}

function nullable({ name, type }: Field): Field {
  const isKnown =
    DataType.isUtf8(type) ||
    DataType.isBool(type) ||
    DataType.isFloat(type) ||
    DataType.isInt(type) ||
    DataType.isDate(type) ||
    (DataType.isTimestamp(type) && type.unit === TimeUnit.MICROSECOND);
  // Decimals are refused too: their values would arrive unscaled.
  if (!isKnown) {
    throw new EngineError(
      "bad_query",
      `Cannot return the column "${name}" of type ${String(type)}: wanted a number, text, boolean or time`,
      { hint: "Cast it in the SQL: integer sums to bigint, decimals to double." },
    );
  }
  return new Field(name, type, true);
}
