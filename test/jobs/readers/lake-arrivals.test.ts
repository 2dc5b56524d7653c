import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { compactPartition } from "../../../jobs/compactor.ts";
import { type ArrivalsQuery, queryArrivals } from "../../../jobs/readers/lake-arrivals.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { WritingEngine } from "../../../spark/engine.ts";
import { at, recordOf, WritePath } from "../../support/write-path.ts";
import { JUDGING } from "../../support/judging.ts";

describe("queryArrivals()", () => {
  let path: WritePath;
  let engine: WritingEngine;
  let reader: LakeReader;
  beforeEach(async () => {
    path = await WritePath.open(2);
    engine = await openDuckDb({ tempFolder: join(path.root, ".engine"), threads: 1 });
    reader = new LakeReader(path.lake, path.log.topic, () => path.clock.now());
  });
  afterEach(async () => {
    await engine.close();
    await path.close();
  });

  async function write(partition: number, ...values: string[]): Promise<void> {
    await path.commit(engine, partition, values);
    await reader.refresh();
  }

  const record = (hour: number, temperature: number, more: object = {}) =>
    recordOf({ timestamp: at(`${String(hour).padStart(2, "0")}:00`), temperature, ...more });
  const ask = (query: Partial<ArrivalsQuery> = {}) =>
    queryArrivals(
      { reader, lake: path.lake, engine },
      { since: new Map(), city: null, limit: 100, ...query },
    );
  const temperatures = ({ rows }: Awaited<ReturnType<typeof ask>>) => rows.map((one) => one.temperature);

  test("gives every row once, in the order of the log, whatever the limit and whatever comes between", async () => {
    await write(0, record(9, 1), record(3, 2), record(5, 3));
    await write(1, record(4, 11, { city: "Tokyo" }), record(2, 12, { city: "Tokyo" }));
    expect(temperatures(await ask())).toEqual([1, 2, 3, 11, 12]);
    for (const limit of [1, 2, 3, 4, 5]) {
      const seen: unknown[] = [];
      let since: ArrivalsQuery["since"] = new Map();
      for (let more = true; more;) {
        const found = await ask({ since, limit });
        seen.push(...temperatures(found));
        expect(found.rows.length).toBeLessThanOrEqual(limit);
        ({ more } = found);
        since = found.next;
      }
      expect(seen).toEqual([1, 2, 3, 11, 12]);
      expect((await ask({ since })).rows).toEqual([]);
    }
    const { next } = await ask();
    await write(0, record(1, 4));
    expect(temperatures(await ask({ since: next }))).toEqual([4]);
  });

  test("gives what is to come after now, and a revision as a row of its own", async () => {
    await write(0, record(9, 1), record(8, 2));
    const now = await ask({ since: "now" });
    expect([now.rows, now.more]).toEqual([[], false]);
    await write(0, record(9, 1), record(8, 7)); // the first is a duplicate
    const found = await ask({ since: now.next });
    expect(temperatures(found)).toEqual([7]);
    expect(temperatures(await ask())).toEqual([1, 7]);
  });

  test("gives one city's rows, and goes on behind the others", async () => {
    await write(
      0,
      record(1, 1),
      record(1, 2, { city: "Oslo" }),
      record(2, 3),
      record(2, 4, { city: "Oslo" }),
    );
    const first = await ask({ city: "Oslo", limit: 1 });
    expect([temperatures(first), first.more]).toEqual([[2], true]);
    const second = await ask({ city: "Oslo", limit: 1, since: first.next });
    expect([temperatures(second), second.more]).toEqual([[4], false]);
    expect([...second.next]).toEqual([[0, 4]]);
  });

  test("gives the same after a compaction, from the beginning and from between", async () => {
    await write(0, record(1, 1), record(2, 2));
    const { next } = await ask();
    await write(0, record(1, 3, { city: "Oslo" }), record(2, 9));
    await write(0, recordOf({ timestamp: at("10:00", "2026-02-01"), temperature: 5 }));
    const [all, since] = [temperatures(await ask()), temperatures(await ask({ since: next }))];
    const { report } = await compactPartition(
      path.chain(),
      { engine, judging: JUDGING },
      { afterMs: 0, graceMs: 0 },
    );
    expect(report.compacted).toBe(1);
    await reader.refresh();
    expect(temperatures(await ask())).toEqual(all);
    expect(temperatures(await ask({ since: next }))).toEqual(since);
    expect(since).toEqual([3, 9, 5]);
  });
});
