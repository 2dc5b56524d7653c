import { expect, test } from "bun:test";
import { join } from "node:path";
import { type LastReports, newestRows } from "../../../jobs/readers/newest-rows.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { retract } from "../../../jobs/retract.ts";
import { tableOf } from "../../../spark/models/columns.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Engine } from "../../../spark/engine.ts";
import { at, recordOf, WritePath } from "../../support/write-path.ts";

test("newestRows() passes over a report whose time was ahead, also when its time has come", async () => {
  const path = await WritePath.open();
  const engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
  try {
    const reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
    const newest = async () => {
      const rows = await newestRows(reader, engine, null);
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

test("newestRows() knows a city that has been silent for more than a week, by the kept statistics or without", async () => {
  const path = await WritePath.open();
  const engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
  try {
    const reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
    /** The days of which rows were asked for, each time. */
    const read: string[][] = [];
    const spied = {
      query: (...[sql, options]: Parameters<Engine["query"]>) => {
        read.push([...new Set(options.snapshot.files.map(({ date }) => date))].sort());
        return engine.query(sql, options);
      },
    } as Engine;
    const newest = async (lastReports: LastReports | null) => {
      read.length = 0;
      const rows = await newestRows(reader, spied, lastReports);
      return rows.map(({ city, timestamp, temperature }) => [city, timestamp, temperature]).sort();
    };
    const archive = (city: string, time: string, date: string, temperature: number) =>
      recordOf({ city, timestamp: at(time, date), temperature });
    await path.commit(engine, 0, [
      archive("Berlin", "06:00", "2025-03-02", 4),
      archive("Berlin", "07:00", "2025-03-02", 5),
      archive("London", "07:00", "2025-03-04", 9),
      archive("Oslo", "05:00", "2025-03-05", -1),
    ]);
    // A value of Berlin's last report is corrected later.
    await path.commit(engine, 0, [archive("Berlin", "07:00", "2025-03-02", 6), recordOf()]);
    const berlin = ["Berlin", at("07:00", "2025-03-02"), 6];
    const london = ["London", at("06:00"), 5];
    const oslo = ["Oslo", at("05:00", "2025-03-05"), -1];
    expect(await newest(null)).toEqual([berlin, london, oslo]);
    expect(read).toEqual([
      ["2026-01-31"],
      ["2025-03-02", "2025-03-04", "2025-03-05"],
      ["2025-03-02", "2025-03-05"],
    ]);

    const statistics: LastReports = {
      table: await tableOf({
        city: { type: "text", values: ["Berlin", "London", "Oslo", "Ahead"] },
        last_timestamp: {
          type: "timestamp",
          values: new Float64Array([
            ...[berlin, london, oslo].map(([, time]) => Date.parse(String(time))),
            NaN,
          ]),
        },
      }),
      commits: { 0: reader.states.get(0)?.sequence ?? 0 },
    };
    expect(await newest(statistics)).toEqual([berlin, london, oslo]);
    expect(read).toEqual([["2026-01-31"], ["2025-03-02", "2025-03-05"]]);

    // What was committed after the statistics is history too: a city of its own, and a later report of one.
    await path.commit(engine, 0, [
      archive("Accra", "12:00", "2024-07-01", 25),
      archive("Oslo", "06:00", "2025-03-06", -2),
    ]);
    const accra = ["Accra", at("12:00", "2024-07-01"), 25];
    const laterOslo = ["Oslo", at("06:00", "2025-03-06"), -2];
    expect(await newest(statistics)).toEqual([accra, berlin, london, laterOslo]);
    expect(read).toEqual([
      ["2026-01-31"],
      ["2024-07-01", "2025-03-06"],
      ["2024-07-01", "2025-03-02", "2025-03-06"],
    ]);

    // The last report of Oslo that the statistics know is taken back: the one before is not forgotten.
    const chain = path.chain();
    const range = { source: "test", first: 2, last: 7 };
    const parts = { chain, log: path.log, engine };
    expect(await retract(parts, range, { reason: "wrong" })).toMatchObject({ joined: null, rows: 6 });
    await path.commit(engine, 0, [archive("Oslo", "04:00", "2025-03-01", 3)]);
    expect(await newest(statistics)).toEqual([
      ["Berlin", at("07:00", "2025-03-02"), 5],
      ["Oslo", at("04:00", "2025-03-01"), 3],
    ]);
  } finally {
    await engine.close();
    await path.close();
  }
});
