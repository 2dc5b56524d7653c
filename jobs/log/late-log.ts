import { LogError } from "../../core/errors.ts";
import { succeedOnce } from "../../core/retry.ts";
import type { ConsumerHandler, Log, LogBounds, LogRecord, NewRecord, Subscription } from "./log.ts";

/** What a log is opened with that is not there yet. */
export interface LateLogOptions {
  kind: string;
  topic: string;
  partitions: number;
  /** Opens it: called again after a failure, whenever somebody wants the log. */
  open: () => Promise<Log>;
}

/** A log that is opened when it is first wanted: until it can be, every call rejects as the opening does. */
export class LateLog implements Log {
  readonly kind: string;
  readonly topic: string;
  readonly partitions: number;
  readonly #open: () => Promise<Log>;
  /** Until it is open, whatever others know of the log's events means nothing here. */
  #incarnation: string = crypto.randomUUID();
  #closed = false;
  /** What was opened, or is being opened. */
  #latest: Promise<Log> | undefined;

  constructor({ kind, topic, partitions, open }: LateLogOptions) {
    this.kind = kind;
    this.topic = topic;
    this.partitions = partitions;
    this.#open = succeedOnce(async () => {
      const log = await (this.#latest = open());
      this.#incarnation = log.incarnation;
      return log;
    });
  }

  get incarnation(): string {
    return this.#incarnation;
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    return (await this.#log()).append(records);
  }

  async bounds(partition: number): Promise<LogBounds> {
    return (await this.#log()).bounds(partition);
  }

  async read(partition: number, from: number, limit: number): Promise<LogRecord[]> {
    return (await this.#log()).read(partition, from, limit);
  }

  async consume(handler: ConsumerHandler, options: { maxRecords: () => number }): Promise<Subscription> {
    return (await this.#log()).consume(handler, options);
  }

  async tail(
    handler: Parameters<Log["tail"]>[0],
    options: Parameters<Log["tail"]>[1],
  ): Promise<Subscription> {
    return (await this.#log()).tail(handler, options);
  }

  async sizeBytes(): Promise<number | null> {
    return (await this.#log()).sizeBytes();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const log = await this.#latest?.catch(() => null); // one that was never there needs no end
    await log?.close();
  }

  async #log(): Promise<Log> {
    if (!this.#closed) return this.#open();
    throw new LogError("closed", `Cannot use the topic "${this.topic}": the log is closed`);
  }
}
