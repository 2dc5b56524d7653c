import { sha256Hex } from "../../core/checksum.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Snapshot, SnapshotFile, WritingEngine } from "../../spark/engine.ts";
import { LATER_COLUMNS } from "../../spark/file-columns.ts";
import {
  JUDGED_AFTER_MS,
  JUDGED_PAST_MS,
  isJudgedBy,
  type Judging,
  judgingMark,
  LEVEL_PAST_MS,
} from "../../spark/judging.ts";

/** Where files with flags of the open days are put, so that the engine of the jobs finds them. */
export interface JudgedPlace {
  /** @returns where the engine finds the file */
  put(name: string, bytes: Uint8Array): Promise<string>;
  remove(location: string): Promise<void>;
}

/** What {@link JudgedRows} works with. */
export interface JudgedRowsOptions {
  /** The embedded engine: it judges, whatever runs the jobs. */
  engine: Pick<WritingEngine, "judge">;
  judging: Judging;
  place: JudgedPlace;
}

/** Files whose rows have their flags, and how to say that they are read no more. */
export interface JudgedFiles {
  snapshot: Snapshot;
  release(): Promise<void>;
}

/** Days that are judged together: as many as have no more rows than this, or one. */
const CHUNK_ROWS = 500_000;
/** The newest days are judged one by one: they change with each commit. */
const OPEN_DAYS = 2;

/** Most bytes of files that nobody reads at the moment, for those who ask again. */
const IDLE_BYTES = 256_000_000;

/** A file of some days, its size once it is there, and by how many it is read. */
interface Kept {
  file: Promise<SnapshotFile>;
  bytes: number;
  readers: number;
}

/**
 * The rows of a snapshot with their flags: the files that hold them, and a file for the days that have none that stand, such as the
 * open one. Those are judged once for all who read the same files.
 */
export class JudgedRows {
  readonly #options: JudgedRowsOptions;
  /** What was used last comes last. */
  readonly #kept = new Map<string, Kept>();

  constructor(options: JudgedRowsOptions) {
    this.#options = options;
  }

  /** Which judging makes the flags. */
  get version(): string {
    return this.#options.judging.version;
  }

  /**
   * Files with the flags of all rows of a snapshot in some days; they may hold days around those. Release them. What is judged for it is
   * shared, so that nobody who leaves cuts it off.
   *
   * @param snapshot all committed files: flags depend on rows around those that are read
   * @param days the first and the last; null for all
   * @throws EngineError
   */
  async of(snapshot: Snapshot, days: DaySpan | null): Promise<JudgedFiles> {
    const { judging } = this.#options;
    const { standing, open } = divide(snapshot.files, judging.version);
    const newest = dayOf(latestOf(snapshot.files));
    const isAsked = ({ first, date }: { first: string; date: string }) =>
      days === null || (date >= days.first && first <= days.last);
    const chunks = chunksOf(open, newest - OPEN_DAYS * DAY_MS).filter(isAsked);
    const used = new Map<string, Kept>();
    for (const chunk of chunks) {
      const key = keyOf(snapshot.files, chunk, judging);
      used.set(key, this.#use(key, snapshot.files, chunk));
    }
    const release = async () => {
      for (const kept of used.values()) kept.readers--;
      await this.#deleteIdle();
    };
    try {
      const files = await Promise.all([...used.values()].map(({ file }) => file));
      const own = standing.filter(({ date }) => isAsked({ first: date, date }));
      return { snapshot: { files: [...own, ...files] }, release };
    } catch (error) {
      await release();
      throw error;
    }
  }

  #use(key: string, files: readonly SnapshotFile[], chunk: Chunk): Kept {
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.readers++;
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known;
    }
    const written = this.#judge(key, files, chunk);
    const kept: Kept = { file: written.then(({ file }) => file), bytes: 0, readers: 1 };
    written.then(({ bytes }) => (kept.bytes = bytes)).catch(() => {}); // as below
    this.#kept.set(key, kept);
    kept.file.catch(() => this.#kept.delete(key)); // whoever waits for it is told
    return kept;
  }

  async #judge(
    key: string,
    files: readonly SnapshotFile[],
    { date, rows }: Chunk,
  ): Promise<{ file: SnapshotFile; bytes: number }> {
    const { engine, judging, place } = this.#options;
    const input = { ...inputsOf(files, rows), views: judging.views };
    const [written] = await engine.judge([{ files: rows }], input);
    if (written === undefined) throw new Error("The engine gave no file");
    const location = await place.put(`judged-${key}.parquet`, written.bytes);
    const revisions = rows.reduce((sum, file) => sum + file.revisions, 0);
    const facts = {
      date,
      rows: written.rows,
      revisions,
      columns: LATER_COLUMNS,
      judged: judgingMark(judging),
    };
    return { file: { location, format: "parquet", ...facts }, bytes: written.bytes.length };
  }

  /** Deletes what nobody reads, the least recently used first, down to what may stay. */
  async #deleteIdle(): Promise<void> {
    const idle = [...this.#kept].filter(([, { readers }]) => readers === 0);
    let bytes = idle.reduce((sum, [, kept]) => sum + kept.bytes, 0);
    for (const [key, kept] of idle) {
      if (bytes <= IDLE_BYTES) return;
      bytes -= kept.bytes;
      this.#kept.delete(key);
      // What cannot be deleted goes with its folder.
      await this.#options.place.remove((await kept.file).location).catch(() => {});
    }
  }
}

/** Days: the first and the last, `2026-01-31`. */
export interface DaySpan {
  first: string;
  last: string;
}

/** Some days whose rows are to be judged: the first and the last of them, and their files. */
interface Chunk {
  first: string;
  date: string;
  rows: SnapshotFile[];
}

/** The files of the days whose flags stand, and the others. A day with one file without flags is open as a whole. */
export function divide(
  files: readonly SnapshotFile[],
  version: string,
): { standing: SnapshotFile[]; open: SnapshotFile[]; dates: string[] } {
  const days = new Set<string>();
  for (const { date, judged } of files) if (!isJudgedBy(judged, version)) days.add(date);
  const [standing, open]: SnapshotFile[][] = [[], []];
  for (const file of files) (days.has(file.date) ? open! : standing!).push(file);
  return { standing: standing!, open: open!, dates: [...days] };
}

/** The files of the days that a time touches, ms: from (inclusive) to (exclusive). */
export function filesOf(
  files: readonly SnapshotFile[],
  { from, to }: { from: number; to: number },
): SnapshotFile[] {
  return files.filter(({ date }) => dayOf(date) + DAY_MS > from && dayOf(date) < to);
}

/** The time of the rows of some files, ms, and the files that their flags are computed from. */
export function inputsOf(
  files: readonly SnapshotFile[],
  rows: readonly SnapshotFile[],
): { from: number; to: number; around: Snapshot; before: Snapshot } {
  const from = Math.min(...rows.map(({ date }) => dayOf(date)));
  const to = Math.max(...rows.map(({ date }) => dayOf(date))) + DAY_MS;
  const within = (first: number, end: number): Snapshot => ({
    files: filesOf(files, { from: first, to: end }),
  });
  return {
    from,
    to,
    around: within(from - JUDGED_PAST_MS, to + JUDGED_AFTER_MS),
    before: within(from - JUDGED_PAST_MS - LEVEL_PAST_MS, to + JUDGED_AFTER_MS),
  };
}

/** Days one after the other, of one month and not too many rows together; the newest each alone. */
function chunksOf(open: readonly SnapshotFile[], newestFrom: number): Chunk[] {
  const days = [...Map.groupBy(open, ({ date }) => date)].sort(([a], [b]) => (a < b ? -1 : 1));
  const chunks: (Chunk & { count: number })[] = [];
  for (const [date, rows] of days) {
    const count = rows.reduce((sum, file) => sum + file.rows, 0);
    const last = chunks.at(-1);
    const joins =
      last !== undefined &&
      dayOf(date) <= newestFrom &&
      dayOf(date) === dayOf(last.date) + DAY_MS &&
      date.slice(0, 7) === last.date.slice(0, 7) &&
      last.count + count <= CHUNK_ROWS;
    if (!joins) chunks.push({ first: date, date, rows: [...rows], count });
    else Object.assign(last, { date, rows: [...last.rows, ...rows], count: last.count + count });
  }
  return chunks;
}

/** The same for the same rows, judged in the same way from the same rows around them. */
function keyOf(files: readonly SnapshotFile[], { rows }: Chunk, { version }: Judging): string {
  const identity = ({ location, retracted = [] }: SnapshotFile) => [location, retracted];
  const { before } = inputsOf(files, rows);
  return sha256Hex(JSON.stringify([version, rows.map(identity), before.files.map(identity)])).slice(0, 24);
}

function latestOf(files: readonly SnapshotFile[]): string {
  return files.reduce((latest, { date }) => (date > latest ? date : latest), "1970-01-01");
}

function dayOf(date: string): number {
  return Date.parse(`${date}T00:00:00Z`);
}
