import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import { Pool } from "./pool.ts";

/** A connection, and the SELECTs of the views that it holds at the moment, by name. */
export interface Session {
  connection: DuckDBConnection;
  views: Map<string, string>;
}

/** Queries that run at the same time; more of them wait. */
const CONNECTIONS = 8;

/** The connections of a DuckDB instance: opened when needed, in UTC, each used by one query at a time. */
export class ConnectionPool extends Pool<Session> {
  readonly #instance: DuckDBInstance;

  constructor(instance: DuckDBInstance) {
    super(CONNECTIONS, async () => ({ connection: await openConnection(instance), views: new Map() }));
    this.#instance = instance;
  }

  /** Closes the instance. Every connection must have been given back. */
  close(): void {
    for (const { connection } of this.drain()) connection.closeSync();
    this.#instance.closeSync();
  }
}

/** Opens a connection on which the views of analysis can be read. */
export async function openConnection(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  // DuckDB 1.5.6 fails in it ("expression type mismatch") on the newest revisions of a range of time in JSON files.
  await connection.run("SET disabled_optimizers = 'top_n_window_elimination'");
  // Spark's names for the time in numbers: adding to times with a zone or subtracting them takes DuckDB twenty times as long.
  await connection.run("CREATE TEMP MACRO unix_micros(t) AS epoch_us(t)");
  await connection.run("CREATE TEMP MACRO timestamp_micros(n) AS make_timestamptz(n)");
  // Progress is counted only where a bar would be drawn.
  await connection.run("SET enable_progress_bar = true");
  await connection.run("SET enable_progress_bar_print = false");
  await connection.run("SET progress_bar_time = 0");
  return connection;
}
