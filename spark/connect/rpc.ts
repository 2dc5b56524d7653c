import {
  create,
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";

import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { SparkFailure } from "./failure.ts";
import type { Remote } from "./remote.ts";

/**
 * Keepalive interval and timeout, ms: they detect a frozen or unreachable server. The server accepts these pings during a
 * call, because it sends progress often enough to reset its limit for pings.
 */
const KEEPALIVE_MS = 5_000;
const KEEPALIVE_TIMEOUT_MS = 2_000;
/** Deadline of a unary call, ms. */
const UNARY_MS = 20_000;
/**
 * Longest time a stream is open, ms. Spark itself ends a stream after two minutes, and Spark 4.0 has a bug there: with less
 * than a millisecond left it waits forever and sends no progress, and then the pings break the connection.
 */
const STREAM_MS = 100_000;
/** Largest message accepted, bytes: the same limit as in Spark's own clients. */
const MESSAGE_MAX = 128 * 1024 * 1024;

/** Options of one call. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Longest wait for the answer, ms. */
  deadlineMs?: number;
}

/** Calls to one server over one connection, which is opened on demand and reopened when it was lost. */
export class Rpc {
  readonly #client: Client;
  readonly #metadata = new Metadata();
  readonly #streamMs: number;

  /** @param streamMs longest time a stream is open, ms */
  constructor(remote: Remote, streamMs = STREAM_MS) {
    this.#streamMs = streamMs;
    this.#client = new Client(
      `${remote.host}:${remote.port}`,
      remote.tls ? credentials.createSsl() : credentials.createInsecure(),
      {
        "grpc.keepalive_time_ms": KEEPALIVE_MS,
        "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
        "grpc.max_receive_message_length": MESSAGE_MAX,
        "grpc.max_send_message_length": MESSAGE_MAX,
        "grpc.initial_reconnect_backoff_ms": 200,
        "grpc.max_reconnect_backoff_ms": 2_000,
        // Two engines in one process must not share a connection: closing one engine would close it for both.
        "grpc.use_local_subchannel_pool": 1,
        // No automatic retries: the callers know which calls are idempotent.
        "grpc.enable_retries": 0,
      },
    );
    if (remote.token !== null) this.#metadata.set("authorization", `Bearer ${remote.token}`);
  }

  /** Unary call: one request, one response. @throws SparkFailure */
  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const { signal, deadlineMs = UNARY_MS } = options;
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        pathOf(method),
        (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
        (bytes: Buffer) => fromBinary(method.output, bytes),
        create(method.input, request),
        this.#metadata,
        { deadline: Date.now() + deadlineMs },
        (error, answer) => {
          signal?.removeEventListener("abort", cancel);
          if (error !== null) reject(SparkFailure.of(error));
          else resolve(answer as MessageShape<O>);
        },
      );
      const cancel = () => call.cancel();
      if (signal?.aborted) cancel();
      else signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /**
   * Server-streaming call: one request, many responses. A stream that reaches the time limit ends normally, as if the server
   * had ended it.
   *
   * @throws SparkFailure, possibly after some of the responses
   */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    signal: AbortSignal,
  ): AsyncGenerator<MessageShape<O>> {
    const call = this.#client.makeServerStreamRequest(
      pathOf(method),
      (message: MessageShape<I>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes),
      create(method.input, request),
      this.#metadata,
    );
    const cancel = () => call.cancel();
    let long = false;
    // A timer instead of a gRPC deadline: the server knows the deadline and would cancel the operation.
    const timer = setTimeout(() => {
      long = true;
      cancel();
    }, this.#streamMs);
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      for await (const answer of call) yield answer as MessageShape<O>;
    } catch (error) {
      if (!long) throw SparkFailure.of(error as ServiceError);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancel);
      call.cancel();
    }
  }

  /** Ends the connection; calls under way fail. */
  close(): void {
    this.#client.close();
  }
}

function pathOf(method: { name: string; parent: { typeName: string } }): string {
  return `/${method.parent.typeName}/${method.name}`;
}
