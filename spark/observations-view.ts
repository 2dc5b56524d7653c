import { FLAG_COLUMNS } from "../core/quality.ts";
import { OBSERVATION_COLUMNS, type Snapshot, type SnapshotFile } from "./engine.ts";
import { FIRST_COLUMNS } from "./file-columns.ts";

/** DuckDB's types of the columns of `observations`. */
export const DUCKDB_TYPES = {
  timestamp: "TIMESTAMPTZ",
  string: "VARCHAR",
  double: "DOUBLE",
  bigint: "BIGINT",
} as const satisfies Record<(typeof OBSERVATION_COLUMNS)[number][1], string>;

const NAMES = select(() => true);
const FLAGS = FLAG_COLUMNS.map((name) => `"${name}"`).join(", ");
const STRUCT = OBSERVATION_COLUMNS.map(([name, type]) => `'${name}': '${DUCKDB_TYPES[type]}'`).join(", ");

/**
 * The files of days that have revisions, and those of the other days. Only the former pay for the search for the newest
 * revisions, which is the expensive part: revisions of one observation lie in files of one day.
 */
export function splitRevised(snapshot: Snapshot): { plain: SnapshotFile[]; revised: SnapshotFile[] } {
  const days = new Set<string>();
  for (const file of snapshot.files) if (file.revisions > 0) days.add(file.date);
  const plain: SnapshotFile[] = [];
  const revised: SnapshotFile[] = [];
  for (const file of snapshot.files) (days.has(file.date) ? revised : plain).push(file);
  return { plain, revised };
}

/**
 * Tables with the rows of the JSONL files of a snapshot, for {@link observationsSql}: what reads the view again and again would
 * parse them each time, and each scan takes DuckDB 32 MB a thread.
 */
export function parsedTables(snapshot: Snapshot): { name: string; sql: string }[] {
  return Object.entries(splitRevised(snapshot)).flatMap(([days, files]) => {
    const jsonl = files.filter(({ format }) => format === "jsonl");
    return jsonl.length === 0 ? [] : [{ name: `parsed_${days}`, sql: rowsSql({ files: jsonl }) }];
  });
}

/**
 * The SELECT behind the view `observations` in DuckDB's dialect: of each observation the newest revision, which is the one
 * with the largest offset of those that are not retracted.
 *
 * @param isParsed reads {@link parsedTables} in the place of the JSONL files
 */
export function observationsSql(snapshot: Snapshot, isParsed = false): string {
  return newestSql(snapshot, NAMES, (files, days) =>
    rowsSql({ files }, isParsed ? `parsed_${days}` : undefined),
  );
}

/** The newest revision of each row; only the days that have revisions are searched for it. */
function newestSql(
  snapshot: Snapshot,
  names: string,
  rows: (files: readonly SnapshotFile[], days: "plain" | "revised") => string,
): string {
  const { plain, revised } = splitRevised(snapshot);
  const branches: string[] = [];
  if (plain.length > 0 || revised.length === 0) branches.push(rows(plain, "plain"));
  if (revised.length > 0) {
    branches.push(
      `SELECT ${names} FROM (${rows(revised, "revised")}) QUALIFY ` +
        `row_number() OVER (PARTITION BY "source", "city", "timestamp" ORDER BY "log_offset" DESC) = 1`,
    );
  }
  return branches.map((branch) => `(${branch})`).join(" UNION ALL ");
}

/**
 * The SELECT of every row of the files that is not retracted in DuckDB's dialect, revisions included. No files: the columns
 * without a row.
 *
 * @param parsed a table with the rows of the JSONL files. Default: the files themselves
 */
export function rowsSql(snapshot: Snapshot, parsed?: string): string {
  return rowsOf(snapshot, parsed === undefined ? {} : { parsed });
}

/**
 * The SELECT behind the view `judged` in DuckDB's dialect: of each observation the newest revision with its flags.
 *
 * @throws TypeError for a file without flags
 */
export function judgedSql(snapshot: Snapshot): string {
  const without = snapshot.files.find(({ judged }) => judged === undefined);
  if (without !== undefined) throw new TypeError(`Cannot read flags of ${without.location}: it has none`);
  return newestSql(snapshot, `${NAMES}, ${FLAGS}`, (files) => rowsOf({ files }, { withFlags: true }));
}

function rowsOf(
  snapshot: Snapshot,
  { parsed, withFlags = false }: { parsed?: string; withFlags?: boolean },
): string {
  const branches: string[] = [];
  const jsonl = snapshot.files.filter(({ format }) => format === "jsonl");
  if (jsonl.length > 0 && parsed !== undefined) branches.push(`SELECT ${NAMES} FROM ${parsed}`);
  else {
    for (const files of Map.groupBy(jsonl, retractedKey).values()) {
      branches.push(
        `SELECT ${NAMES} FROM read_json([${locations(files)}], format = 'newline_delimited', compression = 'uncompressed', ` +
          `columns = {${STRUCT}}, hive_partitioning = false)${standing(files)}`,
      );
    }
  }
  // Those of the same columns together. `union_by_name` would open every file before each scan, only to learn its columns.
  const parquet = Map.groupBy(
    snapshot.files.filter(({ format }) => format === "parquet"),
    (file) => JSON.stringify([file.columns?.toSorted() ?? [], retractedKey(file)]),
  );
  for (const files of parquet.values()) {
    const later = new Set(files[0]?.columns);
    const names = select((name) => FIRST_COLUMNS.has(name) || later.has(name));
    branches.push(
      `SELECT ${names}${withFlags ? `, ${FLAGS}` : ""} FROM read_parquet([${locations(files)}], hive_partitioning = false)${standing(files)}`,
    );
  }
  const noFlags = withFlags
    ? `, ${FLAG_COLUMNS.map((name) => `CAST(NULL AS INTEGER) AS "${name}"`).join(", ")}`
    : "";
  if (branches.length === 0) return `SELECT ${select(() => false)}${noFlags} WHERE false`;
  return branches.join(" UNION ALL ");
}

/** Files of one key lack the same rows: their offsets are of one partition. */
export function retractedKey({ retracted = [] }: Pick<SnapshotFile, "retracted">): string {
  return JSON.stringify(retracted);
}

/**
 * The condition that leaves the retracted rows of files out, in the dialect both engines share; empty where there are none.
 *
 * @param files of one {@link retractedKey}
 * @param quote a text as a literal of the engine's SQL
 */
export function standing(files: readonly SnapshotFile[], quote = quoteText): string {
  const ranges = files[0]?.retracted ?? [];
  if (ranges.length === 0) return "";
  const named = ranges.map(
    ({ source, first, last }) => `(source = ${quote(source)} AND log_offset BETWEEN ${first} AND ${last})`,
  );
  return ` WHERE NOT (${named.join(" OR ")})`;
}

/** The columns of a row as a SELECT lists them: null for those that are not there. */
function select(isThere: (name: string) => boolean): string {
  return OBSERVATION_COLUMNS.map(([name, type]) =>
    isThere(name) ? `"${name}"` : `CAST(NULL AS ${DUCKDB_TYPES[type]}) AS "${name}"`,
  ).join(", ");
}

function locations(files: readonly SnapshotFile[]): string {
  return files.map((file) => quoteText(escapeGlob(file.location))).join(", ");
}

/** A path that names one file even where it holds `*`, `?` or `[`, which DuckDB takes for a pattern. */
function escapeGlob(path: string): string {
  return path.replace(/[*?[]/g, "[$&]");
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
