import { CompressionTypes, Partitioners, type Message, type PartitionMetadata, type Producer } from "kafkajs";
import type { Clock } from "../../core/clock.ts";
import { LogError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { createClient, type KafkaConnection } from "./kafka-client.ts";
import { kafkaLogError, isKafkaRefusal } from "./kafka-error.ts";
import { MAX_VALUE_BYTES, type NewRecord } from "./log.ts";

/** Records in one request to Kafka: kafkajs's own work grows with the square of it. */
const CHUNK_RECORDS = 1_000;
/** Bytes of values in one request, before compression: below the 1 MiB that a topic takes unless it is told otherwise. */
const CHUNK_BYTES = 900_000;
/** Characters that may wait for Kafka; beyond it an append is refused at once. */
const WAITING_LENGTH = 128 * 1024 * 1024;
/** How long an append tries: a broker that is killed and restarted is back in half of it, ms. */
const APPEND_MS = 60_000;
/** Waits between tries with a new producer, ms. */
const BACKOFF = { baseMs: 200, maxMs: 2_000 };
/** kafkajs's own tries, within idempotence: more than fit the time above where a connection is refused at once. */
const RETRY = { retries: 120, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

/** An append under way. */
interface Append {
  /** Pieces not durable yet. */
  left: number;
  deadline: number;
  failed: boolean;
  resolve: () => void;
  reject: (error: LogError) => void;
}

/** What of an append fits one request. */
interface Piece {
  append: Append;
  messages: KeyedMessage[];
  bytes: number;
  length: number;
}

type KeyedMessage = Message & { partition: number };

/** What a producer needs. */
export interface KafkaProducerOptions {
  connection: KafkaConnection;
  topic: string;
  /** Partitions that keys are spread over. */
  partitions: number;
  clock: Clock;
  logger: Logger;
  /** Throws when the topic is not the one it was. */
  check: () => void;
  /** Makes the error for a topic of another number of partitions. */
  changed: (found: number) => LogError;
}

/**
 * Appends to one topic: idempotent, acknowledged by all replicas in sync, gzip, one request at a time. What is appended
 * while a request is under way goes with the next one.
 */
export class KafkaProducer {
  readonly #options: KafkaProducerOptions;
  readonly #partition = Partitioners.DefaultPartitioner();
  /** What the partitioner looks at: how many there are. */
  readonly #metadata: PartitionMetadata[];
  #queue: Piece[] = [];
  /** Characters of values in the queue. */
  #length = 0;
  #sending = false;
  #running: Promise<void> = Promise.resolve();
  #producer: { client: Producer; abandoned: boolean } | undefined;
  readonly #closed = new AbortController();
  /** Producers that were given up and may still be at work. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: KafkaProducerOptions) {
    this.#options = options;
    this.#metadata = Array.from({ length: options.partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 0,
      replicas: [],
      isr: [],
    }));
  }

  /** @throws LogError `too_large`, `unavailable`, `mismatch`, `closed` */
  async append(records: readonly NewRecord[]): Promise<void> {
    const action = this.#action(records.length);
    this.#checkOpen(action);
    if (records.length === 0) return;
    const pieces = this.#pieces(records, action);
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (this.#length > 0 && this.#length + length > WAITING_LENGTH) {
      throw new LogError("unavailable", `${action}: ${this.#length} characters wait for Kafka already`, {
        hint: "Is Kafka running? Try again later.",
      });
    }
    await new Promise<void>((resolve, reject) => {
      const deadline = this.#options.clock.now() + APPEND_MS;
      const append: Append = { left: pieces.length, deadline, failed: false, resolve, reject };
      for (const piece of pieces) this.#queue.push({ append, ...piece });
      this.#length += length;
      if (!this.#sending) this.#running = this.#run();
    });
  }

  /** Refuses what waits and closes the connections. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#running;
    this.#abandon();
    await Promise.all(this.#leaving);
  }

  #action(count: number): string {
    return `Cannot append ${count} records to the topic "${this.#options.topic}"`;
  }

  #checkOpen(action: string): void {
    if (this.#closed.signal.aborted) throw new LogError("closed", `${action}: it is closed`);
    this.#options.check();
  }

  #pieces(records: readonly NewRecord[], action: string): Omit<Piece, "append">[] {
    const pieces: Omit<Piece, "append">[] = [];
    let piece: Omit<Piece, "append"> | undefined;
    for (const { key, value } of records) {
      const bytes = Buffer.byteLength(value);
      if (bytes > MAX_VALUE_BYTES) {
        throw new LogError(
          "too_large",
          `${action}: a value has ${bytes} bytes, wanted at most ${MAX_VALUE_BYTES}`,
        );
      }
      if (
        piece === undefined ||
        piece.messages.length >= CHUNK_RECORDS ||
        piece.bytes + bytes > CHUNK_BYTES
      ) {
        pieces.push((piece = { messages: [], bytes: 0, length: 0 }));
      }
      piece.messages.push({ key, value, partition: this.#partitionOf(key) });
      piece.bytes += bytes;
      piece.length += value.length;
    }
    return pieces;
  }

  #partitionOf(key: string): number {
    const { topic } = this.#options;
    return this.#partition({ topic, partitionMetadata: this.#metadata, message: { key, value: null } });
  }

  /** Sends until nothing waits. Never rejects. */
  async #run(): Promise<void> {
    this.#sending = true;
    while (this.#queue.length > 0) {
      const pieces = this.#take();
      if (pieces.length === 0) continue;
      const messages = pieces.flatMap((piece) => piece.messages);
      const deadline = Math.min(...pieces.map(({ append }) => append.deadline));
      try {
        await this.#send(messages, deadline);
        for (const { append } of pieces) if (--append.left === 0) append.resolve();
      } catch (error) {
        const failure = kafkaLogError(error, this.#action(messages.length));
        this.#fail(pieces, failure);
        // The others would wait for the same, one after the other.
        if (failure.code !== "too_large") this.#fail(this.#queue, failure);
      }
    }
    this.#sending = false; // in the turn that found nothing: what comes later starts it again
  }

  /** The next pieces that fit one request, without those of appends that failed. */
  #take(): Piece[] {
    const pieces: Piece[] = [];
    let records = 0;
    let bytes = 0;
    for (let piece = this.#queue[0]; piece !== undefined; piece = this.#queue[0]) {
      const fits = records + piece.messages.length <= CHUNK_RECORDS && bytes + piece.bytes <= CHUNK_BYTES;
      if (pieces.length > 0 && !fits) break;
      this.#queue.shift();
      this.#length -= piece.length;
      if (piece.append.failed) continue;
      pieces.push(piece);
      records += piece.messages.length;
      bytes += piece.bytes;
    }
    return pieces;
  }

  #fail(pieces: readonly Piece[], error: LogError): void {
    for (const { append } of pieces) {
      if (!append.failed) append.reject(error);
      append.failed = true;
    }
  }

  /** Sends until all is acknowledged, the deadline passes, or it cannot be. */
  async #send(messages: readonly KeyedMessage[], deadline: number): Promise<void> {
    const { clock, topic, logger } = this.#options;
    const action = this.#action(messages.length);
    let left = [...messages];
    for (let attempt = 0; ; attempt++) {
      this.#checkOpen(action);
      const timer = new AbortController();
      const late = clock.sleep(Math.max(0, deadline - clock.now()), timer.signal).then(() => {
        if (!timer.signal.aborted)
          throw new LogError("unavailable", `${action}: no answer in ${APPEND_MS / 1000} s`);
      });
      const closed = new Promise<never>((_, reject) => {
        const refuse = () => reject(new LogError("closed", `${action}: it is closed`));
        this.#closed.signal.addEventListener("abort", refuse, { once: true });
        timer.signal.addEventListener("abort", () =>
          this.#closed.signal.removeEventListener("abort", refuse),
        );
      });
      try {
        await Promise.race([late, closed, this.#sendAll(left, (rest) => (left = rest))]);
        return;
      } catch (error) {
        // Kafka may have taken them or not. A new batch with the sequence of this one would pass for its repetition and
        // be lost, so this producer sends nothing more; what is sent again by another is a duplicate at worst.
        this.#abandon();
        const failure = kafkaLogError(error, action);
        if (failure.code !== "unavailable" || isKafkaRefusal(error) || clock.now() >= deadline) throw failure;
        logger.warn("A request to append failed and is sent again", { topic, error: messageOf(failure) });
        await clock.sleep(backoffMs(attempt, BACKOFF), this.#closed.signal);
      } finally {
        timer.abort();
      }
    }
  }

  async #sendAll(messages: KeyedMessage[], progress: (left: KeyedMessage[]) => void): Promise<void> {
    const { topic, logger } = this.#options;
    const producer = await this.#connected();
    for (let left = messages; left.length > 0;) {
      const answers = await producer.send({
        topic,
        acks: -1,
        compression: CompressionTypes.GZIP,
        messages: left,
      });
      // When a leader moves between two tries, kafkajs takes an earlier answer of the new one for the answer to all: what
      // is not named was not sent.
      const taken = new Set(answers.map(({ partition }) => partition));
      left = left.filter(({ partition }) => !taken.has(partition));
      if (left.length > 0)
        logger.debug("A request left out what is sent now", { topic, records: left.length });
      progress(left);
    }
  }

  async #connected(): Promise<Producer> {
    if (this.#producer !== undefined) return this.#producer.client;
    const { connection, logger, partitions, changed } = this.#options;
    // A client of its own: a try that is over for kafkajs may be outside idempotence when it is made again, so its inner
    // tries last as long as ours. Without a broker to go to they end when the producer is given up.
    const kafka = createClient(connection, logger, {
      retry: RETRY,
      brokers: async () => (own.abandoned ? [] : [...connection.brokers]),
    });
    const client = kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      metadataMaxAge: 10_000,
      retry: RETRY,
      createPartitioner: () => {
        return ({ partitionMetadata, message }) => {
          if (own.abandoned) throw new LogError("closed", "The producer was given up");
          if (partitionMetadata.length !== partitions) throw changed(partitionMetadata.length);
          return message.partition!;
        };
      },
    });
    const own = (this.#producer = { client, abandoned: false });
    await client.connect();
    return client;
  }

  /** Uses a new producer from now on. */
  #abandon(): void {
    const own = this.#producer;
    if (own === undefined) return;
    this.#producer = undefined;
    own.abandoned = true;
    const left = own.client.disconnect().catch((error: unknown) => {
      this.#options.logger.debug("A producer did not close", { error: messageOf(error) });
    });
    this.#leaving.add(left);
    void left.finally(() => this.#leaving.delete(left));
  }
}
