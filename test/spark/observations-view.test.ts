import { expect, test } from "bun:test";
import type { SnapshotFile } from "../../spark/engine.ts";
import { rowsSql } from "../../spark/observations-view.ts";

const parquet = (name: string, columns?: readonly string[]): SnapshotFile => ({
  location: `/lake/${name}.parquet`,
  format: "parquet",
  date: "2026-01-01",
  rows: 1,
  revisions: 0,
  ...(columns === undefined ? {} : { columns }),
});
/** The files of each scan, by name. */
const scans = (files: readonly SnapshotFile[]) =>
  [...rowsSql({ files }).matchAll(/read_parquet\(\[([^\]]*)\]/g)].map(([, list]) =>
    [...list!.matchAll(/(\w+)\.parquet/g)].map(([, name]) => name).join(),
  );

test("rowsSql() scans the Parquet files of the same columns at once, and each other set on its own", () => {
  expect(scans([parquet("a"), parquet("b"), parquet("c")])).toEqual(["a,b,c"]);
  const mixed = [
    parquet("a"),
    parquet("b", ["x"]),
    parquet("c"),
    parquet("d", ["x", "y"]),
    parquet("e", ["y", "x"]),
  ];
  expect(scans(mixed)).toEqual(["a,c", "b", "d,e"]);
});

test("rowsSql() names no column of a file that this program does not know", () => {
  expect(rowsSql({ files: [parquet("a", ["no such column"])] })).toBe(rowsSql({ files: [parquet("a")] }));
});
