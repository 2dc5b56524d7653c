import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Admin } from "kafkajs";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/log.ts";
import {
  type KafkaServer,
  type KafkaServerOptions,
  kafkaServer,
  stopKafka,
} from "../../../deploy/cluster/kafka.ts";
import { type KafkaLogOptions, openKafkaLog } from "../../../jobs/log/kafka.ts";

/** A Kafka for one test file. */
export interface TestKafka extends KafkaServer {
  /** Options of a log on a topic of its own. */
  options(changed?: Partial<KafkaLogOptions>): KafkaLogOptions;
  /** Ends the servers and removes their data. */
  end(): Promise<void>;
}

let count = 0;

/** Starts a Kafka whose data goes with it. */
export async function testKafka(options: Omit<KafkaServerOptions, "folder"> = {}): Promise<TestKafka> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-kafka-"));
  const end = async () => {
    await stopKafka(folder);
    await rm(folder, { recursive: true, force: true });
  };
  let server: KafkaServer;
  try {
    await Bun.write(join(folder, "cluster-id"), "-9zT3bBgRkmWq0x5l6c_Yw"); // one of 64 begins with a dash
    server = await kafkaServer({ basePort: 19_492, ...options, folder });
  } catch (error) {
    await end();
    throw error;
  }
  return {
    ...server,
    options: (changed = {}) => {
      const name = `t${++count}-${crypto.randomUUID().slice(0, 8)}`;
      return {
        brokers: server.brokers,
        topic: name,
        partitions: 1,
        replication: 1,
        retentionMs: 7 * 86_400_000,
        group: name,
        clientId: "isobar-test",
        clock: systemClock,
        logger: silentLogger,
        ...changed,
      };
    },
    end,
  };
}

/** Deletes the records of partition 0 below an offset: Kafka raises the partition's first offset, as its retention does. */
export async function deleteBelow(admin: Admin, topic: string, offset: number): Promise<void> {
  await admin.fetchTopicOffsets(topic); // kafkajs must know the topic's leaders before
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
}

export { openKafkaLog };
