import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { HADOOP_VERSION } from "../../deploy/cluster/hdfs.ts";
import { KAFKA_VERSION } from "../../deploy/cluster/kafka.ts";
import { SPARK_VERSION } from "../../deploy/cluster/spark.ts";
import { loadConfig } from "../../server/config/config.ts";
import { SETTINGS } from "../../server/config/settings.ts";

const root = join(import.meta.dir, "../..");

/** A service, as far as the file uses the schema. */
interface Service {
  build?: { context: string; dockerfile: string };
  image?: string;
  hostname?: string;
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string | number | null>;
  ports?: string[];
  volumes?: string[];
  networks: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[]; interval: string; timeout: string; retries: number; start_period: string };
  restart: string;
  stop_grace_period?: string;
  cap_drop?: string[];
  security_opt?: string[];
}

interface Compose {
  name: string;
  services: Record<string, Service>;
  networks: Record<string, null>;
  volumes: Record<string, null>;
}

const file = Bun.YAML.parse(await Bun.file(join(root, "docker-compose.yml")).text()) as Compose;
const services = Object.entries(file.services);
const app = file.services.app!;
/** The app's environment where neither the shell nor `.env` adds anything. */
const environment = Object.fromEntries(
  Object.entries(app.environment ?? {}).flatMap(([name, value]) =>
    value === null ? [] : [[name, String(value)]],
  ),
);
const { config } = loadConfig(environment, { isTerminal: false });

type Check = (value: unknown) => boolean;
const isText: Check = (value) => typeof value === "string" && value !== "";
const isDuration: Check = (value) => typeof value === "string" && /^\d+s$/.test(value);
const isList: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(isText);
const isOneOf =
  (...values: unknown[]): Check =>
  (value) =>
    values.includes(value);
const isScalarMap: Check = (value) =>
  isMap(value) &&
  Object.values(value).every((one) => one === null || typeof one === "number" || typeof one === "string");
const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The Compose specification's schema, by hand, of the keys that are used: https://github.com/compose-spec/compose-spec */
const SERVICE: Record<string, Check> = {
  build: (value) => isMap(value) && isText(value.context) && isText(value.dockerfile),
  image: isText,
  hostname: isText,
  entrypoint: isList,
  command: isList,
  environment: isScalarMap,
  ports: isList,
  volumes: isList,
  networks: isList,
  depends_on: (value) =>
    isMap(value) &&
    Object.values(value).every(
      (one) => isMap(one) && isOneOf("service_healthy", "service_completed_successfully")(one.condition),
    ),
  healthcheck: (value) =>
    isMap(value) &&
    isList(value.test) &&
    isOneOf("CMD", "CMD-SHELL")((value.test as unknown[])[0]) &&
    [value.interval, value.timeout, value.start_period].every(isDuration) &&
    Number.isInteger(value.retries),
  restart: isOneOf("no", "unless-stopped"),
  stop_grace_period: isDuration,
  cap_drop: isList,
  security_opt: isList,
};
const TOP: Record<string, Check> = {
  name: isText,
  "x-hadoop": isScalarMap,
  services: isMap,
  networks: isMap,
  volumes: isMap,
};

/** What a mapping holds that its schema does not have, or holds otherwise. */
function misfits(map: object, schema: Record<string, Check>): string[] {
  return Object.entries(map).flatMap(([key, value]) => (schema[key]?.(value) === true ? [] : [key]));
}

describe("docker-compose.yml", () => {
  test("has the form of a Compose file", () => {
    expect(misfits(file, TOP)).toEqual([]);
    for (const [name, service] of services) expect([name, misfits(service, SERVICE)]).toEqual([name, []]);
  });

  test("each image is pinned to the version that the tests of the local cluster run on", () => {
    const images = Object.fromEntries(services.map(([name, { image, build }]) => [name, image ?? build]));
    const hadoop = `apache/hadoop:${HADOOP_VERSION}`;
    expect(images).toEqual({
      app: { context: ".", dockerfile: "deploy/Dockerfile" },
      kafka: `apache/kafka:${KAFKA_VERSION}`,
      namenode: hadoop,
      datanode: hadoop,
      "hdfs-init": hadoop,
      spark: `apache/spark:${SPARK_VERSION}`,
    });
  });

  test("every name of a volume, a network or a service is defined, and each of them is used", () => {
    const used = (names: (service: Service) => readonly string[]) =>
      [...new Set(services.flatMap(([, service]) => names(service)))].sort();
    const volumes = used((service) => (service.volumes ?? []).map((mount) => mount.split(":")[0]!));
    expect(volumes).toEqual(Object.keys(file.volumes).sort());
    expect(used((service) => service.networks)).toEqual(Object.keys(file.networks).sort());
    const gates = used((service) => Object.keys(service.depends_on ?? {}));
    expect(gates.filter((name) => file.services[name] === undefined)).toEqual([]);
    // All but the app itself is waited for by somebody.
    expect(gates).toEqual(
      services
        .map(([name]) => name)
        .filter((name) => name !== "app")
        .sort(),
    );
  });

  test("who waits for health waits for a service that tells it, who waits for an end for one that ends", () => {
    for (const [, { depends_on = {} }] of services) {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const gate = file.services[name]!;
        if (condition === "service_healthy") expect(gate.healthcheck).toBeDefined();
        else expect(gate.restart).toBe("no");
      }
    }
  });

  test("the start order has no circle, and the app comes last", () => {
    const order: string[] = [];
    const start = (name: string, above: readonly string[]): void => {
      expect(above).not.toContain(name);
      for (const gate of Object.keys(file.services[name]?.depends_on ?? {})) start(gate, [...above, name]);
      if (!order.includes(name)) order.push(name);
    };
    start("app", []);
    expect(order.length).toBe(services.length);
    expect(order.at(-1)).toBe("app");
  });

  test("every variable of the app is a setting, and together their values are a configuration", () => {
    const settings = Object.values(SETTINGS).map((setting) => setting.name);
    expect(Object.keys(app.environment ?? {}).filter((name) => !settings.includes(name as never))).toEqual(
      [],
    );
    expect(loadConfig(environment, { isTerminal: false }).warnings).toEqual([]);
    expect(config).toMatchObject({ kafkaBrokers: ["kafka:9092"], hdfsRoot: "/isobar" });
  });

  test("the app's URLs are the services' names and ports", () => {
    const { kafka, namenode, spark } = file.services;
    expect(String(kafka!.environment!.KAFKA_ADVERTISED_LISTENERS)).toBe(`PLAINTEXT://${config.kafkaBrokers}`);
    expect(String(kafka!.environment!.KAFKA_LISTENERS)).toContain("PLAINTEXT://:9092");
    expect(kafka!.hostname).toBe("kafka");
    expect(String(config.hdfsUri)).toBe(String(namenode!.environment!["CORE-SITE.XML_fs.defaultFS"]));
    // Hadoop's default port of the NameNode's web interface; nothing changes it.
    expect(config.webhdfsUrls?.map((url) => new URL(url).host)).toEqual(["namenode:9870"]);
    expect(Object.keys(namenode!.environment!).filter((name) => name.includes("http-address"))).toEqual([]);
    const binding = spark!.command!.find((word) => word.startsWith("spark.connect.grpc.binding.port="))!;
    expect(config.sparkRemote).toBe(`sc://spark:${binding.split("=")[1]}`);
    expect(spark!.environment!.HADOOP_USER_NAME).toBe(config.hdfsUser);
    const init = file.services["hdfs-init"]!.command!.join("\n");
    expect(init).toContain(`-chown ${config.hdfsUser}:${config.hdfsUser} ${config.hdfsRoot}\n`);
    expect(init).toContain(`-fs ${config.hdfsUri}`);
  });

  test("copies in Kafka and HDFS are no more than the nodes there are", () => {
    const brokers = services.filter(([, { image }]) => image?.startsWith("apache/kafka")).length;
    expect(config.kafkaReplication).toBeLessThanOrEqual(brokers);
    const { kafka, namenode, spark } = file.services;
    for (const [name, value] of Object.entries(kafka!.environment!))
      if (/REPLICA|MIN_ISR/.test(name)) expect([name, value]).toEqual([name, brokers]);
    const dataNodes = services.filter(([, { command }]) => command?.includes("datanode")).length;
    expect(namenode!.environment!["HDFS-SITE.XML_dfs.replication"]).toBe(dataNodes);
    expect(spark!.command).toContain(`spark.hadoop.dfs.replication=${dataNodes}`);
  });

  test("nothing is published beyond this machine, and only the app at all", () => {
    const published = services.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
    expect(published).toEqual([`app 127.0.0.1:${config.port}:${config.port}`]);
    expect([config.host, config.auth]).toEqual(["0.0.0.0", "none"]);
  });

  test("what is killed has had the time it takes to stop", () => {
    for (const [name, { restart, stop_grace_period }] of services) {
      if (restart === "no") continue;
      expect([name, restart]).toEqual([name, "unless-stopped"]);
      expect(stop_grace_period).toBeDefined();
    }
    expect(Number(app.stop_grace_period!.replace("s", ""))).toBeGreaterThan(config.shutdownSeconds);
  });

  test("what must outlive a container is on a volume", async () => {
    const { kafka, namenode, datanode } = file.services;
    const target = (service: Service | undefined) => service!.volumes!.map((mount) => mount.split(":")[1]!);
    expect(target(kafka)).toEqual([String(kafka!.environment!.KAFKA_LOG_DIRS)]);
    for (const [service, key] of [
      [namenode, "HDFS-SITE.XML_dfs.namenode.name.dir"],
      [datanode, "HDFS-SITE.XML_dfs.datanode.data.dir"],
    ] as const) {
      expect(new URL(String(service!.environment![key])).pathname).toStartWith(`${target(service)[0]}/`);
    }
    const dockerfile = await Bun.file(join(root, "deploy/Dockerfile")).text();
    expect(target(app)).toEqual([/\bDATA_DIR=(\S+)/.exec(dockerfile)![1]!]);
  });
});
