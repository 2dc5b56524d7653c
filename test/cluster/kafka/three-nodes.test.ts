import { afterAll, beforeAll, expect, test } from "bun:test";
import { Kafka, logLevel } from "kafkajs";
import { type TestKafka, testKafka } from "./server.ts";
import { underLoad } from "./under-load.ts";

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await testKafka({ nodes: 3 });
});
afterAll(() => kafka?.end(), 60_000);

/** The node that leads a partition. */
async function leaderOf(topic: string, partition: number): Promise<number> {
  const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader;
  } finally {
    await admin.disconnect();
  }
}

test("the leader of three nodes is killed under load, then comes back: nothing is lost, nothing is twice in the lake", async () => {
  await underLoad(
    kafka.options({ partitions: 4, replication: 3 }),
    async (world, log, _open, acknowledged) => {
      world.startConsumer("one", log);
      await acknowledged(5_000);
      const leader = await leaderOf(log.topic, 0);
      await kafka.kill(leader);
      await acknowledged(5_000);
      expect(await leaderOf(log.topic, 0)).not.toBe(leader);
      await kafka.start(leader);
      await acknowledged(5_000);
    },
  );
});
