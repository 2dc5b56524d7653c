import type { DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";

/** A connection, and the SELECT of the view `observations` that it holds at the moment. */
export interface Session {
  connection: DuckDBConnection;
  view: string;
}

/** Queries that run at the same time; more of them wait. */
const CONNECTIONS = 8;

/** The connections of a DuckDB instance: opened when needed, in UTC, each used by one query at a time. */
export class ConnectionPool {
  readonly #instance: DuckDBInstance;
  readonly #idle: Session[] = [];
  readonly #waiting: (() => void)[] = [];
  #open = 0;

  constructor(instance: DuckDBInstance) {
    this.#instance = instance;
  }

  /**
   * A connection for the caller alone, until it gives it back.
   *
   * @throws the signal's reason when it aborts before there is one
   */
  async take(signal: AbortSignal): Promise<Session> {
    for (;;) {
      if (signal.aborted) {
        // It may have been woken for a connection that it does not take now.
        this.#waiting.shift()?.();
        throw signal.reason;
      }
      const session = this.#idle.pop();
      if (session !== undefined) return session;
      if (this.#open < CONNECTIONS) {
        this.#open++;
        try {
          return { connection: await connect(this.#instance), view: "" };
        } catch (error) {
          this.#open--;
          throw error;
        }
      }
      await this.#woken(signal);
    }
  }

  /** Gives a connection back. */
  give(session: Session): void {
    this.#idle.push(session);
    this.#waiting.shift()?.();
  }

  /** Closes the instance. Every connection must have been given back. */
  close(): void {
    for (const { connection } of this.#idle.splice(0)) connection.closeSync();
    this.#instance.closeSync();
  }

  /** Resolves when a connection was given back, or the signal aborts. */
  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
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
