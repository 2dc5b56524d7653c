import type { Consumer, Kafka } from "kafkajs";
import type { Clock } from "../../core/clock.ts";
import { LogError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { kafkaLogError, isKafkaRefusal } from "./kafka-error.ts";
import type { KafkaFetcher } from "./kafka-fetcher.ts";
import { outOfRange } from "./kafka-tail.ts";
import type { ConsumerHandler, LogBounds, Subscription } from "./log.ts";

/** A member that is silent for this long is put out of the group, ms. */
const SESSION_MS = 15_000;
const HEARTBEAT_MS = 2_000;
/** How long the group waits for its members to come to a new assignment, ms. */
const REBALANCE_MS = 30_000;
/** How often kafkajs looks whether a heartbeat is due, and the longest wait of a stop, ms. */
const TURN_MS = 250;
/** How often the group is told how far we are, ms. */
const HINT_MS = 1_000;
/** Without a membership for this long the subscription ends, ms. */
const GIVE_UP_MS = 60_000;
/** Waits before the group is joined again, ms. */
const BACKOFF = { baseMs: 200, maxMs: 5_000 };
/** Longest wait of a stop for a last word to the group, and for a join under way, ms. */
const LEAVE_MS = 5_000;

/** What a membership needs. */
export interface KafkaGroupOptions {
  kafka: Kafka;
  topic: string;
  group: string;
  clock: Clock;
  logger: Logger;
  /** A reader of `readers` partitions with connections of its own. */
  openFetcher: (readers: number) => Promise<KafkaFetcher>;
  bounds: (partition: number) => Promise<LogBounds>;
  /** Rejects when the topic is not the one it was. */
  checkTopic: () => Promise<void>;
}

/**
 * A member of a consumer group. kafkajs keeps the membership and reads nothing; the partitions are read beside it, from
 * where the handler says. So long work of the handler delays no heartbeat, nothing read before a new assignment is handed
 * over after it, and no offset is ever reset in silence.
 */
export class KafkaGroup implements Subscription {
  readonly done: Promise<void>;
  readonly #options: KafkaGroupOptions;
  readonly #handler: ConsumerHandler;
  readonly #maxRecords: () => number;
  #consumer: Consumer | undefined;
  /** When we were last known to be a member, ms. */
  #member: number;
  readonly #end = Promise.withResolvers<void>();
  /** Counts the assignments; what belongs to an older one does no more work. */
  #epoch = 0;
  #fetcher: KafkaFetcher | undefined;
  /** Partitions the handler was told are ours. */
  #owned = new Set<number>();
  #pumps: Promise<void>[] = [];
  /** Assignments are carried out one after the other. */
  #changing: Promise<void> = Promise.resolve();
  #joining: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  /** What ended it. */
  #failure: { error: unknown } | undefined;
  readonly #hints = new Map<number, number>();
  readonly #stopped = new AbortController();

  constructor(options: KafkaGroupOptions, handler: ConsumerHandler, maxRecords: () => number) {
    this.#options = options;
    this.#handler = handler;
    this.#maxRecords = maxRecords;
    this.done = this.#end.promise;
    this.done.catch(() => {}); // its owner sees it; until somebody looks it must not end the process
    this.#member = options.clock.now();
  }

  /**
   * Joins the group in the background.
   *
   * @throws LogError `unavailable` when Kafka cannot be reached
   */
  async start(): Promise<void> {
    try {
      await this.#join();
    } catch (error) {
      throw kafkaLogError(error, `Cannot consume the topic "${this.#options.topic}"`);
    }
    void this.#tellGroup();
  }

  /** Becomes a member, the first time or again. */
  async #join(): Promise<void> {
    const { kafka, topic, group, clock } = this.#options;
    const consumer = (this.#consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      rebalanceTimeout: REBALANCE_MS,
      maxWaitTimeInMs: TURN_MS,
      metadataMaxAge: 10_000,
      allowAutoTopicCreation: false,
      retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 2_000, restartOnFailure: async () => false },
    }));
    const current = () => consumer === this.#consumer && !this.#stopped.signal.aborted;
    const { GROUP_JOIN, HEARTBEAT, CRASH } = consumer.events;
    consumer.on(GROUP_JOIN, ({ payload }) => {
      consumer.pause([{ topic }]); // all of it, also what a later assignment brings: it is for the membership only
      if (current()) this.#reassign(payload.memberAssignment[topic] ?? []);
    });
    consumer.on(HEARTBEAT, () => {
      if (current()) this.#member = clock.now();
    });
    consumer.on(CRASH, ({ payload }) => {
      if (current()) void this.#joinAgain(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topic });
    } catch (error) {
      await consumer.disconnect().catch(() => {}); // the first error is the one that tells
      throw error;
    }
    if (!current()) return void (await consumer.disconnect());
    this.#joining = consumer
      .run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} })
      .catch((error: unknown) => this.#joinAgain(error));
  }

  /** kafkajs gives a membership up when its coordinator is away for some seconds, or was not there yet. */
  async #joinAgain(error: unknown): Promise<void> {
    const { clock, logger, group } = this.#options;
    let last = error;
    for (let attempt = 0; !this.#stopped.signal.aborted; attempt++) {
      const failure = kafkaLogError(last, `Cannot stay in the group "${group}"`);
      if (isKafkaRefusal(last) || clock.now() - this.#member > GIVE_UP_MS) return this.fail(failure);
      logger.warn("The group is joined again", { group, error: failure.message });
      await clock.sleep(backoffMs(attempt, BACKOFF), this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      try {
        return await this.#join();
      } catch (next) {
        last = next;
      }
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#leave().then(() => {
      if (this.#failure === undefined) this.#end.resolve();
      else this.#end.reject(this.#failure.error);
    });
    return this.#stopping;
  }

  /** Ends the subscription with an error. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    void this.stop();
  }

  async #leave(): Promise<void> {
    const { clock, logger } = this.#options;
    this.#stopped.abort();
    const closing = this.#fetcher?.close();
    await this.#changing;
    await Promise.all(this.#pumps);
    const enough = new AbortController();
    // A member that leaves while it joins would stay in the group: kafkajs can only leave after that.
    await Promise.race([Promise.all([this.#commit(), this.#joining]), clock.sleep(LEAVE_MS, enough.signal)]);
    enough.abort();
    const consumer = this.#consumer;
    const late = (error: unknown) => logger.debug("A consumer did not close", { error: messageOf(error) });
    await Promise.all([consumer?.disconnect(), closing, this.#fetcher?.close()]).catch(late);
    void this.#joining.then(() => consumer?.disconnect()).catch(late); // where it joined after all
  }

  #reassign(partitions: readonly number[]): void {
    const epoch = ++this.#epoch;
    this.#member = this.#options.clock.now();
    const { logger, topic, group } = this.#options;
    logger.info("The group gave out its partitions", { topic, group, ours: partitions.join(",") || "none" });
    this.#changing = this.#changing
      .then(() => this.#change(partitions, epoch))
      .catch((error: unknown) => this.fail(error));
  }

  async #change(partitions: readonly number[], epoch: number): Promise<void> {
    const closing = this.#fetcher?.close().catch(() => {}); // what it waited for is not wanted any more
    // Told before the work under way has ended: what another member fences in it now is of the past.
    const owned = this.#stopped.signal.aborted ? [] : [...this.#owned];
    this.#owned.clear();
    await Promise.all([...this.#pumps, ...owned.map((partition) => this.#handler.revoked(partition))]);
    this.#pumps = [];
    this.#hints.clear();
    await closing;
    if (!this.#current(epoch)) return;
    const { topic, checkTopic } = this.#options;
    await checkTopic();
    const fetcher = (this.#fetcher = await this.#options.openFetcher(partitions.length));
    await Promise.all(
      partitions.map(async (partition) => {
        if (!this.#current(epoch)) return;
        this.#owned.add(partition);
        let from: number;
        try {
          from = await this.#handler.assigned(partition);
        } catch (error) {
          if (epoch === this.#epoch) throw error;
          return this.#isPast(partition, error);
        }
        if (!this.#current(epoch)) return;
        const bounds = await this.#options.bounds(partition);
        if (!Number.isSafeInteger(from) || from < bounds.low || from > bounds.high)
          throw outOfRange(topic, partition, from, bounds);
        if (!this.#current(epoch)) return;
        this.#pumps.push(this.#pump(fetcher, partition, from, epoch));
      }),
    );
  }

  /** Hands one partition's records over. While the handler works on some, the next ones are fetched. Never rejects. */
  async #pump(fetcher: KafkaFetcher, partition: number, from: number, epoch: number): Promise<void> {
    const ours = () => this.#current(epoch);
    const fetch = (offset: number) => {
      const fetched = fetcher.fetch(partition, offset);
      fetched.catch(() => {}); // it is awaited below, or not wanted any more
      return fetched;
    };
    try {
      let ahead = fetch(from);
      while (ours()) {
        const { records, next, high } = await ahead;
        if (!ours()) return;
        ahead = fetch(next);
        for (let at = 0; at < records.length && ours();) {
          const part = records.slice(at, at + Math.max(1, Math.floor(this.#maxRecords())));
          at += part.length;
          await this.#handler.records(partition, part, { high, heartbeat: async () => {} });
          if (epoch === this.#epoch) this.#hints.set(partition, part.at(-1)!.offset + 1);
        }
      }
    } catch (error) {
      if (!ours() && error instanceof LogError && error.code === "closed") return; // what it waited for is not wanted
      if (epoch === this.#epoch) return this.fail(error);
      this.#isPast(partition, error);
    }
  }

  /** Tells of work for a partition that has gone to another member, which may have fenced it. */
  #isPast(partition: number, error: unknown): void {
    const { logger, topic } = this.#options;
    logger.warn("Work on a partition that is not ours any more failed", {
      topic,
      partition,
      error: messageOf(error),
    });
  }

  /** Whether an assignment still holds. */
  #current(epoch: number): boolean {
    return epoch === this.#epoch && !this.#stopped.signal.aborted;
  }

  /** Tells the group how far we are, for displays of the lag only: nobody ever starts from there. */
  async #tellGroup(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped.signal.aborted) {
      await clock.sleep(HINT_MS, this.#stopped.signal);
      if (!this.#stopped.signal.aborted) await this.#commit();
    }
  }

  async #commit(): Promise<void> {
    const { topic, logger } = this.#options;
    const offsets = [...this.#hints].map(([partition, offset]) => ({
      topic,
      partition,
      offset: String(offset),
    }));
    this.#hints.clear();
    if (offsets.length === 0) return;
    await this.#consumer?.commitOffsets(offsets).catch((error: unknown) => {
      logger.debug("The group was not told how far we are", { topic, error: messageOf(error) });
    });
  }
}
