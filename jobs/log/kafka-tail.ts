import { LogError } from "../../core/errors.ts";
import type { KafkaFetcher } from "./kafka-fetcher.ts";
import type { Log, LogBounds, LogRecord, Subscription } from "./log.ts";

/** What a tail reads. */
export interface KafkaTailOptions {
  topic: string;
  /** Of its own: it is closed with the tail. */
  fetcher: KafkaFetcher;
  /** Where to begin in each partition, and what it holds now. */
  from: readonly (LogBounds & { next: number })[];
  skipBehind: number;
  bounds: (partition: number) => Promise<LogBounds>;
}

/** Follows every partition for one reader, outside any group. */
export class KafkaTail implements Subscription {
  readonly done: Promise<void>;
  readonly #options: KafkaTailOptions;
  readonly #handler: Parameters<Log["tail"]>[0];
  readonly #end = Promise.withResolvers<void>();
  readonly #readers: Promise<void>[];
  #stopping: Promise<void> | undefined;
  #stopped = false;

  constructor(options: KafkaTailOptions, handler: Parameters<Log["tail"]>[0]) {
    this.#options = options;
    this.#handler = handler;
    this.done = this.#end.promise;
    this.done.catch(() => {}); // its owner sees it; until somebody looks it must not end the process
    this.#readers = options.from.map((from, partition) => this.#follow(partition, from));
  }

  stop(): Promise<void> {
    return this.#finish(() => this.#end.resolve());
  }

  /** Ends it with an error. */
  fail(error: unknown): void {
    void this.#finish(() => this.#end.reject(error));
  }

  #finish(settle: () => void): Promise<void> {
    this.#stopped = true;
    this.#stopping ??= this.#close().then(settle);
    return this.#stopping;
  }

  async #close(): Promise<void> {
    await Promise.all([this.#options.fetcher.close().catch(() => {}), ...this.#readers]); // nothing is read any more
  }

  async #follow(partition: number, begin: LogBounds & { next: number }): Promise<void> {
    await Promise.resolve(); // the constructor is done by then
    const { skipBehind } = this.#options;
    let { next } = begin;
    const skip = (to: number) => {
      if (to <= next) return;
      this.#handler.skipped(partition, to - next);
      next = to;
    };
    try {
      skip(Math.max(begin.low, begin.high - skipBehind));
      while (!this.#stopped) {
        const fetched = await this.#fetch(partition, next);
        if (this.#stopped) return;
        skip(Math.max(fetched.low ?? 0, fetched.high - skipBehind));
        const records = fetched.records.filter(({ offset }) => offset >= next);
        next = Math.max(next, fetched.next);
        if (records.length > 0) this.#handler.records(partition, records);
      }
    } catch (error) {
      if (!this.#stopped) this.fail(error);
    }
  }

  /** The next records, or where the log begins when it has lost what was wanted. */
  async #fetch(
    partition: number,
    from: number,
  ): Promise<{ records: LogRecord[]; next: number; high: number; low?: number }> {
    try {
      return await this.#options.fetcher.fetch(partition, from);
    } catch (error) {
      if (!(error instanceof LogError && error.code === "out_of_range")) throw error;
      const bounds = await this.#options.bounds(partition);
      if (from > bounds.high) throw outOfRange(this.#options.topic, partition, from, bounds);
      return { records: [], next: from, high: bounds.high, low: bounds.low };
    }
  }
}

/** The error for an offset that a partition does not hold. */
export function outOfRange(
  topic: string,
  partition: number,
  from: number,
  { low, high }: LogBounds,
): LogError {
  return new LogError(
    "out_of_range",
    `Cannot read ${topic}/${partition} from offset ${from}: it holds ${low} up to, not including, ${high}`,
  );
}
