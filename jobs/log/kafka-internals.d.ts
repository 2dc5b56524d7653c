// The parts of kafkajs 2.2.4 below its public API that `kafka-wire.ts` and `kafka-client.ts` stand on, as that exact version has
// them: a consumer of the public API must be in a group, and a topic's id is not told.

declare module "kafkajs/src/cluster/index.js" {
  export interface RawMessage {
    offset: string;
    timestamp: string;
    value: Buffer | null;
  }
  export interface FetchedPartition {
    partition: number;
    highWatermark: string;
    lastStableOffset: string;
    messages: RawMessage[];
    abortedTransactions: unknown[];
  }
  export interface Broker {
    connectionPool: { send(request: { request: unknown; response: unknown }): Promise<unknown> };
    fetch(options: {
      maxWaitTime: number;
      minBytes: number;
      maxBytes: number;
      isolationLevel: number;
      topics: {
        topic: string;
        partitions: { partition: number; fetchOffset: string; maxBytes: number }[];
      }[];
    }): Promise<{ responses: { topicName: string; partitions: FetchedPartition[] }[] }>;
    listOffsets(options: {
      isolationLevel: number;
      topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[];
    }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>;
  }
  export default class Cluster {
    constructor(options: Record<string, unknown>);
    brokerPool: { findConnectedBroker(): Promise<Broker> };
    connect(): Promise<void>;
    disconnect(): Promise<void>;
    addTargetTopic(topic: string): Promise<void>;
    refreshMetadata(): Promise<void>;
    refreshMetadataIfNecessary(): Promise<void>;
    removeBroker(address: { host: string; port: number }): void;
    findBroker(options: { nodeId: number }): Promise<Broker>;
    findTopicPartitionMetadata(topic: string): { partitionId: number; leader: number }[];
  }
}

declare module "kafkajs/src/consumer/batch.js" {
  import type { FetchedPartition, RawMessage } from "kafkajs/src/cluster/index.js";
  export default class Batch {
    constructor(topic: string, fetchedOffset: string, data: FetchedPartition);
    /** Without control records and records of aborted transactions. */
    messages: RawMessage[];
    rawMessages: RawMessage[];
    lastOffset(): string;
  }
}

declare module "kafkajs/src/network/socketFactory.js" {
  import type { Socket } from "node:net";
  import type { ISocketFactoryArgs } from "kafkajs";
  export default function createSocketFactory(): (options: ISocketFactoryArgs) => Socket;
}

declare module "kafkajs/src/network/requestQueue/index.js" {
  export default class RequestQueue {
    pending: unknown[];
    throttledUntil: number;
    throttleCheckTimeoutId: ReturnType<typeof setTimeout> | null;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}

declare module "kafkajs/src/protocol/encoder.js" {
  export default class Encoder {
    writeBoolean(value: boolean): Encoder;
    writeUVarIntString(value: string | null): Encoder;
    writeUVarIntArray(value: Encoder[]): Encoder;
    writeUVarIntBytes(value?: Buffer): Encoder;
    writeBuffer(value: Buffer): Encoder;
  }
}

declare module "kafkajs/src/protocol/decoder.js" {
  export default class Decoder {
    constructor(buffer: Buffer);
    readInt32(): number;
    readInt16(): number;
    readBoolean(): boolean;
    readBytes(length: number): Buffer;
    readUVarIntString(): string | null;
    readUVarIntArray<T>(reader: (decoder: Decoder) => T): T[] | null;
    readTaggedFields(): unknown;
  }
}

declare module "kafkajs/src/protocol/error.js" {
  export function createErrorFromCode(code: number): Error;
}
