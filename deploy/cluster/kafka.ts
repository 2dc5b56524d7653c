import { access, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { IsobarError } from "../../core/errors.ts";
import { jarsOf } from "./jars.ts";
import { javaCommand, runningServer, startJava, stopJava, untilReady } from "./java-process.ts";
import { type Certificates, certificates } from "./kafka-tls.ts";

/** Version of the broker. */
export const KAFKA_VERSION = "4.4.0";
/** Port of the first node; the next ones are 100 apart. */
export const KAFKA_PORT = 19_092;
/** SLF4J 1.7 needs this binding: without it a broker logs nothing. */
const LOG4J = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5";
/** Longest wait for an answer of a broker, ms. */
const ANSWER_MS = 2_000;
/** Listeners by their distance to the node's port. */
const OFFSETS = { CONTROLLER: 1, TLS: 2, MTLS: 3, SASL: 4, SASL_TLS: 5 };

/** A local Kafka. */
export interface KafkaServerOptions {
  /** Data, configuration and output. What is there is used again. */
  folder: string;
  /** Default: 1. Three make a cluster that survives the loss of one. */
  nodes?: 1 | 3;
  /** Port of the first node. Default: {@link KAFKA_PORT} */
  basePort?: number;
  /** Adds listeners with TLS and SASL (one node only), and this user for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512. */
  secure?: { username: string; password: string };
}

/** A running local Kafka. Nodes are counted from 1. */
export interface KafkaServer {
  /** Addresses without security. */
  brokers: string[];
  /** Names of the processes, see `stopJava`. */
  nodes: string[];
  /** Addresses of the secured listeners: TLS, TLS with a client certificate, SASL, SASL over TLS. */
  secure: (Certificates & { tls: string; mutualTls: string; sasl: string; saslTls: string }) | null;
  /** Starts a node that was stopped, and waits until every node that runs answers. */
  start(node: number): Promise<void>;
  /** Ends a node in good order. */
  stop(node: number): Promise<void>;
  /** Ends a node as a crash does. */
  kill(node: number): Promise<void>;
  /** Ends every node. The data stays. */
  stopAll(): Promise<void>;
}

/**
 * Starts a local Kafka in KRaft mode on 127.0.0.1 and waits until it answers. Nodes that run already are left as they are,
 * so it may be called again; the servers outlive this process.
 *
 * @throws IsobarError `missing_tool`, `download_failed`, `failed`, `not_ready`
 */
export async function kafkaServer(options: KafkaServerOptions): Promise<KafkaServer> {
  const { folder, nodes: count = 1, basePort = KAFKA_PORT, secure } = options;
  if (secure !== undefined && count !== 1) throw new TypeError("A secured Kafka has one node");
  const jars = await jarsOf("kafka", [{ id: `org.apache.kafka:kafka_2.13:${KAFKA_VERSION}` }, { id: LOG4J }]);
  await mkdir(folder, { recursive: true });
  await Bun.write(join(folder, "log4j2.properties"), LOG4J_PROPERTIES);
  const tls = secure === undefined ? null : await certificates(join(folder, "tls"));
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const port = (node: number) => basePort + 100 * (node - 1);
  const brokers = ids.map((node) => `127.0.0.1:${port(node)}`);
  const clusterId = await clusterIdOf(folder);
  for (const node of ids) {
    await Bun.write(configPath(folder, node), properties(options, node, ids, port, tls));
    await format(jars, folder, node, clusterId, secure);
  }
  const launch = async (node: number) => {
    if ((await runningServer(folder, nodeName(node))) !== null) return;
    await startJava({
      name: nodeName(node),
      folder,
      jars,
      jvm: ["-Xms128m", "-Xmx512m", ...JVM(folder)],
      main: "kafka.Kafka",
      args: [configPath(folder, node)],
    });
  };
  const ready = async () => {
    const running = (await Promise.all(ids.map((node) => runningServer(folder, nodeName(node))))).filter(
      (server) => server !== null,
    );
    // All at once: a node waits for the others, and would wait in vain for one that has ended.
    await Promise.all(
      running.map((server) => {
        const own = port(Number(server.name.slice(NAME.length)));
        return untilReady(server, folder, async () => (await nodesSeenBy(own)) === running.length);
      }),
    );
  };
  await Promise.all(ids.map(launch));
  await ready();
  const at = (offset: number, host: string) => `${host}:${basePort + offset}`;
  return {
    brokers,
    nodes: ids.map(nodeName),
    secure: tls && {
      ...tls,
      tls: at(OFFSETS.TLS, "localhost"),
      mutualTls: at(OFFSETS.MTLS, "localhost"),
      sasl: at(OFFSETS.SASL, "127.0.0.1"),
      saslTls: at(OFFSETS.SASL_TLS, "localhost"),
    },
    start: async (node) => {
      await launch(node);
      await ready();
    },
    stop: (node) => stopJava(folder, nodeName(node)),
    kill: (node) => stopJava(folder, nodeName(node), "SIGKILL"),
    stopAll: () => stopKafka(folder),
  };
}

/** Ends every node of the Kafka in a folder, whoever started it. */
export async function stopKafka(folder: string): Promise<void> {
  // All at once: the last nodes of a quorum cannot shut down cleanly alone.
  await Promise.all([1, 2, 3].map((node) => stopJava(folder, nodeName(node))));
}

const NAME = "kafka-";

function nodeName(node: number): string {
  return `${NAME}${node}`;
}

function configPath(folder: string, node: number): string {
  return join(folder, `${nodeName(node)}.properties`);
}

/** Options of every JVM: the log's configuration, and no port for remote management. */
const JVM = (folder: string) => [`-Dlog4j2.configurationFile=${join(folder, "log4j2.properties")}`];

/** Number of brokers that a broker knows, by Kafka's Metadata request, version 1, without topics. */
async function nodesSeenBy(port: number): Promise<number> {
  const client = Buffer.from("isobar");
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4);
  request.writeInt32BE(request.length - 4, 0);
  request.writeInt16BE(3, 4);
  request.writeInt16BE(1, 6);
  request.writeInt16BE(client.length, 12);
  client.copy(request, 14);
  const answer = Promise.withResolvers<number>();
  let received = Buffer.alloc(0);
  const closed = () => answer.reject(new Error("The connection was closed"));
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (to) => void to.write(request),
      data: (_, chunk) => {
        received = Buffer.concat([received, chunk]);
        if (received.length >= 12) answer.resolve(received.readInt32BE(8)); // size, request's number, brokers
      },
      close: closed,
      error: closed,
    },
  });
  const timer = setTimeout(closed, ANSWER_MS);
  try {
    return await answer.promise;
  } finally {
    clearTimeout(timer);
    socket.end();
  }
}

/** The cluster's id, made at the first start. */
async function clusterIdOf(folder: string): Promise<string> {
  const path = join(folder, "cluster-id");
  if (!(await exists(path))) {
    await Bun.write(path, Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url"));
  }
  return readFile(path, "utf8");
}

/** Prepares a node's data folder, once. */
async function format(
  jars: string,
  folder: string,
  node: number,
  clusterId: string,
  secure: KafkaServerOptions["secure"],
): Promise<void> {
  const data = join(folder, nodeName(node));
  if (await exists(join(data, "meta.properties"))) return;
  await rm(data, { recursive: true, force: true });
  const scram =
    secure === undefined
      ? []
      : ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
          "--add-scram",
          `${mechanism}=[name=${secure.username},password=${secure.password}]`,
        ]);
  const command = javaCommand({
    jars,
    jvm: JVM(folder),
    main: "kafka.tools.StorageTool",
    // As one argument: an id may begin with a dash, which would be read as a flag.
    args: ["format", `--cluster-id=${clusterId}`, "-c", configPath(folder, node), ...scram],
  });
  const run = Bun.spawn(command, { cwd: folder, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([run.stdout.text(), run.stderr.text(), run.exited]);
  if (code !== 0) {
    throw new IsobarError("failed", `Cannot format ${nodeName(node)}: ${out}${err}`.slice(0, 4000));
  }
}

function properties(
  { folder, secure }: KafkaServerOptions,
  node: number,
  ids: readonly number[],
  port: (node: number) => number,
  tls: Certificates | null,
): string {
  const controller = (id: number) => port(id) + OFFSETS.CONTROLLER;
  const replicas = ids.length;
  const inSync = replicas === 1 ? 1 : 2;
  const listeners = [
    `PLAINTEXT://127.0.0.1:${port(node)}`,
    `CONTROLLER://127.0.0.1:${controller(node)}`,
    ...(tls === null
      ? []
      : (["TLS", "MTLS", "SASL", "SASL_TLS"] as const).map(
          (name) => `${name}://127.0.0.1:${port(node) + OFFSETS[name]}`,
        )),
  ];
  // Clients compare the name they connect to with the certificate, which is for `localhost`.
  const advertised = listeners
    .filter((listener) => !listener.startsWith("CONTROLLER"))
    .map((listener) =>
      /^(TLS|MTLS|SASL_TLS)/.test(listener) ? listener.replace("127.0.0.1", "localhost") : listener,
    );
  const all: Record<string, string | number | boolean> = {
    "process.roles": "broker,controller",
    "node.id": node,
    "controller.quorum.voters": ids.map((id) => `${id}@127.0.0.1:${controller(id)}`).join(","),
    listeners: listeners.join(","),
    "advertised.listeners": advertised.join(","),
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map":
      "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MTLS:SSL,SASL:SASL_PLAINTEXT,SASL_TLS:SASL_SSL",
    "log.dirs": join(folder, nodeName(node)),
    "auto.create.topics.enable": false,
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.min.isr": inSync,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.min.isr": inSync,
    // A local group has one or two members, so do not wait for more.
    "group.initial.rebalance.delay.ms": 0,
    // A killed broker can come back only after its old session has expired.
    "broker.session.timeout.ms": 3_000,
    "broker.heartbeat.interval.ms": 500,
  };
  if (tls !== null && secure !== undefined) {
    const login = "org.apache.kafka.common.security";
    Object.assign(all, {
      "ssl.keystore.type": "PEM",
      "ssl.keystore.location": tls.brokerPath,
      "ssl.truststore.type": "PEM",
      "ssl.truststore.location": tls.caPath,
      "listener.name.mtls.ssl.client.auth": "required",
      "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    });
    for (const listener of ["sasl", "sasl_tls"]) {
      all[`listener.name.${listener}.plain.sasl.jaas.config`] =
        `${login}.plain.PlainLoginModule required user_${secure.username}="${secure.password}";`;
      for (const scram of ["scram-sha-256", "scram-sha-512"]) {
        all[`listener.name.${listener}.${scram}.sasl.jaas.config`] =
          `${login}.scram.ScramLoginModule required;`;
      }
    }
  }
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

const LOG4J_PROPERTIES = `status = error
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRefs = out
rootLogger.appenderRef.out.ref = OUT
`;

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
