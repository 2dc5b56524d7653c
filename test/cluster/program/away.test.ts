import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { hdfsServer, type HdfsServer } from "../../../deploy/cluster/hdfs.ts";
import { kafkaServer, type KafkaServer, stopKafka } from "../../../deploy/cluster/kafka.ts";
import { sparkServer, type SparkServer } from "../../../deploy/cluster/spark.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { verifyPartition } from "../../../jobs/verify.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { openPorts } from "../../../server/wiring/ports.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { summed } from "../pipeline/cluster.ts";
import { eventually, RunningProgram, runCommand, Stations, watched } from "./program.ts";

/**
 * Ports of this file's servers: no other test starts one there, and none (HDFS goes up to 31,872) is among those that a
 * system takes for outgoing connections, from 32,768 on: while a server is away one of them could take its port.
 */
const PORTS = { kafka: 31_092, hdfs: 30_000, spark: 30_502 };
const LIMIT_MS = 1_800_000;
/**
 * What the program may have of memory, bytes: 150 MB at rest, 512 MB that DuckDB may take for reads; and what may wait by
 * design, 128 million characters for Kafka and 32 million for the lake, in two bytes each.
 */
const MEMORY = 1_000_000_000;

const folder = await mkdtemp(join(tmpdir(), "isobar-away-"));
let hdfs: HdfsServer;
let spark: SparkServer;
let kafka: KafkaServer | undefined;
let env: Record<string, string>;
let program: RunningProgram | undefined;
const running = () => {
  if (program === undefined) throw new Error("The program did not start");
  return program;
};
const stations = new Stations(running);

const startKafka = async () => {
  if (kafka === undefined)
    kafka = await kafkaServer({ folder: join(folder, "kafka"), basePort: PORTS.kafka });
  else await kafka.start(1);
};

beforeAll(async () => {
  // One city and its two days of past: Spark has little to read, and a busy machine little to do.
  await Bun.write(join(folder, "cities.json"), JSON.stringify(DEFAULT_CITIES.slice(0, 1)));
  hdfs = await hdfsServer({ folder: join(folder, "hdfs"), dataNodes: 1, basePort: PORTS.hdfs });
  spark = await sparkServer({ folder: join(folder, "spark"), basePort: PORTS.spark, hadoopUser: "isobar" });
  env = {
    PORT: "0",
    DATA_DIR: join(folder, "data"),
    WEATHER_SOURCE: "simulator",
    POLL_SECONDS: "1",
    CITIES_FILE: join(folder, "cities.json"),
    ANALYTICS_CRON: "0 0 1 1 *", // the first data, a request and a failure start jobs: enough for a busy machine
    SHUTDOWN_SECONDS: "60",
    KAFKA_BROKERS: `127.0.0.1:${PORTS.kafka}`,
    KAFKA_PARTITIONS: "3",
    WEBHDFS_URL: hdfs.webUrl,
    HDFS_URI: hdfs.uri,
    HDFS_USER: hdfs.user,
    SPARK_REMOTE: spark.remote,
  };
}, LIMIT_MS);
afterAll(async () => {
  await stations.stop();
  await program?.kill();
  await Promise.all([stopKafka(join(folder, "kafka")), hdfs?.stop(), spark?.stop()]);
  await rm(folder, { recursive: true, force: true });
}, LIMIT_MS);

const check = (what: string, run: () => Promise<void>) => test(what, run, LIMIT_MS);

/** Waits for a result that is newer than `ms`. */
async function resultAfter(ms: number): Promise<void> {
  await eventually("a new result", async () => {
    const { text } = await running().get("/api/v1/jobs");
    const { jobs } = JSON.parse(text) as { jobs: { result: { generated_at: string } | null }[] };
    return jobs.some(({ result }) => result !== null && Date.parse(result.generated_at) > ms) || undefined;
  });
}

const key = (row: Record<string, unknown>) =>
  `${String(row.city)} ${new Date(String(row.timestamp)).toISOString()} ${String(row.temperature)}`;
const keyOfLine = (line: string) => key(JSON.parse(line) as Record<string, unknown>);

/** What log and lake hold of a program that has stopped: everything acknowledged once, nothing else. */
async function proveEverything(): Promise<void> {
  const { code, out, err } = await runCommand("server/commands/verify.ts", env, ["--dataset", "simulated"]);
  expect(`${out}${err}`).toEndWith("log = rows + duplicates + rejected\n");
  expect(code).toBe(0);

  const { config } = loadConfig(env, { isTerminal: false });
  const ports = await openPorts(config, "simulated", { clock: systemClock, logger: silentLogger });
  try {
    const { lake, log, reads } = ports;
    const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
    const proofs = await Promise.all(partitions.map((one) => verifyPartition(lake, log, reads, one)));
    const sums = summed(proofs);
    expect(sums).toMatchObject({ problems: [], behind: 0 });
    // A post without an answer may have been taken all the same.
    expect(sums.rejected).toBeGreaterThanOrEqual(stations.bad);
    expect(sums.duplicates).toBeGreaterThanOrEqual(stations.repeated);
    expect(stations.bad * stations.repeated).toBeGreaterThan(0);

    const table = await new LakeReader(lake, log.topic, Date.now).read(undefined, ({ snapshot }) =>
      reads.query("SELECT * FROM observations", { snapshot }),
    );
    const rows = rowsOf(table);
    expect(rows).toHaveLength(sums.rows);
    const stored = rows.map(key).toSorted();
    expect(new Set(stored).size).toBe(stored.length);
    const ours = new Set(rows.filter(({ source }) => source === "station").map(key));
    const lost = stations.acknowledged.map(keyOfLine).filter((one) => !ours.has(one));
    expect(lost).toEqual([]);
    const sent = new Set([...stations.acknowledged, ...stations.refused].map(keyOfLine));
    expect([...ours].filter((one) => !sent.has(one))).toEqual([]);
    // The log is what was acknowledged to the simulator.
    const logged = new Set<string>();
    for (const { partition, low, high } of proofs) {
      for (let from = low; from < high;) {
        const records = await log.read(partition, from, 10_000);
        for (const { value } of records) if (value.startsWith("{")) logged.add(keyOfLine(value));
        from = (records.at(-1)?.offset ?? high) + 1;
      }
    }
    expect(stored).toEqual([...logged].toSorted());
    expect(logged.size).toBeGreaterThan(ours.size);
  } finally {
    await ports.close();
  }
}

describe("the whole program on Kafka, HDFS and Spark", () => {
  check("starts while nothing is there, answers, and begins as each of them comes", async () => {
    program = await RunningProgram.start(env);
    const problems = await watched(program, async () => {
      await running().names(["log", "lake"]);
      await startKafka();
      await running().names(["lake"], ["log"]);
      await hdfs.start();
      await running().flows(); // without Spark
      stations.start();
      await spark.start();
      await resultAfter(0);
      await running().ready();
    });
    expect(problems).toEqual([]);
  });

  check("the broker killed under load: answers, names the log, and resumes by itself", async () => {
    const problems = await watched(running(), async () => {
      await kafka!.kill(1);
      await running().names(["log"], ["lake"]);
      await startKafka();
      await running().ready();
      await running().flows();
    });
    expect(problems).toEqual([]);
  });

  check("the NameNode killed under load: answers, names the lake, and resumes by itself", async () => {
    const problems = await watched(running(), async () => {
      await hdfs.killNode("namenode");
      await running().names(["lake"], ["log"]);
      const { high } = await running().progress();
      await eventually("the log goes on", async () => (await running().progress()).high > high || undefined);
      await hdfs.startNode("namenode");
      await running().ready();
      await running().flows();
    });
    expect(problems).toEqual([]);
  });

  check("Spark killed under load: answers, names the result, and resumes by itself", async () => {
    const killed = Date.now();
    const problems = await watched(running(), async () => {
      await spark.kill();
      await running().run("city_statistics");
      await running().names(["result"], ["log", "lake"]);
      await running().flows(); // everything else does
      await spark.start();
      await resultAfter(killed); // nobody asked again
      await running().ready();
    });
    expect(problems).toEqual([]);
  });

  check(
    "stopped in good order, everything acknowledged is in the lake once; memory was bounded",
    async () => {
      await stations.stop();
      expect(await running().stop()).toBe(0);
      expect(stations.hung).toEqual([]);
      expect(stations.acknowledged.length).toBeGreaterThan(100);
      await proveEverything();
      expect(running().peak).toBeLessThan(MEMORY);
    },
  );

  check("starts while the broker alone is away, names the log, and begins when it comes", async () => {
    await kafka!.kill(1);
    program = await RunningProgram.start(env);
    const problems = await watched(program, async () => {
      await running().names(["log"], ["lake"]);
      await startKafka();
      await running().ready();
      await running().flows();
    });
    expect(problems).toEqual([]);
    expect(await running().stop()).toBe(0);
    await proveEverything();
  });
});
