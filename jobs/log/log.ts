/** Longest value of a record, bytes of UTF-8. */
export const MAX_VALUE_BYTES = 8 * 1024 * 1024;

/** A record on its way into the log. */
export interface NewRecord {
  /** Records of one key keep their order and their partition: the city's name. */
  key: string;
  /** The payload: one JSON object, or whatever a source sent in its place. */
  value: string;
}

/** A record as the log holds it. */
export interface LogRecord {
  /** Where it stands in its partition: increasing, not always dense. */
  offset: number;
  /** When the log took it, ms since the epoch. */
  timestamp: number;
  /** The payload. */
  value: string;
}

/** What a partition holds: offsets from `low` up to, not including, `high`. */
export interface LogBounds {
  low: number;
  high: number;
}

/**
 * What a consumer does with a partition. The log's own group offsets are never asked where to start:
 * {@link ConsumerHandler.assigned} tells.
 */
export interface ConsumerHandler {
  /** The partition is ours now. Returns the offset to go on from; a rejection ends the subscription. */
  assigned(partition: number): Promise<number>;
  /**
   * The next records of a partition, in order. The next call for this partition comes after this one resolved: that is
   * the back-pressure. A rejection ends the subscription.
   *
   * @param context.high the partition's end as last seen, so that a consumer knows how far behind it is
   * @param context.heartbeat call it during long work, or the group may give the partition to another member
   */
  records(
    partition: number,
    records: readonly LogRecord[],
    context: { high: number; heartbeat: () => Promise<void> },
  ): Promise<void>;
  /** The partition is another's from now on: drop what is not committed. A call of `records` for it may still be under way. */
  revoked(partition: number): Promise<void>;
}

/** Something that runs until it is stopped. */
export interface Subscription {
  /** Settles when it ended: rejects with what ended it, resolves after {@link Subscription.stop}. */
  readonly done: Promise<void>;
  /** Ends it after the call under way. Never rejects. */
  stop(): Promise<void>;
}

/**
 * The log port: one topic. Durable, ordered by partition, read by any number of readers.
 * Every method rejects with a {@link ../../core/errors.ts LogError}.
 */
export interface Log {
  /** Name of the topic: letters, digits, `.`, `_`, `-`. */
  readonly topic: string;
  /** What it is, for people: `sqlite`, `kafka`. */
  readonly kind: string;
  /** Changes when the topic was made anew: event ids of another incarnation mean nothing here. */
  readonly incarnation: string;
  /** Number of partitions; they are numbered from 0. */
  readonly partitions: number;
  /**
   * Adds records. Resolves when they are durable: all of them, or it rejects.
   *
   * @throws LogError `too_large` when a value is longer than {@link MAX_VALUE_BYTES}; none is added then
   */
  append(records: readonly NewRecord[]): Promise<void>;
  /** What a partition holds now. */
  bounds(partition: number): Promise<LogBounds>;
  /**
   * Reads up to `limit` records from `from` on, fewer where they are large; empty at the end only.
   *
   * @throws LogError `out_of_range` when `from` is below the low bound or above the high one
   */
  read(partition: number, from: number, limit: number): Promise<LogRecord[]>;
  /**
   * Joins the consumer group.
   *
   * @param options.maxRecords most records in one call of the handler; read anew before each
   */
  consume(handler: ConsumerHandler, options: { maxRecords: () => number }): Promise<Subscription>;
  /**
   * Follows every partition from its end (or from `from[partition]`) for as long as it is not stopped, outside any
   * group. Where the reader falls behind by more than `options.skipBehind` records, the oldest are left out and `skipped`
   * is called.
   */
  tail(
    handler: {
      records(partition: number, records: readonly LogRecord[]): void;
      skipped(partition: number, count: number): void;
    },
    options: { from?: readonly number[]; skipBehind: number },
  ): Promise<Subscription>;
  /** Bytes on disk, or null where the log cannot tell. */
  sizeBytes(): Promise<number | null>;
  /** Ends every subscription and releases what is held. */
  close(): Promise<void>;
}
