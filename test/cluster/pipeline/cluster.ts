import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import { hdfsServer, type HdfsServer } from "../../../deploy/cluster/hdfs.ts";
import { kafkaServer, type KafkaServer, stopKafka } from "../../../deploy/cluster/kafka.ts";
import { sparkServer, type SparkServer } from "../../../deploy/cluster/spark.ts";
import { claimDataset } from "../../../jobs/dataset.ts";
import { JudgedRows } from "../../../jobs/readers/judged-rows.ts";
import { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { judgingBy, overVerdicts } from "../../../spark/judging.ts";
import type { NewRecord } from "../../../jobs/log/log.ts";
import { verifyPartition, type PartitionProof } from "../../../jobs/verify.ts";
import { loadConfig, type Config } from "../../../server/config/config.ts";
import { loadRecords, type LoadReport } from "../../../server/wiring/bulk-load.ts";
import { openPorts, type Ports } from "../../../server/wiring/ports.ts";
import { rowsOf } from "../../../spark/arrow.ts";
import { defaultArguments, readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";

const deps = { clock: systemClock, logger: silentLogger };

/** Real Kafka, HDFS and Spark for one test file, in a folder of their own. */
export interface TestCluster {
  folder: string;
  kafka: KafkaServer;
  hdfs: HdfsServer;
  spark: SparkServer;
  /** The environment of a program that uses the named ones of the three; the others are embedded. */
  env(...parts: ("kafka" | "hdfs" | "spark")[]): Record<string, string>;
  end(): Promise<void>;
}

/** Starts all three on ports of the pipeline's tests. */
export async function testCluster(): Promise<TestCluster> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-cluster-"));
  const hdfs = await hdfsServer({ folder: join(folder, "hdfs"), dataNodes: 1, basePort: 28_000 });
  const spark = await sparkServer({ folder: join(folder, "spark"), basePort: 25_002, hadoopUser: "isobar" });
  const end = async () => {
    await Promise.all([stopKafka(join(folder, "kafka")), hdfs.stop(), spark.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  const starts = [
    kafkaServer({ folder: join(folder, "kafka"), basePort: 29_092 }),
    hdfs.start(),
    spark.start(),
  ] as const;
  const [kafka] = await Promise.all(starts).catch(async (error: unknown) => {
    await Promise.allSettled(starts); // what is being started could not be ended yet
    await end();
    throw error;
  });
  const settings = {
    kafka: { KAFKA_BROKERS: kafka.brokers.join(","), KAFKA_PARTITIONS: "3" },
    hdfs: { WEBHDFS_URL: hdfs.webUrl, HDFS_URI: hdfs.uri, HDFS_USER: hdfs.user },
    spark: { SPARK_REMOTE: spark.remote },
  };
  return {
    folder,
    kafka,
    hdfs,
    spark,
    env: (...parts) => Object.assign({}, ...parts.map((part) => settings[part])) as Record<string, string>,
    end,
  };
}

/** One data set, opened as a command opens it. */
export interface OpenedDataset {
  config: Config;
  ports: Ports;
  load(chunks: AsyncIterable<NewRecord[]>): Promise<LoadReport>;
  /** What `verify` proves, partition by partition. */
  verify(): Promise<PartitionProof[]>;
}

/** Opens a data set of replayed records. */
export async function openDataset(
  env: Record<string, string>,
  dataDir: string,
  dataset: string,
): Promise<OpenedDataset> {
  // The stop commits what is left of a load: on a busy machine that takes longer than anybody would wait for a program's end.
  const settings = { DATA_DIR: dataDir, FLUSH_SECONDS: "1", SHUTDOWN_SECONDS: "300", ...env };
  const { config } = loadConfig(settings, { isTerminal: false });
  const ports = await openPorts(config, dataset, deps);
  await claimDataset(ports.lake, dataset, "replayed", systemClock.now());
  return {
    config,
    ports,
    load: (chunks) => loadRecords({ ports, config, ...deps, chunks, signal: new AbortController().signal }),
    verify: () =>
      Promise.all(
        Array.from({ length: ports.log.partitions }, (_, partition) =>
          verifyPartition(ports.lake, ports.log, ports.reads, partition),
        ),
      ),
  };
}

/** The sums over all partitions, and every problem. */
export function summed(proofs: readonly PartitionProof[]) {
  const sum = (pick: (proof: PartitionProof) => number) =>
    proofs.reduce((total, proof) => total + pick(proof), 0);
  return {
    problems: proofs.flatMap(({ problems }) => problems),
    behind: sum((proof) => proof.behind),
    rows: sum((proof) => proof.rows),
    duplicates: sum((proof) => proof.duplicates),
    rejected: sum((proof) => proof.rejected),
  };
}

/**
 * Rows of jobs as their engine gives them: with their default arguments, or of those that have parameters over everything,
 * which is null for each.
 *
 * @param names of the jobs; default all
 */
export async function answers(
  { ports, config }: OpenedDataset,
  over: "default" | "everything" = "default",
  names?: readonly string[],
): Promise<Map<string, Record<string, unknown>[]>> {
  const reader = new LakeReader(ports.lake, ports.log.topic, Date.now);
  const views = await analysisViews(config);
  const { reads: engine, judgedPlace: place } = ports;
  const judged = new JudgedRows({ engine, judging: judgingBy(views), place });
  const all = new Map<string, Record<string, unknown>[]>();
  for (const job of await readSqlJobs()) {
    if (names !== undefined && !names.includes(job.name)) continue;
    if (over === "everything" && job.parameters.length === 0) continue;
    const given =
      over === "default"
        ? defaultArguments(job)
        : Object.fromEntries(job.parameters.map(({ name }) => [name, null]));
    const table = await reader.read(undefined, async ({ snapshot }) => {
      const { snapshot: files, release } = await judged.of(snapshot, null);
      const options = { snapshot: files, judged: files, views: overVerdicts(views), arguments: given };
      return runJob(ports.engine, job, { ...options, background: true }).finally(release);
    });
    all.set(job.name, rowsOf(table));
  }
  return all;
}

/** Every stored observation, as text: what must be the same whatever holds it. Offsets and times of arrival differ. */
export async function stored({ ports }: OpenedDataset): Promise<string[]> {
  const reader = new LakeReader(ports.lake, ports.log.topic, Date.now);
  const table = await reader.read(undefined, ({ snapshot }) =>
    ports.reads.query("SELECT * EXCLUDE (log_offset, ingested_at) FROM observations", { snapshot }),
  );
  return rowsOf(table)
    .map((row) => JSON.stringify(row))
    .toSorted();
}
