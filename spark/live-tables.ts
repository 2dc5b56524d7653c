import {
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  DuckDBTimestampTZValue,
} from "@duckdb/node-api";
import type { Table } from "apache-arrow";
import type { Row } from "../core/observation.ts";
import { FLAG_COLUMNS } from "../core/quality.ts";
import { parseTimestamp } from "../core/time.ts";
import { tableFromDuckDb } from "./arrow.ts";
import { openConnection } from "./duckdb-pool.ts";
import { execute, timeLiteral } from "./duckdb-statements.ts";
import { OBSERVATION_COLUMNS, type SqlView } from "./engine.ts";
import { DUCKDB_TYPES, quoteText } from "./observations-view.ts";

/** Views that read no observations: they are computed once. */
const FACTS = new Set([
  "cities",
  "zones",
  "stations",
  "limits",
  "level",
  "quality_bounds",
  "quality_places",
  "thresholds",
  "fading",
  "baseline",
]);
/** The newest reports of a series that are kept one by one. No test counts back further than 12. */
const RECENT = 300;
/** Of what is before them one report is kept for each such time, s: it tells for how long a value stands still. */
const SLOT_S = 300;
/** Most memory of the tables. */
const MEMORY = "256MB";
/** Rows from which on it is looked for some that need not be kept. */
const TRIM_ROWS = 20_000;
/** Questions after which tables and plans are made anew: deleted rows leave gaps in memory. */
const DESK_USES = 500;
/**
 * A plan that is used again must not know what the tables held when it was made: DuckDB 1.5.6 takes their smallest and largest values for
 * lasting, and leaves out what can be no row by them.
 */
const DISABLED = "top_n_window_elimination,statistics_propagation,compressed_materialization";
const NEVER = new AbortController().signal;

/** What is asked about some rows. */
export interface LiveQuestion {
  /** Rows before this time are not looked at, ms. */
  from: number;
  /** Cities whose rows are looked at; null for all. */
  cities: readonly string[] | null;
  /** First time that is asked for of each series, ms; null for the last report of each series. */
  since: readonly { city: string; source: string; from: number }[] | null;
  /** The moment up to which silence is judged, ms; null for the newest report. */
  now: number | null;
}

/** Flags and anomalies of the rows that were asked for, and of each series the row before the first. */
export interface LiveAnswer {
  flagged: Table;
  anomalies: Table;
}

/**
 * The last reports of each series in memory, and the views of analysis over them. The tables of what is known beside are made once,
 * and the plans of the views too: a judgement costs what its rows cost.
 */
export class LiveTables {
  readonly #instance: DuckDBInstance;
  readonly #base: DuckDBConnection;
  /** The SELECT behind each table of {@link FACTS}. */
  readonly #facts = new Map<string, string>();
  readonly #desks = new Map<string, Desk>();
  #rows = 0;
  #most = TRIM_ROWS;

  private constructor(instance: DuckDBInstance, base: DuckDBConnection) {
    this.#instance = instance;
    this.#base = base;
  }

  /**
   * Opens empty tables.
   *
   * @param folder of this process alone, for what does not fit into memory
   */
  static async open(folder: string): Promise<LiveTables> {
    const instance = await DuckDBInstance.create(":memory:", {
      // One thread: it is about few rows, and others wait for the rest of the machine.
      threads: "1",
      external_threads: "0",
      memory_limit: MEMORY,
      temp_directory: folder,
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    const base = await openConnection(instance);
    const columns = OBSERVATION_COLUMNS.map(([name, type]) => `"${name}" ${DUCKDB_TYPES[type]}`).join(", ");
    await base.run(`CREATE TABLE tail (${columns})`);
    return new LiveTables(instance, base);
  }

  /** How many rows there are. */
  get size(): number {
    return this.#rows;
  }

  /** Takes rows. Of an observation the one with the largest offset counts. */
  async append(rows: readonly Row[]): Promise<void> {
    const appender = await this.#base.createAppender("tail");
    for (const row of rows) {
      for (const [name, type] of OBSERVATION_COLUMNS)
        appendValue(appender, type, (row as unknown as Record<string, unknown>)[name]);
      appender.endRow();
    }
    appender.closeSync();
    this.#rows += rows.length;
  }

  /** Leaves rows out that are told by their source and offset. */
  async remove(isGone: (row: { source: string; log_offset: number }) => boolean): Promise<void> {
    const reader = await this.#base.runAndReadAll("SELECT rowid, source, log_offset FROM tail");
    const gone = reader
      .getRows()
      .filter(([, source, offset]) => isGone({ source: String(source), log_offset: Number(offset) }));
    if (gone.length > 0)
      await this.#base.run(`DELETE FROM tail WHERE rowid IN (${gone.map(([id]) => id).join(", ")})`);
  }

  /** Lets go of what no judgement asks for any more: what is older than a time, ms, and most of what comes in quick succession. */
  async trim(before: number): Promise<void> {
    if (this.#rows < this.#most) return;
    this.#close();
    await this.#base.run(`CREATE OR REPLACE TABLE tail AS SELECT ${NAMES} FROM (
      SELECT *,
        row_number() OVER (PARTITION BY city, source ORDER BY timestamp DESC) AS place,
        row_number() OVER (PARTITION BY city, source, epoch_us(timestamp) // ${SLOT_S * 1_000_000} ORDER BY timestamp DESC) AS in_slot
      FROM (${NEWEST}) WHERE timestamp >= ${timeLiteral(before)}
    ) WHERE place <= ${RECENT} OR in_slot = 1`);
    const [[rows] = []] = (await this.#base.runAndReadAll("SELECT count(*) FROM tail")).getRows();
    this.#rows = Number(rows);
    this.#most = Math.max(TRIM_ROWS, 2 * this.#rows);
  }

  /**
   * Judges rows.
   *
   * @param views all views of analysis; the plans are made anew when one of them changes
   */
  async ask(views: readonly SqlView[], question: LiveQuestion): Promise<LiveAnswer> {
    await this.#renewFacts(views);
    const texts = JSON.stringify(
      views.filter(({ name }) => !FACTS.has(name)).map(({ name, sql }) => [name, sql]),
    );
    const kind = question.since === null ? "silent" : "new";
    let desk = this.#desks.get(kind);
    if (desk === undefined || desk.texts !== texts || desk.uses >= DESK_USES) {
      desk?.close();
      desk = await Desk.open(this.#instance, views, { texts, isLive: question.now !== null });
      this.#desks.set(kind, desk);
    }
    return desk.ask(question);
  }

  /** Frees everything. */
  close(): void {
    this.#close();
    this.#base.closeSync();
    this.#instance.closeSync();
  }

  #close(): void {
    for (const desk of this.#desks.values()) desk.close();
    this.#desks.clear();
  }

  /** Makes the tables of what is known beside the reports, those whose SELECT is another than before. */
  async #renewFacts(views: readonly SqlView[]): Promise<void> {
    const changed = views.filter(({ name, sql }) => FACTS.has(name) && this.#facts.get(name) !== sql);
    if (changed.length === 0) return;
    this.#close();
    const connection = await openConnection(this.#instance);
    try {
      // A baseline that is not there yet is a view of observations without a row.
      await connection.run(`CREATE TEMP VIEW observations AS SELECT ${NAMES} FROM tail WHERE false`);
      for (const { name, sql } of views) {
        if (!FACTS.has(name)) await connection.run(`CREATE TEMP VIEW ${name} AS ${sql}`);
        else if (this.#facts.get(name) !== sql) {
          await connection.run(`CREATE OR REPLACE TABLE memory.main.${name} AS ${sql}`);
          this.#facts.set(name, sql);
        }
      }
    } finally {
      connection.closeSync();
    }
  }
}

const NAMES = OBSERVATION_COLUMNS.map(([name]) => `"${name}"`).join(", ");
/** Of each observation the newest revision. */
const NEWEST = `SELECT ${NAMES} FROM (
  SELECT *, row_number() OVER (PARTITION BY source, city, timestamp ORDER BY log_offset DESC) AS revision FROM tail
) WHERE revision = 1`;

function appendValue(
  appender: DuckDBAppender,
  type: (typeof OBSERVATION_COLUMNS)[number][1],
  value: unknown,
): void {
  if (value === null || value === undefined) appender.appendNull();
  else if (type === "timestamp")
    appender.appendTimestampTZ(new DuckDBTimestampTZValue(BigInt(parseTimestamp(String(value))) * 1000n));
  else if (type === "double") appender.appendDouble(Number(value));
  else if (type === "bigint") appender.appendBigInt(BigInt(Number(value)));
  else appender.appendVarchar(String(value));
}

/** What is prepared once for one kind of question, on a connection of its own. */
class Desk {
  readonly texts: string;
  uses = 0;
  readonly #connection: DuckDBConnection;
  readonly #isLive: boolean;
  readonly #statements: Readonly<Record<keyof typeof STATEMENTS, DuckDBPreparedStatement>>;

  private constructor(
    connection: DuckDBConnection,
    statements: Readonly<Record<keyof typeof STATEMENTS, DuckDBPreparedStatement>>,
    { texts, isLive }: { texts: string; isLive: boolean },
  ) {
    this.#connection = connection;
    this.#statements = statements;
    this.#isLive = isLive;
    this.texts = texts;
  }

  /** Makes the tables and views of a question. The flags are computed once and kept for what reads them. */
  static async open(
    instance: DuckDBInstance,
    views: readonly SqlView[],
    options: { texts: string; isLive: boolean },
  ): Promise<Desk> {
    const connection = await openConnection(instance);
    await connection.run(`SET disabled_optimizers = '${DISABLED}'`);
    await connection.run(`CREATE TEMP TABLE observations AS SELECT ${NAMES} FROM tail WHERE false`);
    for (const { name, sql } of views) {
      if (FACTS.has(name)) continue;
      if (name === "watermark" && options.isLive)
        await connection.run("CREATE TEMP TABLE watermark AS SELECT CAST(NULL AS TIMESTAMPTZ) AS newest");
      else if (name === "quality") {
        await connection.run(`CREATE TEMP VIEW quality_computed AS ${sql}`);
        await connection.run("CREATE TEMP TABLE quality AS SELECT * FROM quality_computed WHERE false");
      } else await connection.run(`CREATE TEMP VIEW ${name} AS ${sql}`);
    }
    await connection.run("CREATE TEMP TABLE since (city VARCHAR, source VARCHAR, micros BIGINT)");
    await connection.run("CREATE TEMP TABLE asked (city VARCHAR, source VARCHAR, timestamp TIMESTAMPTZ)");
    const entries: [string, DuckDBPreparedStatement][] = [];
    for (const [name, sql] of Object.entries(STATEMENTS)) entries.push([name, await connection.prepare(sql)]);
    const statements = Object.fromEntries(entries) as Record<
      keyof typeof STATEMENTS,
      DuckDBPreparedStatement
    >;
    return new Desk(connection, statements, options);
  }

  async ask({ from, cities, since, now }: LiveQuestion): Promise<LiveAnswer> {
    this.uses++;
    for (const table of ["observations", "quality", "since", "asked"])
      await this.#connection.run(`DELETE FROM ${table}`);
    if (this.#isLive) await this.#connection.run(`UPDATE watermark SET newest = ${timeLiteral(now ?? 0)}`);
    const { copy } = this.#statements;
    copy.bindBigInt(1, BigInt(from) * 1000n);
    copy.bindVarchar(2, cities === null ? "" : cities.join("\n"));
    copy.bindBoolean(3, cities === null);
    await this.#run("copy");
    await this.#run("judge");
    if (since === null) await this.#run("silences");
    else {
      const rows = since.map(
        ({ city, source, from: first }) => `(${quoteText(city)}, ${quoteText(source)}, ${first * 1000})`,
      );
      await this.#connection.run(`INSERT INTO since VALUES ${rows.join(", ")}`);
      await this.#run("ask");
    }
    const flagged = await tableFromDuckDb(await this.#run("flagged"));
    const anomalies = await tableFromDuckDb(await this.#run("anomalies"));
    return { flagged, anomalies };
  }

  #run(name: keyof typeof STATEMENTS) {
    return execute(this.#connection, this.#statements[name], NEVER);
  }

  close(): void {
    for (const statement of Object.values(this.#statements)) statement.destroySync();
    this.#connection.closeSync();
  }
}

const STATEMENTS = {
  copy: `INSERT INTO observations SELECT ${NAMES} FROM (${NEWEST})
    WHERE epoch_us(timestamp) >= $1 AND ($3 OR city IN (SELECT unnest(string_split($2, chr(10)))))`,
  judge: "INSERT INTO quality SELECT * FROM quality_computed",
  ask: `INSERT INTO asked SELECT city, source, timestamp FROM (
    SELECT q.city, q.source, q.timestamp, s.micros,
      lead(epoch_us(q.timestamp)) OVER (PARTITION BY q.city, q.source ORDER BY q.timestamp) AS next
    FROM quality AS q JOIN since AS s ON s.city = q.city AND s.source = q.source
  ) WHERE epoch_us(timestamp) >= micros OR next >= micros`,
  silences: `INSERT INTO asked SELECT city, source, timestamp FROM (
    SELECT city, source, timestamp, status, row_number() OVER (PARTITION BY city, source ORDER BY timestamp DESC) AS place
    FROM anomaly WHERE kind IN ('silent', 'outage')
  ) WHERE place = 1 AND status = 'anomaly'`,
  flagged: `SELECT city, source, timestamp, q.log_offset, ${FLAG_COLUMNS.map((name) => `q.${name}`).join(", ")}
    FROM quality AS q JOIN asked USING (city, source, timestamp)`,
  anomalies: `SELECT m.* FROM anomaly AS m JOIN asked AS a
    ON a.city = m.city AND a.source = m.source AND a.timestamp = m.timestamp
    WHERE m.kind = 'unusual' OR m.status = 'anomaly'`,
} as const;
