import { afterAll, beforeAll } from "bun:test";
import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Argument, Engine } from "../../spark/engine.ts";
import { defaultArguments, readSqlJobs, runJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { LakeFolder } from "./lake-files.ts";

/** Runs one of the program's jobs over rows, for the tests of the file that calls this. */
export function jobRunner(
  name: string,
  cities: readonly City[] = [],
): (rows: readonly Row[], given?: Record<string, Argument>) => Promise<Record<string, unknown>[]> {
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
  return async (rows, given = {}) => {
    const job = (await readSqlJobs()).find((one) => one.name === name);
    if (job === undefined) throw new Error(`there is no job ${name}`);
    const snapshot = await folder.snapshot(rows);
    return rowsOf(
      await runJob(engine, job, {
        snapshot,
        views: await analysisViews({ cities }),
        arguments: { ...defaultArguments(job), ...given },
      }),
    );
  };
}
