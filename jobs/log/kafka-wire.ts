import type { Kafka } from "kafkajs";
import type { Logger } from "../../core/log.ts";
import { clientOptions, type KafkaConnection } from "./kafka-client.ts";
import {
  Batch,
  type Broker,
  closedConnection,
  Cluster,
  createErrorFromCode,
  Decoder,
  Encoder,
  type FetchedPartition,
} from "./kafka-internals.ts";
import type { LogBounds, LogRecord } from "./log.ts";

/** Records of open or aborted transactions are not read. */
const READ_COMMITTED = 1;
const LATEST = -1;
const EARLIEST = -2;
/** After this age the cluster's description is asked for again, ms. */
const METADATA_MS = 30_000;
/** Most bytes of a partition in one answer, as compressed; a longer batch comes whole. */
const PARTITION_BYTES = 1024 * 1024;
const RESPONSE_BYTES = 16 * 1024 * 1024;

/** What one request of {@link KafkaWire.fetch} brings of a partition. */
export interface Fetched {
  /** Records that count, in order; those of aborted transactions and markers are left out. */
  records: LogRecord[];
  /** Where to go on: beyond what was left out too. */
  next: number;
  /** The end of what is committed. */
  high: number;
}

/** What a topic is. */
export interface TopicDescription {
  /** Changes when the topic is made anew, hexadecimal. */
  id: string;
  partitions: number;
}

/**
 * Connections of one reader, below kafkajs's consumer: reads any partition at any offset without being in a group. Every
 * method rejects with kafkajs's own errors.
 */
export class KafkaWire {
  readonly #cluster: Cluster;
  readonly #topic: string;

  constructor(kafka: Kafka, connection: KafkaConnection, topic: string, logger: Logger) {
    this.#topic = topic;
    this.#cluster = new Cluster({
      ...clientOptions(connection, logger),
      logger: kafka.logger(),
      metadataMaxAge: METADATA_MS,
      allowAutoTopicCreation: false,
      isolationLevel: READ_COMMITTED,
    });
  }

  async connect(): Promise<void> {
    await this.#cluster.connect();
  }

  /** Asks where the partitions are now. */
  async refresh(): Promise<void> {
    await this.#cluster.addTargetTopic(this.#topic);
    await this.#cluster.refreshMetadata();
  }

  /** Partitions by the node that leads them; undefined: nobody does now. */
  async leaders(): Promise<Map<number, number | undefined>> {
    await this.#cluster.addTargetTopic(this.#topic);
    await this.#cluster.refreshMetadataIfNecessary();
    const partitions = this.#cluster.findTopicPartitionMetadata(this.#topic);
    return new Map(
      partitions.map(({ partitionId, leader }) => [partitionId, leader >= 0 ? leader : undefined]),
    );
  }

  /** What a partition holds. */
  async bounds(partition: number): Promise<LogBounds> {
    const broker = await this.#leader(partition);
    const offset = async (timestamp: number) => {
      const { responses } = await broker.listOffsets({
        isolationLevel: READ_COMMITTED,
        topics: [{ topic: this.#topic, partitions: [{ partition, timestamp }] }],
      });
      return Number(responses[0]!.partitions[0]!.offset);
    };
    // Low first: retention may raise it in between, and it must not come out above high.
    const low = await offset(EARLIEST);
    return { low, high: Math.max(low, await offset(LATEST)) };
  }

  /**
   * Reads partitions that one node leads.
   *
   * @param from offset by partition
   * @param maxWaitMs how long the node waits when there is nothing yet
   */
  async fetch(
    nodeId: number,
    from: ReadonlyMap<number, number>,
    maxWaitMs: number,
  ): Promise<Map<number, Fetched>> {
    const broker = await this.#cluster.findBroker({ nodeId });
    const partitions = [...from].map(([partition, offset]) => ({
      partition,
      fetchOffset: String(offset),
      maxBytes: PARTITION_BYTES,
    }));
    const { responses } = await this.#dropped(() =>
      broker.fetch({
        maxWaitTime: maxWaitMs,
        minBytes: 1,
        maxBytes: RESPONSE_BYTES,
        isolationLevel: READ_COMMITTED,
        topics: [{ topic: this.#topic, partitions }],
      }),
    );
    const answers = responses.flatMap((response) => response.partitions);
    return new Map(
      answers.map((answer) => [answer.partition, this.#fetched(answer, from.get(answer.partition)!)]),
    );
  }

  /** Reads one partition of a node that leads it, without waiting. */
  async fetchOne(partition: number, from: number): Promise<Fetched> {
    const leader = (await this.leaders()).get(partition);
    if (leader === undefined) throw noLeader(this.#topic, partition);
    const answer = (await this.fetch(leader, new Map([[partition, from]]), 0)).get(partition);
    return answer ?? { records: [], next: from, high: from };
  }

  /** What the topic is, or null when there is none. */
  async describe(): Promise<TopicDescription | null> {
    const broker = await this.#cluster.brokerPool.findConnectedBroker();
    const request = { request: describeRequest(this.#topic), response: describeResponse };
    return (await this.#dropped(() => broker.connectionPool.send(request))) as TopicDescription | null;
  }

  async close(): Promise<void> {
    await this.#cluster.disconnect();
  }

  async #leader(partition: number): Promise<Broker> {
    const nodeId = (await this.leaders()).get(partition);
    if (nodeId === undefined) throw noLeader(this.#topic, partition);
    return this.#cluster.findBroker({ nodeId });
  }

  /** Forgets a connection that broke, so that the next request makes a new one. */
  async #dropped<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      const broken = closedConnection(error);
      if (broken !== null) this.#cluster.removeBroker(broken);
      throw error;
    }
  }

  #fetched(data: FetchedPartition, from: number): Fetched {
    const batch = new Batch(this.#topic, String(from), data);
    // kafkajs guesses a last offset for an answer without records; there is nothing to go beyond then.
    const next = data.messages.length === 0 ? from : Math.max(from, Number(batch.lastOffset()) + 1);
    return {
      records: batch.messages.map(({ offset, timestamp, value }) => ({
        offset: Number(offset),
        timestamp: Number(timestamp),
        value: value === null ? "" : value.toString("utf8"), // no value at all is a record too: it is rejected later
      })),
      next,
      high: Number(data.lastStableOffset),
    };
  }
}

function noLeader(topic: string, partition: number): Error {
  return new Error(`Partition ${partition} of ${topic} has no leader`);
}

const METADATA_API = 3;
/** The first versions that tell a topic's id (KIP-516) and whose fields are those below: Kafka 3.0 and later. */
const METADATA_VERSION = 12;
const UNKNOWN_TOPIC = 3;
const NO_ID = Buffer.alloc(16);

function describeRequest(topic: string) {
  const wanted = new Encoder().writeBuffer(NO_ID).writeUVarIntString(topic).writeUVarIntBytes();
  return {
    apiKey: METADATA_API,
    apiVersion: METADATA_VERSION,
    apiName: "Metadata",
    encode: async () =>
      new Encoder()
        .writeUVarIntBytes() // tagged fields of the header
        .writeUVarIntArray([wanted])
        .writeBoolean(false) // make no topic
        .writeBoolean(false)
        .writeUVarIntBytes(),
  };
}

const describeResponse = {
  decode: async (raw: Buffer) => {
    const decoder = new Decoder(raw);
    decoder.readTaggedFields();
    decoder.readInt32(); // throttle time
    decoder.readUVarIntArray((broker) => {
      broker.readInt32();
      broker.readUVarIntString();
      broker.readInt32();
      broker.readUVarIntString();
      broker.readTaggedFields();
    });
    decoder.readUVarIntString(); // cluster
    decoder.readInt32(); // controller
    const topics = decoder.readUVarIntArray((topic) => {
      const errorCode = topic.readInt16();
      topic.readUVarIntString();
      const id = Buffer.from(topic.readBytes(16)).toString("hex");
      topic.readBoolean();
      const partitions = topic.readUVarIntArray((partition) => {
        partition.readInt16();
        for (let i = 0; i < 3; i++) partition.readInt32();
        for (let i = 0; i < 3; i++) partition.readUVarIntArray((node) => node.readInt32());
        partition.readTaggedFields();
      });
      topic.readInt32();
      topic.readTaggedFields();
      return { errorCode, id, partitions: partitions?.length ?? 0 };
    });
    return topics?.[0];
  },
  parse: async (
    topic: { errorCode: number; id: string; partitions: number } | undefined,
  ): Promise<TopicDescription | null> => {
    if (topic === undefined || topic.errorCode === UNKNOWN_TOPIC) return null;
    if (topic.errorCode !== 0) throw createErrorFromCode(topic.errorCode);
    return { id: topic.id, partitions: topic.partitions };
  },
};
