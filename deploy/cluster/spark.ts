import { mkdir, rm, symlink } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { queryPlan } from "../../spark/connect/plans.ts";
import { parseRemote } from "../../spark/connect/remote.ts";
import { Rpc } from "../../spark/connect/rpc.ts";
import { SparkSession } from "../../spark/connect/session.ts";
import { jarsOf } from "./jars.ts";
import { type JavaProcess, runningServer, startJava, stopJava, untilReady } from "./java-process.ts";

/** Version of the server and of everything it brings. */
export const SPARK_VERSION = "4.0.0";

/** Where and how a Spark Connect server of this machine runs. All of it listens on loopback only. */
export interface SparkServerOptions {
  /** Absolute path of its data, notes and output. Kept when it stops. */
  folder: string;
  /** Port of Spark Connect. Standalone, the four after it are the master's, the worker's and their web pages'. Default: 15002. */
  basePort?: number;
  /** With a master and a worker, as on a cluster of machines. Default: all in one process with two threads. */
  standalone?: boolean;
  /** The user it is for HDFS. Default: the system's. */
  hadoopUser?: string;
  /** The token its clients must send. Default: none. */
  token?: string;
}

/** A Spark Connect server of this machine. */
export interface SparkServer {
  /** Its address as `SPARK_REMOTE` wants it. */
  readonly remote: string;
  /** Folder of its jars. */
  readonly jars: string;
  /** Starts what does not run, and waits until it has answered a query. */
  start(): Promise<void>;
  /** Ends the Connect server at once, as a crash does; its workers stay. */
  kill(): Promise<void>;
  /** Ends all of it. */
  stop(): Promise<void>;
  /** What runs of it. */
  processes(): Promise<JavaProcess[]>;
}

/** Longest wait for a server's start, and in it for its first answer, which is a slow one, ms. */
const START_MS = 240_000;
const FIRST_QUERY_MS = 120_000;

/** What Spark needs of a Java 17: the list of Spark's own `JavaModuleOptions`. */
export const SPARK_JVM = [
  "--add-modules=jdk.incubator.vector",
  ...[
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
  ].map((name) => `--add-opens=${name}=ALL-UNNAMED`),
  "-Djdk.reflect.useDirectMethodHandle=false",
  "-Dio.netty.tryReflectionSetAccessible=true",
];

const LOGGING = `rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss} %p %c{1}: %m%n%ex
`;

const CONNECT = "spark-connect";
const MASTER = "spark-master";
const WORKER = "spark-worker";

/** Prepares a Spark Connect server; its jars are downloaded when they are not there yet. @throws as {@link jarsOf} */
export async function sparkServer(options: SparkServerOptions): Promise<SparkServer> {
  const { folder, basePort = 15002, standalone = false, token } = options;
  const remote = `sc://127.0.0.1:${basePort}`;
  const jars = await jarsOf("spark", [
    { id: `org.apache.spark:spark-connect_2.13:${SPARK_VERSION}` },
    { id: `org.apache.spark:spark-sql_2.13:${SPARK_VERSION}` },
    // Without it the server cannot release a session.
    { id: `org.apache.spark:spark-mllib_2.13:${SPARK_VERSION}` },
    { id: `org.apache.spark:spark-sql-kafka-0-10_2.13:${SPARK_VERSION}` },
  ]);

  const place: SparkPlace = { folder, jars, basePort, token, hadoopUser: options.hadoopUser };
  return {
    remote,
    jars,
    async start() {
      await mkdir(join(folder, "conf"), { recursive: true });
      await Bun.write(join(folder, "conf", "log4j2.properties"), LOGGING);
      await rm(join(folder, "jars"), { force: true });
      await symlink(jars, join(folder, "jars"));
      const master = standalone ? await launchStandalone(place) : "local[2]";
      await launchConnect(
        place,
        master,
        async () => (await listens(basePort)) && (await answers(remote, token)),
      );
    },
    async kill() {
      await stopJava(folder, CONNECT, "SIGKILL");
    },
    async stop() {
      for (const name of [CONNECT, WORKER, MASTER]) await stopJava(folder, name);
    },
    async processes() {
      const found = await Promise.all([CONNECT, WORKER, MASTER].map((name) => runningServer(folder, name)));
      return found.filter((server) => server !== null);
    },
  };
}

/** Where a server runs, and what all its processes are started with. */
interface SparkPlace {
  folder: string;
  jars: string;
  basePort: number;
  token: string | undefined;
  hadoopUser: string | undefined;
}

/** A process of the server. */
interface SparkProcess {
  name: string;
  /** Its largest heap, as Java writes it. */
  heap: string;
  /** Its main class. */
  main: string;
  args: readonly string[];
  answers: () => Promise<boolean>;
}

/** Starts a process unless it runs, and waits until it answers. */
async function launch(place: SparkPlace, { name, heap, main, args, answers }: SparkProcess): Promise<void> {
  const { folder, jars, token, hadoopUser } = place;
  const server =
    (await runningServer(folder, name)) ??
    (await startJava({
      name,
      folder,
      jars,
      configuration: [join(folder, "conf")],
      jvm: [`-Xmx${heap}`, ...SPARK_JVM],
      main,
      args,
      env: {
        // A worker looks for the jars of its executors in `jars` below it.
        SPARK_HOME: folder,
        // And it would find out from build folders for which Scala they are.
        SPARK_SCALA_VERSION: "2.13",
        SPARK_LOCAL_IP: "127.0.0.1",
        // Our setting, which Bun takes from `.env`, means the same to Spark: it would be a client of that server.
        SPARK_REMOTE: undefined,
        ...(hadoopUser === undefined ? {} : { HADOOP_USER_NAME: hadoopUser }),
        ...(token === undefined ? {} : { SPARK_CONNECT_AUTHENTICATE_TOKEN: token }),
      },
    }));
  await untilReady(server, folder, answers, START_MS);
}

/** Starts a master and a worker. @returns the master's address */
async function launchStandalone(place: SparkPlace): Promise<string> {
  const [masterPort = 0, workerPort = 0, masterPage, workerPage] = [1, 2, 3, 4].map(
    (i) => place.basePort + i,
  );
  const ports = (port: number, page: number | undefined) => {
    const flags = { host: "127.0.0.1", port, "webui-port": page };
    return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  };
  const master = `spark://127.0.0.1:${masterPort}`;
  await launch(place, {
    name: MASTER,
    heap: "256m",
    main: "org.apache.spark.deploy.master.Master",
    args: ports(masterPort, masterPage),
    answers: () => listens(masterPort),
  });
  const size = ["--cores", "2", "--memory", "2g", "--work-dir", join(place.folder, "work")];
  await launch(place, {
    name: WORKER,
    heap: "256m",
    main: "org.apache.spark.deploy.worker.Worker",
    args: [...ports(workerPort, workerPage), ...size, master],
    answers: () => listens(workerPort),
  });
  return master;
}

/** Starts the Connect server on a master. */
async function launchConnect(
  place: SparkPlace,
  master: string,
  answers: () => Promise<boolean>,
): Promise<void> {
  const { folder, basePort } = place;
  const settings = {
    "spark.connect.grpc.binding.address": "127.0.0.1",
    "spark.connect.grpc.binding.port": basePort,
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "1500m",
    "spark.local.dir": join(folder, "tmp"),
    "spark.sql.warehouse.dir": join(folder, "warehouse"),
    "spark.sql.shuffle.partitions": 4,
    "spark.ui.enabled": false,
  };
  await launch(place, {
    name: CONNECT,
    heap: "2g",
    main: "org.apache.spark.deploy.SparkSubmit",
    args: [
      "--master",
      master,
      "--class",
      "org.apache.spark.sql.connect.service.SparkConnectServer",
      ...Object.entries(settings).flatMap(([name, value]) => ["--conf", `${name}=${value}`]),
      "spark-internal",
    ],
    answers,
  });
}

/** Whether a Spark Connect server runs a query to its end. */
export async function answers(remote: string, token: string | undefined): Promise<boolean> {
  const address = parseRemote(remote, token === undefined ? {} : { token });
  const rpc = new Rpc(address);
  const options = { rpc, user: address.user, clock: systemClock, logger: silentLogger, random: Math.random };
  const signal = AbortSignal.timeout(FIRST_QUERY_MS);
  try {
    const session = await SparkSession.open(options, signal);
    await session.run(queryPlan("SELECT 1 AS one", {}), { signal, tries: 1 });
    await session.close();
    return true;
  } finally {
    rpc.close();
  }
}

/** Whether something takes connections on a port of loopback. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
