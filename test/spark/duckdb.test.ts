import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../core/errors.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { engineContract } from "../contract/engine-contract.ts";
import { laterColumnContract } from "../contract/later-column-contract.ts";
import { LakeFolder, row } from "../support/lake-files.ts";

const opened = async (open: typeof openDuckDb) => {
  const folder = await LakeFolder.make();
  const engine = await open({ tempFolder: folder.path, threads: 2 });
  return {
    engine,
    writer: engine,
    cleanup: async () => {
      await engine.close();
      await folder.remove();
    },
  };
};

engineContract("DuckDB", () => opened(openDuckDb));
laterColumnContract(
  "DuckDB",
  () => opened(openDuckDb),
  async (program) => {
    const newer = await program.load<{ openDuckDb: typeof openDuckDb }>("spark/duckdb.ts");
    return opened(newer.openDuckDb);
  },
);

describe("openDuckDb()", () => {
  let folder: LakeFolder;
  beforeAll(async () => {
    folder = await LakeFolder.make();
  });
  afterAll(() => folder.remove());

  test("removes what a killed process left in its folder, and nothing else", async () => {
    const temp = join(folder.path, "left");
    await mkdir(join(temp, "spill-background"), { recursive: true });
    await writeFile(join(temp, "spill-background", "duckdb_temp_storage-0.tmp"), "x");
    await writeFile(join(temp, "compaction-0b61ae28-7f5b-4a37-9c5f-0e4f3f5e3a55.parquet"), "x");
    await writeFile(join(temp, "notes.txt"), "x");
    const engine = await openDuckDb({ tempFolder: temp });
    expect(await readdir(temp)).toEqual(["notes.txt"]);
    await engine.close();
  });

  test("leaves no file behind, whether a compaction succeeds or fails", async () => {
    const temp = join(folder.path, "clean");
    const engine = await openDuckDb({ tempFolder: temp });
    const file = await folder.jsonl([row()]);
    await engine.compact({ files: [file] });
    const broken = await folder.jsonl([row()]);
    await writeFile(broken.location, "not JSON");
    expect(await engine.compact({ files: [broken] }).then(() => undefined, codeOf)).toBe("unavailable");
    expect(await readdir(temp)).toEqual([]);
    await engine.close();
  });

  test("with `folders` reads nothing else of the machine", async () => {
    const inside = await folder.jsonl([row()]);
    const outside = await LakeFolder.make();
    const secret = await outside.jsonl([row()]);
    const engine = await openDuckDb({ tempFolder: join(folder.path, "fenced"), folders: [folder.path] });
    const outcome = (sql: string, location = inside.location) =>
      engine
        .query(sql, { snapshot: { files: [{ ...inside, location }] } })
        .then(({ numRows }) => numRows, codeOf);
    expect(await outcome("SELECT * FROM observations")).toBe(1);
    expect(await outcome("SELECT * FROM observations", secret.location)).toBe("unavailable");
    expect(await outcome(`SELECT * FROM read_text('${secret.location}')`)).toBe("unavailable");
    expect(await outcome(`SELECT * FROM '${folder.path}/../${secret.location}'`)).not.toBe(1);
    expect((await engine.compact({ files: [inside] })).rows).toBe(1);
    await engine.close();
    await outside.remove();
  });

  test("has no network and loads no extension", async () => {
    const engine = await openDuckDb({ tempFolder: join(folder.path, "alone") });
    const sql = "SELECT * FROM read_parquet('https://localhost:1/x.parquet')";
    const code = await engine.query(sql, { snapshot: { files: [] } }).then(() => undefined, codeOf);
    expect(["bad_query", "unavailable"]).toContain(code as string);
    const loaded = "SELECT extension_name AS name FROM duckdb_extensions() WHERE loaded ORDER BY name";
    const names = rowsOf(await engine.query(loaded, { snapshot: { files: [] } })).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["json", "parquet"]));
    expect(names).not.toContain("httpfs");
    await engine.close();
  });

  test("answers out_of_memory when a query needs more than there is, and goes on", async () => {
    const engine = await openDuckDb({
      tempFolder: join(folder.path, "small"),
      memoryLimit: "20MB",
      threads: 1,
    });
    const sql = "SELECT list(range) AS everything FROM range(20000000)";
    const query = (text: string) => engine.query(text, { snapshot: { files: [] }, background: true });
    expect(await query(sql).then(() => undefined, codeOf)).toBe("out_of_memory");
    expect(rowsOf(await query("SELECT 1 AS one"))).toEqual([{ one: 1 }]);
    await engine.close();
  });

  test("spills to its folder what its memory does not hold, and removes it", async () => {
    const temp = join(folder.path, "spills");
    const engine = await openDuckDb({ tempFolder: temp, memoryLimit: "60MB", threads: 2, folders: [temp] });
    const sql =
      "SELECT sum(n) AS n FROM (SELECT row_number() OVER (ORDER BY hash(range)) AS n FROM range(5000000))";
    const found = await engine.query(`SELECT cast(n AS double) AS n FROM (${sql})`, {
      snapshot: { files: [] },
      background: true,
    });
    expect(rowsOf(found)).toEqual([{ n: (5_000_000 * 5_000_001) / 2 }]);
    await engine.close();
    expect(await readdir(temp)).toEqual([]);
  });

  test("leaves threads to the file system and to other queries while long ones run in the background", async () => {
    const engine = await openDuckDb({ tempFolder: join(folder.path, "long") });
    const abort = new AbortController();
    const long = Array.from({ length: 4 }, () =>
      engine
        .query("SELECT sum(sqrt(range)) AS s FROM range(1000000000000)", {
          snapshot: { files: [] },
          signal: abort.signal,
          background: true,
        })
        .then(() => undefined, codeOf),
    );
    // Were they held, these would wait for the end of the queries, which is hours away.
    for (let i = 0; i < 10; i++) expect((await stat(folder.path)).isDirectory()).toBe(true);
    const file = await folder.jsonl([row()]);
    expect((await engine.query("SELECT * FROM observations", { snapshot: { files: [file] } })).numRows).toBe(
      1,
    );
    abort.abort();
    expect(await Promise.all(long)).toEqual(["cancelled", "cancelled", "cancelled", "cancelled"]);
    await engine.close();
  });

  test("refuses a folder that is not absolute or cannot be made", async () => {
    await writeFile(join(folder.path, "file"), "x");
    for (const tempFolder of ["relative", join(folder.path, "file", "below")]) {
      expect(await openDuckDb({ tempFolder }).then(() => undefined, codeOf)).toBe("unavailable");
    }
  });
});
