import { sha256Hex } from "../../core/checksum.ts";
import type { SnapshotFile, WritingEngine } from "../../spark/engine.ts";
import type { LiveFile } from "../commits/fold.ts";
import { placeOf } from "../commits/names.ts";
import { type LakeReader, standingRows } from "./lake-reader.ts";
import type { Lake } from "../lake/lake.ts";

/** What the lake holds of a UTC day of observation. */
export interface LakeDay {
  /** `2026-01-31`. */
  date: string;
  /** Rows stored, revisions included. */
  rows: number;
  /** Rows that revise one stored before. */
  revisions: number;
  /** Whether the day is compacted into one Parquet file without a retracted row. */
  compacted: boolean;
  /** Size of that file, bytes; null if there is none. */
  bytes: number | null;
  /** Entity tag: it changes when the set of the day's files changes, or what of them is retracted. */
  tag: string;
}

/** A day's rows as one Parquet file: its location on this machine, or its bytes. */
export type DayFile = { location: string } | { bytes: Uint8Array };

/** The lake's days, each as one file. */
export class LakeDays {
  readonly #lake: Lake;
  readonly #reader: LakeReader;
  readonly #engine: WritingEngine;
  /** Queue of the files being written: one at a time, because each needs a day in memory. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @param parts.lake the data set's own */
  constructor(parts: { lake: Lake; reader: LakeReader; engine: WritingEngine }) {
    this.#lake = parts.lake;
    this.#reader = parts.reader;
    this.#engine = parts.engine;
  }

  /** The days with rows, the oldest first. @throws CommitError, LakeError */
  async list(): Promise<LakeDay[]> {
    await this.#reader.snapshot();
    const days = Map.groupBy(this.#files(), ({ file }) => placeOf(file.path).date);
    return [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([date, files]) => dayOf(date, files));
  }

  /** What the lake holds of a day; null if it has no rows. @throws CommitError, LakeError */
  async find(date: string): Promise<LakeDay | null> {
    return (await this.list()).find((day) => day.date === date) ?? null;
  }

  /**
   * Every row of a day that is not retracted, revisions included, as Parquet, sorted by city, source, timestamp and offset. A
   * compacted day is the lake's own file; otherwise the engine writes one.
   *
   * @throws EngineError, CommitError, LakeError
   */
  read(date: string, signal?: AbortSignal): Promise<DayFile> {
    const from = Date.parse(`${date}T00:00:00Z`);
    return this.#reader.read({ from, to: from + 1 }, async () => {
      const files = this.#files().filter(({ file }) => placeOf(file.path).date === date);
      const [only] = files;
      if (only !== undefined && dayOf(date, files).compacted) {
        const { path } = only.file;
        const location = this.#lake.locate(path);
        return location.startsWith("/") ? { location } : { bytes: await this.#lake.read(path) };
      }
      const snapshot = { files: files.map(({ standing }) => standing) };
      const written = this.#writing.then(() => this.#engine.compact(snapshot, signal));
      this.#writing = written.catch(() => {}); // the error goes to the caller below
      return { bytes: (await written).bytes };
    });
  }

  #files(): DayPart[] {
    return [...this.#reader.states.values()].flatMap(({ live, retractions }) =>
      [...live.values()].map((file) => ({ file, standing: standingRows(this.#lake, file, retractions) })),
    );
  }
}

function rangeKey({ source, first, last }: { source: string; first: number; last: number }): string {
  return `${source}:${first}:${last}`;
}

/** A file of a day, and what of it is to be read. */
interface DayPart {
  file: LiveFile;
  standing: SnapshotFile;
}

function dayOf(date: string, files: readonly DayPart[]): LakeDay {
  const sum = (of: (file: LiveFile) => number) => files.reduce((total, { file }) => total + of(file), 0);
  const [only] = files;
  const compacted =
    files.length === 1 && only?.standing.format === "parquet" && only.standing.retracted === undefined;
  return {
    date,
    rows: sum(({ rows }) => rows),
    revisions: sum(({ revisions }) => revisions),
    compacted,
    bytes: compacted ? (only?.file.bytes ?? null) : null,
    tag: sha256Hex(
      files
        .map(({ file, standing: { retracted } }) =>
          [file.sha256, ...(retracted ?? []).map(rangeKey)].join("-"),
        )
        .sort()
        .join(","),
    ).slice(0, 16),
  };
}
