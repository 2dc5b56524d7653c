import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { DuckDBInstance, version } from "@duckdb/node-api";
import type { Table } from "apache-arrow";
import { EngineError, messageOf } from "../core/errors.ts";
import { describe } from "../core/observation.ts";
import { tableFromDuckDb } from "./arrow.ts";
import { withFlags } from "./duckdb-judging.ts";
import { ConnectionPool, type Session } from "./duckdb-pool.ts";
import {
  badQuery,
  cancelled,
  execute,
  prepareSelect,
  runStatement,
  showView,
  withObservations,
} from "./duckdb-statements.ts";
import type { JudgingInput, QueryOptions, Snapshot, WritingEngine, RowsFile } from "./engine.ts";
import { neededViews } from "./needed-views.ts";
import { judgedSql, quoteText, rowsSql } from "./observations-view.ts";

/** What the embedded engine is opened with. */
export interface DuckDbOptions {
  /** Threads it computes on, for background work and again for the rest. Default: one a core. */
  threads?: number;
  /** Most memory of background work before it spills to disk, as DuckDB writes it (`2GB`). Default: `1GB`. */
  memoryLimit?: string;
  /** Folder of this engine alone, for what is spilled and for files under way. Leftovers in it are deleted at the start. */
  tempFolder: string;
  /** Folders that hold the files of snapshots. With them, SQL reads nothing else of the machine. */
  folders?: readonly string[];
}

/** Most memory of the queries that somebody waits for. */
const FOREGROUND_MEMORY = "512MB";
/** Rows of a Parquet row group: DuckDB's own, a multiple of its vectors. */
const ROW_GROUP = 122_880;
/** Two instances, since the threads of one serve the query with the most tasks first, and the others may starve. */
const POOLS = ["foreground", "background"] as const;
/** What a killed process leaves in the folder. */
const LEFTOVER = /^(compaction-[0-9a-f-]+\.parquet|spill-(fore|back)ground)$/;

/**
 * Opens the embedded engine: DuckDB in this process, in memory, in UTC, without network or extensions.
 *
 * @throws EngineError `unavailable` when it cannot be opened
 */
export async function openDuckDb(options: DuckDbOptions): Promise<WritingEngine> {
  const temp = options.tempFolder;
  if (!isAbsolute(temp)) {
    throw new EngineError(
      "unavailable",
      `Cannot open DuckDB: tempFolder is ${describe(temp)}, wanted an absolute path`,
    );
  }
  try {
    await mkdir(temp, { recursive: true });
    for (const name of await readdir(temp))
      if (LEFTOVER.test(name)) await rm(join(temp, name), { recursive: true, force: true });
    const open = async (name: (typeof POOLS)[number], memory: string): Promise<ConnectionPool> => {
      const instance = await DuckDBInstance.create(":memory:", {
        threads: String(options.threads ?? navigator.hardwareConcurrency),
        // DuckDB's own threads do all the work. A query that is awaited in the runtime's pool holds one of its threads,
        // and that pool has one a core: two long queries would stop every file operation of the process.
        external_threads: "0",
        // Threads go from query to query, so that a query does not wait for the end of another.
        scheduler_process_partial: "true",
        memory_limit: memory,
        // DuckDB makes the folder itself, but not those above it.
        temp_directory: join(temp, `spill-${name}`),
        // The system's page cache does that, and gives memory back.
        enable_external_file_cache: "false",
        // Else what a long query took stays with the process until the next one.
        allocator_background_threads: "true",
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false",
        allow_community_extensions: "false",
      });
      const connection = await instance.connect();
      if (options.folders !== undefined) {
        const allowed = [...options.folders, temp].map((folder) => quoteText(folder.replace(/\/*$/, "/")));
        await connection.run(`SET allowed_directories = [${allowed.join(", ")}]`);
        await connection.run("SET enable_external_access = false");
      }
      connection.closeSync();
      return new ConnectionPool(instance);
    };
    const foreground = await open("foreground", FOREGROUND_MEMORY);
    const background = await open("background", options.memoryLimit ?? "1GB");
    return new DuckDbEngine(foreground, background, temp);
  } catch (cause) {
    throw new EngineError(
      "unavailable",
      `Cannot open DuckDB with the folder "${temp}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

class DuckDbEngine implements WritingEngine {
  readonly name = `DuckDB ${version().replace(/^v/, "")}`;
  readonly #foreground: ConnectionPool;
  readonly #background: ConnectionPool;
  readonly #temp: string;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(foreground: ConnectionPool, background: ConnectionPool, temp: string) {
    this.#foreground = foreground;
    this.#background = background;
    this.#temp = temp;
  }

  query(sql: string, options: QueryOptions): Promise<Table> {
    const { snapshot, judged = { files: [] }, progress } = options;
    const pool = options.background === true ? this.#background : this.#foreground;
    const views = neededViews(sql, options.views ?? []);
    return this.#with(pool, options.signal, async (session, signal) => {
      await showView(session, { name: "judged", sql: judgedSql(judged) });
      return withObservations(session, { snapshot, views, signal }, async () => {
        const { connection } = session;
        const statement = await prepareSelect(connection, sql, options.arguments ?? {});
        try {
          const result = await execute(connection, statement, signal, progress);
          return await tableFromDuckDb(result, signal);
        } finally {
          statement.destroySync();
        }
      });
    });
  }

  async compact(snapshot: Snapshot, signal?: AbortSignal): Promise<RowsFile> {
    return this.#with(this.#background, signal, (session, stop) =>
      this.#write(session, rowsSql(snapshot), stop),
    );
  }

  judge(parts: readonly Snapshot[], judging: JudgingInput, signal?: AbortSignal): Promise<RowsFile[]> {
    return this.#with(this.#background, signal, (session, stop) =>
      withFlags(session, judging, stop, async (flagged) => {
        const written: RowsFile[] = [];
        for (const part of parts) written.push(await this.#write(session, flagged(rowsSql(part)), stop));
        return written;
      }),
    );
  }

  async #write({ connection }: Session, select: string, signal: AbortSignal): Promise<RowsFile> {
    const path = join(this.#temp, `compaction-${randomUUID()}.parquet`);
    try {
      const result = await runStatement(
        connection,
        `COPY (FROM (${select}) ORDER BY "city", "source", "timestamp", "log_offset") TO ${quoteText(path)} ` +
          `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
        signal,
      );
      const [[rows] = []] = await result.getRows();
      return { bytes: await readFile(path), rows: Number(rows) };
    } finally {
      await rm(path, { force: true });
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    this.#foreground.close();
    this.#background.close();
    for (const name of POOLS) await rm(join(this.#temp, `spill-${name}`), { recursive: true, force: true });
  }

  /** Runs `action` on a connection of its own, and turns what it throws into an EngineError. */
  #with<T>(
    pool: ConnectionPool,
    signal: AbortSignal | undefined,
    action: (session: Session, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const closing = this.#closing.signal;
    const stop = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const run = async (): Promise<T> => {
      if (closing.aborted) throw new EngineError("unavailable", "The engine is closed");
      try {
        const session = await pool.take(stop);
        try {
          return await action(session, stop);
        } finally {
          pool.give(session);
        }
      } catch (error) {
        throw engineError(error, stop);
      }
    };
    const running = run();
    this.#running.add(running);
    const ended = () => void this.#running.delete(running);
    running.then(ended, ended);
    return running;
  }
}

/** DuckDB's errors have no code, but each message begins with its kind. */
function engineError(error: unknown, signal: AbortSignal): EngineError {
  if (error instanceof EngineError) return error;
  const message = messageOf(error).trim();
  if (signal.aborted || message.startsWith("INTERRUPT Error")) return cancelled(error);
  if (message.startsWith("Out of Memory Error")) {
    return new EngineError("out_of_memory", `Cannot run the query: ${message}`, {
      cause: error,
      hint: "Give the engine more memory or room to spill, or ask for less.",
    });
  }
  // A file that is gone, cut short or broken is not the query's fault.
  if (
    /^(IO|Permission|FATAL|INTERNAL|HTTP) Error/.test(message) ||
    /^Invalid (Input|Error).* in file /s.test(message)
  ) {
    return new EngineError("unavailable", `Cannot read the files: ${message}`, { cause: error });
  }
  return badQuery(message, error);
}
