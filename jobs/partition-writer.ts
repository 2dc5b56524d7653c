import type { Clock } from "../core/clock.ts";
import { sha256Hex } from "../core/checksum.ts";
import { CommitError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { hourKey } from "../core/time.ts";
import type { Row } from "../core/observation.ts";
import { type ParsedRecord, parseRecords, sortBatch, type SortedBatch } from "./batch.ts";
import type { FileInfo } from "./commits/entry.ts";
import { makeCheckpoint } from "./commits/checkpoint.ts";
import type { ChainState } from "./commits/fold.ts";
import { dataFileName, hourFolder } from "./commits/names.ts";
import { ChainWriter, type Chain } from "./commits/writer.ts";
import { CommittedIndex } from "./dedupe.ts";
import { overlaps, rangeOfHours, standingRows } from "./readers/lake-reader.ts";
import type { NewFile } from "./lake/lake.ts";
import type { Log, LogRecord } from "./log/log.ts";
import type { Snapshot } from "../spark/engine.ts";

/** A checkpoint is made after this many entries, or a quarter of the live files: reading stays short, writing cheap. */
const CHECKPOINT_ENTRIES = 100;
/** Records of more characters than this are a full batch, however few they are: this bounds the memory. */
const BATCH_LENGTH = 32 * 1024 * 1024;

/** What a partition's writer needs. */
export interface PartitionWriterOptions {
  chain: Chain;
  log: Log;
  clock: Clock;
  logger: Logger;
  /** The newest revision of every row of the snapshot with `from` ≤ timestamp < `to`, ms. */
  readRows: (snapshot: Snapshot, from: number, to: number) => Promise<Row[]>;
  /** Records that make a full batch. */
  batchRecords: number;
  /** Longest wait of a record for its batch to fill, ms. */
  flushMs: number;
  /** Called after each commit. */
  onCommit: (partition: number) => void;
  /** Called with what a flush by the timer failed on; a flush by a full batch rejects to its caller instead. */
  onFailure: (error: unknown) => void;
}

/**
 * Writes one partition of the log into the lake, from its claim until it is closed or anything fails: then it is
 * dropped with all that is not committed, and a new one goes on where the chain ends.
 */
export class PartitionWriter {
  readonly #options: PartitionWriterOptions;
  readonly #writer: ChainWriter;
  readonly #index: CommittedIndex;
  /** How many retractions the index knows. */
  #retractions: number;
  #buffer: LogRecord[] = [];
  /** Characters in the buffer. */
  #length = 0;
  #timer = new AbortController();
  /** Flushes run one after the other. */
  #flushing: Promise<void> = Promise.resolve();
  #failed = false;

  private constructor(options: PartitionWriterOptions, writer: ChainWriter) {
    this.#options = options;
    this.#writer = writer;
    this.#retractions = writer.state.retractions.length;
    this.#index = new CommittedIndex((hours) => this.#loadHours(hours));
  }

  /**
   * Claims the partition and makes sure that the log is the one the lake was filled from and still holds what comes next.
   *
   * @throws CommitError `retention`, `mismatch`, `fenced`, `damaged`, `newer_format`
   */
  static async open(options: PartitionWriterOptions): Promise<PartitionWriter> {
    const { chain, log } = options;
    const { low } = await log.bounds(chain.partition);
    const writer = await ChainWriter.claim(chain, low, (state) => checkLog(log, chain.partition, state));
    return new PartitionWriter(options, writer);
  }

  /** First offset that is not committed. */
  get next(): number {
    return this.#writer.state.next!;
  }

  /** Records taken and not committed yet. */
  get buffered(): number {
    return this.#buffer.length;
  }

  /** Takes records; commits when the batch is full, else within the flush time. */
  async add(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      this.#buffer.push(record);
      this.#length += record.value.length;
    }
    if (this.#buffer.length >= this.#options.batchRecords || this.#length >= BATCH_LENGTH)
      return this.flush();
    if (this.#buffer.length === records.length && records.length > 0) this.#startTimer();
  }

  /** Commits everything taken so far. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Drops what is not committed. Nothing is written afterwards but what is under way. */
  async drop(): Promise<void> {
    this.#failed = true;
    this.#buffer = [];
    this.#timer.abort();
    await this.#flushing.catch(() => {}); // whoever asked for the flush got its error
  }

  #startTimer(): void {
    this.#timer.abort();
    const timer = (this.#timer = new AbortController());
    void this.#options.clock.sleep(this.#options.flushMs, timer.signal).then(async () => {
      if (timer.signal.aborted) return;
      await this.flush().catch((error: unknown) => this.#options.onFailure(error));
    });
  }

  async #flush(): Promise<void> {
    this.#timer.abort();
    if (this.#failed || this.#buffer.length === 0) return;
    const records = this.#buffer;
    this.#buffer = [];
    this.#length = 0;
    try {
      await this.#commit(records);
    } catch (error) {
      this.#failed = true;
      throw error;
    }
  }

  async #commit(records: readonly LogRecord[]): Promise<void> {
    const { chain, logger, onCommit } = this.#options;
    const { partition } = chain;
    const parsed = parseRecords(records);
    const hours = new Set<string>();
    for (const record of parsed) if (record.ok) hours.add(record.hour);
    let batch: SortedBatch | null = null;
    while (batch === null) {
      await this.#index.prepare(hours);
      const { length } = this.#writer.state.retractions;
      if (length === this.#retractions) batch = await this.#tryCommit(records, parsed);
      else {
        this.#index.clear();
        this.#retractions = length;
      }
    }
    this.#index.remember(batch.stored);
    logger.debug("batch committed", { partition, first: batch.first, last: batch.last, ...batch.counts });
    onCommit(partition);
    const { sinceCheckpoint, live } = this.#writer.state;
    if (sinceCheckpoint >= Math.max(CHECKPOINT_ENTRIES, live.size / 4))
      await makeCheckpoint(chain, this.#writer.state);
  }

  /** Commits a batch over the index as it is; null when rows were retracted since, and nothing was committed. */
  async #tryCommit(
    records: readonly LogRecord[],
    parsed: readonly ParsedRecord[],
  ): Promise<SortedBatch | null> {
    const { lake, topic, partition } = this.#options.chain;
    const batch = sortBatch(topic, partition, this.next, records, parsed, this.#index);
    const { files, infos, rejected } = this.#files(batch);
    await lake.put(files);
    const isCommitted = await this.#writer.commit({
      first: batch.first,
      last: batch.last,
      files: infos,
      rejected,
      counts: batch.counts,
      record: batch.record,
      watermark: batch.watermark,
    });
    if (isCommitted) return batch;
    await lake.delete(files.map(({ path }) => path)); // refused for good: no entry can name them any more
    return null;
  }

  #files(batch: SortedBatch): { files: NewFile[]; infos: FileInfo[]; rejected: FileInfo | null } {
    const { topic, partition, newId } = this.#options.chain;
    const name = () =>
      dataFileName({
        topic,
        partition,
        first: batch.first,
        last: batch.last,
        sequence: this.#writer.claimSequence,
        random: newId(),
        format: "jsonl",
      });
    const files: NewFile[] = [];
    const add = (path: string, lines: readonly string[], revisions: number): FileInfo => {
      const bytes = new TextEncoder().encode(lines.join(""));
      files.push({ path, bytes });
      return { path, rows: lines.length, revisions, bytes: bytes.length, sha256: sha256Hex(bytes) };
    };
    const infos = batch.hours.map(({ hour, lines, revisions, columns }) => ({
      ...add(`${hourFolder(hour)}/${name()}`, lines, revisions),
      ...(columns.length === 0 ? {} : { columns }),
    }));
    const rejected = batch.rejected.length === 0 ? null : add(`rejected/${name()}`, batch.rejected, 0);
    return { files, infos, rejected };
  }

  /** The committed rows of hours that are not in memory; most often there are none. */
  async #loadHours(hours: readonly string[]): Promise<Row[]> {
    const { chain, readRows } = this.#options;
    const wanted = new Set(hours);
    const range = rangeOfHours(hours);
    const committed = () =>
      [...this.#writer.state.live.values()].filter((file) => overlaps(file.path, range));
    if (committed().length === 0) return [];
    await this.#writer.refresh();
    const files = committed();
    const { retractions } = this.#writer.state;
    const snapshot = { files: files.map((file) => standingRows(chain.lake, file, retractions)) };
    const rows = await readRows(snapshot, range.from, range.to);
    return rows.filter((row) => wanted.has(hourKey(row.timestamp)));
  }
}

/** Whether the log is the one the lake was filled from, and still holds what the lake needs next. */
async function checkLog(log: Log, partition: number, state: ChainState): Promise<void> {
  if (state.next === null) return;
  const { low, high } = await log.bounds(partition);
  const where = `${log.topic}/${partition}`;
  if (state.next < low) {
    throw new CommitError(
      "retention",
      `Cannot go on with ${where}: the lake needs offset ${state.next} next, the log begins at ${low}`,
      {
        hint: `Offsets ${state.next} to ${low - 1} were deleted by the log's retention before they were stored.`,
      },
    );
  }
  const mismatch = (why: string) =>
    new CommitError(
      "mismatch",
      `Cannot go on with ${where}: the log is not the one the lake was filled from: ${why}`,
      {
        hint: "Was the log deleted or made anew? Restore it, or use another DATASET for the new log.",
      },
    );
  if (state.next > high) throw mismatch(`the lake ends at offset ${state.next - 1}, the log at ${high - 1}`);
  const { record } = state;
  if (record === null || record.offset < low) return;
  const [held] = await log.read(partition, record.offset, 1);
  if (held?.offset !== record.offset || sha256Hex(held.value) !== record.sha256) {
    throw mismatch(`offset ${record.offset} holds another record`);
  }
}
