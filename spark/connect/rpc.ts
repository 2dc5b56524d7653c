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
 * A server that is frozen or cut off is found after these, ms. The server answers pings while a call runs: it reports
 * progress more often than its patience with pings lasts.
 */
const KEEPALIVE_MS = 5_000;
const KEEPALIVE_TIMEOUT_MS = 2_000;
/** Longest wait for the answer to a single question, ms. */
const UNARY_MS = 20_000;
/**
 * Longest time a stream is open, ms. Spark ends one after two minutes by itself, and there 4.0 has a fault: with less than a
 * millisecond left it waits without end and reports no more progress, and the pings to a silent server break the connection.
 */
const STREAM_MS = 100_000;
/** Largest message taken, bytes: what Spark's own clients take. */
const MESSAGE_MAX = 128 * 1024 * 1024;

/** How a call is made. */
export interface CallOptions {
  signal?: AbortSignal;
  /** Longest wait for the answer, ms. */
  deadlineMs?: number;
}

/** The calls of one server over one connection, made when it is needed and again when it was lost. */
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
        // Two engines of one process must not share a connection, and who closes one closes it.
        "grpc.use_local_subchannel_pool": 1,
        // What is tried again, and how, is decided where it is known what the call does.
        "grpc.enable_retries": 0,
      },
    );
    if (remote.token !== null) this.#metadata.set("authorization", `Bearer ${remote.token}`);
  }

  /** One question, one answer. @throws SparkFailure */
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
   * One question, many answers. A stream that has been open for long ends as one that the server ended.
   *
   * @throws SparkFailure, maybe in the midst of them
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
    // No deadline: the server would know it too, and cancel the call at the same moment.
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
