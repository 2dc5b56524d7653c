import type { MessageInitShape } from "@bufbuild/protobuf";
import { EngineError } from "../../core/errors.ts";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import {
  type Argument,
  OBSERVATION_COLUMNS,
  type Snapshot,
  type SnapshotFile,
  type SqlView,
} from "../engine.ts";
import { retractedKey, splitRevised, standing } from "../observations-view.ts";
import type { PlanInit } from "./session.ts";
import type { Expression_LiteralSchema, RelationSchema } from "./spark_connect_pb.ts";

type RelationInit = MessageInitShape<typeof RelationSchema>;
type LiteralInit = MessageInitShape<typeof Expression_LiteralSchema>;

/** Files of a snapshot that are read in one go: the name of their relation, and what is in it. */
type Groups = Readonly<Record<string, readonly SnapshotFile[]>>;

const NAMES = OBSERVATION_COLUMNS.map(([name]) => `\`${name}\``).join(", ");
const DDL = OBSERVATION_COLUMNS.map(([name, type]) => `\`${name}\` ${type.toUpperCase()}`).join(", ");
const NOTHING = `SELECT ${OBSERVATION_COLUMNS.map(
  ([name, type]) => `CAST(NULL AS ${type.toUpperCase()}) AS \`${name}\``,
).join(", ")} WHERE false`;

const FLAG_NAMES = FLAG_COLUMNS.map((name) => `\`${name}\``);
const FLAGGED_NAMES = `${NAMES}, ${FLAG_NAMES.join(", ")}`;
const FLAGGED_DDL = `${DDL}, ${FLAG_NAMES.map((name) => `${name} INT`).join(", ")}`;
const NO_FLAGS = FLAG_NAMES.map((name) => `CAST(NULL AS INT) AS ${name}`).join(", ");

/** JSONL files from which on they are read once for all scans of a snapshot. */
const MANY_FILES = 32;

const READER_OPTIONS = {
  // A line that is no row fails the query instead of becoming a row of nulls.
  mode: "FAILFAST",
  // Folders named `date=…` are no columns.
  recursiveFileLookup: "true",
} as const;

/** One SELECT with its named arguments, as a plan whose result is its rows. */
export function queryPlan(sql: string, given: Readonly<Record<string, Argument>>): PlanInit {
  const namedArguments = Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      { exprType: { case: "literal" as const, value: literal(value) } },
    ]),
  );
  // In brackets only a query can stand: no statement that changes something. The ends of lines keep comments apart.
  const query = `SELECT * FROM (${sql}\n)`;
  return root({ relType: { case: "sql", value: { query, namedArguments } } });
}

/** Makes a view of a session from one SELECT. */
export function viewPlan({ name, sql }: SqlView): PlanInit {
  return createView(name, sqlRelation(`SELECT * FROM (${sql}\n)`));
}

/**
 * The JSONL files of a snapshot under the names that {@link observationsPlan} has for them, where they are so many that a query
 * with its dozen scans should read them once: each file costs a task its opening.
 */
export function parsedViews(snapshot: Snapshot): { name: string; plan: PlanInit }[] {
  const groups = Object.entries(groupsOf(snapshot)).filter(([name]) => name.endsWith("_jsonl"));
  if (groups.reduce((sum, [, files]) => sum + files.length, 0) < MANY_FILES) return [];
  return groups.map(([name, files]) => ({ name, plan: createView(name, readFiles(files)) }));
}

/** Keeps the rows of a view in Spark's memory from its first use on, as far as they fit. */
export function cachePlan(view: string): PlanInit {
  // Not on disk: what does not fit is read again.
  return command(`CACHE LAZY TABLE ${view} OPTIONS ('storageLevel' = 'MEMORY_ONLY')`);
}

/** Frees what {@link cachePlan} keeps. */
export function uncachePlan(view: string): PlanInit {
  return command(`UNCACHE TABLE IF EXISTS ${view}`);
}

/**
 * Makes the view `observations` of a session: of each observation of the snapshot the newest revision.
 *
 * @param parsed views of the session that stand for groups of files: those of {@link parsedViews}
 */
export function observationsPlan(snapshot: Snapshot, parsed: readonly string[] = []): PlanInit {
  const groups = groupsOf(snapshot);
  const read = Object.entries(groups).filter(([name]) => !parsed.includes(name));
  const rows = newest(groups, NAMES) ?? NOTHING;
  return createView("observations", withFiles(rows, Object.fromEntries(read)));
}

/** Makes the view `judged` of a session: of each observation of the files the newest revision, with its flags. */
export function judgedPlan(judged: Snapshot): PlanInit {
  const groups = groupsOf(judged);
  const rows = newest(groups, FLAGGED_NAMES) ?? `SELECT *, ${NO_FLAGS} FROM (${NOTHING})`;
  return createView("judged", withFiles(rows, groups, FLAGGED_DDL));
}

/** The newest revision of each row of some groups of files; null for no files. */
function newest(groups: Groups, names: string): string | null {
  const of = (group: [string, readonly SnapshotFile[]]) => select(group, names);
  const branches = Object.entries(groups)
    .filter(([name]) => name.startsWith("plain"))
    .map(of);
  const searched = Object.entries(groups).filter(([name]) => name.startsWith("revised"));
  if (searched.length > 0) {
    // No QUALIFY: Spark 4.0 does not have it.
    branches.push(
      `SELECT ${names} FROM (SELECT *, row_number() OVER ` +
        "(PARTITION BY `source`, `city`, `timestamp` ORDER BY `log_offset` DESC) AS `place` " +
        `FROM (${searched.map(of).join(" UNION ALL ")})) WHERE \`place\` = 1`,
    );
  }
  return branches.length === 0 ? null : branches.join(" UNION ALL ");
}

/** The lines of one text file, as column `value`. */
export function textPlan(location: string): PlanInit {
  return root(read("text", [urlOf(location)], "value STRING"));
}

/** Where Spark finds a file: a path is one of the machine's own, whatever Spark's default file system is. */
export function urlOf(location: string): string {
  return location.startsWith("/") ? `file://${location}` : location;
}

/** A statement that is no query. */
function command(statement: string, groups: Groups = {}): PlanInit {
  const input = withFiles(statement, groups);
  return { opType: { case: "command", value: { commandType: { case: "sqlCommand", value: { input } } } } };
}

function createView(name: string, input: RelationInit): PlanInit {
  return {
    opType: {
      case: "command",
      value: { commandType: { case: "createDataframeView", value: { input, name, replace: true } } },
    },
  };
}

/** The rows of a group of files that are not retracted. */
function select([relation, files]: [string, readonly SnapshotFile[]], names: string): string {
  return `SELECT ${names} FROM ${relation}${standing(files, quoted)}`;
}

function groupsOf(snapshot: Snapshot): Groups {
  const { plain, revised } = splitRevised(snapshot);
  return { ...byFormat("plain", plain), ...byFormat("revised", revised) };
}

function byFormat(prefix: string, files: readonly SnapshotFile[]): Groups {
  const groups: Record<string, SnapshotFile[]> = {};
  const keys = [...new Set([retractedKey({}), ...files.map(retractedKey)])];
  for (const file of files) {
    const place = keys.indexOf(retractedKey(file));
    (groups[`${prefix}${place === 0 ? "" : place}_${file.format}`] ??= []).push(file);
  }
  return groups;
}

/** An SQL text, and relations of files for the names in it. */
function withFiles(query: string, groups: Groups, schema = DDL): RelationInit {
  const references = Object.entries(groups).map(([name, files]) => alias(name, readFiles(files, schema)));
  if (references.length === 0) return sqlRelation(query);
  return { relType: { case: "withRelations", value: { root: sqlRelation(query), references } } };
}

/** Files of one format, at least one. */
function readFiles(files: readonly SnapshotFile[], schema = DDL): RelationInit {
  const format = files[0]?.format === "parquet" ? "parquet" : "json";
  return read(format, files.map(locationOf), schema);
}

function locationOf({ location }: SnapshotFile): string {
  const name = location.slice(location.lastIndexOf("/") + 1);
  if (/^[._]/.test(name)) {
    // Spark takes it for a hidden file and leaves it out without a word.
    throw new EngineError(
      "unavailable",
      `Cannot read "${name}" with Spark: wanted a name that does not begin with "." or "_"`,
    );
  }
  return urlOf(location);
}

function read(format: string, paths: readonly string[], schema: string): RelationInit {
  return {
    relType: {
      case: "read",
      value: {
        readType: {
          case: "dataSource",
          value: { format, schema, options: READER_OPTIONS, paths: paths.map(escapeGlob) },
        },
      },
    },
  };
}

/** A path that names one file even where it holds what Spark takes for a pattern. */
function escapeGlob(path: string): string {
  return path.replace(/[\\{}[\]*?]/g, "\\$&");
}

function alias(name: string, input: RelationInit): RelationInit {
  return { relType: { case: "subqueryAlias", value: { alias: name, input } } };
}

function sqlRelation(query: string): RelationInit {
  return { relType: { case: "sql", value: { query } } };
}

function root(relation: RelationInit): PlanInit {
  return { opType: { case: "root", value: relation } };
}

/** An argument as a literal, with the type that DuckDB gives it. */
function literal(value: Argument): LiteralInit {
  if (value === null) {
    return { literalType: { case: "null", value: { kind: { case: "null", value: {} } } } };
  }
  if (typeof value === "string") return { literalType: { case: "string", value } };
  if (typeof value === "boolean") return { literalType: { case: "boolean", value } };
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { literalType: { case: "double", value } };
  if (value === (value | 0)) return { literalType: { case: "integer", value } };
  return { literalType: { case: "long", value: BigInt(value) } };
}

/** A text as a literal of Spark's SQL, where a backslash escapes. */
function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, "\\$&")}'`;
}
