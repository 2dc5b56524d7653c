import type { Clock } from "../../core/clock.ts";
import { LogError } from "../../core/errors.ts";
import { backoffMs } from "../../core/retry.ts";
import { kafkaLogError, kafkaErrorType } from "./kafka-error.ts";
import type { Fetched, KafkaWire } from "./kafka-wire.ts";

/** How long a node waits for something new when nobody is held up by it, ms. */
const LONG_MS = 500;
/** The same while another partition may ask at any moment: a node answers one request at a time, ms. */
const SHORT_MS = 100;
/** Failing for this long is told to the reader, ms. */
const GIVE_UP_MS = 60_000;
/** Waits between tries, ms. */
const BACKOFF = { baseMs: 100, maxMs: 2_000 };

interface Ask {
  partition: number;
  from: number;
  /** Since when it fails, ms. */
  failing: number | undefined;
  resolve: (fetched: Fetched) => void;
  reject: (error: LogError) => void;
}

/**
 * Reads several partitions at the same time: what is asked for together goes into one request a node. Outages and moving
 * leaders are sat out.
 */
export class KafkaFetcher {
  readonly #wire: KafkaWire;
  readonly #clock: Clock;
  readonly #topic: string;
  /** How many partitions are read. */
  readonly #readers: number;
  #waiting: Ask[] = [];
  #asked = 0;
  readonly #busy = new Set<number>();
  readonly #closed = new AbortController();
  #planned = false;
  #recovering = false;
  #failures = 0;

  /** @param wire connections of its own: they are closed with it */
  constructor(options: { wire: KafkaWire; clock: Clock; topic: string; readers: number }) {
    this.#wire = options.wire;
    this.#clock = options.clock;
    this.#topic = options.topic;
    this.#readers = options.readers;
  }

  /**
   * The next records of a partition, or none after a while. One call a partition at a time.
   *
   * @throws LogError `out_of_range`, `unavailable` after a minute of failures, `closed`
   */
  fetch(partition: number, from: number): Promise<Fetched> {
    return new Promise((resolve, reject) => {
      if (this.#closed.signal.aborted) return reject(this.#isClosed());
      this.#waiting.push({ partition, from, failing: undefined, resolve, reject });
      this.#asked++;
      this.#plan();
    });
  }

  /** Rejects what waits. The connections close when the request under way is answered. */
  async close(): Promise<void> {
    this.#closed.abort();
    for (const ask of this.#waiting.splice(0)) ask.reject(this.#isClosed());
    await this.#wire.close();
  }

  #isClosed(): LogError {
    return new LogError("closed", `Cannot read the topic "${this.#topic}": the reader is closed`);
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    setImmediate(() => {
      this.#planned = false;
      if (!this.#recovering && this.#waiting.length > 0) void this.#dispatch();
    });
  }

  async #dispatch(): Promise<void> {
    const asks = this.#waiting;
    try {
      const leaders = await this.#wire.leaders();
      if (this.#waiting !== asks) return this.#plan();
      this.#waiting = [];
      const nodes = Map.groupBy(asks, ({ partition }) => leaders.get(partition));
      for (const [node, own] of nodes) {
        if (node === undefined) void this.#recover(own, new Error("A partition has no leader"));
        else if (this.#busy.has(node)) this.#waiting.push(...own);
        else void this.#ask(node, own);
      }
    } catch (error) {
      void this.#recover(this.#waiting.splice(0), error);
    }
  }

  async #ask(node: number, asks: readonly Ask[]): Promise<void> {
    this.#busy.add(node);
    try {
      const from = new Map(asks.map((ask) => [ask.partition, ask.from]));
      const wait = this.#asked === this.#readers ? LONG_MS : SHORT_MS;
      const answers = await this.#wire.fetch(node, from, wait);
      this.#failures = 0;
      for (const ask of asks) {
        this.#asked--;
        ask.resolve(answers.get(ask.partition) ?? { records: [], next: ask.from, high: ask.from });
      }
    } catch (error) {
      const lost = kafkaErrorType(error) === "OFFSET_OUT_OF_RANGE" ? partitionOf(error) : undefined;
      const failed = asks.find(({ partition }) => partition === lost);
      if (failed === undefined) void this.#recover(asks, error);
      else {
        this.#settle(
          failed,
          kafkaLogError(error, `Cannot read ${this.#topic}/${lost} from offset ${failed.from}`),
        );
        this.#again(asks.filter((ask) => ask !== failed));
      }
    } finally {
      this.#busy.delete(node);
      this.#plan();
    }
  }

  /** Tries again after a while, with a new look at who leads what. */
  async #recover(asks: readonly Ask[], error: unknown): Promise<void> {
    const now = this.#clock.now();
    const retried: Ask[] = [];
    for (const ask of asks) {
      ask.failing ??= now;
      if (now - ask.failing < GIVE_UP_MS) retried.push(ask);
      else this.#settle(ask, kafkaLogError(error, `Cannot read ${this.#topic}/${ask.partition}`));
    }
    this.#again(retried);
    if (this.#recovering || this.#closed.signal.aborted) return;
    this.#recovering = true;
    await this.#clock.sleep(backoffMs(this.#failures++, BACKOFF), this.#closed.signal);
    if (!this.#closed.signal.aborted) await this.#wire.refresh().catch(() => {}); // the next request tells it better
    this.#recovering = false;
    this.#plan();
  }

  #again(asks: readonly Ask[]): void {
    if (this.#closed.signal.aborted) for (const ask of asks) this.#settle(ask, this.#isClosed());
    else this.#waiting.push(...asks);
  }

  #settle(ask: Ask, error: LogError): void {
    this.#asked--;
    ask.reject(error);
  }
}

function partitionOf(error: unknown): number | undefined {
  return error instanceof Error && "partition" in error ? Number(error.partition) : undefined;
}
