import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { DataType, type Table } from "apache-arrow";
import { rowsOf } from "../../spark/arrow.ts";
import type { SqlView } from "../../spark/engine.ts";
import { quoteText } from "../../spark/observations-view.ts";

/** What {@link KeptViews} works with. */
export interface KeptViewsOptions {
  /** Every view, in the order they read each other. */
  views: readonly SqlView[];
  /** The newest result of the job of a name; null before the first, undefined where there is no such job. */
  result: (job: string) => { run: string; table: Table } | null | undefined;
  /** A folder of this process alone that DuckDB may read. */
  folder: string;
}

/**
 * In the place of the view `levels`, which reads 30 days: the newest level of each series stands for the days of a short range.
 */
const NEWEST_LEVELS: SqlView = {
  name: "levels",
  sql: `SELECT l.city, l.source, d.day, l.pressure_level FROM level AS l
    CROSS JOIN (SELECT DISTINCT date_trunc('day', timestamp) AS day FROM observations) AS d`,
};
/** Rows written before other work of the process gets its turn. */
const ROWS_PER_TURN = 2_000;

/**
 * The views of analysis with the newest kept results in place of the SELECTs that would compute them anew, for DuckDB in
 * this process: so the live judge and a page of rows read no more than the day before. A result is written to a file once,
 * when it is new. Before the first one its view has no rows: a day is no baseline.
 */
export class KeptViews {
  readonly #options: KeptViewsOptions;
  /** The file of each view's newest result, and the one before it, which a query may still read. */
  readonly #files = new Map<string, { run: string; view: SqlView; path: string; before: string | null }>();
  #writing: Promise<unknown> = Promise.resolve();

  constructor(options: KeptViewsOptions) {
    this.#options = options;
  }

  /**
   * The views up to one of a name, or all.
   *
   * @throws when a file cannot be written
   */
  async list(last?: string): Promise<SqlView[]> {
    const { views, result } = this.#options;
    const until = last === undefined ? views.length : views.findIndex(({ name }) => name === last) + 1;
    const listed: SqlView[] = [];
    for (const view of views.slice(0, until)) {
      const kept = result(view.name);
      if (view.name === NEWEST_LEVELS.name) listed.push(NEWEST_LEVELS);
      else if (kept === undefined) listed.push(view);
      else if (kept === null)
        listed.push({ name: view.name, sql: `SELECT * FROM (${view.sql}\n) WHERE false` });
      else listed.push(await this.#kept(view.name, kept));
    }
    return listed;
  }

  /** The view of a result. One is written at a time, each once. */
  #kept(name: string, kept: { run: string; table: Table }): Promise<SqlView> {
    const known = this.#files.get(name);
    if (known?.run === kept.run) return Promise.resolve(known.view);
    const written = this.#writing.then(() => this.#write(name, kept));
    this.#writing = written.catch(() => {}); // whoever waits for it is told
    return written;
  }

  async #write(name: string, { run, table }: { run: string; table: Table }): Promise<SqlView> {
    const known = this.#files.get(name);
    if (known?.run === run) return known.view;
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true });
    const path = join(folder, `${name}-${run}.jsonl`);
    await writeTable(path, table);
    const columns = table.schema.fields.map((field) => `'${field.name}': '${duckDbType(field.type)}'`);
    const sql =
      `SELECT * FROM read_json(${quoteText(path)}, format = 'newline_delimited', ` +
      `compression = 'uncompressed', columns = {${columns.join(", ")}})`;
    const view = { name, sql };
    this.#files.set(name, { run, view, path, before: known?.path ?? null });
    if (known?.before != null) await rm(known.before, { force: true });
    return view;
  }
}

async function writeTable(path: string, table: Table): Promise<void> {
  const file = await open(path, "w");
  try {
    for (let start = 0; start < table.numRows; start += ROWS_PER_TURN) {
      const rows = rowsOf(table.slice(start, start + ROWS_PER_TURN));
      await file.writeFile(rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    }
  } finally {
    await file.close();
  }
}

function duckDbType(type: DataType): string {
  if (DataType.isTimestamp(type)) return "TIMESTAMPTZ";
  if (DataType.isFloat(type)) return "DOUBLE";
  if (DataType.isInt(type)) return type.bitWidth === 64 ? "BIGINT" : "INTEGER";
  if (DataType.isUtf8(type)) return "VARCHAR";
  if (DataType.isBool(type)) return "BOOLEAN";
  throw new TypeError(
    `Cannot keep a column of type ${String(type)} for views: wanted a number, text, time or boolean`,
  );
}
