import { join } from "node:path";
import { textTable } from "../../server/commands/command.ts";
import { jarsOf } from "../../deploy/cluster/jars.ts";
import { javaCommand } from "../../deploy/cluster/java-process.ts";
import { kafkaServer } from "../../deploy/cluster/kafka.ts";
import { HOUR_MS } from "../../core/time.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { runJson } from "./child.ts";
import { type BenchOptions, median, shown, times, withFolder } from "./measure.ts";

/** One run of `kafka-child.ts`. */
export interface KafkaRun {
  what: "bare" | "port";
  broker: string;
  topic: string;
  partitions: number;
  records: number;
}

/** What a run brought. */
export interface KafkaReport {
  produced: { seconds: number; cpuSeconds: number };
  consumed: { seconds: number; cpuSeconds: number };
}

const PARTITIONS = 4;
/** A port away from those of the local cluster. */
const PORT = 19_492;
/** Of Kafka's own performance tools: the newest version that is published. */
const TOOLS = "org.apache.kafka:kafka-tools:4.3.1";

/**
 * Fills a topic and reads it again through the log port, with bare kafkajs of the same settings, and with Kafka's own
 * performance tools, each in a process of its own, against a real broker that is started for it.
 */
export async function benchKafka({ quick, print }: BenchOptions): Promise<void> {
  const records = quick ? 50_000 : 300_000;
  const rounds = quick ? 1 : 3;
  await withFolder(async (folder) => {
    const server = await kafkaServer({ folder: join(folder, "kafka"), basePort: PORT });
    try {
      const broker = server.brokers[0]!;
      const runs: Record<KafkaRun["what"], KafkaReport[]> = { bare: [], port: [] };
      const java: { produced: number; consumed: number }[] = [];
      const payload = join(folder, "payload.jsonl");
      await Bun.write(payload, samplePayload());
      for (let round = 0; round < rounds; round++) {
        for (const what of ["bare", "port"] as const) {
          const task: KafkaRun = { what, broker, topic: `${what}-${round}`, partitions: PARTITIONS, records };
          runs[what].push(await runJson<KafkaReport>("kafka-child.ts", task));
        }
        java.push(await javaTools(folder, broker, `java-${round}`, records, payload));
      }
      const of = (what: KafkaRun["what"], part: keyof KafkaReport) => ({
        rate: median(runs[what].map((run) => records / run[part].seconds)),
        cpu: median(runs[what].map((run) => (run[part].cpuSeconds * 1e6) / records)),
      });
      const rows = (["produced", "consumed"] as const).flatMap((part) => {
        const [bare, port] = [of("bare", part), of("port", part)];
        const tools = median(java.map((run) => records / run[part]));
        return [
          [`${part}: the log port`, shown(port.rate), shown(port.cpu), times(port.rate, bare.rate)],
          [`${part}: bare kafkajs`, shown(bare.rate), shown(bare.cpu), "1×"],
          [`${part}: Kafka's Java tool`, shown(tools), "–", times(tools, bare.rate)],
        ];
      });
      print(
        `Kafka: ${shown(records)} simulated observations, ${PARTITIONS} partitions, one broker, gzip, idempotent, ` +
          `1,000 an append, median of ${rounds}; consuming includes joining the group\n`,
      );
      print(textTable(["what", "records/s", "CPU µs/record", "rate to bare kafkajs"], rows));
      print("");
    } finally {
      await server.stopAll();
    }
  });
}

function samplePayload(): string {
  const from = Date.UTC(2025, 0, 1);
  const all = simulatedRecords({
    cities: syntheticCities(1_000),
    from,
    to: from + 10 * HOUR_MS,
    stepMs: HOUR_MS,
    seed: 1,
  });
  return [...all]
    .flat()
    .map(({ value }) => `${value}\n`)
    .join("");
}

/** Seconds that Kafka's own tools say they took. */
async function javaTools(
  folder: string,
  broker: string,
  topic: string,
  records: number,
  payload: string,
): Promise<{ produced: number; consumed: number }> {
  const jars = await jarsOf("kafka-tools", [{ id: TOOLS }]);
  const tool = async (name: string, args: string[]) => {
    const command = javaCommand({ jars, jvm: ["-Xmx512m"], main: `org.apache.kafka.tools.${name}`, args });
    const child = Bun.spawn(command, { cwd: folder, stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    if (code !== 0) throw new Error(`Cannot measure: ${name} ended with ${code}\n${out}${err}`);
    return out;
  };
  const to = ["--bootstrap-server", broker, "--topic", topic];
  await tool("TopicCommand", [...to, "--create", "--partitions", String(PARTITIONS)]);
  const settings = ["acks=all", "compression.type=gzip", "batch.size=262144", "linger.ms=5"];
  const said = await tool("ProducerPerformance", [
    "--topic",
    topic,
    "--num-records",
    String(records),
    "--throughput",
    "-1",
    "--payload-file",
    payload,
    "--producer-props",
    `bootstrap.servers=${broker}`,
    ...settings,
  ]);
  const rate = /([\d.]+) records\/sec/.exec(said.trim().split("\n").at(-1) ?? "")?.[1];
  if (rate === undefined) throw new Error(`Cannot measure: ProducerPerformance said ${said}`);
  const read = await tool("ConsumerPerformance", [
    ...to,
    "--messages",
    String(records),
    "--timeout",
    "60000",
  ]);
  const [begin, end] = read.trim().split("\n").at(-1)!.split(", ");
  return {
    produced: records / Number(rate),
    consumed:
      (Date.parse(end!.replace(/:(\d+)$/, ".$1")) - Date.parse(begin!.replace(/:(\d+)$/, ".$1"))) / 1000,
  };
}
