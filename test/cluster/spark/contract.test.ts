import { afterAll, beforeAll, expect, test } from "bun:test";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { codeOf } from "../../../core/errors.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { engineContract } from "../../contract/engine-contract.ts";
import { laterColumnContract } from "../../contract/later-column-contract.ts";
import type { openSpark } from "../../../spark/connect/engine.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Snapshot } from "../../../spark/engine.ts";
import { LakeFolder, observations } from "../../support/lake-files.ts";
import { type TestServer, testServer } from "./server.ts";

let spark: TestServer;
beforeAll(async () => {
  spark = await testServer();
  await spark.server.start();
});
afterAll(() => spark.remove());

const opened = async (by?: typeof openSpark, open = openDuckDb) => {
  const engine = await spark.open({}, by);
  const tempFolder = join(spark.folder, crypto.randomUUID());
  const writer = await open({ tempFolder, threads: 2 });
  return {
    engine,
    writer,
    cleanup: async () => {
      await engine.close();
      await writer.close();
    },
  };
};

engineContract(
  "Spark",
  () => opened(),
  // One task: it leaves a core to the others, which a Spark of two cores cannot take from two that run.
  { endless: "SELECT count(*) AS n FROM range(0, 1000000000000, 1, 1)" },
);

laterColumnContract(
  "Spark",
  () => opened(),
  async (program) => {
    const newer = await program.load<{ openSpark: typeof openSpark }>("spark/connect/engine.ts");
    const writing = await program.load<{ openDuckDb: typeof openDuckDb }>("spark/duckdb.ts");
    return opened(newer.openSpark, writing.openDuckDb);
  },
);

test("Spark reads many JSONL files once for all queries of a snapshot, and keeps none beyond it", async () => {
  const folder = await LakeFolder.make();
  const engine = await spark.open();
  try {
    const { rows, newest } = observations(20);
    const many = await folder.snapshot(rows);
    const { files } = many;
    expect(files.length).toBeGreaterThanOrEqual(32);
    const count = async (snapshot: Snapshot) =>
      Number(rowsOf(await engine.query("SELECT count(*) AS n FROM observations", { snapshot }))[0]!.n);
    expect(await count(many)).toBe(newest.length);
    for (const { location } of files.slice(1)) await rm(location);
    expect(await count(many)).toBe(newest.length);
    expect(await count({ files: files.slice(0, 1) })).toBeGreaterThan(0);
    expect(codeOf(await count(many).catch((error: unknown) => error))).toBe("unavailable");
  } finally {
    await engine.close();
    await folder.remove();
  }
});
