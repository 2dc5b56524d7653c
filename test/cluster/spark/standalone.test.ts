import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { rowsOf } from "../../../spark/arrow.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import { readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";
import { overVerdicts } from "../../../spark/judging.ts";
import { judgedFiles } from "../../support/judging.ts";
import { LakeFolder, observations } from "../../support/lake-files.ts";
import { expectRows } from "../../spark/reference.ts";
import { type TestServer, testServer } from "./server.ts";

let spark: TestServer;
let folder: LakeFolder;

beforeAll(async () => {
  spark = await testServer({ standalone: true });
  folder = await LakeFolder.make();
});
afterAll(async () => {
  await spark.remove();
  await folder.remove();
});

test("a master and a worker give the same rows and files, also after the Connect server was killed", async () => {
  await spark.server.start();
  expect((await spark.server.processes()).map(({ name }) => name)).toEqual([
    "spark-connect",
    "spark-worker",
    "spark-master",
  ]);
  const engine = await spark.open();
  const duckDb = await openDuckDb({ tempFolder: join(folder.path, "duckdb"), threads: 2 });
  const snapshot = await folder.snapshot(observations(15).rows);
  // Every job on both engines is in same-rows.test.ts: these read, group, join and have a model.
  const names = ["city_statistics", "forecast", "hourly_trends"];
  const jobs = (await readSqlJobs()).filter(({ name }) => names.includes(name));
  expect(jobs).toHaveLength(names.length);
  const views = await analysisViews({ cities: [] });
  const compare = async () => {
    const judged = await judgedFiles(duckDb, folder.path, snapshot, views);
    for (const job of jobs) {
      const options = { snapshot: judged, judged, views: overVerdicts(views), background: true };
      expectRows(
        rowsOf(await runJob(engine, job, options)),
        rowsOf(await runJob(duckDb, job, { snapshot, views })),
      );
    }
  };
  await compare();
  await spark.server.kill();
  await spark.server.start();
  await compare();
  await engine.close();
  await duckDb.close();
});
