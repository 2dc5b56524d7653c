import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Kafka, logLevel } from "kafkajs";
import { ConfigError, IsobarError, messageOf } from "../../core/errors.ts";
import { HADOOP_VERSION, hdfsServer } from "./hdfs.ts";
import { cacheFolder } from "./jars.ts";
import { type JavaProcess, runningServer, stopJava } from "./java-process.ts";
import { KAFKA_PORT, KAFKA_VERSION, kafkaServer } from "./kafka.ts";
import { answers as sparkAnswers, SPARK_VERSION, sparkServer } from "./spark.ts";

const USAGE = `Runs a real Kafka, HDFS and Spark Connect on this machine: no containers, loopback only.

  bun run cluster up [--kafka 1|3] [--datanodes 1|3] [--standalone]
  bun run cluster status
  bun run cluster down

  --kafka N      Kafka nodes: with 3 one may be lost (default: 1)
  --datanodes N  HDFS DataNodes, each with a copy of every file (default: 1)
  --standalone   Spark as a master and a worker instead of one process

\`up\` downloads the servers from Maven Central the first time, starts what does not run and waits until it answers. It needs
Java 17 and Maven. \`down\` ends what \`up\` started, and nothing else; the data stays in the cache folder (ISOBAR_CACHE, else
~/.cache/isobar). A cluster of another shape is another cluster, with data of its own.

Exit: 0 done, or everything answers; 1 not; 2 a wrong call.`;

/** The size and kind of a cluster. */
interface Shape {
  kafka: 1 | 3;
  dataNodes: 1 | 3;
  standalone: boolean;
}

/** A server's process, and which cluster it belongs to. */
interface Member extends JavaProcess {
  shape: Shape;
  /** Folder of its note. */
  folder: string;
}

/** One of the three servers. */
interface Server {
  /** `Kafka 4.4.0` */
  title: string;
  address: string;
  folder: string;
  /** Names of its processes. */
  processes: string[];
  /** The port others reach it on. */
  port: number;
  /** Starts what does not run, and waits until it answers. */
  start(): Promise<void>;
  /** Asks it. Resolves with what it says; rejects when it does not answer. */
  probe(): Promise<string>;
  /** Lines for `.env`. */
  settings: string[];
}

/** Longest wait for an answer, ms. */
const PROBE_MS = 5_000;
const ROOT = join(cacheFolder(), "cluster");
const print = (text: string) => process.stdout.write(`${text}\n`);

try {
  process.exit(await run(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof IsobarError)) throw error; // a bug: its stack is what helps
  process.stderr.write(`${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`);
  process.exit(error instanceof ConfigError ? 2 : 1);
}

async function run(args: string[]): Promise<0 | 1> {
  const { values, command } = parse(args);
  if (values.help === true) {
    print(USAGE);
    return 0;
  }
  await mkdir(ROOT, { recursive: true });
  const members = await running();
  if (command === "down") return down(members);
  if (command === "status") {
    const shape = members[0]?.shape;
    if (shape !== undefined) return status(await serversOf(shape));
    print("Nothing runs. `bun run cluster up` starts it.");
    return 1;
  }
  const shape: Shape = {
    kafka: count(values.kafka, "--kafka"),
    dataNodes: count(values.datanodes, "--datanodes"),
    standalone: values.standalone === true,
  };
  return up(shape, members);
}

function parse(args: string[]) {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        kafka: { type: "string" },
        datanodes: { type: "string" },
        standalone: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
    const [command] = positionals;
    const known = positionals.length === 1 && ["up", "down", "status"].includes(command ?? "");
    if (known || values.help === true) return { values, command };
    throw new TypeError(`Cannot run "${positionals.join(" ")}": wanted up, down or status`);
  } catch (error) {
    throw new ConfigError("bad_setting", `${messageOf(error)}\n\n${USAGE}`, { cause: error });
  }
}

function count(option: string | undefined, name: string): 1 | 3 {
  if (option === undefined || option === "1") return 1;
  if (option === "3") return 3;
  throw new ConfigError("bad_setting", `Cannot use ${name} ${option}: wanted 1 or 3`);
}

async function up(shape: Shape, members: readonly Member[]): Promise<0 | 1> {
  const other = members.find((member) => nameOf(member.shape) !== nameOf(shape));
  if (other !== undefined) {
    throw new IsobarError(
      "running",
      `Cannot start a cluster of ${describe(shape)}: one of ${describe(other.shape)} runs`,
      {
        hint: "End that one first: `bun run cluster down`.",
      },
    );
  }
  const servers = await serversOf(shape);
  for (const { title, folder, processes, port, start } of servers) {
    const before = members.filter((member) => member.folder === folder);
    if (before.length === 0) checkFree(title, port);
    print(
      before.length === processes.length
        ? `${title} runs already`
        : `${title} is started: ${processes.join(", ")}`,
    );
    await start();
  }
  const code = await status(servers);
  print(
    `\nPut these lines into .env, and start the program:\n\n${servers.flatMap(({ settings }) => settings).join("\n")}`,
  );
  return code;
}

async function down(members: readonly Member[]): Promise<0> {
  const stop = async ({ folder, name, pid }: Member) => {
    await stopJava(folder, name);
    print(`Stopped ${name} (process ${pid})`);
  };
  // The nodes of a quorum must stop together, and the NameNode last, because the DataNodes report to it until they end.
  await Promise.all(members.filter(({ name }) => name !== "namenode").map(stop));
  await Promise.all(members.filter(({ name }) => name === "namenode").map(stop));
  if (members.length === 0) print("Nothing ran.");
  return 0;
}

async function status(servers: readonly Server[]): Promise<0 | 1> {
  let code: 0 | 1 = 0;
  for (const { title, address, folder, processes, probe } of servers) {
    const said = await probe().catch((error: unknown) => {
      code = 1;
      return `DOES NOT ANSWER: ${messageOf(error)}`;
    });
    print(`\n${title} at ${address}: ${said}`);
    for (const name of processes) {
      const process = await runningServer(folder, name);
      if (process === null) code = 1;
      print(
        `  ${name.padEnd(14)}${process === null ? "does not run" : `process ${process.pid}  ${process.output}`}`,
      );
    }
  }
  return code;
}

/** The processes that `up` started and that still run, of every cluster. */
async function running(): Promise<Member[]> {
  const found: Member[] = [];
  for await (const note of new Bun.Glob("*/{kafka,hdfs,spark}/*.json").scan(ROOT)) {
    const [name = "", kind = "", file = ""] = note.split("/");
    const shape = shapeOf(name);
    const folder = join(ROOT, name, kind);
    const server = shape === null ? null : await runningServer(folder, file.replace(/\.json$/, ""));
    if (server !== null && shape !== null) found.push({ ...server, shape, folder });
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

function nameOf({ kafka, dataNodes, standalone }: Shape): string {
  return `kafka-${kafka}_datanodes-${dataNodes}${standalone ? "_standalone" : ""}`;
}

function shapeOf(name: string): Shape | null {
  const [, kafka, dataNodes, standalone] = /^kafka-([13])_datanodes-([13])(_standalone)?$/.exec(name) ?? [];
  if (kafka === undefined || dataNodes === undefined) return null;
  return {
    kafka: kafka === "1" ? 1 : 3,
    dataNodes: dataNodes === "1" ? 1 : 3,
    standalone: standalone !== undefined,
  };
}

function describe({ kafka, dataNodes, standalone }: Shape): string {
  return `--kafka ${kafka} --datanodes ${dataNodes}${standalone ? " --standalone" : ""}`;
}

/** The servers of a cluster, none of them started; their jars are downloaded when they are not there. */
async function serversOf(shape: Shape): Promise<Server[]> {
  const folder = join(ROOT, nameOf(shape));
  const brokers = Array.from({ length: shape.kafka }, (_, i) => `127.0.0.1:${KAFKA_PORT + 100 * i}`);
  const hdfs = await hdfsServer({ folder: join(folder, "hdfs"), dataNodes: shape.dataNodes });
  const spark = await sparkServer({
    folder: join(folder, "spark"),
    standalone: shape.standalone,
    hadoopUser: hdfs.user,
  });
  return [
    {
      title: `Kafka ${KAFKA_VERSION}`,
      address: brokers.join(","),
      folder: join(folder, "kafka"),
      processes: brokers.map((_, i) => `kafka-${i + 1}`),
      port: KAFKA_PORT,
      start: async () => void (await kafkaServer({ folder: join(folder, "kafka"), nodes: shape.kafka })),
      probe: () => probeKafka(brokers),
      settings: [`KAFKA_BROKERS=${brokers.join(",")}`, ...(shape.kafka === 3 ? ["KAFKA_REPLICATION=3"] : [])],
    },
    {
      title: `HDFS ${HADOOP_VERSION}`,
      address: hdfs.webUrl,
      folder: join(folder, "hdfs"),
      processes: [...hdfs.nodes],
      port: Number(new URL(hdfs.webUrl).port),
      start: () => hdfs.start(),
      probe: () => probeHdfs(hdfs.webUrl, shape.dataNodes),
      settings: [`WEBHDFS_URL=${hdfs.webUrl}`, `HDFS_URI=${hdfs.uri}`],
    },
    {
      title: `Spark Connect ${SPARK_VERSION}`,
      address: spark.remote,
      folder: join(folder, "spark"),
      processes: ["spark-connect", ...(shape.standalone ? ["spark-master", "spark-worker"] : [])],
      port: Number(new URL(spark.remote).port),
      start: () => spark.start(),
      probe: async () => ((await sparkAnswers(spark.remote, undefined)) ? "answers a query" : "does not"),
      settings: [`SPARK_REMOTE=${spark.remote}`],
    },
  ];
}

async function probeKafka(brokers: string[]): Promise<string> {
  const admin = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 1 },
    connectionTimeout: PROBE_MS,
  }).admin();
  try {
    await admin.connect();
    const alive = (await admin.describeCluster()).brokers.length;
    if (alive < brokers.length) throw new Error(`${alive} of ${brokers.length} brokers are there`);
    return `answers, ${alive} of ${brokers.length} brokers`;
  } finally {
    await admin.disconnect();
  }
}

async function probeHdfs(webUrl: string, dataNodes: number): Promise<string> {
  const query = "Hadoop:service=NameNode,name=FSNamesystemState";
  const response = await fetch(`${webUrl}/jmx?qry=${query}`, { signal: AbortSignal.timeout(PROBE_MS) });
  const { beans } = (await response.json()) as { beans: { FSState: string; NumLiveDataNodes: number }[] };
  const { FSState: state, NumLiveDataNodes: alive } = beans[0] ?? {
    FSState: "starting",
    NumLiveDataNodes: 0,
  };
  const said = `${state}, ${alive} of ${dataNodes} DataNodes`;
  if (state !== "Operational" || alive < dataNodes) throw new Error(said);
  return `answers, ${said}`;
}

/** @throws IsobarError if the port is in use: the other server would be mistaken for this one. */
function checkFree(title: string, port: number): void {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
  } catch (cause) {
    throw new IsobarError("port_in_use", `Cannot start ${title}: port ${port} of 127.0.0.1 is taken`, {
      cause,
    });
  }
}
