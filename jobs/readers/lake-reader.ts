import { codeOf, CommitError } from "../../core/errors.ts";
import { DAY_MS, HOUR_MS, isLater } from "../../core/time.ts";
import type { Snapshot, SnapshotFile } from "../../spark/engine.ts";
import { fold, type ChainState, type LiveFile } from "../commits/fold.ts";
import { offsetsOf, parseDataFileName, placeOf } from "../commits/names.ts";
import { type RetractedRange, retractionsWithin } from "../commits/retracted-range.ts";
import type { Lake } from "../lake/lake.ts";

/** From (inclusive) to (exclusive), ms since the epoch. */
export interface TimeRange {
  from: number;
  to: number;
}

/** Committed files, and the positions of the chains they were read from. */
export interface CommittedSnapshot {
  snapshot: Snapshot;
  /** Newest sequence of each partition's chain. */
  commits: Record<string, number>;
  /** The newest observation time committed, ISO 8601 UTC. */
  watermark: string | null;
}

/** Which of the committed files a snapshot has. */
export interface SnapshotOptions {
  /** Only files of later entries than these, by partition; files of others are in it. Default: all. */
  after?: Readonly<Record<string, number>>;
}

/** Largest age of a listing that a reader may reuse, ms. */
const FRESH_MS = 200;

/** Whether a committed file can hold rows of a time range. */
export function overlaps(path: string, range: TimeRange): boolean {
  const { date, hour } = placeOf(path);
  const start = Date.parse(`${date}T${hour ?? "00"}:00:00Z`);
  return start < range.to && start + (hour === null ? DAY_MS : HOUR_MS) > range.from;
}

/** A committed file without its retracted rows, as the engine reads it: what everybody reads who asks what was observed. */
export function standingRows(
  lake: Lake,
  file: LiveFile,
  retractions: readonly RetractedRange[],
): SnapshotFile {
  const within = retractionsWithin(retractions, offsetsOf(file.path));
  if (within.length === 0) return snapshotFile(lake, file);
  const retracted = within.map(({ source, first, last }) => ({ source, first, last }));
  return { ...snapshotFile(lake, file), retracted };
}

/** A committed file as the engine reads it, retracted rows included. */
export function snapshotFile(lake: Lake, file: LiveFile): SnapshotFile {
  return {
    location: lake.locate(file.path),
    format: file.path.endsWith(".parquet") ? "parquet" : "jsonl",
    date: placeOf(file.path).date,
    rows: file.rows,
    revisions: file.revisions,
    ...(file.columns === undefined ? {} : { columns: file.columns }),
    ...(file.judged === undefined ? {} : { judged: file.judged }),
  };
}

/** Reads committed files only. Everything but the writer sees the lake through it. */
export class LakeReader {
  readonly #lake: Lake;
  readonly #topic: string;
  readonly #now: () => number;
  #states = new Map<number, ChainState>();
  #refreshedMs = -Infinity;
  #refreshing: Promise<void> | undefined;

  constructor(lake: Lake, topic: string, now: () => number) {
    this.#lake = lake;
    this.#topic = topic;
    this.#now = now;
  }

  /** Reads the entries committed since the last refresh, by listing. Concurrent calls share one refresh. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  /** Each partition's state as of the last refresh. Do not change it. */
  get states(): ReadonlyMap<number, ChainState> {
    return this.#states;
  }

  /** The newest observation time committed, ISO 8601 UTC. */
  get watermark(): string | null {
    let newest: string | null = null;
    for (const { watermark } of this.#states.values()) {
      if (watermark !== null && (newest === null || isLater(watermark, newest))) newest = watermark;
    }
    return newest;
  }

  /** The committed files that can hold rows of a time range, or all. */
  async snapshot(range?: TimeRange, { after = {} }: SnapshotOptions = {}): Promise<CommittedSnapshot> {
    if (this.#now() - this.#refreshedMs >= FRESH_MS) await this.refresh();
    const files: SnapshotFile[] = [];
    const commits: Record<string, number> = {};
    for (const [partition, state] of this.#states) {
      commits[partition] = state.sequence;
      for (const file of state.live.values()) {
        if (file.sequence <= (after[partition] ?? 0)) continue;
        if (range === undefined || overlaps(file.path, range))
          files.push(standingRows(this.#lake, file, state.retractions));
      }
    }
    return { snapshot: { files }, commits, watermark: this.watermark };
  }

  /**
   * Runs `action` over a snapshot. Compaction may delete a replaced file while a slow reader still uses it, once the grace
   * period is over. If `action` fails and newer entries explain the missing file, it runs once more over a new snapshot.
   *
   * @throws CommitError `damaged` when a committed file is gone and no newer entry explains it
   */
  async read<T>(
    range: TimeRange | undefined,
    action: (committed: CommittedSnapshot) => Promise<T>,
    options?: SnapshotOptions,
  ): Promise<T> {
    const committed = await this.snapshot(range, options);
    try {
      return await action(committed);
    } catch (error) {
      if (codeOf(error) === "cancelled") throw error;
      const gone = await this.#firstGone(committed);
      if (gone === undefined) throw error;
      await this.refresh();
      if (this.#isLive(gone)) {
        throw new CommitError("damaged", `Cannot read ${gone}: it is committed, but the file is gone`, {
          cause: error,
          hint: "Restore it from a backup or a replica; `bun run verify` lists everything that is missing.",
        });
      }
      return await action(await this.snapshot(range, options));
    }
  }

  async #refresh(): Promise<void> {
    const started = this.#now();
    // A chain that was read before cannot vanish. If its folder is missing, the lake is unavailable, not empty.
    const partitions = new Set(this.#states.keys());
    for (const { name, folder } of await this.#lake.list(`commits/${this.#topic}`)) {
      if (folder && /^\d+$/.test(name)) partitions.add(Number(name));
    }
    const states = new Map<number, ChainState>();
    for (const partition of partitions) {
      states.set(partition, await fold(this.#lake, this.#topic, partition, this.#states.get(partition)));
    }
    this.#states = states;
    this.#refreshedMs = started;
  }

  /** The lake path of the first missing file of a snapshot. */
  async #firstGone({ snapshot }: CommittedSnapshot): Promise<string | undefined> {
    const wanted = new Set(snapshot.files.map((file) => file.location));
    const folders = new Set<string>();
    const paths: string[] = [];
    for (const location of wanted) {
      const path = location.slice(location.lastIndexOf("observations/date="));
      paths.push(path);
      folders.add(path.slice(0, path.lastIndexOf("/")));
    }
    const there = new Set<string>();
    for (const folder of folders) {
      for (const { name } of await this.#lake.list(folder)) there.add(`${folder}/${name}`);
    }
    return paths.find((path) => !there.has(path));
  }

  #isLive(path: string): boolean {
    const name = parseDataFileName(path.slice(path.lastIndexOf("/") + 1));
    return name !== undefined && (this.#states.get(name.partition)?.live.has(path) ?? false);
  }
}

/** The hours (`2026-01-31T06`) as one range that covers them all. */
export function rangeOfHours(hours: readonly string[]): TimeRange {
  const sorted = [...hours].sort();
  const from = Date.parse(`${sorted[0]}:00:00Z`);
  return { from, to: Date.parse(`${sorted.at(-1)}:00:00Z`) + HOUR_MS };
}
