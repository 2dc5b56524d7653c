import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { NewerProgram } from "../support/newer-program.ts";
import { startHere, temporaryFolder } from "../support/running.ts";
import { compactedDay, openMeteoWithUvIndex, settings } from "./weather.ts";

describe("a variable that is added", () => {
  let newer: NewerProgram;
  beforeAll(async () => {
    newer = await NewerProgram.make();
  });
  afterAll(() => newer.remove());

  test("is an entry, a line in its source and a line of limits, and the types hold", async () => {
    expect(newer.changed).toEqual([
      "core/variables.ts",
      "jobs/sources/open-meteo-answer.ts",
      "spark/limits.csv",
    ]);
    const types = await newer.bun(["check", "--no-script"]);
    expect(types.code, types.output).toBe(0);
  });

  test("goes from the source through the lake to API, pages and alerts, old Parquet beside new", async () => {
    await using folder = await temporaryFolder();
    let oldParquet: string;
    {
      await using provider = openMeteoWithUvIndex(6.4);
      await using older = await startHere(await settings(folder.path, provider.endpoint));
      oldParquet = await compactedDay(older.url, folder.path, 3, { temperature: 4.5 });
    }
    const run = await newer.bun(
      ["test", "--timeout", "300000", "./test/added-variable/in-newer-program.ts"],
      {
        OLD_LAKE: folder.path,
        OLD_PARQUET: oldParquet,
      },
    );
    expect(run.code, run.output).toBe(0);
  }, 300_000);
});
