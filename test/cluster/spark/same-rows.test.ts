import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { rowsOf } from "../../../spark/arrow.ts";
import type { SparkEngine } from "../../../spark/connect/engine.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Argument, Engine, Snapshot, SnapshotFile, WritingEngine } from "../../../spark/engine.ts";
import { overVerdicts } from "../../../spark/judging.ts";
import { defaultArguments, readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";
import { judgedFiles } from "../../support/judging.ts";
import { LakeFolder, observations } from "../../support/lake-files.ts";
import { faultyWeather, QUALITY_CITIES, QUALITY_STATIONS } from "../../spark/quality-data.ts";
import { expectRows } from "../../spark/reference.ts";
import { type TestServer, testServer } from "./server.ts";

const jobs = await readSqlJobs();
const views = await analysisViews({ cities: QUALITY_CITIES, stations: QUALITY_STATIONS });

let spark: TestServer;
let onSpark: SparkEngine;
let duckDb: WritingEngine;
let folder: LakeFolder;
let mixed: Snapshot;
/** The same rows with their flags. */
let judged: Snapshot;

beforeAll(async () => {
  spark = await testServer();
  await spark.server.start();
  onSpark = await spark.open();
  folder = await LakeFolder.make();
  duckDb = await openDuckDb({ tempFolder: join(folder.path, "duckdb"), threads: 2 });
  mixed = await mixedFiles();
  judged = await judgedFiles(duckDb, folder.path, mixed, views);
});
afterAll(async () => {
  await onSpark.close();
  await duckDb.close();
  await spark.remove();
  await folder.remove();
});

/** Days as JSONL and as Parquet, with revisions, nulls and gaps in each. */
async function mixedFiles(): Promise<Snapshot> {
  const { files } = await folder.snapshot(observations(45, 7).rows);
  const days = [...Map.groupBy(files, ({ date }) => date).values()];
  const kept: SnapshotFile[] = [];
  for (const [index, day] of days.entries()) {
    if (index < 10) kept.push(await folder.parquet(duckDb, day));
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
          runJob(engine, job, {
            snapshot,
            judged: snapshot,
            views: overVerdicts(views),
            arguments: given,
            background: true,
          });
        const wanted = await run(duckDb, judged);
        const found = await run(onSpark, judged);
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

test("the view judged gives the same rows on DuckDB and on Spark, of weather with every kind of fault", async () => {
  const sql = "SELECT * FROM judged ORDER BY city, source, timestamp";
  const faulty = await judgedFiles(duckDb, folder.path, await folder.snapshot(faultyWeather(5)), views);
  for (const files of [faulty, judged, { files: [] }]) {
    const wanted = await duckDb.query(sql, { snapshot: { files: [] }, judged: files, background: true });
    const found = await onSpark.query(sql, { snapshot: { files: [] }, judged: files, background: true });
    expect(String(found.schema)).toBe(String(wanted.schema));
    expectRows(rowsOf(found), rowsOf(wanted));
    expect(wanted.numRows > 0).toBe(files.files.length > 0);
  }
});

test("the view observations gives the same rows on DuckDB and on Spark", async () => {
  const sql = "SELECT * FROM observations ORDER BY timestamp, city, source";
  const rows = async (engine: Engine, snapshot: Snapshot) => {
    const table = await engine.query(sql, { snapshot });
    return { schema: String(table.schema), rows: rowsOf(table) };
  };
  const wanted = await rows(duckDb, mixed);
  expect(await rows(onSpark, mixed)).toEqual(wanted);
  expect(await rows(onSpark, judged)).toEqual(wanted);
});
