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
import type { Argument, Engine, QueryOptions, Snapshot } from "./engine.ts";
import { namedArguments } from "./named-arguments.ts";
import { observationsSql, quoteText, rowsSql } from "./observations-view.ts";

/** What the embedded engine is opened with. */
export interface DuckDbOptions {
  /** Threads it computes on. Default: one a core. */
  threads?: number;
  /** Most memory before it spills to disk, as DuckDB writes it (`512MB`). Default: `1GB`. */
  memoryLimit?: string;
  /** Folder of this engine alone, for what is spilled and for files under way. Leftovers in it are deleted at the start. */
  tempFolder: string;
  /** Folders that hold the files of snapshots. With them, SQL reads nothing else of the machine. */
  folders?: readonly string[];
}

/** Queries that run at the same time; more of them wait. */
const CONNECTIONS = 8;
/** Rows of a Parquet row group: DuckDB's own, a multiple of its vectors. */
const ROW_GROUP = 122_880;
/** How often a running query is looked at, ms: soon at first, since most end within a few ms. */
const LOOK_MS = { first: 1, last: 20 };
/** An SQL text without a statement, which the binding has no words for. */
const NOTHING = /^(?:[\s;]|--[^\n]*|\/\*[\s\S]*?\*\/)*$/;
const COMPACTION = /^compaction-[0-9a-f-]+\.parquet$/;

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
    await rm(join(temp, "spill"), { recursive: true, force: true });
    for (const name of await readdir(temp))
      if (COMPACTION.test(name)) await rm(join(temp, name), { force: true });
    const instance = await DuckDBInstance.create(":memory:", {
      threads: String(options.threads ?? navigator.hardwareConcurrency),
      // DuckDB's own threads do all the work. A query that is awaited in the runtime's pool holds one of its threads, and
      // that pool has one a core: two long queries would stop every file operation of the process.
      external_threads: "0",
      // Threads go from query to query, so that a short read does not wait for a long one.
      scheduler_process_partial: "true",
      memory_limit: options.memoryLimit ?? "1GB",
      temp_directory: join(temp, "spill"),
      // The system's page cache does that, and gives memory back.
      enable_external_file_cache: "false",
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
    return new DuckDbEngine(instance, temp);
  } catch (cause) {
    throw new EngineError(
      "unavailable",
      `Cannot open DuckDB with the folder "${temp}": ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** A connection and the view it holds at the moment. */
interface Session {
  connection: DuckDBConnection;
  view: string;
}

class DuckDbEngine implements Engine {
  readonly name = `DuckDB ${version().replace(/^v/, "")}`;
  readonly #instance: DuckDBInstance;
  readonly #temp: string;
  readonly #idle: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #open = 0;

  constructor(instance: DuckDBInstance, temp: string) {
    this.#instance = instance;
    this.#temp = temp;
  }

  query(sql: string, options: QueryOptions): Promise<Table> {
    return this.#with(options.signal, async (session, signal) => {
      const view = observationsSql(options.snapshot);
      if (session.view !== view) {
        session.view = "";
        await session.connection.run(`CREATE OR REPLACE TEMP VIEW observations AS ${view}`);
        session.view = view;
      }
      const statement = await prepareSelect(session.connection, sql, options.arguments ?? {});
      try {
        const result = await execute(session.connection, statement, signal, options.progress);
        return await tableFromDuckDb(result, signal);
      } finally {
        statement.destroySync();
      }
    });
  }

  compact(snapshot: Snapshot, signal?: AbortSignal): Promise<{ bytes: Uint8Array; rows: number }> {
    return this.#with(signal, async ({ connection }, stop) => {
      const path = join(this.#temp, `compaction-${randomUUID()}.parquet`);
      const statement = await connection.prepare(
        `COPY (FROM (${rowsSql(snapshot)}) ORDER BY "timestamp", "city", "source", "log_offset") TO ${quoteText(path)} ` +
          `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`,
      );
      try {
        const result = await execute(connection, statement, stop);
        const [[rows] = []] = await result.getRows();
        return { bytes: await readFile(path), rows: Number(rows) };
      } finally {
        statement.destroySync();
        await rm(path, { force: true });
      }
    });
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.allSettled(this.#running);
    for (const session of this.#idle.splice(0)) session.connection.closeSync();
    this.#instance.closeSync();
    await rm(join(this.#temp, "spill"), { recursive: true, force: true });
  }

  /** Runs `action` on a connection of its own, and turns what it throws into an EngineError. */
  #with<T>(
    signal: AbortSignal | undefined,
    action: (session: Session, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const stop =
      signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]);
    const run = async (): Promise<T> => {
      const session = await this.#take(stop);
      try {
        return await action(session, stop);
      } catch (error) {
        throw engineError(error, stop);
      } finally {
        this.#idle.push(session);
        this.#waiting.shift()?.();
      }
    };
    const running = run();
    this.#running.add(running);
    const ended = () => void this.#running.delete(running);
    running.then(ended, ended);
    return running;
  }

  async #take(signal: AbortSignal): Promise<Session> {
    for (;;) {
      if (signal.aborted) {
        // It may have been woken for a connection that it does not take now.
        this.#waiting.shift()?.();
        throw this.#closing.signal.aborted
          ? new EngineError("unavailable", "The engine is closed")
          : cancelled();
      }
      const session = this.#idle.pop();
      if (session !== undefined) return session;
      if (this.#open < CONNECTIONS) {
        this.#open++;
        try {
          return { connection: await connect(this.#instance), view: "" };
        } catch (error) {
          this.#open--;
          throw engineError(error, signal);
        }
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake);
          const index = this.#waiting.indexOf(wake);
          if (index >= 0) this.#waiting.splice(index, 1);
          resolve();
        };
        this.#waiting.push(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    }
  }
}

async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  // DuckDB 1.5.6 fails in it ("expression type mismatch") on the newest revisions of a range of time in JSON files.
  await connection.run("SET disabled_optimizers = 'top_n_window_elimination'");
  // Progress is counted only where a bar would be drawn.
  await connection.run("SET enable_progress_bar = true");
  await connection.run("SET enable_progress_bar_print = false");
  await connection.run("SET progress_bar_time = 0");
  return connection;
}

async function prepareSelect(
  connection: DuckDBConnection,
  sql: string,
  given: Readonly<Record<string, Argument>>,
): Promise<DuckDBPreparedStatement> {
  const named = namedArguments(sql);
  for (const name of named.names) {
    if (!Object.hasOwn(given, name)) throw badQuery(`the argument :${name} has no value`);
  }
  for (const name of Object.keys(given)) {
    if (!named.names.includes(name)) throw badQuery(`the argument :${name} is not used`);
  }
  if (NOTHING.test(sql)) throw badQuery("it is empty, wanted one SELECT");
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
    // The class keeps its handle to itself, and its own way to wait runs the tasks in this thread.
    const handle = (pending as unknown as { pending_result: duckdb.PendingResult }).pending_result;
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
