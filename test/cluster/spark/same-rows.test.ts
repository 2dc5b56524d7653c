import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { rowsOf } from "../../../spark/arrow.ts";
import type { SparkEngine } from "../../../spark/connect/engine.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Argument, Engine, Snapshot, SnapshotFile } from "../../../spark/engine.ts";
import { defaultArguments, readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";
import { LakeFolder, observations } from "../../support/lake-files.ts";
import { faultyWeather, QUALITY_CITIES, QUALITY_STATIONS } from "../../spark/quality-data.ts";
import { expectRows } from "../../spark/reference.ts";
import { type TestServer, testServer } from "./server.ts";

const jobs = await readSqlJobs();
const views = await analysisViews({ cities: QUALITY_CITIES, stations: QUALITY_STATIONS });

let spark: TestServer;
let onSpark: SparkEngine;
let duckDb: Engine;
let folder: LakeFolder;
let mixed: Snapshot;

beforeAll(async () => {
  spark = await testServer();
  await spark.server.start();
  onSpark = await spark.open();
  folder = await LakeFolder.make();
  duckDb = await openDuckDb({ tempFolder: join(folder.path, "duckdb"), threads: 2 });
  mixed = await mixedFiles();
});
afterAll(async () => {
  await onSpark.close();
  await duckDb.close();
  await spark.remove();
  await folder.remove();
});

/** Days as JSONL, as Parquet of DuckDB's and as Parquet of Spark's, with revisions, nulls and gaps in each. */
async function mixedFiles(): Promise<Snapshot> {
  const { files } = await folder.snapshot(observations(45, 7).rows);
  const days = [...Map.groupBy(files, ({ date }) => date).values()];
  const kept: SnapshotFile[] = [];
  for (const [index, day] of days.entries()) {
    if (index < 5) kept.push(await folder.parquet(duckDb, day));
    else if (index < 10) kept.push(await folder.parquet(onSpark, day));
    else kept.push(...day);
  }
  return { files: kept };
}

describe("every job gives the same rows on DuckDB and on Spark", () => {
  for (const job of jobs) {
    const everything = Object.fromEntries(job.parameters.map(({ name }) => [name, null]));
    const variants: [string, Record<string, Argument>][] = [["as scheduled", defaultArguments(job)]];
    if (job.parameters.length > 0) variants.push(["over everything", everything]);
    for (const [variant, given] of variants) {
      test(`${job.name} ${variant}`, async () => {
        const run = (engine: Engine, snapshot: Snapshot) =>
          runJob(engine, job, { snapshot, views, arguments: given, background: true });
        const wanted = await run(duckDb, mixed);
        const found = await run(onSpark, mixed);
        expect(wanted.numRows).toBeGreaterThan(0);
        expect(String(found.schema)).toBe(String(wanted.schema));
        expectRows(rowsOf(found), rowsOf(wanted));
        const empty = await run(onSpark, { files: [] });
        expect(empty.numRows).toBe(0);
        expect(String(empty.schema)).toBe(String(wanted.schema));
      });
    }
  }
});

test("the view quality gives the same rows on DuckDB and on Spark, of weather with every kind of fault", async () => {
  const sql = "SELECT * FROM quality ORDER BY city, source, timestamp";
  for (const snapshot of [await folder.snapshot(faultyWeather(5)), mixed, { files: [] }]) {
    const wanted = await duckDb.query(sql, { snapshot, views, background: true });
    const found = await onSpark.query(sql, { snapshot, views, background: true });
    expect(String(found.schema)).toBe(String(wanted.schema));
    expectRows(rowsOf(found), rowsOf(wanted));
    expect(wanted.numRows > 0).toBe(snapshot.files.length > 0);
  }
});

test("a Parquet file of either engine holds the same rows for both", async () => {
  const sql = "SELECT * FROM observations ORDER BY timestamp, city, source";
  const rows = async (engine: Engine, snapshot: Snapshot) => {
    const table = await engine.query(sql, { snapshot });
    return { schema: String(table.schema), rows: rowsOf(table) };
  };
  const wanted = await rows(duckDb, mixed);
  expect(await rows(onSpark, mixed)).toEqual(wanted);
  const all = [await folder.parquet(duckDb, mixed.files), await folder.parquet(onSpark, mixed.files)];
  for (const file of all) {
    const snapshot = { files: [{ ...file, revisions: 1 }] };
    expect(await rows(duckDb, snapshot)).toEqual(wanted);
    expect(await rows(onSpark, snapshot)).toEqual(wanted);
  }
});
