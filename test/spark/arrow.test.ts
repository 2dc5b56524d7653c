import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Table } from "apache-arrow";
import { codeOf } from "../../core/errors.ts";
import { rowsOf, tableFromBytes, tableToBytes } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Engine } from "../../spark/engine.ts";
import { LakeFolder } from "../support/lake-files.ts";

let engine: Engine;
let folder: LakeFolder;
beforeAll(async () => {
  folder = await LakeFolder.make();
  engine = await openDuckDb({ tempFolder: folder.path, threads: 2 });
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});
const select = (sql: string): Promise<Table> => engine.query(sql, { snapshot: { files: [] } });

/** Every type with and without nulls over more rows than a chunk holds, with chunk lengths that are no multiple of 8. */
const MIXED = `
  SELECT
    i AS big, cast(i AS int) AS small, cast(i % 100 AS smallint) AS tiny, i / 7e0 AS real, cast(i AS float) AS narrow,
    CASE WHEN i % 3 <> 0 THEN i END AS gaps, CASE WHEN i % 5 <> 1 THEN i % 2 = 0 END AS flag,
    CASE WHEN i % 7 <> 2 THEN repeat('é', cast(i % 20 AS int)) END AS text,
    cast('2026-01-01' AS date) + cast(i AS int) AS day,
    timestamptz '2026-01-01T00:00:00Z' + i * INTERVAL 1 SECOND AS time, cast(NULL AS double) AS nothing
  FROM (SELECT unnest(range(part * 1000, part * 1000 + 777)) AS i FROM range(7) AS parts(part)) ORDER BY i`;

describe("tableFromDuckDb()", () => {
  test("takes over every type, nulls included, across chunks", async () => {
    const rows = rowsOf(await select(MIXED));
    expect(rows).toHaveLength(7 * 777);
    rows.forEach((found, index) => {
      const i = Math.floor(index / 777) * 1000 + (index % 777);
      const wanted = {
        big: i,
        small: i,
        tiny: i % 100,
        real: i / 7,
        narrow: i,
        gaps: i % 3 !== 0 ? i : null,
        flag: i % 5 !== 1 ? i % 2 === 0 : null,
        text: i % 7 !== 2 ? "é".repeat(i % 20) : null,
        day: new Date(Date.UTC(2026, 0, 1 + i)).toISOString().slice(0, 10),
        time: new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString().replace(".000", ""),
        nothing: null,
      };
      if (!Bun.deepEquals(found, wanted)) expect({ i, ...found }).toEqual({ i, ...wanted });
    });
  });

  test("counts the nulls of each column", async () => {
    const table = await select(
      "SELECT CASE WHEN range % 4 = 0 THEN 'x' END AS x, range AS y FROM range(10000)",
    );
    expect([table.getChild("x")?.nullCount, table.getChild("y")?.nullCount]).toEqual([7500, 0]);
  });

  test("puts validity right where chunks end between bytes, and where only some of them have nulls", async () => {
    const part = (from: number, count: number, value: string) =>
      `SELECT ${value} AS v FROM range(${from}, ${from + count})`;
    const parts = [
      part(0, 3, "range"),
      part(3, 5, "NULL"),
      part(8, 2050, "range"),
      part(2058, 1, "NULL"),
      part(2059, 9, "range"),
    ];
    const found = rowsOf(await select(parts.join(" UNION ALL "))).map(({ v }) => v);
    const wanted = Array.from({ length: 2068 }, (_, i) => ((i >= 3 && i < 8) || i === 2058 ? null : i));
    expect(found).toEqual(wanted);
  });

  test("keeps a table without rows and its types", async () => {
    const table = await select("SELECT 1 AS a, 'x' AS b, true AS c WHERE false");
    expect([table.numRows, table.schema.fields.map(({ type }) => String(type))]).toEqual([
      0,
      ["Int32", "Utf8", "Bool"],
    ]);
  });

  test("refuses types that would lose digits, naming the column", async () => {
    for (const sql of [
      "SELECT sum(range) AS total FROM range(3)",
      "SELECT 0.1 AS total",
      "SELECT [1] AS total",
    ]) {
      const error = await select(sql).then(
        () => undefined,
        (thrown: Error) => thrown,
      );
      expect(codeOf(error)).toBe("bad_query");
      expect(error?.message).toMatch(/column "total" of type/);
    }
  });
});

describe("tableToBytes()", () => {
  test("writes a stream and a file that tableFromBytes() reads alike", async () => {
    const table = await select(MIXED);
    const stream = tableToBytes(table, "stream");
    const file = tableToBytes(table, "file");
    expect(new TextDecoder().decode(file.subarray(0, 6))).toBe("ARROW1");
    expect(new TextDecoder().decode(stream.subarray(0, 6))).not.toBe("ARROW1");
    const rows = rowsOf(table);
    expect(rowsOf(tableFromBytes(stream))).toEqual(rows);
    expect(rowsOf(tableFromBytes(file))).toEqual(rows);
  });

  test("keeps 64-bit integers and microseconds exact", async () => {
    const table = await select(
      "SELECT cast(9007199254740993 AS bigint) AS big, timestamptz '2026-01-01T00:00:00.123456Z' AS time",
    );
    const again = tableFromBytes(tableToBytes(table, "file"));
    expect(again.getChild("big")?.get(0)).toBe(9007199254740993n);
    expect(again.getChild("time")?.data[0]?.values).toEqual(new BigInt64Array([1767225600123456n]));
  });
});

describe("rowsOf()", () => {
  test("gives what JSON can hold", async () => {
    const table = await select(`SELECT cast(9007199254740993 AS bigint) AS big, cast('nan' AS double) AS nan,
      cast('-inf' AS double) AS inf, timestamptz '1969-12-31T23:59:59.5Z' AS time, '' AS empty, cast(NULL AS date) AS day`);
    expect(rowsOf(table)).toEqual([
      {
        big: "9007199254740993",
        nan: null,
        inf: null,
        time: "1969-12-31T23:59:59.500Z",
        empty: "",
        day: null,
      },
    ]);
  });
});
