import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { javaCommand } from "../../deploy/cluster/java-process.ts";
import { SPARK_JVM, type SparkServer, sparkServer } from "../../deploy/cluster/spark.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { textTable } from "../../server/commands/command.ts";
import { openSpark } from "../../spark/connect/engine.ts";
import { observationsPlan, queryPlan, viewPlan } from "../../spark/connect/plans.ts";
import { parseRemote } from "../../spark/connect/remote.ts";
import { Rpc } from "../../spark/connect/rpc.ts";
import { SparkConnectService } from "../../spark/connect/spark_connect_pb.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { OBSERVATION_COLUMNS, type Snapshot, type SnapshotFile } from "../../spark/engine.ts";
import { defaultArguments, readSqlJobs, type SqlJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { type BenchOptions, median, shown, times, withFolder } from "./measure.ts";

const CITIES = 24;
const PORT = 17090;
/** Jobs that are measured, light and heavy: all of them took more than 40 minutes. */
const JOBS: readonly string[] = ["level", "hourly_trends", "city_statistics"];
/** Rounds that do not count: the JVM compiles what is run often. */
const WARM = 4;

/** Seconds of one job, a round each, by how it was run. */
interface Times {
  engine: number[];
  bare: number[];
  plain: number[];
  duckDb: number[];
}

/**
 * The jobs through the engine, beside the same plans through bare gRPC calls to the same server, and the same SQL over the
 * same files in a plain Spark application in a process of its own. Each round has its snapshot listed anew.
 */
export async function benchSpark({ quick, print }: BenchOptions): Promise<void> {
  await withFolder(async (folder) => {
    const days = quick ? 30 : 365;
    const rounds = quick ? 3 : 7;
    const snapshot = await writeDays(folder, days);
    // A model runs in the program, whatever the engine: here SQL is measured.
    const jobs = (await readSqlJobs()).filter(({ model, name }) => model === null && JOBS.includes(name));
    const found = new Map(
      jobs.map(({ name }): [string, Times] => [name, { engine: [], bare: [], plain: [], duckDb: [] }]),
    );
    const server = await sparkServer({ folder: join(folder, "server"), basePort: PORT });
    try {
      await server.start();
      await measure(server, folder, jobs, snapshot, rounds, found);
    } finally {
      await server.stop();
    }
    const rows = snapshot.files.reduce((sum, file) => sum + file.rows, 0);
    print(
      `Spark (local[2]): the jobs over ${shown(rows)} rows in ${days} Parquet files, s, median of ${rounds} warm rounds\n`,
    );
    print(
      textTable(
        [
          "job",
          "engine",
          "bare gRPC",
          "plain Spark application",
          "engine to gRPC",
          "engine to plain",
          "DuckDB",
        ],
        [...found].map(([name, { engine, bare, plain, duckDb }]) => [
          name,
          shown(median(engine)),
          shown(median(bare)),
          shown(median(plain)),
          times(median(engine), median(bare)),
          times(median(engine), median(plain)),
          shown(median(duckDb)),
        ]),
      ),
    );
    print("");
  });
}

/** Hourly simulated rows of 24 cities, a Parquet file a day. */
async function writeDays(folder: string, days: number): Promise<Snapshot> {
  const lake = join(folder, "lake");
  await mkdir(lake);
  const duckDb = await openDuckDb({ tempFolder: join(folder, "duckdb") });
  const files: SnapshotFile[] = [];
  const from = Date.UTC(2025, 0, 1);
  try {
    for (let day = 0; day < days; day++) {
      const start = from + day * DAY_MS;
      const records = simulatedRecords({
        cities: syntheticCities(CITIES),
        from: start,
        to: start + DAY_MS,
        stepMs: HOUR_MS,
        seed: 1,
      });
      const date = formatTimestamp(start).slice(0, 10);
      const jsonl = join(lake, `${date}.jsonl`);
      const ingested_at = formatTimestamp(start);
      const rows = [...records].flat().map(({ value }, i): Row => ({
        ...JSON.parse(value),
        log_offset: day * 1000 + i,
        ingested_at,
      }));
      await writeFile(jsonl, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
      const file: SnapshotFile = { location: jsonl, format: "jsonl", date, rows: rows.length, revisions: 0 };
      const location = join(lake, `${date}.parquet`);
      await writeFile(location, (await duckDb.compact({ files: [file] })).bytes);
      files.push({ ...file, location, format: "parquet" });
    }
  } finally {
    await duckDb.close();
  }
  return { files };
}

async function measure(
  server: SparkServer,
  folder: string,
  jobs: readonly SqlJob[],
  snapshot: Snapshot,
  rounds: number,
  found: ReadonlyMap<string, Times>,
): Promise<void> {
  const engine = await openSpark({
    remote: server.remote,
    clock: systemClock,
    logger: silentLogger,
  });
  const duckDb = await openDuckDb({ tempFolder: join(folder, "duckdb") });
  const paths = join(folder, "paths");
  await writeFile(paths, snapshot.files.map(({ location }) => location).join("\n"));
  const views = await analysisViews({ cities: syntheticCities(CITIES) });
  const viewFolder = join(folder, "views");
  await mkdir(viewFolder);
  for (const [index, { name, sql }] of views.entries())
    await writeFile(join(viewFolder, `${String(index).padStart(3, "0")}.${name}`), sql);
  const plain = new PlainSpark(server.jars, folder, [paths, viewFolder]);
  const rpc = new Rpc(parseRemote(server.remote));
  const session = { sessionId: crypto.randomUUID(), userContext: { userId: "bare" } };
  const pairs = [
    { key: "spark.sql.session.timeZone", value: "UTC" },
    { key: "spark.sql.sources.parallelPartitionDiscovery.parallelism", value: "4" },
  ];
  await rpc.unary(SparkConnectService.method.config, {
    ...session,
    operation: { opType: { case: "set", value: { pairs } } },
  });
  const bare = async (plan: ReturnType<typeof observationsPlan>) => {
    let bytes = 0;
    const stream = rpc.stream(
      SparkConnectService.method.executePlan,
      { ...session, plan },
      new AbortController().signal,
    );
    for await (const { responseType } of stream)
      if (responseType.case === "arrowBatch") bytes += responseType.value.data.length;
    return bytes;
  };
  try {
    for (let round = -WARM; round < rounds; round++) {
      for (const job of jobs) {
        const given = defaultArguments(job);
        // Another order of the files is another snapshot: the view is made anew, as after a commit.
        const files = [...snapshot.files.slice(round + WARM), ...snapshot.files.slice(0, round + WARM)];
        const ways = {
          engine: () =>
            engine.query(job.sql, { snapshot: { files }, views, arguments: given, background: true }),
          bare: async () => {
            await bare(observationsPlan({ files }));
            for (const view of views) await bare(viewPlan(view));
            await bare(queryPlan(job.sql, given));
          },
          plain: () => plain.run(job),
          duckDb: () =>
            duckDb.query(job.sql, { snapshot: { files }, views, arguments: given, background: true }),
        };
        // In turn first, so that neither always finds what the other has warmed.
        const names = ["engine", "bare", "plain", "duckDb"] as const;
        for (const name of round % 2 === 0 ? names : names.toReversed()) {
          const start = performance.now();
          await ways[name]();
          if (round >= 0) found.get(job.name)?.[name].push((performance.now() - start) / 1000);
        }
      }
    }
  } finally {
    await plain.stop();
    rpc.close();
    await engine.close();
    await duckDb.close();
  }
}

/** A plain Spark application: runs a job when asked to, and says how many seconds it took. */
class PlainSpark {
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #lines: AsyncIterator<string>;

  /** @param inputs the file of paths, and the folder of views */
  constructor(jars: string, folder: string, inputs: readonly string[]) {
    const schema = OBSERVATION_COLUMNS.map(([name, type]) => `${name} ${type}`).join(", ");
    const settings = {
      "spark.driver.bindAddress": "127.0.0.1",
      "spark.driver.host": "127.0.0.1",
      "spark.local.dir": join(folder, "tmp"),
      "spark.sql.session.timeZone": "UTC",
      "spark.sql.shuffle.partitions": 4,
      "spark.sql.sources.parallelPartitionDiscovery.parallelism": 4,
      "spark.sql.warehouse.dir": join(folder, "warehouse"),
      "spark.ui.enabled": false,
    };
    const command = javaCommand({
      jars,
      configuration: [join(folder, "server", "conf")],
      jvm: ["-Xmx2g", ...SPARK_JVM, ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`)],
      main: join(import.meta.dir, "PlainSpark.java"),
      args: [schema, ...inputs],
    });
    this.#child = Bun.spawn(command, {
      cwd: folder,
      env: { ...process.env, SPARK_LOCAL_IP: "127.0.0.1" },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#lines = createInterface({ input: Readable.fromWeb(this.#child.stdout) })[Symbol.asyncIterator]();
  }

  async run({ name, parameters }: SqlJob): Promise<number> {
    const sql = join(import.meta.dir, "../../spark", `${name}.sql`);
    const given = parameters.map(({ name, value }) => `${name}=${value ?? ""}`);
    this.#child.stdin.write(`${[sql, ...given].join(",")}\n`);
    await this.#child.stdin.flush();
    const { value } = (await this.#lines.next()) as { value: string | undefined };
    if (value === undefined) {
      const error = (await this.#child.stderr.text()).slice(-2000);
      throw new Error(`Cannot measure a plain Spark application (a JDK is wanted): ${error}`);
    }
    return Number(value);
  }

  async stop(): Promise<void> {
    await this.#child.stdin.end();
    await this.#child.exited;
  }
}
