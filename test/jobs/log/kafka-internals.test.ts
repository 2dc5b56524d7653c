import { describe, expect, test } from "bun:test";
import * as kafkajs from "kafkajs";
import { version } from "kafkajs/package.json";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import { silentLogger } from "../../../core/log.ts";
import { clientOptions, createClient } from "../../../jobs/log/kafka-client.ts";
import {
  Batch,
  closedConnection,
  Cluster,
  createErrorFromCode,
  createSocket,
  Decoder,
  Encoder,
} from "../../../jobs/log/kafka-internals.ts";

const CONNECTION = { brokers: ["127.0.0.1:1"], clientId: "test" };
const logger = createClient(CONNECTION, silentLogger).logger();

test("kafkajs is the version that kafka-internals.ts was checked against", () => {
  expect(version).toBe("2.2.4");
});

describe("Cluster", () => {
  const cluster = new Cluster({
    ...clientOptions(CONNECTION, silentLogger),
    logger,
    metadataMaxAge: 1,
    allowAutoTopicCreation: false,
    isolationLevel: 1,
  });

  test("has every method that is called", () => {
    const { brokerPool } = cluster;
    const methods = [
      cluster.connect,
      cluster.disconnect,
      cluster.addTargetTopic,
      cluster.refreshMetadata,
      cluster.refreshMetadataIfNecessary,
      cluster.removeBroker,
      cluster.findBroker,
      cluster.findTopicPartitionMetadata,
      brokerPool.findConnectedBroker,
    ];
    expect(methods.map((method) => typeof method)).toEqual(methods.map(() => "function"));
  });

  test("findTopicPartitionMetadata() tells leaders as they are read", () => {
    cluster.brokerPool.metadata = {
      topicMetadata: [{ topic: "weather", partitionMetadata: [{ partitionId: 3, leader: 7 }] }],
    };
    expect(cluster.findTopicPartitionMetadata("weather")).toEqual([{ partitionId: 3, leader: 7 }]);
  });

  test("a Broker sends LIST_OFFSETS and FETCH through its connection pool, and returns the answers", async () => {
    interface Request {
      apiKey: number;
      apiVersion: number;
      encode: () => Promise<{ buffer: Buffer }>;
    }
    const answer = (apiKey: number) => ({ responses: [{ apiKey, partitions: [{ offset: "5" }] }] });
    const sent: { apiKey: number; apiVersion: number; bytes: Buffer }[] = [];
    const broker = cluster.brokerPool.createBroker({
      logger,
      nodeId: 1,
      versions: { 1: { minVersion: 11, maxVersion: 11 }, 2: { minVersion: 3, maxVersion: 3 } },
      connectionPool: {
        isConnected: () => false,
        getConnection: async () => ({
          getSupportAuthenticationProtocol: () => false,
          authenticate: async () => {},
        }),
        setVersions() {},
        async send({ request }: { request: Request }) {
          const { apiKey, apiVersion } = request;
          sent.push({ apiKey, apiVersion, bytes: (await request.encode()).buffer });
          return answer(apiKey);
        },
      },
    });
    await broker.connect();
    const listed = await broker.listOffsets({
      isolationLevel: 1,
      topics: [{ topic: "weather", partitions: [{ partition: 3, timestamp: -2 }] }],
    });
    const fetched = await broker.fetch({
      maxWaitTime: 100,
      minBytes: 1,
      maxBytes: 1_000,
      isolationLevel: 1,
      topics: [{ topic: "weather", partitions: [{ partition: 3, fetchOffset: "42", maxBytes: 1_000 }] }],
    });
    expect([listed, fetched] as unknown[]).toEqual([answer(2), answer(1)]);
    expect(sent.map(({ apiKey, apiVersion }) => [apiKey, apiVersion])).toEqual([
      [2, 3],
      [1, 11],
    ]);
    for (const { bytes } of sent) expect(bytes.includes("weather")).toBe(true);
    const offset = Buffer.alloc(8);
    offset.writeBigInt64BE(42n);
    expect(sent[1]!.bytes.includes(offset)).toBe(true);
  });
});

describe("Batch", () => {
  const message = (offset: string, more: object = {}) => ({
    offset,
    timestamp: "1",
    value: Buffer.from(offset),
    batchContext: { producerId: "-1", inTransaction: false },
    ...more,
  });
  const answer = (messages: ReturnType<typeof message>[], abortedTransactions: unknown[] = []) => ({
    partition: 0,
    highWatermark: "9",
    lastStableOffset: "9",
    messages,
    abortedTransactions,
  });

  test("leaves out what is before the offset, markers, and aborted transactions, and goes beyond them", () => {
    const aborted = { batchContext: { producerId: "7", inTransaction: true } };
    const marker = { ...aborted, isControlRecord: true, key: Buffer.from([0, 0, 0, 0]) };
    const messages = [message("1"), message("2"), message("3", aborted), message("4", marker)];
    const transactions = [{ producerId: "7", firstOffset: "3" }];
    const batch = new Batch("weather", "2", answer(messages, transactions));
    expect(batch.messages.map(({ offset }) => offset)).toEqual(["2"]);
    expect(batch.lastOffset()).toBe("4");
  });
});

describe("Encoder and Decoder", () => {
  test("write and read the flexible types of the protocol", () => {
    const { buffer } = new Encoder()
      .writeBoolean(true)
      .writeUVarIntString("ab")
      .writeUVarIntString(null)
      .writeUVarIntArray([new Encoder().writeBoolean(false)])
      .writeUVarIntBytes()
      .writeBuffer(Buffer.from([0, 0, 0, 5, 0, 6, 1]));
    expect([...buffer]).toEqual([1, 3, 97, 98, 0, 2, 0, 0, 0, 0, 0, 5, 0, 6, 1]);
    const decoder = new Decoder(buffer);
    expect(decoder.readBoolean()).toBe(true);
    expect(decoder.readUVarIntString()).toBe("ab");
    expect(decoder.readUVarIntString()).toBeNull();
    expect(decoder.readUVarIntArray((one) => one.readBoolean())).toEqual([false]);
    decoder.readTaggedFields();
    expect(decoder.readInt32()).toBe(5);
    expect(decoder.readInt16()).toBe(6);
    expect([...decoder.readBytes(1)]).toEqual([1]);
  });
});

test("kafkajs's errors tell what is read of them", () => {
  expect(createErrorFromCode(1)).toMatchObject({ name: "KafkaJSProtocolError", type: "OFFSET_OUT_OF_RANGE" });
  expect(createErrorFromCode(29)).toMatchObject({ type: "TOPIC_AUTHORIZATION_FAILED" });
  const lost = new kafkajs.KafkaJSOffsetOutOfRange(createErrorFromCode(1), { topic: "t", partition: 3 });
  expect(lost).toMatchObject({ type: "OFFSET_OUT_OF_RANGE", partition: 3 });
});

test("closedConnection() names the broker of a connection that broke, and of no other error", () => {
  const { KafkaJSConnectionClosedError } = kafkajs as unknown as {
    KafkaJSConnectionClosedError: new (message: string, broker: { host: string; port: number }) => Error;
  };
  const broker = { host: "h", port: 1 };
  expect(closedConnection(new KafkaJSConnectionClosedError("closed", broker))).toEqual(broker);
  expect(closedConnection(new kafkajs.KafkaJSConnectionError("refused"))).toBeNull();
});

test("createSocket() makes a socket that any number may listen to", async () => {
  using server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const connected = Promise.withResolvers<void>();
  const socket = createSocket({
    host: "127.0.0.1",
    port: server.port,
    ssl: undefined as never,
    onConnect: () => connected.resolve(),
  });
  await connected.promise;
  expect(socket.getMaxListeners()).toBe(0);
  socket.destroy();
});

describe("RequestQueue", () => {
  const queueOf = (maxInFlightRequests: number) =>
    new RequestQueue({
      maxInFlightRequests,
      requestTimeout: 1_000,
      enforceRequestTimeout: false,
      clientId: "test",
      broker: "127.0.0.1:1",
      logger,
    });
  const request = (correlationId: number, sent: number[]) => ({
    entry: { correlationId, reject: () => {}, resolve: () => {} },
    expectResponse: true,
    sendRequest: () => void sent.push(correlationId),
  });

  test("keeps no timer while nothing waits", () => {
    const queue = queueOf(10);
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    const sent: number[] = [];
    queue.push(request(1, sent));
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    expect(sent).toEqual([1]);
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });

  test("holds back what waits for the end of a throttling, and looks again by a timer", () => {
    const sent: number[] = [];
    const queue = queueOf(10);
    queue.maybeThrottle(600_000);
    queue.push(request(1, sent));
    queue.push(request(2, sent));
    expect(sent).toEqual([]);
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.throttledUntil = 0;
    queue.checkPendingRequests();
    expect(sent).toEqual([1, 2]);
    queue.destroy();
  });

  test("sends by its timer what waited for room", async () => {
    const sent: number[] = [];
    const queue = queueOf(1);
    const second = Promise.withResolvers<void>();
    queue.push(request(1, sent));
    queue.push({ ...request(2, sent), sendRequest: second.resolve });
    expect(sent).toEqual([1]);
    queue.inflight.clear();
    await second.promise;
    expect(queue.throttleCheckTimeoutId).toBeNull();
  });
});
