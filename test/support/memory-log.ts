import { LogError } from "../../core/errors.ts";
import type { Clock } from "../../core/clock.ts";
import type {
  ConsumerHandler,
  Log,
  LogBounds,
  LogRecord,
  NewRecord,
  Subscription,
} from "../../jobs/log/log.ts";

/** What a {@link MemoryLog} is made of. */
export interface MemoryLogOptions {
  clock: Clock;
  /** Default 1. */
  partitions?: number;
  /** Default `observations`. */
  topic?: string;
}

/**
 * The log port in memory: it keeps what was appended, and a test may look into it, cut it and let it fail. A record's key
 * chooses its partition.
 */
export class MemoryLog implements Log {
  readonly kind = "memory";
  readonly incarnation = "memory";
  readonly topic: string;
  readonly partitions: number;
  /** What is thrown instead of an answer, while it is set. */
  failure: LogError | undefined;
  /** Called when a consumer has taken everything there is. */
  drained: () => void = () => {};
  /** The most records ever given to a consumer at once. */
  largestRead = 0;
  readonly #clock: Clock;
  readonly #records: LogRecord[][];
  readonly #low: number[];
  #changed = Promise.withResolvers<void>();

  constructor(options: MemoryLogOptions) {
    this.#clock = options.clock;
    this.topic = options.topic ?? "observations";
    this.partitions = options.partitions ?? 1;
    this.#records = Array.from({ length: this.partitions }, () => []);
    this.#low = Array.from({ length: this.partitions }, () => 0);
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    this.#check();
    for (const { key, value } of records) {
      let hash = 0;
      for (const char of key) hash = (hash * 31 + char.codePointAt(0)!) % 65_521;
      const held = this.#records[hash % this.partitions]!;
      held.push({ offset: held.length, timestamp: this.#clock.now(), value });
    }
    this.wake();
  }

  /** Lets every reader look again. */
  wake(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers();
    changed.resolve();
  }

  /** Everything that was ever appended to a partition, trimmed or not. */
  all(partition = 0): readonly LogRecord[] {
    return this.#records[partition]!;
  }

  /** Lets retention delete what lies below an offset. */
  trimTo(low: number, partition = 0): void {
    this.#low[partition] = low;
  }

  async bounds(partition: number): Promise<LogBounds> {
    this.#check();
    return { low: this.#low[partition]!, high: this.#records[partition]!.length };
  }

  async read(partition: number, from: number, limit: number): Promise<LogRecord[]> {
    const { low, high } = await this.bounds(partition);
    if (from < low || from > high) {
      throw new LogError("out_of_range", `Cannot read from offset ${from}: wanted ${low} to ${high}`);
    }
    return this.#records[partition]!.slice(from, from + limit);
  }

  async consume(handler: ConsumerHandler, options: { maxRecords: () => number }): Promise<Subscription> {
    return this.#follow(async (partition, stopped) => {
      let next = await handler.assigned(partition);
      while (!stopped()) {
        const changed = this.#changed.promise;
        const records = await this.read(partition, next, options.maxRecords());
        if (records.length === 0) {
          this.drained();
          await changed;
        } else {
          this.largestRead = Math.max(this.largestRead, records.length);
          const context = { high: this.#records[partition]!.length, heartbeat: async () => {} };
          await handler.records(partition, records, context);
          next = records.at(-1)!.offset + 1;
        }
      }
    });
  }

  async tail(
    handler: {
      records(partition: number, records: readonly LogRecord[]): void;
      skipped(partition: number, count: number): void;
    },
    options: { from?: readonly number[]; skipBehind: number },
  ): Promise<Subscription> {
    const starts = this.#records.map((records, i) => options.from?.[i] ?? records.length);
    return this.#follow(async (partition, stopped) => {
      let next = starts[partition]!;
      while (!stopped()) {
        const changed = this.#changed.promise;
        const { low, high } = await this.bounds(partition);
        const start = Math.max(next, low, high - options.skipBehind);
        if (start > next) handler.skipped(partition, start - next);
        const records = await this.read(partition, start, options.skipBehind);
        next = start + records.length;
        if (records.length === 0) await changed;
        else handler.records(partition, records);
      }
    });
  }

  async sizeBytes(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    this.failure = new LogError("closed", "Cannot use the log: it is closed");
    this.wake();
  }

  #check(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  /** Runs a reader for each partition until it is stopped or one of them fails. */
  #follow(run: (partition: number, stopped: () => boolean) => Promise<void>): Subscription {
    let stop = false;
    const done = Promise.all(this.#records.map((_, partition) => run(partition, () => stop))).then(() => {});
    const ended = done.catch(() => {}); // it is told through `done`
    return {
      done,
      stop: () => {
        stop = true;
        this.wake();
        return ended;
      },
    };
  }
}
