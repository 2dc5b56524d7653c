/**
 * All of kafkajs below its public API that the log stands on, and what is mended in it. No other file names a module inside
 * that package. Checked against 2.2.4, the last version there is; `test/jobs/log/kafka-internals.test.ts` fails with another
 * one, and where a part has not the shape told in `kafka-internals-types.d.ts`.
 *
 * | Part                                        | Why the public API does not do                                           |
 * | ------------------------------------------- | ------------------------------------------------------------------------ |
 * | `Cluster`, and its `Broker`                 | a public consumer reads only in a group, only where the group says       |
 * | `Batch`                                     | drops aborted transactions and markers, which `Broker.fetch` returns too |
 * | `Encoder`, `Decoder`, `createErrorFromCode` | no public call tells a topic's id                                        |
 * | `createSocketFactory`                       | what {@link createSocket} wraps                                          |
 * | `RequestQueue`                              | its timer is mended, at the end of this file                             |
 * | `KafkaJSConnectionClosedError`              | has no type: {@link closedConnection}                                    |
 */
import type { Socket } from "node:net";
import type { ISocketFactoryArgs } from "kafkajs";
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";
import createSocketFactory from "kafkajs/src/network/socketFactory.js";

export { default as Cluster, type Broker, type FetchedPartition } from "kafkajs/src/cluster/index.js";
export { default as Batch } from "kafkajs/src/consumer/batch.js";
export { default as Decoder } from "kafkajs/src/protocol/decoder.js";
export { default as Encoder } from "kafkajs/src/protocol/encoder.js";
export { createErrorFromCode } from "kafkajs/src/protocol/error.js";

const makeSocket = createSocketFactory();

/**
 * The socket factory of every client. kafkajs ends a socket that never connected again and again during an outage; each
 * time adds a listener to it, and Node warns of the eleventh.
 */
export function createSocket(options: ISocketFactoryArgs): Socket {
  return makeSocket(options).setMaxListeners(0);
}

/** The broker whose connection broke, where an error says so; else null. Its class is exported, and left out of the types. */
export function closedConnection(error: unknown): { host: string; port: number } | null {
  if (!(error instanceof Error && error.name === "KafkaJSConnectionClosedError")) return null;
  const { host, port } = error as Error & { host: string; port: number };
  return { host, port };
}

/**
 * kafkajs keeps a timer of a negative delay running on every connection (issue #1751): a thousand turns a second, and a
 * warning each. A timer is needed only while something waits.
 */
RequestQueue.prototype.scheduleCheckPendingRequests = function () {
  if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    Math.max(10, this.throttledUntil - Date.now()),
  );
};
