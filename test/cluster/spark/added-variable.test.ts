import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { rowsOf } from "../../../spark/arrow.ts";
import type { openSpark } from "../../../spark/connect/engine.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Engine } from "../../../spark/engine.ts";
import type { JudgedRows } from "../../../jobs/readers/judged-rows.ts";
import type { judgingBy } from "../../../spark/judging.ts";
import type { analysisViews } from "../../../spark/views.ts";
import { LakeFolder, row } from "../../support/lake-files.ts";
import { LATER_COLUMN, NewerProgram } from "../../support/newer-program.ts";
import { type TestServer, testServer } from "./server.ts";

let spark: TestServer;
let newer: NewerProgram;
let folder: LakeFolder;
beforeAll(async () => {
  spark = await testServer();
  await spark.server.start();
  newer = await NewerProgram.make();
  folder = await LakeFolder.make();
});
afterAll(async () => {
  await folder.remove();
  await newer.remove();
  await spark.remove();
});

const HOURS = ["06", "07", "08"];
/** Reports of three hours of a day, with the values given of the variable that is added. */
const rowsOn = (day: string, ...values: number[]) =>
  HOURS.map((hour, i) =>
    row({
      timestamp: `2026-01-0${day}T${hour}:00:00Z`,
      log_offset: Number(day) * 10 + i,
      ...(values[i] === undefined ? {} : { [LATER_COLUMN]: values[i] }),
    }),
  );

test("a variable that is added is judged, and read alike on Spark and DuckDB, old files beside new", async () => {
  const [{ openSpark: open }, duckDbModule, { analysisViews: views }, { judgingBy: by }, rows] =
    await Promise.all([
      newer.load<{ openSpark: typeof openSpark }>("spark/connect/engine.ts"),
      newer.load<{ openDuckDb: typeof openDuckDb }>("spark/duckdb.ts"),
      newer.load<{ analysisViews: typeof analysisViews }>("spark/views.ts"),
      newer.load<{ judgingBy: typeof judgingBy }>("spark/judging.ts"),
      newer.load<{ JudgedRows: typeof JudgedRows }>("jobs/readers/judged-rows.ts"),
    ]);
  const engines = {
    older: await openDuckDb({ tempFolder: join(folder.path, "older"), threads: 2 }),
    duckDb: await duckDbModule.openDuckDb({ tempFolder: join(folder.path, "newer"), threads: 2 }),
    spark: await spark.open({}, open),
  };
  const columns = [LATER_COLUMN];
  const files = [
    await folder.parquet(engines.older, [await folder.jsonl(rowsOn("1"))]),
    { ...(await folder.parquet(engines.duckDb, [await folder.jsonl(rowsOn("2", 3.1, 20, 31))])), columns },
    { ...(await folder.jsonl(rowsOn("3", 0))), columns },
  ];
  const place = {
    async put(name: string, bytes: Uint8Array) {
      await Bun.write(join(folder.path, name), bytes);
      return join(folder.path, name);
    },
    remove: async () => {},
  };
  const judging = by(await views({ cities: [] }));
  const kept = await new rows.JudgedRows({ engine: engines.duckDb, judging, place }).of({ files }, null);
  const judged = async (engine: Engine) => {
    const sql = `SELECT log_offset, ${LATER_COLUMN} AS value, ${LATER_COLUMN}_flag AS flag, q_gross
      FROM judged ORDER BY log_offset`;
    const found = await engine.query(sql, { snapshot: { files: [] }, judged: kept.snapshot });
    return rowsOf(found).map(({ log_offset, value, flag, q_gross }) => [log_offset, value, flag, q_gross]);
  };
  const expected = [
    ...[10, 11, 12].map((offset) => [offset, null, 9, 1]),
    [20, 3.1, 1, 1],
    [21, 20, 3, 3],
    [22, 31, 4, 4],
    [30, 0, 1, 1],
    ...[31, 32].map((offset) => [offset, null, 9, 1]),
  ];
  expect(await judged(engines.spark)).toEqual(expected);
  expect(await judged(engines.duckDb)).toEqual(expected);
  for (const engine of Object.values(engines)) await engine.close();
});
