import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { LakeReader } from "../../../jobs/lake-reader.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { defaultArguments, readSqlJobs } from "../../../spark/sql-job.ts";
import { expectRows } from "../../spark/reference.ts";
import { openDataset, summed, testCluster, type OpenedDataset, type TestCluster } from "./cluster.ts";
import { faultyRecords } from "./weather.ts";

const CITIES = 24;
const DAYS = 12;
const MINUTES = 60_000;

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

/** Rows of every job, as its engine gives them. */
async function answers({ ports }: OpenedDataset): Promise<Map<string, Record<string, unknown>[]>> {
  const reader = new LakeReader(ports.lake, ports.log.topic, Date.now);
  const all = new Map<string, Record<string, unknown>[]>();
  for (const job of await readSqlJobs()) {
    const table = await reader.read(undefined, ({ snapshot }) =>
      ports.engine.query(job.sql, { snapshot, arguments: defaultArguments(job), background: true }),
    );
    all.set(job.name, rowsOf(table));
  }
  return all;
}

/** Every stored observation, as text: what must be the same whatever holds it. Offsets and times of arrival differ. */
async function stored({ ports }: OpenedDataset): Promise<string[]> {
  const reader = new LakeReader(ports.lake, ports.log.topic, Date.now);
  const table = await reader.read(undefined, ({ snapshot }) =>
    ports.reads.query("SELECT * EXCLUDE (log_offset, ingested_at) FROM observations", { snapshot }),
  );
  return rowsOf(table)
    .map((row) => JSON.stringify(row))
    .toSorted();
}

describe.each([
  ["Kafka, HDFS and Spark", ["kafka", "hdfs", "spark"]],
  ["Kafka over a local lake", ["kafka"]],
  ["the embedded log over HDFS", ["hdfs"]],
  ["Spark over a local lake", ["spark"]],
] as const)("%s", (name, parts) => {
  test(
    "stores what the embedded program stores, exactly once, and answers every job alike",
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
        const [expected, found] = [await answers(embedded), await answers(opened)];
        for (const [job, rows] of expected) {
          expect(rows.length, job).toBeGreaterThan(0);
          expectRows(found.get(job)!, rows);
        }
      } finally {
        await opened.ports.close();
      }
    },
    5 * MINUTES,
  );
});

test(
  "`hdfs dfs` lists exactly the committed files that the program lists",
  async () => {
    const opened = await openDataset(
      cluster.env("kafka", "hdfs"),
      join(cluster.folder, "shell"),
      "kafka-hdfs-and-spark",
    );
    try {
      const reader = new LakeReader(opened.ports.lake, opened.ports.log.topic, Date.now);
      const { snapshot } = await reader.snapshot();
      const listed = await cluster.hdfs.fsShell([
        "-ls",
        "-R",
        "-C",
        "/isobar/kafka-hdfs-and-spark/observations",
      ]);
      const there = new Set(listed.out.split("\n"));
      for (const { location } of snapshot.files)
        expect(there).toContain(location.replace(cluster.hdfs.uri, ""));
      expect(snapshot.files.length).toBeGreaterThan(0);
    } finally {
      await opened.ports.close();
    }
  },
  MINUTES,
);
