import { expect, test } from "bun:test";
import { rowsOf, tableFromBytes, tableToBytes } from "../../../spark/arrow.ts";
import { tableOf } from "../../../spark/models/columns.ts";

test("tableOf() keeps values and nulls of every type, also through IPC", async () => {
  const columns = {
    name: { type: "text", values: ["Zürich", null, "", "東京", "Zürich", null, "a", "b", "c"] },
    value: { type: "double", values: Float64Array.of(1.5, NaN, -0.25, 0, 1, 2, 3, 4, NaN) },
    count: { type: "int", values: Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8, -9) },
    time: { type: "timestamp", values: Float64Array.of(0, NaN, 1.7e12, -3_600_000, 1, 2, 3, 4, 5) },
  } as const;
  const table = await tableOf(columns);
  expect(String(table.schema)).toBe(
    "Schema<{ 0: name: Utf8, 1: value: Float64, 2: count: Int32, 3: time: Timestamp<MICROSECOND, UTC> }>",
  );
  const rows = rowsOf(table);
  expect(rows.map(({ name }) => name)).toEqual([...columns.name.values]);
  expect(rows.map(({ value }) => value)).toEqual([1.5, null, -0.25, 0, 1, 2, 3, 4, null]);
  expect(rows.map(({ count }) => count)).toEqual([...columns.count.values]);
  expect(rows.slice(0, 4).map(({ time }) => time)).toEqual([
    "1970-01-01T00:00:00Z",
    null,
    "2023-11-14T22:13:20Z",
    "1969-12-31T23:00:00Z",
  ]);
  expect(rowsOf(tableFromBytes(tableToBytes(table, "stream")))).toEqual(rows);
  expect((await tableOf({ name: { type: "text", values: [] } })).numRows).toBe(0);
});
