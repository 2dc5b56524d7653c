import { expect, test } from "bun:test";
import { join } from "node:path";
import { newestRows } from "../../../jobs/readers/lake-queries.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import { at, recordOf, WritePath } from "../../support/write-path.ts";

test("newestRows() passes over a report whose time was ahead, also when its time has come", async () => {
  const path = await WritePath.open();
  const engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
  try {
    const reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
    const newest = async () => {
      const rows = await newestRows(reader, engine);
      return rows.map(({ timestamp, temperature }) => [timestamp, temperature]);
    };
    await path.commit(engine, 0, [
      recordOf({ timestamp: at("11:50"), temperature: 18.4 }),
      recordOf({ timestamp: at("23:00"), temperature: 25, source: "ahead" }),
    ]);
    expect(await newest()).toEqual([[at("11:50"), 18.4]]);
    expect(reader.watermark).toBe(at("11:50"));
    await path.clock.advance(12 * 3_600_000);
    await path.commit(engine, 0, [
      recordOf({ timestamp: at("22:30"), temperature: 12 }),
      recordOf({ timestamp: at("23:30"), city: "Oslo", temperature: -3 }),
    ]);
    expect((await newest()).sort()).toEqual([
      [at("22:30"), 12],
      [at("23:30"), -3],
    ]);
  } finally {
    await engine.close();
    await path.close();
  }
});
