import type { Database, Statement } from "bun:sqlite";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { ConfigError, LogError, codeOf } from "../../core/errors.ts";
import { DAY_MS } from "../../core/time.ts";
import { Followers } from "./followers.ts";
import {
  MAX_VALUE_BYTES,
  type ConsumerHandler,
  type Log,
  type LogBounds,
  type LogRecord,
  type NewRecord,
  type Subscription,
} from "./log.ts";
import { DAMAGED_HINT, sqliteLogError, openFile } from "./sqlite-file.ts";

/** A read ends after this many characters of values: memory stays bounded whatever the records' size. */
const READ_LENGTH = 32 * 1024 * 1024;
/** Records in one call of a tail's handler. */
const TAIL_CHUNK = 500;
/** Records deleted in one transaction: some milliseconds. */
const TRIM_CHUNK = 1_000;

/** Where the embedded log lies and how it behaves. */
export interface SqliteLogOptions {
  /** Folder of the log files; made when it is not there. */
  folder: string;
  /** Name of the topic and of its file, `<folder>/<topic>.sqlite`: letters, digits, `.`, `_`, `-`. */
  topic: string;
  clock: Clock;
  /** Age in ms from which {@link SqliteLog.trim} deletes. Default: 7 days. */
  retentionMs?: number;
  /** How often readers look for what other processes appended, ms. Default: 100. */
  pollMs?: number;
}

/**
 * Opens the embedded log, making it if there is none. Any number of processes may open one file.
 *
 * @throws LogError `unavailable` when the folder cannot be used, `damaged` when the file is no log, `newer_format`, `full`
 * @throws ConfigError `bad_setting` when the topic cannot be a file name
 */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(options.topic)) {
    throw new ConfigError(
      "bad_setting",
      `Cannot open the log "${options.topic}": wanted a topic of letters, digits, ".", "_" and "-"`,
    );
  }
  const path = join(resolve(options.folder), `${options.topic}.sqlite`);
  const db = await openFile(path);
  try {
    return new SqliteLog(db, path, options);
  } catch (error) {
    db.close();
    throw sqliteLogError(error, `Cannot open the log ${path}`);
  }
}

/**
 * The log port on SQLite: one partition, one file, offsets from 0 without gaps that are never used again. An append is
 * one transaction in WAL mode with `synchronous=FULL`, so what is acknowledged survives a power loss. Keys are not kept:
 * one partition holds every key in order.
 */
export class SqliteLog implements Log {
  readonly kind = "sqlite";
  readonly partitions = 1;
  readonly topic: string;
  readonly incarnation: string;
  readonly #db: Database;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #followers: Followers;
  readonly #statements: Statement[] = [];
  readonly #boundsOf: Statement<{ low: number | null; next: number }, []>;
  readonly #rows: Statement<LogRecord, [number, number]>;
  readonly #insert: Statement<unknown, [number, number, string]>;
  readonly #setNext: Statement<unknown, [number]>;
  readonly #version: Statement<{ data_version: number }, []>;
  readonly #expired: Statement<{ last: number | null }, [number, number, number]>;
  readonly #delete: Statement<unknown, [number]>;
  #seenVersion: number;
  #closing: Promise<void> | undefined;
  #closed = false;

  /**
   * @param db an open file of the log's format, this object's own from now on
   * @param path where it lies
   */
  constructor(db: Database, path: string, options: SqliteLogOptions) {
    this.topic = options.topic;
    this.#db = db;
    this.#path = path;
    this.#clock = options.clock;
    this.#retentionMs = options.retentionMs ?? 7 * DAY_MS;
    const prepare = <Row, Parameters extends (string | number)[]>(sql: string) => {
      const statement = db.prepare<Row, Parameters>(sql);
      this.#statements.push(statement);
      return statement;
    };
    this.#boundsOf = prepare("SELECT (SELECT min(offset) FROM records) AS low, next FROM log");
    this.#rows = prepare(
      "SELECT offset, timestamp, value FROM records WHERE offset >= ? ORDER BY offset LIMIT ?",
    );
    this.#insert = prepare("INSERT INTO records (offset, timestamp, value) VALUES (?, ?, ?)");
    this.#setNext = prepare("UPDATE log SET next = ?");
    this.#version = prepare("PRAGMA data_version");
    // The order is the offsets': a record that claims to be newer than one after it goes with it.
    this.#expired = prepare(
      `SELECT max(offset) AS last FROM (SELECT offset, timestamp FROM records WHERE offset < ? ORDER BY offset LIMIT ?)
       WHERE timestamp < ?`,
    );
    this.#delete = prepare("DELETE FROM records WHERE offset <= ?");
    this.incarnation = prepare<{ incarnation: string }, []>("SELECT incarnation FROM log").get()!.incarnation;
    this.#seenVersion = this.#version.get()!.data_version;
    this.#followers = new Followers(() => this.#changedOutside(), options.pollMs ?? 100);
  }

  async append(records: readonly NewRecord[]): Promise<void> {
    const action = `Cannot append ${records.length} records to the log "${this.topic}"`;
    this.#checkOpen(action);
    if (records.length === 0) return;
    for (const { value } of records) {
      // A UTF-16 unit makes at most three bytes, so most values need no counting.
      if (value.length * 3 > MAX_VALUE_BYTES && Buffer.byteLength(value) > MAX_VALUE_BYTES) {
        throw new LogError(
          "too_large",
          `${action}: a value has ${Buffer.byteLength(value)} bytes, wanted at most ${MAX_VALUE_BYTES}`,
        );
      }
    }
    this.#transaction(action, () => {
      let offset = this.#boundsOf.get()!.next;
      const now = this.#clock.now();
      for (const { value } of records) this.#insert.run(offset++, now, value);
      this.#setNext.run(offset);
    });
    this.#followers.wake();
    // The transaction ran in this turn: without a pause a loop of appends would keep timers and sockets waiting.
    await new Promise<void>((done) => setImmediate(done));
  }

  async bounds(partition: number): Promise<LogBounds> {
    const action = `Cannot look at the bounds of the log "${this.topic}"`;
    this.#checkOpen(action);
    this.#checkPartition(partition, action);
    return this.#bounds(action);
  }

  async read(partition: number, from: number, limit: number): Promise<LogRecord[]> {
    const action = `Cannot read the log "${this.topic}" from offset ${from}`;
    this.#checkOpen(action);
    this.#checkPartition(partition, action);
    return this.#read(from, limit).records;
  }

  async consume(handler: ConsumerHandler, options: { maxRecords: () => number }): Promise<Subscription> {
    this.#checkOpen(`Cannot consume the log "${this.topic}"`, this.#closing !== undefined);
    let next: number | undefined;
    return this.#followers.follow(async () => {
      if (next === undefined) {
        next = await handler.assigned(0);
        return true;
      }
      const { records, high } = this.#read(next, Math.max(1, Math.floor(options.maxRecords())));
      const last = records.at(-1);
      if (last === undefined) return false;
      await handler.records(0, records, { high, heartbeat: async () => {} });
      next = last.offset + 1;
      return true;
    });
  }

  async tail(
    handler: {
      records(partition: number, records: readonly LogRecord[]): void;
      skipped(partition: number, count: number): void;
    },
    options: { from?: readonly number[]; skipBehind: number },
  ): Promise<Subscription> {
    const action = `Cannot follow the log "${this.topic}"`;
    this.#checkOpen(action, this.#closing !== undefined);
    const bounds = this.#bounds(action);
    let next = options.from?.[0] ?? bounds.high;
    if (next > bounds.high) throw outOfRange(this.topic, next, bounds);
    return this.#followers.follow(() => {
      const { low, high } = this.#bounds(action);
      const start = Math.max(next, low, high - options.skipBehind);
      if (start > next) handler.skipped(0, start - next);
      next = start;
      const { records } = this.#read(next, TAIL_CHUNK);
      const last = records.at(-1);
      if (last === undefined) return false;
      next = last.offset + 1;
      handler.records(0, records);
      return true;
    });
  }

  async sizeBytes(): Promise<number> {
    let size = 0;
    for (const file of [this.#path, `${this.#path}-wal`]) {
      try {
        size += (await stat(file)).size;
      } catch (error) {
        if (codeOf(error) !== "ENOENT") throw sqliteLogError(error, `Cannot measure the log "${this.topic}"`);
      }
    }
    return size;
  }

  /**
   * Deletes what is older than the retention, in small transactions with pauses. The process calls it now and then. The
   * file does not shrink: its free pages are used again.
   *
   * @param before the first offset that must stay whatever its age: what the lake has not taken yet
   * @returns how many records went
   */
  async trim(before: number): Promise<number> {
    const action = `Cannot delete old records of the log "${this.topic}"`;
    this.#checkOpen(action);
    const oldest = this.#clock.now() - this.#retentionMs;
    let deleted = 0;
    while (!this.#closed) {
      const count = this.#transaction(action, () => {
        const last = this.#expired.get(before, TRIM_CHUNK, oldest)?.last ?? null;
        return last === null ? 0 : this.#delete.run(last).changes;
      });
      if (count === 0) break;
      deleted += count;
      await new Promise<void>((done) => setImmediate(done));
    }
    return deleted;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await this.#followers.stop(); // a handler's call under way may still read and append
    this.#closed = true;
    for (const statement of this.#statements) statement.finalize();
    this.#db.close();
  }

  #bounds(action: string): LogBounds {
    const { low, next } = this.#guard(action, () => this.#boundsOf.get()!);
    return { low: low ?? next, high: next };
  }

  #read(from: number, limit: number): { records: LogRecord[]; high: number } {
    const action = `Cannot read the log "${this.topic}" from offset ${from}`;
    const bounds = this.#bounds(action);
    if (!Number.isSafeInteger(from) || from < bounds.low || from > bounds.high)
      throw outOfRange(this.topic, from, bounds);
    const records: LogRecord[] = [];
    if (limit < 1 || from === bounds.high) return { records, high: bounds.high };
    this.#guard(action, () => {
      let length = 0;
      for (const record of this.#rows.iterate(from, limit)) {
        if (record.offset !== from + records.length) break;
        records.push(record);
        length += record.value.length;
        if (length > READ_LENGTH) break;
      }
    });
    // Offsets have no gaps, so a hole means that records were lost; another process's trim moves the low bound.
    if (records.length === 0) {
      const now = this.#bounds(action);
      if (from < now.low) throw outOfRange(this.topic, from, now);
      throw new LogError("damaged", `${action}: the record is missing`, { hint: DAMAGED_HINT });
    }
    return { records, high: bounds.high };
  }

  #transaction<T>(action: string, work: () => T): T {
    return this.#guard(action, () => {
      this.#db.run("BEGIN IMMEDIATE");
      try {
        const result = work();
        this.#db.run("COMMIT");
        return result;
      } catch (error) {
        if (this.#db.inTransaction) this.#db.run("ROLLBACK"); // SQLite has rolled back by itself on some errors
        throw error;
      }
    });
  }

  #guard<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw sqliteLogError(error, action);
    }
  }

  /** Whether another connection has changed the file since the last call. */
  #changedOutside(): boolean {
    const version = this.#version.get()!.data_version;
    const changed = version !== this.#seenVersion;
    this.#seenVersion = version;
    return changed;
  }

  #checkOpen(action: string, closed = this.#closed): void {
    if (closed) throw new LogError("closed", `${action}: it is closed`);
  }

  #checkPartition(partition: number, action: string): void {
    if (partition !== 0)
      throw new LogError("out_of_range", `${action}: partition ${partition} is wanted, it has only 0`);
  }
}

function outOfRange(topic: string, from: number, { low, high }: LogBounds): LogError {
  return new LogError(
    "out_of_range",
    `Cannot read the log "${topic}" from offset ${from}: it holds ${low} up to, not including, ${high}`,
  );
}
