import { beforeEach, describe, expect, test } from "bun:test";
import { tableFromArrays } from "apache-arrow";
import { codeOf, LakeError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { Results } from "../../../jobs/analytics/results.ts";
import { rowsOf, tableFromBytes } from "../../../spark/arrow.ts";
import { MemoryLake } from "../../support/memory-lake.ts";

let lake: MemoryLake;
let lines: string[];
let results: Results;
beforeEach(() => {
  lake = new MemoryLake();
  lines = [];
  const logger = createLogger({ level: "error", format: "json", write: (line) => lines.push(line) });
  results = new Results({ lake, logger });
});

const info = (run: string, job = "trends") => ({
  job,
  run,
  generated_at: "2026-01-31T12:00:00Z",
  engine: "DuckDB 1.5.6",
  commits: { "0": 42 },
  watermark: "2026-01-31T11:55:00Z",
  rows_read: 7,
  duration_ms: 3,
  query: "abc",
});
const table = (value: number) => tableFromArrays({ value: new Float64Array([value]) });
const put = (run: string, value = 0) => results.put(info(run), table(value));
const names = () => [...lake.files.keys()].sort();

describe("Results", () => {
  test("latest() gives what put() kept, with its rows and facts", async () => {
    const kept = await put("a", 1.5);
    expect(names()).toEqual(["results/trends/000000001-a.arrow", "results/trends/000000001.json"]);
    const found = await results.latest("trends");
    expect(found).toMatchObject(info("a"));
    for (const result of [kept, found]) {
      expect(rowsOf(result?.table ?? table(0))).toEqual([{ value: 1.5 }]);
      expect(rowsOf(tableFromBytes(result?.arrow ?? new Uint8Array()))).toEqual([{ value: 1.5 }]);
    }
    const file = lake.files.get("results/trends/000000001-a.arrow") ?? new Uint8Array();
    expect(new TextDecoder().decode(file.subarray(0, 6))).toBe("ARROW1");
  });

  test("latest() is null before the first, and keeps jobs apart", async () => {
    await put("a");
    expect(await results.latest("other")).toBeNull();
  });

  test("latest() takes the highest number, and reads nothing for a result that is known", async () => {
    await put("a", 1);
    const newest = await put("b", 2);
    expect((await results.latest("trends"))?.run).toBe("b");
    const read: string[] = [];
    lake.fault = (method, path) => void (method === "read" && read.push(path));
    expect(await results.latest("trends", newest)).toBe(newest);
    expect(read).toEqual(["results/trends/000000002.json"]);
  });

  test("put() keeps the newest ten and deletes each older pointer before its file", async () => {
    const deleted: string[] = [];
    lake.fault = (method, path) => void (method === "delete" && deleted.push(path));
    for (let i = 1; i <= 12; i++) await put(`r${i}`);
    expect(names().filter((name) => name.endsWith(".json"))).toHaveLength(10);
    expect(names().filter((name) => name.endsWith(".arrow"))).toHaveLength(10);
    expect(deleted).toEqual([
      "results/trends/000000001.json",
      "results/trends/000000001-r1.arrow",
      "results/trends/000000002.json",
      "results/trends/000000002-r2.arrow",
    ]);
  });

  test("put() keeps every twelfth of the 600 newest too where it is told to, and past() reads all, newest first", async () => {
    for (let i = 1; i <= 640; i++) await results.put(info(`r${i}`), table(i), { every: 12, of: 600 });
    const kept = names().filter((name) => name.endsWith(".json"));
    const numbers = kept.map((name) => Number(name.slice(-14, -5)));
    expect(numbers).toEqual([
      ...Array.from({ length: 49 }, (_, i) => 48 + i * 12),
      ...Array.from({ length: 10 }, (_, i) => 631 + i),
    ]);
    expect(names()).toHaveLength(2 * numbers.length);
    lake.files.set("results/trends/000000636.json", new TextEncoder().encode("{"));
    lake.files.delete("results/trends/000000624-r624.arrow");
    const read: unknown[] = [];
    for await (const { run, table: rows } of results.past("trends")) read.push([run, rowsOf(rows)[0]?.value]);
    const whole = numbers.toReversed().filter((number) => number !== 636 && number !== 624);
    expect(read).toEqual(whole.map((number) => [`r${number}`, number]));
    expect(lines).toHaveLength(1);
  });

  test("put() deletes old files that no pointer ever came for", async () => {
    lake.files.set("results/trends/000000001-crashed.arrow", new Uint8Array(1));
    for (let i = 1; i <= 11; i++) await put(`r${i}`);
    expect(names()).not.toContain("results/trends/000000001-crashed.arrow");
  });

  test("put() takes the next number when another process took its own", async () => {
    await put("a");
    let other = true;
    lake.fault = (method, path) => {
      if (method !== "create" || !other) return;
      other = false;
      const pointer = lake.files.get("results/trends/000000001.json") ?? new Uint8Array();
      lake.files.set(path, pointer);
    };
    await put("b", 2);
    expect(names()).toEqual([
      "results/trends/000000001-a.arrow",
      "results/trends/000000001.json",
      "results/trends/000000002.json",
      "results/trends/000000003-b.arrow",
      "results/trends/000000003.json",
    ]);
    expect((await results.latest("trends"))?.run).toBe("b");
  });

  test("put() knows its own pointer after a lost answer", async () => {
    let lost = true;
    lake.fault = (method) => {
      if (method !== "create" || !lost) return;
      lost = false;
      return new LakeError("unclear", "the answer was lost");
    };
    await put("a");
    expect(names()).toEqual(["results/trends/000000001-a.arrow", "results/trends/000000001.json"]);
  });

  test("put() rejects when the lake is away", async () => {
    lake.fault = () => {
      throw new LakeError("unavailable", "away");
    };
    expect(await put("a").then(() => undefined, codeOf)).toBe("unavailable");
    expect(await results.latest("trends").then(() => undefined, codeOf)).toBe("unavailable");
  });

  test("latest() passes over what is damaged, missing or newer than the program, and says so", async () => {
    for (const run of ["a", "b", "c", "d", "e"]) await put(run);
    const path = (name: string) => `results/trends/${name}`;
    lake.files.set(path("000000005.json"), new TextEncoder().encode("{"));
    lake.files.delete(path("000000004-d.arrow"));
    const arrow = lake.files.get(path("000000003-c.arrow")) ?? new Uint8Array();
    arrow[arrow.length >> 1] = (arrow[arrow.length >> 1] ?? 0) ^ 1;
    const pointer = JSON.parse(new TextDecoder().decode(lake.files.get(path("000000002.json")))) as object;
    lake.files.set(
      path("000000002.json"),
      new TextEncoder().encode(JSON.stringify({ ...pointer, format: 2 })),
    );
    expect((await results.latest("trends"))?.run).toBe("a");
    expect(lines).toHaveLength(4);
    for (const [index, reason] of [/JSON/, /no such file/, /checksum/, /format is 2/].entries()) {
      expect(lines[index]).toMatch(reason);
      expect(lines[index]).toContain(`00000000${5 - index}.json`);
    }
  });
});
