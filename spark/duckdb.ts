import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBMaterializedResult,
  type DuckDBPreparedStatement,
  StatementType,
  version,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import type { Table } from "apache-arrow";
import { EngineError, messageOf } from "../core/errors.ts";
import { describe } from "../core/observation.ts";
import { tableFromDuckDb } from "./arrow.ts";
import { pendingHandle } from "./duckdb-internals.ts";
import { ConnectionPool, type Session } from "./duckdb-pool.ts";
import type { Argument, Engine, QueryOptions, Snapshot, SqlView } from "./engine.ts";
import { argumentMismatch, namedArguments } from "./named-arguments.ts";
import { neededViews } from "./needed-views.ts";
import { observationsSql, parsedTables, quoteText, rowsSql } from "./observations-view.ts";

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
/** How often a running query is looked at, ms: soon at first, since most end within a few ms. */
const LOOK_MS = { first: 1, last: 20 };
const COMMENT = /--[^\n]*|\/\*[\s\S]*?\*\//g;
/** Two instances, since the threads of one serve the query with the most tasks first, and the others may starve. */
const POOLS = ["foreground", "background"] as const;
/** What a killed process leaves in the folder. */
const LEFTOVER = /^(compaction-[0-9a-f-]+\.parquet|spill-(fore|back)ground)$/;

/**
 * Opens the embedded engine: DuckDB in this process, in memory, in UTC, without network or extensions.
 *
 * @throws EngineError `unavailable` when it cannot be opened
 */
export async function openDuckDb(options: DuckDbOptions): Promise<Engine> {
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

class DuckDbEngine implements Engine {
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
    const { snapshot, progress } = options;
    const pool = options.background === true ? this.#background : this.#foreground;
    const views = neededViews(sql, options.views ?? []);
    // Views read the observations again and again.
    const isParsed = views.length > 0;
    const tables = isParsed ? parsedTables(snapshot) : [];
    return this.#with(pool, options.signal, async (session, signal) => {
      const { connection } = session;
      try {
        for (const { name, sql: rows } of tables)
          // Sorted, else each small file takes blocks of its own.
          await runStatement(
            connection,
            `CREATE TEMP TABLE ${name} AS FROM (${rows}) ORDER BY "timestamp"`,
            signal,
          );
        await showView(session, { name: "observations", sql: observationsSql(snapshot, isParsed) });
        for (const view of views) await showView(session, view);
        const statement = await prepareSelect(connection, sql, options.arguments ?? {});
        try {
          const result = await execute(connection, statement, signal, progress);
          return await tableFromDuckDb(result, signal);
        } finally {
          statement.destroySync();
        }
      } finally {
        for (const { name } of tables) await connection.run(`DROP TABLE IF EXISTS ${name}`);
      }
    });
  }

  compact(snapshot: Snapshot, signal?: AbortSignal): Promise<{ bytes: Uint8Array; rows: number }> {
    return this.#with(this.#background, signal, async ({ connection }, stop) => {
      const path = join(this.#temp, `compaction-${randomUUID()}.parquet`);
      try {
        const result = await runStatement(
          connection,
          `COPY (FROM (${rowsSql(snapshot)}) ORDER BY "timestamp", "city", "source", "log_offset") TO ${quoteText(path)} ` +
            `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
          stop,
        );
        const [[rows] = []] = await result.getRows();
        return { bytes: await readFile(path), rows: Number(rows) };
      } finally {
        await rm(path, { force: true });
      }
    });
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

/** Makes a view of a session show a SELECT. Views that read it see the new one: DuckDB binds them when they are queried. */
async function showView({ connection, views }: Session, { name, sql }: SqlView): Promise<void> {
  if (views.get(name) === sql) return;
  views.delete(name);
  await connection.run(`CREATE OR REPLACE TEMP VIEW ${name} AS ${sql}`);
  views.set(name, sql);
}

/** Runs a statement of our own. */
async function runStatement(
  connection: DuckDBConnection,
  sql: string,
  signal: AbortSignal,
): Promise<DuckDBMaterializedResult> {
  const statement = await connection.prepare(sql);
  try {
    return await execute(connection, statement, signal);
  } finally {
    statement.destroySync();
  }
}

async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
  given: Readonly<Record<string, Argument>>,
): Promise<DuckDBPreparedStatement> {
  const named = namedArguments(sql);
  const mismatch = argumentMismatch(named.names, given);
  if (mismatch !== null) throw badQuery(mismatch);
  // The binding has no words for a text without a statement.
  if (/^[\s;]*$/.test(sql.replace(COMMENT, ""))) throw badQuery("it is empty, wanted one SELECT");
  const statements = await connection.extractStatements(named.sql);
  if (statements.count !== 1) throw badQuery(`it has ${statements.count} statements, wanted one SELECT`);
  const statement = await statements.prepare(0);
  try {
    if (statement.statementType !== StatementType.SELECT) {
      throw badQuery(
        `it is ${StatementType[statement.statementType] ?? "another statement"}, wanted one SELECT`,
      );
    }
    for (const name of named.names) bind(statement, statement.parameterIndex(name), given[name] ?? null);
  } catch (error) {
    statement.destroySync();
    throw error;
  }
  return statement;
}

/** Integers are bound as integers, as Spark reads them. */
function bind(statement: DuckDBPreparedStatement, index: number, value: Argument): void {
  if (value === null) statement.bindNull(index);
  else if (typeof value === "string") statement.bindVarchar(index, value);
  else if (typeof value === "boolean") statement.bindBoolean(index, value);
  else if (!Number.isSafeInteger(value) || Object.is(value, -0)) statement.bindDouble(index, value);
  else if (value === (value | 0)) statement.bindInteger(index, value);
  else statement.bindBigInt(index, BigInt(value));
}

/** Starts a statement on DuckDB's own threads and looks now and then whether it ended. */
async function execute(
  connection: DuckDBConnection,
  statement: DuckDBPreparedStatement,
  signal: AbortSignal,
  progress?: (share: number) => void,
): Promise<DuckDBMaterializedResult> {
  if (signal.aborted) throw cancelled();
  const interrupt = () => connection.interrupt();
  signal.addEventListener("abort", interrupt);
  try {
    const pending = statement.start();
    const handle = pendingHandle(pending);
    let share = 0;
    for (let wait = LOOK_MS.first; ; wait = Math.min(LOOK_MS.last, wait * 1.1)) {
      const state = duckdb.pending_execute_check_state(handle);
      // ERROR is also what this binding says of a query that has finished: only the text tells them apart.
      if (state === duckdb.PendingState.RESULT_READY || state === duckdb.PendingState.ERROR) break;
      const { percentage } = connection.progress;
      if (percentage / 100 > share) progress?.((share = percentage / 100));
      await new Promise<void>((resolve) => setTimeout(resolve, wait));
    }
    const failure = duckdb.pending_error(handle);
    if (failure) throw new Error(failure);
    const result = (await pending.getResult()) as DuckDBMaterializedResult;
    progress?.(1);
    return result;
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

function cancelled(cause?: unknown): EngineError {
  return new EngineError("cancelled", "The query was cancelled", { cause });
}

function badQuery(why: string, cause?: unknown): EngineError {
  return new EngineError("bad_query", `Cannot run the query: ${why}`, { cause });
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
