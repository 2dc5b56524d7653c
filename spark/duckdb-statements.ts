import {
  type DuckDBConnection,
  type DuckDBMaterializedResult,
  type DuckDBPreparedStatement,
  StatementType,
} from "@duckdb/node-api";
import duckdb from "@duckdb/node-bindings";
import { EngineError } from "../core/errors.ts";
import { pendingHandle } from "./duckdb-internals.ts";
import type { Session } from "./duckdb-pool.ts";
import type { Argument, Snapshot, SqlView } from "./engine.ts";
import { argumentMismatch, namedArguments } from "./named-arguments.ts";
import { observationsSql, parsedTables } from "./observations-view.ts";

/** How often a running query is looked at, ms: soon at first, since most end within a few ms. */
const LOOK_MS = { first: 1, last: 20 };
const COMMENT = /--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Does something while a session shows the view `observations` of a snapshot, and views that read it. */
export async function withObservations<T>(
  session: Session,
  shown: {
    snapshot: Snapshot;
    /** Only rows of this time, ms: from (inclusive) to (exclusive). */
    span?: { from: number; to: number };
    views: readonly SqlView[];
    signal: AbortSignal;
  },
  action: () => Promise<T>,
): Promise<T> {
  const { connection } = session;
  const { snapshot, span, views, signal } = shown;
  // Views read the observations again and again.
  const isParsed = views.length > 0;
  const tables = isParsed ? parsedTables(snapshot) : [];
  try {
    for (const { name, sql: rows } of tables)
      // Sorted, else each small file takes blocks of its own.
      await runStatement(
        connection,
        `CREATE TEMP TABLE ${name} AS FROM (${rows}) ORDER BY "timestamp"`,
        signal,
      );
    const rows = observationsSql(snapshot, isParsed);
    const within =
      span === undefined
        ? rows
        : `FROM (${rows}) WHERE "timestamp" >= ${timeLiteral(span.from)} AND "timestamp" < ${timeLiteral(span.to)}`;
    await showView(session, { name: "observations", sql: within });
    for (const view of views) await showView(session, view);
    return await action();
  } finally {
    for (const { name } of tables) await connection.run(`DROP TABLE IF EXISTS ${name}`);
  }
}

/** SQL literal of a point in time, ms since the epoch. */
export function timeLiteral(ms: number): string {
  return `TIMESTAMPTZ '${new Date(ms).toISOString().replace("T", " ").replace("Z", "+00:00")}'`;
}

/** Makes a view of a session show a SELECT. Views that read it see the new one: DuckDB binds them when they are queried. */
export async function showView({ connection, views }: Session, { name, sql }: SqlView): Promise<void> {
  if (views.get(name) === sql) return;
  views.delete(name);
  await connection.run(`CREATE OR REPLACE TEMP VIEW ${name} AS ${sql}`);
  views.set(name, sql);
}

/** Runs a statement of our own. */
export async function runStatement(
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

/**
 * Prepares one SELECT with its named arguments.
 *
 * @throws EngineError `bad_query` for anything else
 */
export async function prepareSelect(
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
export async function execute(
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

/** The error of a query that was stopped. */
export function cancelled(cause?: unknown): EngineError {
  return new EngineError("cancelled", "The query was cancelled", { cause });
}

/** The error of a text that is no query. */
export function badQuery(why: string, cause?: unknown): EngineError {
  return new EngineError("bad_query", `Cannot run the query: ${why}`, { cause });
}
