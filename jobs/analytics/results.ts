import { createHash } from "node:crypto";
import type { Table } from "apache-arrow";
import { codeOf, LakeError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { KeptPast } from "../../spark/sql-job.ts";
import { tableFromBytes, tableToBytes } from "../../spark/arrow.ts";
import type { Lake } from "../lake/lake.ts";
import type { ResultInfo } from "../../core/analytic-job.ts";

/** A kept result. */
export interface Result extends ResultInfo {
  /** The result's rows. */
  table: Table;
  /** The same as an Arrow IPC stream. */
  arrow: Uint8Array;
}

/** What a result answers: SHA-256 of the SQL and its arguments, hex. A result of another query is out of date. */
interface Answers {
  query: string;
}

/** A result as the lake has it. */
export type KeptResult = Result & Answers;

/** `results/<job>/<sequence>.json`: points to the file of one result. */
interface Pointer extends ResultInfo, Answers {
  format: number;
  /** Rows of the result. */
  rows: number;
  /** Path below the data set's root: Arrow in the IPC file format. */
  file: string;
  bytes: number;
  /** SHA-256 of the file, hex. */
  sha256: string;
}

const FORMAT = 1;
/** Results of a job that are kept. */
const KEPT = 10;
/** Pointers tried before giving up: with one writer a data set the first is free. */
const TRIES = 20;
const POINTER = /^(\d{9})\.json$/;
const FILE = /^(\d{9})-[A-Za-z0-9_-]+\.arrow$/;

/** The results of analytic jobs, kept in the lake: the pointer with the highest number is the newest. */
export class Results {
  readonly #lake: Lake;
  readonly #logger: Logger;

  /** @param options.lake the data set's own */
  constructor(options: { lake: Lake; logger: Logger }) {
    this.#lake = options.lake;
    this.#logger = options.logger;
  }

  /**
   * Keeps a result as the newest of its job, and deletes what lies beyond the newest ten.
   *
   * @param keeps which of the older ones stay all the same, for {@link past}. Default: none
   * @throws LakeError when it could not be kept
   */
  async put(info: ResultInfo & Answers, table: Table, keeps: KeptPast | null = null): Promise<KeptResult> {
    const bytes = tableToBytes(table, "file");
    const folder = `results/${info.job}`;
    let sequence = 0;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const { pointers } = await this.#list(folder);
      sequence = Math.max(sequence, pointers.at(-1) ?? 0) + 1;
      const name = `${folder}/${pad(sequence)}`;
      const file = `${name}-${info.run}.arrow`;
      await this.#lake.put([{ path: file, bytes }]);
      const pointer: Pointer = {
        format: FORMAT,
        ...info,
        rows: table.numRows,
        file,
        bytes: bytes.length,
        sha256: sha256(bytes),
      };
      if (await this.#create(`${name}.json`, pointer)) {
        await this.#prune(folder, keeps);
        return { ...info, table, arrow: tableToBytes(table, "stream") };
      }
      await this.#lake.delete([file]);
    }
    throw new LakeError(
      "unavailable",
      `Cannot keep the result of "${info.job}": ${TRIES} numbers were taken`,
    );
  }

  /**
   * The newest result of a job that is whole, or null. A damaged one is logged as an error and the one before is taken.
   *
   * @param known the run whose result the caller has already: for it nothing is read, and `known` comes back
   * @throws LakeError when the lake cannot be read
   */
  async latest(job: string, known?: KeptResult | null): Promise<KeptResult | null> {
    const folder = `results/${job}`;
    const { pointers } = await this.#list(folder);
    for (const sequence of pointers.toReversed()) {
      const path = `${folder}/${pad(sequence)}.json`;
      try {
        const pointer = parsePointer(await this.#lake.read(path), job);
        if (known?.run === pointer.run) return known;
        const table = await this.#table(pointer);
        return { ...infoOf(pointer), table, arrow: tableToBytes(table, "stream") };
      } catch (error) {
        if (error instanceof LakeError && error.code !== "missing") throw error;
        this.#logger.error("a kept result cannot be read; the one before is taken", {
          pointer: path,
          reason: messageOf(error),
        });
      }
    }
    return null;
  }

  /**
   * The results of a job that are kept, newest first. One that is damaged is logged and left out, one that is deleted
   * meanwhile is left out.
   *
   * @throws LakeError when the lake cannot be read
   */
  async *past(job: string): AsyncGenerator<ResultInfo & { table: Table }> {
    const folder = `results/${job}`;
    const { pointers } = await this.#list(folder);
    for (const sequence of pointers.toReversed()) {
      const path = `${folder}/${pad(sequence)}.json`;
      let found: ResultInfo & { table: Table };
      try {
        const pointer = parsePointer(await this.#lake.read(path), job);
        found = { ...infoOf(pointer), table: await this.#table(pointer) };
      } catch (error) {
        if (error instanceof LakeError && error.code === "missing") continue;
        if (error instanceof LakeError) throw error;
        this.#logger.error("a kept result cannot be read; it is left out", {
          pointer: path,
          reason: messageOf(error),
        });
        continue;
      }
      yield found;
    }
  }

  /** The rows a pointer points to. @throws {TypeError} when they are damaged */
  async #table({ file, bytes: length, sha256: sum }: Pointer): Promise<Table> {
    const bytes = await this.#lake.read(file);
    if (bytes.length !== length || sha256(bytes) !== sum) {
      throw new TypeError(`${file} is not what its checksum says`);
    }
    return tableFromBytes(bytes);
  }

  /** Creates a pointer. False when another result has that number. */
  async #create(path: string, pointer: Pointer): Promise<boolean> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(pointer)}\n`);
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#lake.create(path, bytes);
        return true;
      } catch (error) {
        const code = codeOf(error);
        // After a lost answer the taken name may be our own work.
        if (code === "exists")
          return parsePointer(await this.#lake.read(path), pointer.job).run === pointer.run;
        if (code !== "unclear" || attempt === 1) throw error;
      }
    }
  }

  /** Deletes all but the newest results, each pointer before its file, and files that no pointer ever came for. */
  async #prune(folder: string, keeps: KeptPast | null): Promise<void> {
    const { pointers, files } = await this.#list(folder);
    const oldest = pointers.at(-KEPT);
    if (oldest === undefined) return;
    const isOld = (sequence: number) =>
      sequence < oldest &&
      !(keeps !== null && sequence % keeps.every === 0 && sequence > oldest + KEPT - 1 - keeps.of);
    const old = pointers.filter(isOld);
    await this.#lake.delete(old.map((sequence) => `${folder}/${pad(sequence)}.json`));
    await this.#lake.delete(
      files.filter(({ sequence }) => isOld(sequence)).map(({ name }) => `${folder}/${name}`),
    );
  }

  /** The numbers of the pointers, ascending, and the files. */
  async #list(folder: string): Promise<{ pointers: number[]; files: { name: string; sequence: number }[] }> {
    const pointers: number[] = [];
    const files: { name: string; sequence: number }[] = [];
    for (const { name } of await this.#lake.list(folder)) {
      const pointer = POINTER.exec(name)?.[1];
      if (pointer !== undefined) pointers.push(Number(pointer));
      const file = FILE.exec(name)?.[1];
      if (file !== undefined) files.push({ name, sequence: Number(file) });
    }
    return { pointers: pointers.sort((a, b) => a - b), files };
  }
}

/** @throws {TypeError} when it is no pointer of this job, or a newer program wrote it */
function parsePointer(bytes: Uint8Array, job: string): Pointer {
  const value = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Pointer> | null;
  if (typeof value?.format === "number" && value.format > FORMAT) {
    throw new TypeError(`its format is ${value.format}, this program reads up to ${FORMAT}`);
  }
  if (
    value?.format !== FORMAT ||
    value.job !== job ||
    typeof value.run !== "string" ||
    typeof value.generated_at !== "string" ||
    typeof value.engine !== "string" ||
    typeof value.commits !== "object" ||
    value.commits === null ||
    (value.watermark !== null && typeof value.watermark !== "string") ||
    typeof value.rows_read !== "number" ||
    typeof value.duration_ms !== "number" ||
    typeof value.query !== "string" ||
    typeof value.file !== "string" ||
    typeof value.bytes !== "number" ||
    typeof value.sha256 !== "string"
  ) {
    throw new TypeError("fields are missing or wrong");
  }
  return value as Pointer;
}

function infoOf(pointer: Pointer): ResultInfo & Answers {
  const { job, run, generated_at, engine, commits, watermark, rows_read, duration_ms, query } = pointer;
  return { job, run, generated_at, engine, commits, watermark, rows_read, duration_ms, query };
}

const pad = (sequence: number): string => String(sequence).padStart(9, "0");
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
