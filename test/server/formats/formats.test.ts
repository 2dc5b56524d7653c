import { describe, expect, test } from "bun:test";
import {
  Bool,
  Float64,
  Int64,
  Table,
  TimestampMicrosecond,
  Utf8,
  makeData,
  makeVector,
  tableFromIPC,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { type Column, arrowOf, csvLine, csvOf } from "../../../server/formats/formats.ts";
import { rangesBy, take } from "../../../server/formats/table-slices.ts";
import { unitsOf } from "../../../server/formats/column-units.ts";
import { NOW } from "../../support/fake-services.ts";

/** Reads CSV by RFC 4180: the way back of csvLine(). */
function parseCsv(text: string): string[][] {
  const lines: string[][] = [];
  let cells: string[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  for (let match = cell.exec(text); match !== null; match = cell.exec(text)) {
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    lines.push(cells);
    cells = [];
  }
  return lines;
}

describe("csvLine()", () => {
  test("comes back through a reader of RFC 4180 as it was", () => {
    const values = ["plain", 'say "hi"', "a,b", "two\r\nlines", "São Paulo", "", " spaced "];
    expect(parseCsv(csvLine(values))).toEqual([values]);
  });
  test("leaves null empty and numbers as they are", () => {
    expect(csvLine([null, undefined, 0, -1.5, true, 1e21])).toBe(",,0,-1.5,true,1e+21\r\n");
  });
  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])("keeps a spreadsheet from running %p", (text) => {
    expect(parseCsv(csvLine([text]))).toEqual([[`'${text}`]]);
  });
});

describe("arrowOf()", () => {
  const columns: readonly Column[] = [
    ["at", "timestamp"],
    ["city", "string"],
    ["value", "double"],
    ["offset", "bigint"],
    ["stale", "boolean"],
  ];
  test("comes back as it was, nulls and absent cells included", () => {
    const rows = [
      { at: "2026-01-31T12:00:00Z", city: "São Paulo", value: -0.1, offset: 2 ** 53 - 1, stale: true },
      { at: null, city: null, value: null, offset: null, stale: null },
      { city: "" },
    ];
    const table = tableFromIPC(arrowOf(columns, rows, { kind: "observed" }));
    expect(table.getChild("at")?.toJSON()).toEqual([NOW, null, null]);
    expect(table.getChild("city")?.toJSON()).toEqual(["São Paulo", null, ""]);
    expect(table.getChild("value")?.toJSON()).toEqual([-0.1, null, null]);
    expect(table.getChild("offset")?.toJSON()).toEqual([9007199254740991n, null, null]);
    expect(table.getChild("stale")?.toJSON()).toEqual([true, null, null]);
    expect(table.schema.metadata.get("kind")).toBe("observed");
  });
  test("of no rows still has the columns, in Arrow and in CSV", () => {
    const table = tableFromIPC(arrowOf(columns, [], {}));
    expect([table.numRows, table.schema.names]).toEqual([0, columns.map(([name]) => name)]);
    expect(csvOf(columns, [])).toBe("at,city,value,offset,stale\r\n");
  });
  test("of a column that is all null keeps its type", () => {
    const table = tableFromIPC(arrowOf([["value", "double"]], [{ value: null }], {}));
    expect([String(table.schema.fields[0]?.type), table.getChild("value")?.toJSON()]).toEqual([
      "Float64",
      [null],
    ]);
  });
});

describe("rangesBy()", () => {
  test("finds each value's rows as ranges, across the slices it works in", async () => {
    const names = Array.from({ length: 2_500 }, (_, i) => (i < 1_200 ? "a" : i % 2 === 0 ? "b" : "c"));
    const ranges = await rangesBy(new Table({ city: vectorFromArray(names, new Utf8()) }), "city");
    expect(ranges.get("a")).toEqual([[0, 1_200]]);
    expect(ranges.get("b")?.slice(0, 2)).toEqual([
      [1_200, 1_201],
      [1_202, 1_203],
    ]);
    expect([ranges.get("b")?.length, ranges.get("c")?.length]).toEqual([650, 650]);
  });
});

describe("take()", () => {
  test("takes rows as they are, across batches, nulls and fractions of a millisecond included", () => {
    const part = (first: number) =>
      new Table({
        word: vectorFromArray(["a", null, "c"], new Utf8()),
        real: vectorFromArray([first, null, first + 2], new Float64()),
        big: vectorFromArray([1n, 2n ** 60n, null], new Int64()),
        flag: vectorFromArray([true, null, false], new Bool()),
        at: makeVector(
          makeData({
            type: new TimestampMicrosecond("UTC"),
            length: 3,
            nullCount: 0,
            data: new BigInt64Array([1_769_860_800_000_001n, 2n, BigInt(first)]),
          }),
        ),
      });
    const table = part(0).concat(part(10), part(20));
    const taken = tableFromIPC(
      tableToIPC(
        take(table, [
          [0, 2],
          [4, 7],
        ]),
      ),
    );
    expect(taken.schema.fields.map(String)).toEqual(table.schema.fields.map(String));
    expect(taken.getChild("word")?.toJSON()).toEqual(["a", null, null, "c", "a"]);
    expect(taken.getChild("real")?.toJSON()).toEqual([0, null, null, 12, 20]);
    expect(taken.getChild("big")?.toJSON()).toEqual([1n, 2n ** 60n, 2n ** 60n, null, 1n]);
    expect(taken.getChild("flag")?.toJSON()).toEqual([true, null, null, false, true]);
    const micros = taken.getChild("at")?.data[0]?.values as BigInt64Array;
    expect([...micros].slice(0, 5)).toEqual([1_769_860_800_000_001n, 2n, 2n, 10n, 1_769_860_800_000_001n]);
  });
  test("of no ranges has the columns and no rows", () => {
    const table = new Table({ n: vectorFromArray([1, 2]), city: vectorFromArray(["a", "b"], new Utf8()) });
    const taken = tableFromIPC(tableToIPC(take(table, [])));
    expect([taken.numRows, taken.schema.names]).toEqual([0, ["n", "city"]]);
  });
});

describe("unitsOf()", () => {
  test("knows an observation's columns and what is computed from them, and nothing else", () => {
    expect(
      unitsOf([
        "city",
        "temperature",
        "temperature_p95",
        "mean_wind_speed",
        "rain_total",
        "temperature_n",
        "rain_total_mm",
        "temperature_z",
        "n",
      ]),
    ).toEqual({
      temperature: "°C",
      temperature_p95: "°C",
      mean_wind_speed: "m/s",
      rain_total: "mm",
      rain_total_mm: "mm",
    });
  });
  test("gives what has no variable in its name the unit of the job's subject", () => {
    expect(
      unitsOf(["value", "expected", "upper", "z_score", "samples", "baseline_mean"], "temperature_bounds"),
    ).toEqual({
      value: "°C",
      expected: "°C",
      upper: "°C",
      baseline_mean: "°C",
    });
    expect(unitsOf(["value", "upper"], "city_statistics")).toEqual({});
  });
});
