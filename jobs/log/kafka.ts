import type { Kafka } from "kafkajs";
import type { Clock } from "../../core/clock.ts";
import { ConfigError, LogError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { retry } from "../../core/retry.ts";
import { createClient, type KafkaConnection } from "./kafka-client.ts";
import { kafkaLogError, isKafkaRefusal, kafkaErrorType } from "./kafka-error.ts";
import { KafkaFetcher } from "./kafka-fetcher.ts";
import { KafkaGroup } from "./kafka-group.ts";
import { KafkaProducer } from "./kafka-producer.ts";
import { KafkaTail, outOfRange } from "./kafka-tail.ts";
import { KafkaWire, type TopicDescription } from "./kafka-wire.ts";
import {
  MAX_VALUE_BYTES,
  type ConsumerHandler,
  type Log,
  type LogBounds,
  type LogRecord,
  type Subscription,
} from "./log.ts";

/** How often the topic is looked at, whether it is still the one it was, ms. */
const WATCH_MS = 10_000;
/** How long a look at the log is tried, ms. */
const TRY_MS = 15_000;
const BACKOFF = { baseMs: 100, maxMs: 1_000 };
/** Room for the frame around the longest value. */
const MAX_MESSAGE_BYTES = MAX_VALUE_BYTES + 1024 * 1024;

/** Which Kafka, which topic, and how the topic is made. */
export interface KafkaLogOptions extends KafkaConnection {
  topic: string;
  /** Number of partitions; a topic that has another number is refused. */
  partitions: number;
  /** Copies of each partition in a topic that is made. */
  replication: number;
  /** Age in ms from which records of a topic that is made are deleted. */
  retentionMs: number;
  /** The consumer group. */
  group: string;
  clock: Clock;
  logger: Logger;
}

/**
 * Connects to Kafka and makes the topic if there is none.
 *
 * @throws LogError `unavailable` when Kafka cannot be reached, `mismatch` when the topic has another number of partitions
 * @throws ConfigError `bad_setting` when Kafka refuses to make such a topic
 */
export async function openKafkaLog(options: KafkaLogOptions): Promise<KafkaLog> {
  const { topic, clock, logger } = options;
  const kafka = createClient(options, logger);
  const wire = new KafkaWire(kafka, options, topic, logger);
  try {
    await wire.connect();
    let found = await wire.describe();
    if (found === null) {
      await makeTopic(kafka, options);
      // The broker that is asked may hear of the new topic a moment later.
      found = await retry(
        async () => {
          const made = await wire.describe();
          if (made === null)
            throw new LogError("unavailable", `The topic "${topic}" was made and is not there yet`);
          return made;
        },
        { tries: 50, backoff: BACKOFF, clock, retryable: (error) => error instanceof LogError },
      );
    }
    if (found.partitions !== options.partitions)
      throw countDiffers(topic, found.partitions, options.partitions);
    return new KafkaLog(kafka, wire, found, options);
  } catch (error) {
    await wire.close().catch(() => {}); // the first error is the one that tells
    throw error instanceof ConfigError ? error : kafkaLogError(error, `Cannot open the topic "${topic}"`);
  }
}

async function makeTopic(kafka: Kafka, options: KafkaLogOptions): Promise<void> {
  const { topic, partitions, replication, retentionMs, logger } = options;
  const entries = {
    "retention.ms": retentionMs,
    // With three copies one may be away and nothing acknowledged is lost with another; with fewer, one must do.
    "min.insync.replicas": replication >= 3 ? 2 : 1,
    // Retention counts from when Kafka took a record, whatever the producer's clock says.
    "message.timestamp.type": "LogAppendTime",
    "max.message.bytes": MAX_MESSAGE_BYTES,
    "unclean.leader.election.enable": false,
  };
  const configEntries = Object.entries(entries).map(([name, value]) => ({ name, value: String(value) }));
  const admin = kafka.admin();
  try {
    await admin.connect();
    const made = await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
    });
    if (made)
      logger.info("The topic was made", { topic, partitions, replication, retention_ms: retentionMs });
  } catch (error) {
    // kafkajs bundles the refusals of several topics.
    const [first = error] = error instanceof Error && "errors" in error ? (error.errors as unknown[]) : [];
    if (!/^INVALID_(REPLICATION|PARTITIONS|CONFIG|TOPIC)|^POLICY_VIOLATION/.test(kafkaErrorType(first)))
      throw first;
    throw new ConfigError(
      "bad_setting",
      `Cannot make the topic "${topic}" with ${partitions} partitions, ${replication} copies of each: ${messageOf(first)}`,
      { cause: error, hint: "There cannot be more copies than brokers." },
    );
  } finally {
    await admin.disconnect();
  }
}

function countDiffers(topic: string, found: number, wanted: number): LogError {
  return new LogError(
    "mismatch",
    `Cannot use the topic "${topic}": it has ${found} partitions, wanted ${wanted}`,
    {
      hint:
        "A city must stay in its partition, or its duplicates would pass: set the number the topic had when it was made, " +
        "or use a new topic with a new data set.",
    },
  );
}

/**
 * The log port on a Kafka topic. Keys choose the partition by Kafka's own default hash. The incarnation is the topic's
 * id (KIP-516). Kafka keeps the records; the lake alone decides where a consumer goes on.
 */
export class KafkaLog implements Log {
  readonly kind = "kafka";
  readonly topic: string;
  readonly incarnation: string;
  readonly partitions: number;
  readonly #options: KafkaLogOptions;
  readonly #kafka: Kafka;
  readonly #wire: KafkaWire;
  readonly #producer: KafkaProducer;
  readonly #subscriptions = new Set<KafkaGroup | KafkaTail>();
  /** Aborts when close() begins: nothing is tried again. */
  readonly #ending = new AbortController();
  /** Aborts when all that was under way is done. */
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;
  /** Why the topic is not the one it was. */
  #broken: LogError | undefined;

  /** @param wire connected, this object's own from now on */
  constructor(kafka: Kafka, wire: KafkaWire, found: TopicDescription, options: KafkaLogOptions) {
    this.topic = options.topic;
    this.incarnation = found.id;
    this.partitions = found.partitions;
    this.#options = options;
    this.#kafka = kafka;
    this.#wire = wire;
    this.#producer = new KafkaProducer({
      connection: options,
      topic: options.topic,
      partitions: found.partitions,
      clock: options.clock,
      logger: options.logger,
      check: () => {
        if (this.#broken !== undefined) throw this.#broken;
      },
      changed: (count) => this.#break(countDiffers(options.topic, count, found.partitions)),
    });
    void this.#watch();
  }

  append(records: Parameters<Log["append"]>[0]): Promise<void> {
    return this.#producer.append(records);
  }

  async bounds(partition: number): Promise<LogBounds> {
    const action = `Cannot look at the bounds of ${this.topic}/${partition}`;
    this.#checkPartition(partition, action);
    return this.#try(action, () => this.#wire.bounds(partition));
  }

  async read(partition: number, from: number, limit: number): Promise<LogRecord[]> {
    const action = `Cannot read ${this.topic}/${partition} from offset ${from}`;
    const bounds = await this.bounds(partition);
    if (!Number.isSafeInteger(from) || from < bounds.low || from > bounds.high)
      throw outOfRange(this.topic, partition, from, bounds);
    let next = from;
    // What holds markers only, or records that do not count, brings nothing: go on behind it.
    for (let idle = 0; limit >= 1 && next < bounds.high;) {
      const fetched = await this.#try(action, () => this.#wire.fetchOne(partition, next));
      if (fetched.records.length > 0) return fetched.records.slice(0, limit);
      idle = fetched.next > next ? 0 : idle + 1;
      next = fetched.next;
      if (idle === 0) continue;
      if (idle > 20)
        throw new LogError("unavailable", `${action}: Kafka gives nothing below its end ${bounds.high}`);
      await this.#options.clock.sleep(BACKOFF.baseMs, this.#closed.signal);
    }
    return [];
  }

  async consume(handler: ConsumerHandler, options: { maxRecords: () => number }): Promise<Subscription> {
    this.#checkOpen(`Cannot consume the topic "${this.topic}"`, this.#closing !== undefined);
    const { group, clock, logger } = this.#options;
    const member = new KafkaGroup(
      {
        kafka: this.#kafka,
        topic: this.topic,
        group,
        clock,
        logger,
        openFetcher: (readers) => this.#openFetcher(readers),
        bounds: (partition) => this.bounds(partition),
        checkTopic: () => this.#look(),
      },
      handler,
      options.maxRecords,
    );
    await member.start();
    this.#keep(member);
    return member;
  }

  async tail(
    handler: Parameters<Log["tail"]>[0],
    options: { from?: readonly number[]; skipBehind: number },
  ): Promise<Subscription> {
    this.#checkOpen(`Cannot follow the topic "${this.topic}"`, this.#closing !== undefined);
    const from = await Promise.all(
      Array.from({ length: this.partitions }, async (_, partition) => {
        const bounds = await this.bounds(partition);
        const next = options.from?.[partition] ?? bounds.high;
        if (next > bounds.high) throw outOfRange(this.topic, partition, next, bounds);
        return { ...bounds, next };
      }),
    );
    const fetcher = await this.#openFetcher(this.partitions);
    const tail = new KafkaTail(
      {
        topic: this.topic,
        fetcher,
        from,
        skipBehind: options.skipBehind,
        bounds: (partition) => this.bounds(partition),
      },
      handler,
    );
    this.#keep(tail);
    return tail;
  }

  /** Kafka tells it to its own tools only. */
  async sizeBytes(): Promise<null> {
    return null;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    const subscriptions = [...this.#subscriptions].map((subscription) => subscription.stop());
    await Promise.all([...subscriptions, this.#producer.close()]);
    this.#closed.abort();
    await this.#wire.close();
  }

  #keep(subscription: KafkaGroup | KafkaTail): void {
    this.#subscriptions.add(subscription);
    const drop = () => void this.#subscriptions.delete(subscription);
    subscription.done.then(drop, drop);
    if (this.#closing !== undefined) void subscription.stop();
  }

  async #openFetcher(readers: number): Promise<KafkaFetcher> {
    const { clock, logger } = this.#options;
    const wire = new KafkaWire(this.#kafka, this.#options, this.topic, logger);
    await this.#try(`Cannot read the topic "${this.topic}"`, () => wire.connect());
    return new KafkaFetcher({ wire, clock, topic: this.topic, readers });
  }

  /** Looks now and then whether the topic is the one it was. */
  async #watch(): Promise<void> {
    const { clock, logger } = this.#options;
    while (!this.#closed.signal.aborted && this.#broken === undefined) {
      await clock.sleep(WATCH_MS, this.#closed.signal);
      if (this.#closed.signal.aborted) return;
      await this.#look().catch((error: unknown) => {
        logger.debug("The topic could not be looked at", { topic: this.topic, error: messageOf(error) });
      });
    }
  }

  /** @throws LogError `mismatch` when the topic is not the one it was */
  async #look(): Promise<void> {
    const found = await this.#try(`Cannot look at the topic "${this.topic}"`, () => this.#wire.describe());
    if (found === null) return; // being made anew perhaps: then it has another id
    if (found.id !== this.incarnation) {
      throw this.#break(
        new LogError("mismatch", `Cannot use the topic "${this.topic}": it was deleted and made anew`, {
          hint: "Start the program again, with a new data set for the new topic.",
        }),
      );
    }
    if (found.partitions !== this.partitions)
      throw this.#break(countDiffers(this.topic, found.partitions, this.partitions));
  }

  /** Refuses everything from now on. */
  #break(error: LogError): LogError {
    if (this.#broken === undefined) {
      this.#broken = error;
      this.#options.logger.error(error.message, { topic: this.topic, hint: error.hint });
      for (const subscription of this.#subscriptions) subscription.fail(error);
    }
    return this.#broken;
  }

  /** Asks Kafka, again where it may be a passing trouble. */
  async #try<T>(action: string, ask: () => Promise<T>): Promise<T> {
    this.#checkOpen(action);
    const { clock } = this.#options;
    const end = clock.now() + TRY_MS;
    try {
      return await retry(ask, {
        tries: Infinity,
        backoff: BACKOFF,
        clock,
        signal: this.#ending.signal,
        retryable: (error) =>
          clock.now() < end && !isKafkaRefusal(error) && kafkaLogError(error, action).code === "unavailable",
      });
    } catch (error) {
      this.#checkOpen(action);
      throw kafkaLogError(error, action);
    }
  }

  #checkOpen(action: string, closed = this.#closed.signal.aborted): void {
    if (closed) throw new LogError("closed", `${action}: it is closed`);
    if (this.#broken !== undefined) throw this.#broken;
  }

  #checkPartition(partition: number, action: string): void {
    if (!Number.isInteger(partition) || partition < 0 || partition >= this.partitions)
      throw new LogError("out_of_range", `${action}: it has ${this.partitions} partitions, counted from 0`);
  }
}
