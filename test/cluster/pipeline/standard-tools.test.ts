import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { silentLogger } from "../../../core/log.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { kafkaTool } from "../../../deploy/cluster/kafka-tools.ts";
import { compactPartition, GRACE_MS } from "../../../jobs/compactor.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { Results } from "../../../jobs/analytics/results.ts";
import { newId } from "../../../core/random.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { spawnProgram } from "../../support/running.ts";
import { expectRows } from "../../spark/reference.ts";
import { openDataset, testCluster, type OpenedDataset, type TestCluster } from "./cluster.ts";
import { NEWEST, plainSql, totalsSql } from "./plain-sql.ts";
import { faultyRecords } from "./weather.ts";
import { JUDGING } from "../../support/judging.ts";

const DATASET = "tools";
const CITIES = 6;
const DAYS = 2;
const MINUTES = 60_000;
/** How long a tool may take, ms. */
const TOOL_MS = 2 * MINUTES;

let cluster: TestCluster;
/** Settings of commands over the data set in the cluster, and over the embedded one. */
let settings: Record<"cluster" | "embedded", Record<string, string>>;
let opened: OpenedDataset;
let embedded: OpenedDataset;
/** Values of all records that were given to the log. */
const given: string[] = [];

beforeAll(async () => {
  cluster = await testCluster();
  settings = {
    cluster: { ...cluster.env("kafka", "hdfs", "spark"), DATA_DIR: join(cluster.folder, "operator") },
    embedded: { DATA_DIR: join(cluster.folder, "embedded") },
  };
  opened = await openDataset(settings.cluster, settings.cluster.DATA_DIR!, DATASET);
  embedded = await openDataset(settings.embedded, settings.embedded.DATA_DIR!, DATASET);
  // Statistics leave out what quality control finds wrong: a plain reader does not know what that is.
  const records = () => faultyRecords(CITIES, DAYS, { spike: 0, stuck: 0 });
  for await (const chunk of records()) given.push(...chunk.map(({ value }) => value));
  await opened.load(records());
  await embedded.load(records());
  // So that there are files of both formats, and some that were replaced.
  const { lake, log, reads: engine } = opened.ports;
  const chain = { lake, topic: log.topic, partition: 0, newId, now: Date.now };
  const { report } = await compactPartition(
    chain,
    { engine, judging: JUDGING },
    { afterMs: HOUR_MS, graceMs: GRACE_MS },
  );
  expect(report.compacted).toBeGreaterThan(0);
}, 10 * MINUTES);
afterAll(async () => {
  await embedded?.ports.close();
  await opened?.ports.close();
  await cluster?.end();
}, 2 * MINUTES);

test(
  "Kafka's console consumer reads every record that was given to the log, and by its offsets there is no other",
  async () => {
    const to = ["--bootstrap-server", cluster.kafka.brokers[0]!, "--topic", opened.ports.log.topic];
    const limits = ["--max-messages", String(given.length), "--timeout-ms", String(TOOL_MS)];
    const options = { cwd: cluster.folder, timeoutMs: TOOL_MS };
    const read = await kafkaTool("consumer.ConsoleConsumer", [...to, "--from-beginning", ...limits], options);
    const count = /Processed a total of (\d+) messages/.exec(read.err)?.[1];
    expect([read.code, count]).toEqual([0, String(given.length)]);
    expect(read.out.trimEnd().split("\n").toSorted()).toEqual(given.toSorted());
    const ends = await kafkaTool("GetOffsetShell", to, options); // topic:partition:offset
    const held = ends.out
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(":")[2]));
    expect(held.length).toBe(opened.ports.log.partitions);
    expect(held.reduce((sum, end) => sum + end, 0)).toBe(given.length);
  },
  3 * TOOL_MS,
);

test("`hdfs dfs` lists exactly the files of the commits, each with the length that was committed", async () => {
  const reader = new LakeReader(opened.ports.lake, opened.ports.log.topic, Date.now);
  await reader.refresh();
  const committed = new Map<string, number | undefined>();
  for (const { live, rejected, removed } of reader.states.values()) {
    for (const { path, bytes } of [...live.values(), ...rejected]) committed.set(path, bytes);
    for (const path of removed.keys()) committed.set(path, undefined); // replaced, and kept for slow readers
  }
  const root = `/isobar/${DATASET}`;
  const { code, out } = await cluster.hdfs.fsShell(["-ls", "-R", `${root}/observations`, `${root}/rejected`]);
  expect(code).toBe(0);
  const there = out
    .split("\n")
    .filter((line) => line.startsWith("-"))
    .map((line) => line.split(/\s+/));
  const listed = new Map(there.map((fields) => [fields[7]!.slice(root.length + 1), Number(fields[4])]));
  expect([...listed.keys()].toSorted()).toEqual([...committed.keys()].toSorted());
  for (const [path, bytes] of committed)
    if (bytes !== undefined) expect([path, listed.get(path)]).toEqual([path, bytes]);
  expect(new Set(there.map((fields) => fields[2]))).toEqual(new Set(["isobar"]));
});

test(
  "a plain Spark SQL session over what `verify --files` prints reads what the embedded program and the statistics say",
  async () => {
    const args = ["--dataset", DATASET];
    const run = async (name: string, words: string[]) => {
      const { code, out, err } = await spawnProgram(`server/commands/${name}.ts`, settings.cluster, [
        ...words,
        ...args,
      ]).ended;
      expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
      return out.trimEnd();
    };
    const files = (await run("verify", ["--files"])).split("\n");
    expect(new Set(files.map((path) => path.slice(path.lastIndexOf("."))))).toEqual(
      new Set([".jsonl", ".parquet"]),
    );
    const plain = await plainSql(cluster, files, totalsSql(NEWEST));
    const reader = new LakeReader(embedded.ports.lake, embedded.ports.log.topic, Date.now);
    const { snapshot } = await reader.snapshot();
    const wanted = rowsOf(await embedded.ports.engine.query(totalsSql("observations"), { snapshot }));
    expect(wanted.length).toBe(CITIES);
    expectRows(plain, wanted);
    await run("analytics", ["city_statistics"]);
    const results = new Results({ lake: opened.ports.lake, logger: silentLogger });
    const kept = await results.latest("city_statistics");
    const told = plain.map((row) => ({
      city: row.city,
      n: row.n,
      first_timestamp: row.first_timestamp,
      last_timestamp: row.last_timestamp,
      n_temperature: row.temperature_count,
      temperature_min: row.temperature_min,
      temperature_max: row.temperature_max,
      temperature_mean: Number(row.temperature_sum) / Number(row.temperature_count),
      humidity_mean: Number(row.humidity_sum) / Number(row.humidity_count),
    }));
    const columns = Object.keys(told[0]!);
    const statistics = rowsOf(kept!.table).map((row) =>
      Object.fromEntries(columns.map((name) => [name, row[name]])),
    );
    expectRows(told, statistics);
  },
  5 * MINUTES,
);
