import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { ConfigError } from "../../../core/errors.ts";
import type { KafkaLog } from "../../../jobs/log/kafka.ts";
import { Collected, collector, failure, records, tailer, thrown } from "../../contract/log-contract.ts";
import { deleteBelow, openKafkaLog, type TestKafka, testKafka } from "./server.ts";

let kafka: TestKafka;
let admin: Admin;
beforeAll(async () => {
  kafka = await testKafka();
  admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await kafka?.end();
});

async function withLog(
  changed: Parameters<TestKafka["options"]>[0],
  action: (log: KafkaLog, options: ReturnType<TestKafka["options"]>) => Promise<void>,
): Promise<void> {
  const options = kafka.options(changed);
  const log = await openKafkaLog(options);
  try {
    await action(log, options);
  } finally {
    await log.close();
  }
}

test("openKafkaLog() makes a topic as configured, once", async () => {
  await withLog({ partitions: 3, retentionMs: 86_400_000 }, async (log, options) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [log.topic] });
    expect(topics[0]?.partitions).toHaveLength(3);
    const names = ["retention.ms", "min.insync.replicas", "message.timestamp.type", "cleanup.policy"];
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: 2, name: log.topic, configNames: names }],
    });
    const values = Object.fromEntries(
      resources[0]!.configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    expect(values).toEqual({
      "retention.ms": "86400000",
      "min.insync.replicas": "1",
      "message.timestamp.type": "LogAppendTime",
      "cleanup.policy": "delete",
    });
    const again = await Promise.all([openKafkaLog(options), openKafkaLog(options)]);
    for (const other of again) {
      expect(other.incarnation).toBe(log.incarnation);
      await other.close();
    }
  });
});

test("several programs that open a topic at the same time make it once", async () => {
  const options = kafka.options({ partitions: 2 });
  const logs = await Promise.all([openKafkaLog(options), openKafkaLog(options), openKafkaLog(options)]);
  expect(new Set(logs.map(({ incarnation }) => incarnation)).size).toBe(1);
  await Promise.all(logs.map((log) => log.close()));
});

test("openKafkaLog() refuses more copies than there are brokers", async () => {
  const error = await thrown(openKafkaLog(kafka.options({ replication: 3 })));
  expect(error).toBeInstanceOf(ConfigError);
  expect((error as ConfigError).code).toBe("bad_setting");
  expect((error as ConfigError).message).toContain("3 copies");
});

test("openKafkaLog() is `unavailable` where no broker is, and says what to look at", async () => {
  const error = await failure(openKafkaLog(kafka.options({ brokers: ["127.0.0.1:1"] })));
  expect(error.code).toBe("unavailable");
  expect(error.hint).toContain("Kafka");
});

test("a topic of another number of partitions is refused with `mismatch`", async () => {
  await withLog({ partitions: 2 }, async (_log, options) => {
    const error = await failure(openKafkaLog({ ...options, partitions: 4 }));
    expect(error.code).toBe("mismatch");
    expect(error.message).toContain("it has 2 partitions, wanted 4");
  });
});

test("a number of partitions that changes stops appends and consumers with `mismatch`", async () => {
  await withLog({ partitions: 2 }, async (log) => {
    const seen = new Collected<string>();
    const consumer = await log.consume(collector(log, seen), { maxRecords: () => 100 });
    const tail = await log.tail(tailer(new Collected<string>()), { skipBehind: 100 });
    await log.append(records("a", 0, 5));
    await seen.atLeast(5);
    await admin.createPartitions({ topicPartitions: [{ topic: log.topic, count: 4 }] });
    expect((await failure(consumer.done)).code).toBe("mismatch");
    expect((await failure(tail.done)).code).toBe("mismatch");
    expect((await failure(log.append(records("a", 5, 6)))).code).toBe("mismatch");
    expect((await failure(log.consume(collector(log, seen), { maxRecords: () => 1 }))).code).toBe("mismatch");
  });
});

test("a topic that is made anew stops everything with `mismatch`, and has another incarnation", async () => {
  await withLog({}, async (log, options) => {
    const consumer = await log.consume(collector(log, new Collected<string>()), { maxRecords: () => 100 });
    await admin.deleteTopics({ topics: [log.topic] });
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic: log.topic, numPartitions: 1 }] });
    expect((await failure(consumer.done)).code).toBe("mismatch");
    expect((await failure(log.append(records("a", 0, 1)))).code).toBe("mismatch");
    const anew = await openKafkaLog(options);
    expect(anew.incarnation).not.toBe(log.incarnation);
    await anew.close();
  });
});

test("offsets that retention deleted are `out_of_range`: for read(), for consume(); a tail leaves them out", async () => {
  await withLog({}, async (log) => {
    await log.append(records("a", 0, 50));
    await deleteBelow(admin, log.topic, 30);
    expect(await log.bounds(0)).toEqual({ low: 30, high: 50 });
    expect((await failure(log.read(0, 29, 1))).code).toBe("out_of_range");
    const consumer = await log.consume(
      { ...collector(log, new Collected<string>()), assigned: async () => 10 },
      { maxRecords: () => 100 },
    );
    expect((await failure(consumer.done)).code).toBe("out_of_range");
    const seen = new Collected<string>();
    const skipped: number[] = [];
    const tail = await log.tail(
      { ...tailer(seen), skipped: (_partition, count) => skipped.push(count) },
      { from: [10], skipBehind: 1_000 },
    );
    expect(await seen.atLeast(20)).toEqual(records("a", 30, 50).map(({ value }) => value));
    expect(skipped).toEqual([20]);
    await tail.stop();
  });
});

test("offsets that are lost under a consumer end it with `out_of_range`: nothing is reset in silence", async () => {
  await withLog({}, async (log) => {
    const gate = Promise.withResolvers<void>();
    const seen: number[] = [];
    const began = Promise.withResolvers<void>();
    await log.append(records("a", 0, 1));
    const consumer = await log.consume(
      {
        ...collector(log, new Collected<string>()),
        records: async (_partition, batch) => {
          seen.push(...batch.map(({ offset }) => offset));
          began.resolve();
          await gate.promise;
        },
      },
      { maxRecords: () => 1 },
    );
    await began.promise;
    // Two more fetches are ahead of the handler; what comes after them is deleted.
    await log.append(records("a", 1, 2));
    const tailed = new Collected<string>();
    const tail = await log.tail(tailer(tailed), { from: [0], skipBehind: 100 });
    await tailed.atLeast(2);
    for (let from = 2; from < 40; from++) await log.append(records("a", from, from + 1));
    await deleteBelow(admin, log.topic, 40);
    gate.resolve();
    expect((await failure(consumer.done)).code).toBe("out_of_range");
    expect(seen).toEqual(Array.from({ length: seen.length }, (_, i) => i));
    expect(seen.length).toBeLessThan(40);
    await tail.stop();
  });
});

test("records of an aborted transaction are left out, and markers are gone beyond", async () => {
  await withLog({}, async (log) => {
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING });
    const producer = client.producer({
      transactionalId: log.topic,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    for (const [value, commit] of [
      ["one", true],
      ["lost", false],
      ["two", true],
      ["lost too", false],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic: log.topic, messages: [{ key: "a", value }] });
      await (commit ? transaction.commit() : transaction.abort());
    }
    await producer.disconnect();
    // The broker acknowledges the end of a transaction before it has written the marker of it.
    let { low, high } = await log.bounds(0);
    while (high < 8) ({ low, high } = await log.bounds(0));
    expect([low, high]).toEqual([0, 8]);
    const values: string[] = [];
    for (let next = low; ;) {
      const batch = await log.read(0, next, 1);
      if (batch.length === 0) break;
      values.push(...batch.map(({ value }) => value));
      next = batch.at(-1)!.offset + 1;
    }
    expect(values).toEqual(["one", "two"]);
    const seen = new Collected<string>();
    const consumer = await log.consume(collector(log, seen), { maxRecords: () => 1 });
    await seen.atLeast(2);
    await log.append(records("a", 0, 1));
    expect(await seen.atLeast(3)).toEqual(["one", "two", "a 0"]);
    await consumer.stop();
  });
});

test("the group's offsets are told for displays of the lag, and nobody starts from them", async () => {
  await withLog({}, async (log, { group }) => {
    await log.append(records("a", 0, 10));
    const seen = new Collected<string>();
    const first = await log.consume(collector(log, seen), { maxRecords: () => 100 });
    await seen.atLeast(10);
    await first.stop();
    const [told] = await admin.fetchOffsets({ groupId: group, topics: [log.topic] });
    expect(told?.partitions).toEqual([expect.objectContaining({ partition: 0, offset: "10" })]);
    await admin.setOffsets({ groupId: group, topic: log.topic, partitions: [{ partition: 0, offset: "7" }] });
    const again = new Collected<string>();
    const second = await log.consume(collector(log, again), { maxRecords: () => 100 });
    expect(await again.atLeast(10)).toEqual(seen.items);
    await second.stop();
  });
});
