import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { SqlView } from "../../spark/engine.ts";
import { LiveTables } from "../../spark/live-tables.ts";
import { analysisViews } from "../../spark/views.ts";
import { LakeFolder, row, START } from "../support/lake-files.ts";

let folder: LakeFolder;
let views: SqlView[];
beforeAll(async () => {
  folder = await LakeFolder.make();
  // As before the first result of a job.
  views = (await analysisViews({ cities: [] })).map((view) =>
    ["level", "baseline"].includes(view.name)
      ? { name: view.name, sql: `SELECT * FROM (${view.sql}\n) WHERE false` }
      : view,
  );
});
afterAll(() => folder.remove());

const open = () => LiveTables.open(join(folder.path, "live"));
/** A report every two seconds for 13 hours; its temperature has stood still for the last seven. */
const quick = Array.from({ length: 13 * 1800 }, (_, i): Row => {
  const timestamp = formatTimestamp(START + i * 2_000);
  const changes = i < 6 * 1800;
  return row({
    timestamp,
    ingested_at: timestamp,
    temperature: changes ? 5 + (i % 2) / 10 : 5,
    humidity: 80 + (i % 3),
    pressure: 1010 + (i % 2) / 10,
    log_offset: i,
  });
});
const end = START + 13 * HOUR_MS;
const question = {
  from: end - 25 * HOUR_MS,
  cities: ["London"],
  since: [{ city: "London", source: "test", from: end - 4_000 }],
  now: end,
};
const flagsOf = async (tables: LiveTables) =>
  rowsOf((await tables.ask(views, question)).flagged).toSorted(
    (a, b) => Number(a.log_offset) - Number(b.log_offset),
  );

test("LiveTables.trim() keeps a quick series small and what it says of its newest reports the same", async () => {
  const [whole, trimmed] = [await open(), await open()];
  for (const tables of [whole, trimmed]) await tables.append(quick);
  await trimmed.trim(end - 50 * HOUR_MS);
  // 300 reports one by one, and one of each five minutes before.
  expect(trimmed.size).toBeLessThan(300 + 13 * 12 + 2);
  const found = await flagsOf(trimmed);
  expect(found.map(({ log_offset }) => log_offset)).toEqual([23_397, 23_398, 23_399]);
  expect(found.map(({ q_stuck }) => q_stuck)).toEqual([3, 3, 3]);
  expect(found).toEqual(await flagsOf(whole));
  await trimmed.trim(end); // there are few: nothing is looked for
  expect(await flagsOf(trimmed)).toEqual(found);
  for (const tables of [whole, trimmed]) tables.close();
});

test("LiveTables.ask() knows what was appended after its plans were made, in any order and as revisions", async () => {
  const tables = await open();
  const ask = async (source: string, hour: number) => {
    const since = [{ city: "London", source, from: START + hour * HOUR_MS }];
    const { flagged } = await tables.ask(views, { ...question, from: START - HOUR_MS, since });
    return rowsOf(flagged)
      .toSorted((a, b) => String(a.timestamp).localeCompare(String(b.timestamp)))
      .map(({ log_offset, temperature_flag, q_step }) => [log_offset, temperature_flag, q_step]);
  };
  const report = (hour: number, offset: number, changes: Partial<Row> = {}) => {
    const timestamp = formatTimestamp(START + hour * HOUR_MS);
    return row({
      timestamp,
      ingested_at: timestamp,
      log_offset: offset,
      temperature: 5 + hour / 10,
      ...changes,
    });
  };
  expect(await ask("test", 0)).toEqual([]);
  await tables.append([report(1, 1)]);
  expect(await ask("test", 1)).toEqual([[1, 1, 2]]);
  await tables.append([report(0, 2)]);
  expect(await ask("test", 0)).toEqual([
    [2, 1, 2],
    [1, 1, 1],
  ]);
  await tables.append([report(2, 3, { temperature: 71 }), report(2, 4, { temperature: 5 })]);
  expect(await ask("test", 2)).toEqual([
    [1, 1, 1],
    [4, 1, 1],
  ]);
  await tables.append([report(2, 5, { temperature: 71 }), report(2, 6, { source: "other" })]);
  expect(await ask("test", 2)).toEqual([
    [1, 1, 1],
    [5, 4, 4],
  ]);
  expect(await ask("other", 2)).toEqual([[6, 1, 2]]);
  await tables.remove(({ log_offset }) => log_offset === 5);
  expect((await ask("test", 2)).at(-1)).toEqual([4, 1, 1]);
  tables.close();
});
