// Fills a topic and reads it again, in a process of its own. Argument: a KafkaRun as JSON; prints a KafkaReport.
import { CompressionTypes, Kafka, logLevel } from "kafkajs";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { HOUR_MS } from "../../core/time.ts";
import { openKafkaLog } from "../../jobs/log/kafka.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import type { KafkaReport, KafkaRun } from "./kafka.ts";

const CITIES = 1_000;
const FROM = Date.UTC(2025, 0, 1);
/** Records in one append: what the producer job sends at a time. */
const CHUNK = 1_000;

const task = JSON.parse(process.argv[2] ?? "") as KafkaRun;
const chunks = [...chunked()];
const report = await { bare, port }[task.what]();
process.stdout.write(JSON.stringify(report));
process.exit(0);

function* chunked(): Generator<NewRecord[]> {
  const to = FROM + (task.records / CITIES) * HOUR_MS;
  const all = simulatedRecords({ cities: syntheticCities(CITIES), from: FROM, to, stepMs: HOUR_MS, seed: 1 });
  const records = [...all].flat().slice(0, task.records);
  for (let at = 0; at < records.length; at += CHUNK) yield records.slice(at, at + CHUNK);
}

async function port(): Promise<KafkaReport> {
  const log = await openKafkaLog({
    brokers: [task.broker],
    topic: task.topic,
    partitions: task.partitions,
    replication: 1,
    retentionMs: 86_400_000,
    group: task.topic,
    clientId: "bench",
    clock: systemClock,
    logger: silentLogger,
  });
  await log.append(chunks[0]!); // connections are made
  const produced = await measure(async () => {
    for (const chunk of chunks) await log.append(chunk);
  });
  const consumed = await measure(async () => {
    const all = Promise.withResolvers<void>();
    let count = 0;
    const subscription = await log.consume(
      {
        assigned: async () => 0,
        records: async (_partition, records) => {
          count += records.length;
          if (count >= task.records + CHUNK) all.resolve();
        },
        revoked: async () => {},
      },
      { maxRecords: () => 5_000 },
    );
    await Promise.race([all.promise, subscription.done]);
  });
  await log.close();
  return { produced, consumed };
}

/** The same with kafkajs as its documents say, and the same settings. */
async function bare(): Promise<KafkaReport> {
  const kafka = new Kafka({ brokers: [task.broker], clientId: "bench", logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: task.topic, numPartitions: task.partitions }] });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const send = (messages: NewRecord[]) =>
    producer.send({ topic: task.topic, acks: -1, compression: CompressionTypes.GZIP, messages });
  await send(chunks[0]!);
  const produced = await measure(async () => {
    for (const chunk of chunks) await send(chunk);
  });
  await producer.disconnect();
  const consumer = kafka.consumer({ groupId: task.topic });
  const consumed = await measure(async () => {
    const all = Promise.withResolvers<void>();
    let count = 0;
    let characters = 0;
    await consumer.connect();
    await consumer.subscribe({ topic: task.topic, fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) characters += value!.toString().length;
        count += batch.messages.length;
        if (count >= task.records + CHUNK) all.resolve();
      },
    });
    await all.promise;
    if (characters === 0) throw new Error("The records are empty");
  });
  await consumer.disconnect();
  return { produced, consumed };
}

async function measure(action: () => Promise<void>): Promise<{ seconds: number; cpuSeconds: number }> {
  const cpu = process.cpuUsage();
  const started = performance.now();
  await action();
  const { user, system } = process.cpuUsage(cpu);
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}
