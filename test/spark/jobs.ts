import { afterAll, beforeAll } from "bun:test";
import type { City } from "../../core/city.ts";
import type { Row } from "../../core/observation.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Argument, Engine, SqlView } from "../../spark/engine.ts";
import { defaultArguments, readSqlJobs, runJob } from "../../spark/sql-job.ts";
import { analysisViews, type PlaceFacts } from "../../spark/views.ts";
import { LakeFolder } from "../support/lake-files.ts";

/** Runs one of the program's jobs over rows, for the tests of the file that calls this. */
export function jobRunner(
  name: string,
  cities: readonly City[] = [],
): (rows: readonly Row[], given?: Record<string, Argument>) => Promise<Record<string, unknown>[]> {
  const open = openForTests();
  return async (rows, given = {}) => {
    const { engine, folder } = open();
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

/**
 * Runs SQL over rows and the views of analysis, for the tests of the file that calls this; `kept` views stand in place of
 * those of their names.
 */
export function sqlRunner(
  facts: PlaceFacts,
): (sql: string, rows: readonly Row[], kept?: readonly SqlView[]) => Promise<Record<string, unknown>[]> {
  const open = openForTests();
  return async (sql, rows, kept = []) => {
    const { engine, folder } = open();
    const views = await analysisViews(facts);
    return rowsOf(
      await engine.query(sql, {
        snapshot: await folder.snapshot(rows),
        views: views.map((view) => kept.find(({ name }) => name === view.name) ?? view),
      }),
    );
  };
}

function openForTests(): () => { engine: Engine; folder: LakeFolder } {
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
  return () => ({ engine, folder });
}
