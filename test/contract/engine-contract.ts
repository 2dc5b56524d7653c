import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { DataType } from "apache-arrow";
import { codeOf } from "../../core/errors.ts";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import {
  type Engine,
  OBSERVATION_COLUMNS,
  type QueryOptions,
  type Snapshot,
  type WritingEngine,
} from "../../spark/engine.ts";
import { valuesView } from "../../spark/values.ts";
import { LakeFolder, observations, row } from "../support/lake-files.ts";

/**
 * What every engine promises. Its files lie in a folder of this machine.
 *
 * @param open makes an engine for this suite alone, and the embedded one, which writes the files
 * @param options.endless a query that runs for hours and leaves the engine room for others
 */
export function engineContract(
  name: string,
  open: () => Promise<{ engine: Engine; writer: WritingEngine; cleanup(): Promise<void> }>,
  { endless = "SELECT count(*) AS n FROM range(1000000000000)" }: { endless?: string } = {},
): void {
  describe(`the engine ${name}`, () => {
    let engine: Engine;
    /** The engine that writes Parquet files: the embedded one. */
    let writer: WritingEngine;
    let cleanup: () => Promise<void>;
    let folder: LakeFolder;
    const empty: Snapshot = { files: [] };
    const query = async (sql: string, options: QueryOptions) => rowsOf(await engine.query(sql, options));
    const failure = (sql: string, options: QueryOptions): Promise<Error> =>
      engine.query(sql, options).then(
        () => new Error("it succeeded"),
        (error: Error) => error,
      );

    beforeAll(async () => {
      ({ engine, writer, cleanup } = await open());
      folder = await LakeFolder.make();
    });
    afterAll(async () => {
      await cleanup();
      await folder.remove();
    });

    test("has a name for people", () => {
      expect(engine.name).toMatch(/^[A-Z]\w+ \d/);
    });

    test("query() over an empty snapshot gives the columns of a row, in order, without a row", async () => {
      const table = await engine.query("SELECT * FROM observations", { snapshot: empty });
      expect(table.numRows).toBe(0);
      const types = table.schema.fields.map(({ name: column, type }) => [column, kindOf(type)]);
      expect(types).toEqual(OBSERVATION_COLUMNS.map(([column, type]) => [column, type]));
    });

    test("query() gives every column of a row as it was stored", async () => {
      const full = row({
        timestamp: "2026-01-01T06:00:00.250Z",
        temperature: -0.1,
        rainfall: null,
        weather_description: "Über \"x\" 'y' 東京, a text beyond twelve bytes",
        wind_direction: 270,
        dew_point: 1e-7,
        impossible: '{"clouds":"−1, \\"x\\""}',
        log_offset: 2 ** 40 + 1,
      });
      const snapshot = { files: [await folder.jsonl([full])] };
      const [found] = await query("SELECT * FROM observations", { snapshot });
      expect(found).toEqual({ ...full, wind_gust: null, clouds: null, visibility: null });
    });

    test("query() reads JSONL and Parquet files together", async () => {
      const parquet = await folder.parquet(writer, [await folder.jsonl([row({ log_offset: 1 })])]);
      const jsonl = await folder.jsonl([row({ city: "Tokyo", log_offset: 2 })]);
      const found = await query("SELECT city, log_offset, dew_point FROM observations ORDER BY log_offset", {
        snapshot: { files: [parquet, jsonl] },
      });
      expect(found).toEqual([
        { city: "London", log_offset: 1, dew_point: null },
        { city: "Tokyo", log_offset: 2, dew_point: null },
      ]);
    });

    test("query() reads the files of the snapshot and no others", async () => {
      await folder.jsonl([row({ city: "Nowhere" })]);
      const snapshot = { files: [await folder.jsonl([row()])] };
      expect(await query("SELECT city FROM observations", { snapshot })).toEqual([{ city: "London" }]);
      expect(await query("SELECT city FROM observations", { snapshot: empty })).toEqual([]);
    });

    test("query() leaves retracted rows out, and the revision before stands again", async () => {
      const source = "it's \\ 'csv";
      const retracted = [{ source, first: 3, last: 7 }];
      const first = await folder.jsonl([
        row({ source, temperature: 1, log_offset: 2 }),
        row({ source, city: "Tokyo", temperature: 2, log_offset: 3 }),
      ]);
      const second = await folder.jsonl([row({ source, temperature: 3, log_offset: 7 })], { revisions: 1 });
      // Of another partition, with the same offsets: nothing of it is retracted.
      const other = await folder.jsonl([row({ source, city: "Oslo", temperature: 4, log_offset: 7 })]);
      const parquet = await folder.parquet(writer, [first, second]);
      const sql = "SELECT city, temperature FROM observations ORDER BY city";
      const wanted = [
        { city: "London", temperature: 1 },
        { city: "Oslo", temperature: 4 },
      ];
      for (const files of [[first, second], [parquet]]) {
        const snapshot = { files: [...files.map((file) => ({ ...file, retracted })), other] };
        expect(await query(sql, { snapshot })).toEqual(wanted);
        const views = [{ name: "seen", sql: "SELECT * FROM observations" }];
        expect(await query(sql.replace("observations", "seen"), { snapshot, views })).toEqual(wanted);
        expect((await writer.compact(snapshot)).rows).toBe(2);
      }
      const all = { files: [parquet, other] };
      expect(await query(sql, { snapshot: all })).toHaveLength(3);
      expect((await writer.compact(all)).rows).toBe(4);
    });

    test("query() takes file names with quotes and pattern characters as they are", async () => {
      const name = "it's [a] *name? 100%.jsonl";
      const snapshot = { files: [await folder.jsonl([row()], { name })] };
      expect(await query("SELECT city FROM observations", { snapshot })).toEqual([{ city: "London" }]);
    });

    test("query() shows the newest revision, whichever file and format it lies in", async () => {
      const first = await folder.jsonl([
        row({ temperature: 1, log_offset: 1 }),
        row({ city: "Tokyo", log_offset: 2 }),
      ]);
      const second = await folder.jsonl([row({ temperature: 2, log_offset: 9 })], { revisions: 1 });
      const third = await folder.jsonl([row({ temperature: 3, log_offset: 5 })], { revisions: 1 });
      const other = await folder.jsonl([row({ source: "other", temperature: 4, log_offset: 4 })]);
      const sql = "SELECT city, temperature FROM observations WHERE source = 'test' ORDER BY city";
      const wanted = [
        { city: "London", temperature: 2 },
        { city: "Tokyo", temperature: 5.5 },
      ];
      expect(await query(sql, { snapshot: { files: [first, second, third, other] } })).toEqual(wanted);
      const parquet = await folder.parquet(writer, [second, third]);
      expect(await query(sql, { snapshot: { files: [first, parquet, other] } })).toEqual(wanted);
      const all = await folder.parquet(writer, [first, second, third, other]);
      expect(await query(sql, { snapshot: { files: [all] } })).toEqual(wanted);
      expect(all.rows).toBe(5);
    });

    test("query() shows views over the snapshot it is given, and those that read them", async () => {
      const rows = observations(2, 3).newest.slice(0, 12);
      const half = { files: [await folder.jsonl(rows.slice(0, 5))] };
      const both = { files: [...half.files, await folder.jsonl(rows.slice(5))] };
      const views = [
        valuesView(
          "names",
          [
            ["city", "string"],
            ["height", "double"],
          ],
          [...new Set(rows.map(({ city }) => city))].map((city) => [city, 1.5]),
        ),
        {
          name: "known",
          sql: "SELECT o.city, n.height FROM observations AS o\nJOIN names AS n ON n.city = o.city -- all",
        },
        { name: "counted", sql: "SELECT count(*) AS n, sum(height) AS sum FROM known" },
      ];
      const counts = async (snapshot: Snapshot, more = views) =>
        query("SELECT n, sum FROM counted", { snapshot, views: more });
      expect(await counts(half)).toEqual([{ n: 5, sum: 7.5 }]);
      expect(await counts(both)).toEqual([{ n: 12, sum: 18 }]);
      const none = valuesView(
        "names",
        [
          ["city", "string"],
          ["height", "double"],
        ],
        [],
      );
      expect(await counts(both, [none, ...views.slice(1)])).toEqual([{ n: 0, sum: null }]);
      expect(await query("SELECT count(*) AS n FROM observations", { snapshot: half })).toEqual([{ n: 5 }]);
      const bad = { snapshot: half, views: [{ name: "bad", sql: "SELECT nothing FROM observations" }] };
      expect(await engine.query("SELECT * FROM bad", bad).catch(codeOf)).toBe("bad_query");
      // What nobody reads is not looked at.
      expect(await query("SELECT 1 AS one", bad)).toEqual([{ one: 1 }]);
    });

    test("valuesView() keeps text, numbers, times and nulls as they are", async () => {
      const texts = ["Xi'an", "back\\slash\\'s", "Zürich – 東京", "a:b -- c", "''", ""];
      const view = valuesView(
        "facts",
        [
          ["place", "int"],
          ["text", "string"],
          ["number", "double"],
          ["time", "timestamp"],
        ],
        texts.map((text, i) => [i, text, i === 0 ? null : -i * 1e-7, Date.UTC(2026, 0, 1, i)]),
      );
      const sql =
        "SELECT place, text, number, cast(time AS string) AS time, length(text) AS n FROM facts ORDER BY place";
      expect(await query(sql, { snapshot: empty, views: [view] })).toEqual(
        texts.map((text, i) => ({
          place: i,
          text,
          number: i === 0 ? null : -i * 1e-7,
          time: `2026-01-01 0${i}:00:00`,
          n: text.length,
        })),
      );
    });

    test("query() joins days with and without revisions", async () => {
      const { rows, newest } = observations(3);
      const snapshot = await folder.snapshot(rows);
      const found = await query("SELECT * FROM observations", { snapshot });
      expect(sorted(found)).toEqual(sorted(newest.map(withOptional)));
    });

    test("query() gives each argument its value and type", async () => {
      const sql = `SELECT :text AS t, :whole + 0 AS w, :part + 0e0 AS p, :yes AS y, cast(:none AS int) IS NULL AS n,
        ':text' AS quoted, cast(:whole AS double) AS again -- :comment
        /* :comment */`;
      const found = await query(sql, {
        snapshot: empty,
        arguments: { text: "it's :whole", whole: 7, part: 0.25, yes: true, none: null },
      });
      expect(found).toEqual([
        { t: "it's :whole", w: 7, p: 0.25, y: true, n: true, quoted: ":text", again: 7 },
      ]);
    });

    test("query() rejects with bad_query for wrong SQL, arguments and statements", async () => {
      const cases: [string, QueryOptions["arguments"], RegExp][] = [
        ["SELEKT 1", {}, /SELEKT/],
        ["SELECT nothing FROM observations", {}, /nothing/],
        ["SELECT * FROM elsewhere", {}, /elsewhere/],
        ["SELECT :a + :b AS c", { a: 1 }, /:b/],
        ["SELECT :a AS a", { a: 1, b: 2 }, /:b/],
        ["DROP VIEW observations", {}, /wanted one SELECT/],
        ["SELECT 1 AS a; SELECT 2 AS b", {}, /wanted one SELECT/],
        ["", {}, /wanted one SELECT/],
        [`${"-- ".repeat(40)}\n ; /* none */`, {}, /wanted one SELECT/],
        [`${"-".repeat(80)}\nSELEKT 1`, {}, /SELEKT/],
      ];
      for (const [sql, given, message] of cases) {
        const error = await failure(sql, { snapshot: empty, arguments: given ?? {} });
        expect([sql, codeOf(error)]).toEqual([sql, "bad_query"]);
        expect(error.message).toMatch(message);
      }
      expect(await query("SELECT count(*) AS n FROM observations", { snapshot: empty })).toEqual([{ n: 0 }]);
    });

    test("query() rejects with unavailable when a file is gone or broken", async () => {
      const file = await folder.jsonl([row()]);
      const gone = { ...file, location: `${file.location}.gone` };
      const broken = await folder.jsonl([]);
      await Bun.write(broken.location, '{"timestamp": "2026-01-01T00:00:00Z", "city": "Lon');
      for (const one of [gone, broken]) {
        expect(
          codeOf(await failure("SELECT * FROM observations", { snapshot: { files: [file, one] } })),
        ).toBe("unavailable");
      }
    });

    test("query() counts in UTC", async () => {
      const snapshot = { files: [await folder.jsonl([row({ timestamp: "2026-07-01T23:30:00Z" })])] };
      const sql = `SELECT extract(hour FROM timestamp) AS h, date_trunc('day', timestamp) AS d,
        cast('2026-07-01T23:30:00Z' AS timestamp) = timestamp AS same FROM observations`;
      expect(await query(sql, { snapshot })).toEqual([{ h: 23, d: "2026-07-01T00:00:00Z", same: true }]);
    });

    test("query() rejects with cancelled when the signal aborts, before and while it runs", async () => {
      const snapshot = { files: [await folder.jsonl([row()])] };
      expect(codeOf(await failure(endless, { snapshot, signal: AbortSignal.abort() }))).toBe("cancelled");
      const abort = new AbortController();
      const running = failure(endless, { snapshot, signal: abort.signal, background: true });
      // Other queries are answered while it runs.
      expect(await query("SELECT count(*) AS n FROM observations", { snapshot })).toHaveLength(1);
      abort.abort();
      expect(codeOf(await running)).toBe("cancelled");
      expect(await query("SELECT 1 AS one", { snapshot: empty })).toEqual([{ one: 1 }]);
    });

    test("query() runs more queries at once than it has connections", async () => {
      const snapshot = { files: [await folder.jsonl([row()])] };
      const found = await Promise.all(
        Array.from({ length: 40 }, (_, i) =>
          query("SELECT :i + 0 AS i, count(*) AS n FROM observations", { snapshot, arguments: { i } }),
        ),
      );
      expect(found.map(([one]) => one)).toEqual(Array.from({ length: 40 }, (_, i) => ({ i, n: 1 })));
    });

    test("query() reports a progress that does not fall and ends with 1", async () => {
      const snapshot = await folder.snapshot(observations(3).rows);
      const shares: number[] = [];
      await engine.query("SELECT max(temperature) AS t FROM observations", {
        snapshot,
        progress: (share) => shares.push(share),
      });
      expect(shares.at(-1)).toBe(1);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
    });

    test("compact() keeps every row bit for bit, revisions included, in order", async () => {
      const awkward = [
        0.1 + 0.2,
        5e-324,
        1.7976931348623157e308,
        -0.1,
        1 / 3,
        123456789.12345679,
        2 ** 53 + 2,
      ];
      const rows: Row[] = awkward.map((temperature, i) =>
        row({
          temperature,
          visibility: -temperature,
          city: i % 2 === 0 ? "Tokyo" : "Köln",
          timestamp: `2026-01-01T0${i % 3}:00:00.00${i + 1}Z`,
          weather_main: i === 3 ? null : "Rain",
          log_offset: 2 ** 50 + i,
        }),
      );
      rows.push(...observations(2).rows);
      const parts = [rows.slice(0, 40), rows.slice(40)];
      const files = await Promise.all(parts.map((part) => folder.jsonl(part)));
      const parquet = await folder.parquet(writer, files);
      expect(parquet.rows).toBe(rows.length);
      const found = await query("SELECT * FROM observations", { snapshot: { files: [parquet] } });
      const wanted = sorted(rows.map(withOptional));
      expect(found).toEqual(wanted as Record<string, unknown>[]);
      const again = await folder.parquet(writer, [parquet]);
      expect(await query("SELECT * FROM observations", { snapshot: { files: [again] } })).toEqual(found);
    });

    test("compact() of nothing is a file without rows", async () => {
      const parquet = await folder.parquet(writer, []);
      expect(parquet.rows).toBe(0);
      expect(await query("SELECT * FROM observations", { snapshot: { files: [parquet] } })).toEqual([]);
    });

    test("compact() rejects with unavailable when a file is gone, and with cancelled when asked to", async () => {
      const file = await folder.jsonl([row()]);
      const fails = (snapshot: Snapshot, signal?: AbortSignal) =>
        writer.compact(snapshot, signal).then(() => undefined, codeOf);
      expect(await fails({ files: [{ ...file, location: `${file.location}.gone` }] })).toBe("unavailable");
      expect(await fails({ files: [file] }, AbortSignal.abort())).toBe("cancelled");
    });

    test("close() cancels what runs, and what comes after is refused", async () => {
      const { engine: other, cleanup: end } = await open();
      const snapshot = { files: [await folder.jsonl([row()])] };
      const running = other.query(endless, { snapshot });
      const outcome = running.then(() => undefined, codeOf);
      await other.close();
      expect(await outcome).toBe("cancelled");
      expect(await other.query("SELECT 1 AS a", { snapshot }).then(() => undefined, codeOf)).toBe(
        "unavailable",
      );
      await end();
    });
  });
}

function kindOf(type: DataType): string {
  if (DataType.isTimestamp(type)) return type.timezone === "UTC" ? "timestamp" : "timestamp without a zone";
  if (DataType.isUtf8(type)) return "string";
  if (DataType.isFloat(type)) return "double";
  return DataType.isInt(type) && type.bitWidth === 64 ? "bigint" : String(type);
}

/** A row as a query gives it: what is absent is null. */
function withOptional(one: Row): Record<string, unknown> {
  return { ...Object.fromEntries(OBSERVATION_COLUMNS.map(([column]) => [column, null])), ...one };
}

/** In the order of a compacted file: city, source, timestamp, offset. */
function sorted(rows: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  const compare = (a: unknown, b: unknown) =>
    typeof a === "number"
      ? a - (b as number)
      : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
  return [...rows].sort(
    (a, b) =>
      compare(a.city, b.city) ||
      compare(a.source, b.source) ||
      compare(Date.parse(String(a.timestamp)), Date.parse(String(b.timestamp))) ||
      compare(a.log_offset, b.log_offset),
  );
}
