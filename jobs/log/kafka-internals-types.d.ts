// The shape of what `kafka-internals.ts` uses of kafkajs 2.2.4 below its public API. The package has types for the latter only.

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
    connect(): Promise<void>;
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
    brokerPool: {
      findConnectedBroker(): Promise<Broker>;
      createBroker(options: Record<string, unknown>): Broker;
      metadata: unknown;
    };
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
    constructor(options: Record<string, unknown>);
    pending: unknown[];
    inflight: Map<number, unknown>;
    throttledUntil: number;
    throttleCheckTimeoutId: ReturnType<typeof setTimeout> | null;
    push(request: {
      entry: { correlationId: number };
      expectResponse: boolean;
      sendRequest: () => void;
    }): void;
    fulfillRequest(response: { correlationId: number; payload: Buffer; size: number }): void;
    maybeThrottle(ms: number): void;
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  }
}

declare module "kafkajs/src/protocol/encoder.js" {
  export default class Encoder {
    buffer: Buffer;
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
