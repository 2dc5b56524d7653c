import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { expectRows } from "../../spark/reference.ts";
import {
  answers,
  openDataset,
  stored,
  summed,
  testCluster,
  type OpenedDataset,
  type TestCluster,
} from "./cluster.ts";
import { faultyRecords } from "./weather.ts";

const CITIES = 24;
const DAYS = 12;
const MINUTES = 60_000;
/** Jobs compared here; same-rows.test.ts compares every one, which takes Spark long. */
const JOBS = ["city_statistics", "hourly_trends"];

let cluster: TestCluster;
let embedded: OpenedDataset;

beforeAll(async () => {
  cluster = await testCluster();
  embedded = await openDataset({}, join(cluster.folder, "embedded"), "embedded");
  await embedded.load(faultyRecords(CITIES, DAYS));
}, 10 * MINUTES);
afterAll(async () => {
  await embedded?.ports.close();
  await cluster?.end();
}, 2 * MINUTES);

describe.each([
  ["Kafka, HDFS and Spark", ["kafka", "hdfs", "spark"]],
  ["Kafka over a local lake", ["kafka"]],
  ["the embedded log over HDFS", ["hdfs"]],
  ["Spark over a local lake", ["spark"]],
] as const)("%s", (name, parts) => {
  test(
    "stores what the embedded program stores, exactly once, and answers jobs alike",
    async () => {
      const dataset = name.toLowerCase().replace(/[^a-z]+/g, "-");
      const opened = await openDataset(cluster.env(...parts), join(cluster.folder, dataset), dataset);
      try {
        const report = await opened.load(faultyRecords(CITIES, DAYS));
        const [here, there] = [summed(await embedded.verify()), summed(await opened.verify())];
        expect(here).toMatchObject({ problems: [], behind: 0, rejected: 1 });
        expect(there).toEqual(here);
        expect(report).toMatchObject({ rows: here.rows, duplicates: here.duplicates, rejected: 1 });
        expect(here.duplicates).toBeGreaterThan(0);
        expect(await stored(opened)).toEqual(await stored(embedded));
        const [expected, found] = [
          await answers(embedded, "default", JOBS),
          await answers(opened, "default", JOBS),
        ];
        expect(expected.size).toBe(JOBS.length);
        for (const [job, rows] of expected) {
          expect(rows.length, job).toBeGreaterThan(0);
          expectRows(found.get(job)!, rows);
        }
      } finally {
        await opened.ports.close();
      }
    },
    8 * MINUTES,
  );
});
