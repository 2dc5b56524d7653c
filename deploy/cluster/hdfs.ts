import { access, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { IsobarError } from "../../core/errors.ts";
import { jarsOf } from "./jars.ts";
import {
  type CommandResult,
  runJava,
  runningServer,
  startJava,
  stopJava,
  untilReady,
  type JavaProcess,
} from "./java-process.ts";

/** Version of Apache Hadoop. */
export const HADOOP_VERSION = "3.4.3";
/** The first port of a local HDFS by default: 18020 (RPC), 19870 (web), 19810 and above (DataNodes). */
const BASE_PORT = 18_000;
const HOST = "127.0.0.1";
/** User of the servers: the superuser of this HDFS, and the owner of the lake. */
const USER = "isobar";
const NAME_NODE = "namenode";
/** Timeout of a command such as `hdfs dfs -ls`, ms; most of the time is the start of a JVM. */
const COMMAND_MS = 60_000;

/** A local HDFS: handles to servers that outlive this process. */
export interface HdfsServer {
  /** The NameNode's web address, where the REST API is as well: `http://127.0.0.1:19870`. */
  readonly webUrl: string;
  /** `hdfs://127.0.0.1:18020` */
  readonly uri: string;
  /** The superuser. */
  readonly user: string;
  /** `namenode`, `datanode-1`, … */
  readonly nodes: readonly string[];
  /** Starts what does not run, formatting the file system the first time, and waits until all of it answers. */
  start(): Promise<void>;
  /** Starts one node and waits until it answers; a NameNode may still be in safe mode then. */
  startNode(name: string): Promise<void>;
  /** Ends one node in good order. */
  stopNode(name: string): Promise<void>;
  /** Ends one node with SIGKILL. */
  killNode(name: string): Promise<void>;
  /** The node's process, or null when it does not run. */
  running(name: string): Promise<JavaProcess | null>;
  /** Runs `hdfs dfs`: `fsShell(["-ls", "-R", "/isobar"])`. */
  fsShell(args: readonly string[]): Promise<CommandResult>;
  /** Runs `hdfs dfsadmin`: `admin(["-safemode", "enter"])`. */
  admin(args: readonly string[]): Promise<CommandResult>;
  /** Ends everything; the data stays. */
  stop(): Promise<void>;
}

/**
 * A real HDFS on loopback: one NameNode and one or three DataNodes, each file kept by all of them.
 *
 * @param options.folder its data, configuration and output. Absolute; the data survives a restart.
 * @param options.dataNodes how many DataNodes
 * @param options.basePort where its ports begin. Default: 18000.
 * @returns its handle; nothing is started yet
 * @throws IsobarError of {@link jarsOf}
 */
export async function hdfsServer(options: {
  folder: string;
  dataNodes: 1 | 3;
  basePort?: number;
}): Promise<HdfsServer> {
  const jars = await jarsOf("hdfs", [
    { id: `org.apache.hadoop:hadoop-hdfs:${HADOOP_VERSION}` },
    { id: `org.apache.hadoop:hadoop-common:${HADOOP_VERSION}` },
    { id: `org.apache.hadoop:hadoop-hdfs-client:${HADOOP_VERSION}` },
  ]);
  return new LocalHdfs(options.folder, options.dataNodes, options.basePort ?? BASE_PORT, jars);
}

class LocalHdfs implements HdfsServer {
  readonly user = USER;
  readonly nodes: readonly string[];
  readonly webUrl: string;
  readonly uri: string;
  readonly #folder: string;
  readonly #basePort: number;
  readonly #jars: string;

  constructor(folder: string, dataNodes: number, basePort: number, jars: string) {
    this.#folder = folder;
    this.#basePort = basePort;
    this.#jars = jars;
    this.nodes = [NAME_NODE, ...Array.from({ length: dataNodes }, (_, i) => `datanode-${i + 1}`)];
    this.uri = `hdfs://${HOST}:${basePort + 20}`;
    this.webUrl = `http://${HOST}:${basePort + 1870}`;
  }

  async start(): Promise<void> {
    await this.#configure();
    await this.#format();
    const servers = await Promise.all(this.nodes.map((name) => this.#startIfNeeded(name)));
    await untilReady(servers[0]!, this.#folder, async () => {
      if (!(await this.#lists())) return false;
      const state = await this.#state();
      if (state.safeMode !== "" || state.liveDataNodes < this.nodes.length - 1) return false;
      // A DataNode counts as live before the NameNode knows its free space, and gets no writes until then.
      return answers(`${this.webUrl}/webhdfs/v1/probe?op=CREATE&noredirect=true&user.name=${USER}`, "PUT");
    });
  }

  async startNode(name: string): Promise<void> {
    await this.#configure();
    const server = await this.#startIfNeeded(this.#known(name));
    await untilReady(server, this.#folder, () =>
      name === NAME_NODE ? this.#lists() : answers(`http://${this.#dataNodeAddress(name, 1)}/jmx`),
    );
  }

  stopNode(name: string): Promise<void> {
    return stopJava(this.#folder, this.#known(name));
  }

  killNode(name: string): Promise<void> {
    return stopJava(this.#folder, this.#known(name), "SIGKILL");
  }

  running(name: string): Promise<JavaProcess | null> {
    return runningServer(this.#folder, this.#known(name));
  }

  fsShell(args: readonly string[]): Promise<CommandResult> {
    return this.#command("org.apache.hadoop.fs.FsShell", args);
  }

  admin(args: readonly string[]): Promise<CommandResult> {
    return this.#command("org.apache.hadoop.hdfs.tools.DFSAdmin", args);
  }

  async stop(): Promise<void> {
    // Stop the DataNodes first: they report to the NameNode until they end.
    await Promise.all(this.nodes.slice(1).map((name) => this.stopNode(name)));
    await this.stopNode(NAME_NODE);
  }

  #known(name: string): string {
    if (this.nodes.includes(name)) return name;
    throw new IsobarError(
      "unknown_node",
      `Cannot find the node "${name}": wanted one of ${this.nodes.join(", ")}`,
    );
  }

  async #startIfNeeded(name: string): Promise<JavaProcess> {
    const running = await this.running(name);
    if (running !== null) return running;
    for (const address of this.#addresses(name)) await requireFree(name, address);
    const main =
      name === NAME_NODE
        ? "org.apache.hadoop.hdfs.server.namenode.NameNode"
        : "org.apache.hadoop.hdfs.server.datanode.DataNode";
    return startJava({ name, folder: this.#folder, ...this.#java(name), main, args: [] });
  }

  #java(node: string, memory = "256m") {
    return {
      jars: this.#jars,
      configuration: [this.#configuration(node), this.#configuration("common")],
      jvm: [`-Xmx${memory}`, "-XX:+UseSerialGC", "--add-opens=java.base/java.lang=ALL-UNNAMED"],
      env: { HADOOP_USER_NAME: USER },
    };
  }

  async #command(main: string, args: readonly string[], node = NAME_NODE): Promise<CommandResult> {
    await this.#configure();
    return runJava({ ...this.#java(node), main, args, cwd: this.#folder }, COMMAND_MS);
  }

  async #format(): Promise<void> {
    if (await exists(join(this.#folder, "name", "current", "VERSION"))) return;
    const { code, out, err } = await this.#command("org.apache.hadoop.hdfs.server.namenode.NameNode", [
      "-format",
      "-nonInteractive",
    ]);
    if (code !== 0) {
      throw new IsobarError(
        "not_ready",
        `Cannot format the NameNode in ${this.#folder}: it ended with ${code}\n${out}${err}`.slice(-3000),
      );
    }
  }

  /** Writes the configuration of every node; the same content each time. */
  async #configure(): Promise<void> {
    const common = this.#configuration("common");
    // The servers need a folder of web applications to start, and the jars contain none.
    await mkdir(join(common, "webapps", "static"), { recursive: true });
    for (const name of ["hdfs", "datanode"])
      await Bun.write(join(common, "webapps", name, "WEB-INF", "web.xml"), WEB_XML);
    await Bun.write(join(common, "log4j.properties"), LOG4J);
    for (const name of this.nodes) {
      await Bun.write(
        join(this.#configuration(name), "core-site.xml"),
        hadoopXml({
          "fs.defaultFS": this.uri,
          "hadoop.tmp.dir": join(this.#folder, "tmp", name),
          "hadoop.http.staticuser.user": USER,
        }),
      );
      await Bun.write(join(this.#configuration(name), "hdfs-site.xml"), hadoopXml(this.#hdfsSite(name)));
    }
  }

  #hdfsSite(name: string): Record<string, string | number> {
    const shared = {
      "dfs.namenode.http-address": new URL(this.webUrl).host,
      "dfs.namenode.rpc-bind-host": HOST,
      "dfs.namenode.name.dir": `file://${join(this.#folder, NAME_NODE === name ? "name" : "unused")}`,
      "dfs.namenode.safemode.extension": 0,
      "dfs.replication": this.nodes.length - 1,
      "dfs.heartbeat.interval": "1s",
      // With the default every small file waits 400 ms at its end.
      "dfs.client.block.write.locateFollowingBlock.initial.delay.ms": 20,
    };
    if (name === NAME_NODE) return shared;
    return {
      ...shared,
      "dfs.datanode.data.dir": `file://${join(this.#folder, name)}`,
      "dfs.datanode.hostname": HOST,
      "dfs.datanode.address": this.#dataNodeAddress(name, 0),
      "dfs.datanode.http.address": this.#dataNodeAddress(name, 1),
      "dfs.datanode.ipc.address": this.#dataNodeAddress(name, 2),
    };
  }

  /** @param port 0 data, 1 web, 2 RPC */
  #dataNodeAddress(name: string, port: 0 | 1 | 2): string {
    return `${HOST}:${this.#basePort + 1810 + (this.nodes.indexOf(name) - 1) * 10 + port}`;
  }

  #addresses(name: string): string[] {
    if (name === NAME_NODE) return [this.uri, this.webUrl].map((url) => new URL(url).host);
    return ([0, 1, 2] as const).map((port) => this.#dataNodeAddress(name, port));
  }

  #configuration(name: string): string {
    return join(this.#folder, "conf", name);
  }

  #lists(): Promise<boolean> {
    return answers(`${this.webUrl}/webhdfs/v1/?op=LISTSTATUS&user.name=${USER}`);
  }

  /** State of the NameNode. */
  async #state(): Promise<{ safeMode: string; liveDataNodes: number }> {
    const response = await fetch(`${this.webUrl}/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo`, {
      signal: AbortSignal.timeout(5_000),
    });
    const { beans } = (await response.json()) as { beans: [{ Safemode: string; LiveNodes: string }] };
    return {
      safeMode: beans[0].Safemode,
      liveDataNodes: Object.keys(JSON.parse(beans[0].LiveNodes) as object).length,
    };
  }
}

const WEB_XML = `<web-app xmlns="http://java.sun.com/xml/ns/j2ee" version="2.4"/>\n`;
const LOG4J = `log4j.rootLogger=INFO, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.target=System.err
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d{ISO8601} %-5p %c{1}: %m%n
`;

function hadoopXml(properties: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(properties).map(
    ([name, value]) =>
      `  <property><name>${name}</name><value>${Bun.escapeHTML(String(value))}</value></property>`,
  );
  return `<configuration>\n${lines.join("\n")}\n</configuration>\n`;
}

/** Fails if the port is in use: another server that answers there would be mistaken for this one. */
async function requireFree(name: string, address: string): Promise<void> {
  const [hostname, port] = address.split(":");
  const other = await Bun.connect({
    hostname: hostname!,
    port: Number(port),
    socket: { data() {} },
  }).catch(() => null);
  if (other === null) return;
  other.end();
  throw new IsobarError("port_in_use", `Cannot start ${name}: something else listens on ${address}`);
}

async function answers(url: string, method = "GET"): Promise<boolean> {
  const response = await fetch(url, { method, signal: AbortSignal.timeout(5_000) });
  await response.body?.cancel();
  return response.ok;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
