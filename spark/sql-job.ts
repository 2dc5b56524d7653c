import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Table } from "apache-arrow";
import type { JobInfo } from "../core/analytic-job.ts";
import { messageOf } from "../core/errors.ts";
import { describe } from "../core/observation.ts";
import { DAY_MS, formatTimestamp } from "../core/time.ts";
import type { Argument, Engine, QueryOptions, Snapshot } from "./engine.ts";
import { type Model, MODELS } from "./models.ts";
import { namedArguments } from "./named-arguments.ts";

/** A named argument of a job, `:name` in its text. */
export interface JobParameter {
  name: string;
  type: ParameterType;
  /** The value where nobody gives another. */
  value: Argument;
  description: string;
}

/** What a parameter's value may be; null is always allowed. */
export type ParameterType = "integer" | "number" | "text" | "boolean";

/** Older results to keep: every `every`-th, of the newest `of`. */
export interface KeptPast {
  every: number;
  of: number;
}

/** An analytic job: one SELECT over `observations` with a header that says what it is. */
export interface SqlJob extends JobInfo {
  /** Cron expression in UTC, `default` for the program's own, or null when it runs on demand only. */
  schedule: string | null;
  /** What computes the result from the rows of the SELECT, of {@link MODELS}; null where the rows are the result. */
  model: Model | null;
  /** The parameter that says how far the job looks back from the newest observation: `hours` or `days`; null for everything. */
  window: "hours" | "days" | null;
  /** Older results that are kept beside the newest ten; null for none. */
  keeps: KeptPast | null;
  /** What more there is to say of the result: Markdown for its documentation, or null. */
  note: string | null;
  parameters: JobParameter[];
}

const FILE = /^[a-z][a-z0-9_]*\.sql$/;
const HEADER = /^--\s*([a-z]+):\s*(.*?)\s*$/;
/** Days of the past that a job with a window needs besides: quality control takes a series' usual pressure from them. */
const WINDOW_MARGIN_DAYS = 31;
const KEEPS = /^every ([1-9]\d{0,5})(?:st|nd|rd|th) of ([1-9]\d{0,5})$/;
const CHART = /^[a-z]+(?: [a-z]+=[a-z][a-z0-9_]*)+$/;

/**
 * Reads every job of a folder, by name: to add one, add a file. The header is the lines of the form `-- key: value` at the
 * top, up to the first other line:
 *
 * ```sql
 * -- title: Hourly trends
 * -- answers: How did each city's weather develop from hour to hour?
 * -- schedule: default                 (or a cron expression in UTC, or none)
 * -- chart: line x=hour y=temperature_mean series=city
 * -- model: forecast                   (where SQL cannot carry the computation: spark/models.ts)
 * -- window: hours                     (the parameter beyond which no older row changes the result: hours or days)
 * -- keeps: every 12th of 600         (older results that stay beside the newest ten)
 * -- note: Means are of reports.      (Markdown for docs/jobs.md; several lines are one text)
 * -- parameter: hours integer 168 Hours back from the newest hour; null for all
 * ```
 *
 * @param folder default: the folder of the jobs that come with the program
 * @throws TypeError naming the file and the line
 */
export async function readSqlJobs(folder: string = import.meta.dir): Promise<SqlJob[]> {
  const jobs: SqlJob[] = [];
  for (const file of (await readdir(folder)).sort()) {
    if (!file.endsWith(".sql")) continue;
    if (!FILE.test(file)) {
      throw new TypeError(`${file}: the name of a job is wanted in lower case letters, digits and _`);
    }
    jobs.push(parseSqlJob(file, await readFile(join(folder, file), "utf8")));
  }
  return jobs;
}

/**
 * Reads one job.
 *
 * @param file its file name, for the job's name and for errors
 * @throws TypeError naming the file and the line
 */
export function parseSqlJob(file: string, text: string): SqlJob {
  const { values, notes, parameters, end } = parseHeader(file, text);
  const need = (key: string): string => {
    const value = values.get(key);
    if (value === undefined) throw new TypeError(`${file}:${end}: the header has no "-- ${key}:" line`);
    return value;
  };
  checkParameters(file, text, parameters);
  const window = (values.get("window") as "hours" | "days" | undefined) ?? null;
  if (window !== null && !parameters.some(({ name, type }) => name === window && type === "integer")) {
    throw new TypeError(`${file}: the window "${window}" is no parameter of type integer`);
  }
  const schedule = need("schedule");
  const [, every, of] = KEEPS.exec(values.get("keeps") ?? "") ?? [];
  return {
    name: file.replace(/\.sql$/, ""),
    title: need("title"),
    question: need("answers"),
    schedule: schedule === "none" ? null : schedule,
    chart: values.get("chart") ?? null,
    model: MODELS.get(values.get("model") ?? "") ?? null,
    window,
    keeps: every === undefined ? null : { every: Number(every), of: Number(of) },
    note: notes.length === 0 ? null : notes.join("\n"),
    parameters,
    sql: text,
  };
}

/** What a header says, line by line. */
interface Header {
  /** What stands there once, by its key. */
  values: ReadonlyMap<string, string>;
  notes: string[];
  parameters: JobParameter[];
  /** The line after it. */
  end: number;
}

function parseHeader(file: string, text: string): Header {
  const values = new Map<string, string>();
  const notes: string[] = [];
  const parameters: JobParameter[] = [];
  let end = 0;
  for (const line of text.split(/\r?\n/)) {
    end++;
    const where = `${file}:${end}`;
    if (!line.startsWith("--")) break;
    const [, key, value] = HEADER.exec(line) ?? [];
    if (key === undefined || value === undefined) {
      throw new TypeError(`${where}: header line is ${describe(line)}, wanted "-- key: value"`);
    }
    if (value === "") throw new TypeError(`${where}: ${key} has no value`);
    if (key === "note") {
      notes.push(value);
      continue;
    }
    if (key === "parameter") {
      const parameter = parseParameter(where, value);
      if (parameters.some(({ name }) => name === parameter.name)) {
        throw new TypeError(`${where}: the parameter "${parameter.name}" stands there twice`);
      }
      parameters.push(parameter);
      continue;
    }
    if (values.has(key)) throw new TypeError(`${where}: ${key} stands there twice`);
    checkValue(where, key, value);
    values.set(key, value);
  }
  return { values, notes, parameters, end };
}

/** @throws TypeError where a header may not say this */
function checkValue(where: string, key: string, value: string): void {
  const wanted = (what: string) => new TypeError(`${where}: ${key} is ${describe(value)}, wanted ${what}`);
  switch (key) {
    case "title":
    case "answers":
      return;
    case "schedule":
      return checkSchedule(where, value);
    case "chart":
      if (!CHART.test(value)) throw wanted("a kind and key=column pairs");
      return;
    case "model":
      if (!MODELS.has(value)) throw wanted(`one of ${[...MODELS.keys()].join(", ")}`);
      return;
    case "window":
      if (value !== "hours" && value !== "days") throw wanted("hours or days");
      return;
    case "keeps":
      if (!KEEPS.test(value)) throw wanted('results such as "every 12th of 600"');
      return;
    default:
      throw new TypeError(
        `${where}: "${key}" is not known, wanted title, answers, schedule, chart, model, window, keeps, note or parameter`,
      );
  }
}

/** @throws TypeError where the parameters are not those that the text reads */
function checkParameters(file: string, text: string, parameters: readonly JobParameter[]): void {
  const used = namedArguments(text).names;
  for (const name of used) {
    if (!parameters.some((parameter) => parameter.name === name)) {
      throw new TypeError(`${file}:${lineOf(text, `:${name}`)}: :${name} has no "-- parameter:" line`);
    }
  }
  for (const { name } of parameters) {
    if (!used.includes(name)) {
      throw new TypeError(
        `${file}:${lineOf(text, `parameter: ${name}`)}: the parameter "${name}" is not used`,
      );
    }
  }
}

/** The arguments of a run where nobody gives others. */
export function defaultArguments(job: SqlJob): Record<string, Argument> {
  return Object.fromEntries(job.parameters.map(({ name, value }) => [name, value]));
}

/**
 * The files of a snapshot that a job needs: all of them, or those of the days that its window reaches back to, and of a
 * month before.
 *
 * @param given its arguments. Default: each parameter's default
 */
export function neededFiles(
  job: SqlJob,
  snapshot: Snapshot,
  given: Readonly<Record<string, Argument>> = defaultArguments(job),
): Snapshot {
  const span = job.window === null ? null : given[job.window];
  const newest = snapshot.files.reduce((latest, { date }) => (date > latest ? date : latest), "");
  if (typeof span !== "number" || newest === "") return snapshot;
  const days = Math.ceil(job.window === "hours" ? span / 24 : span) + WINDOW_MARGIN_DAYS;
  const oldest = formatTimestamp(Date.parse(newest) - days * DAY_MS).slice(0, 10);
  return { files: snapshot.files.filter(({ date }) => date >= oldest) };
}

/**
 * Runs a job over the files it needs: its SELECT on the engine, then its model where it has one.
 *
 * @param options without arguments: each parameter's default
 * @throws EngineError
 */
export async function runJob(engine: Engine, job: SqlJob, options: QueryOptions): Promise<Table> {
  const given = options.arguments ?? defaultArguments(job);
  const snapshot = neededFiles(job, options.snapshot, given);
  const judged = options.judged === undefined ? {} : { judged: neededFiles(job, options.judged, given) };
  const table = await engine.query(job.sql, { ...options, snapshot, ...judged, arguments: given });
  return job.model === null ? table : job.model(table, options.signal);
}

function lineOf(text: string, part: string): number {
  return text.slice(0, Math.max(0, text.indexOf(part))).split("\n").length;
}

function parseParameter(where: string, text: string): JobParameter {
  const [, name, type, value, description] = /^(\S+)\s+(\S+)\s+(\S+)\s+(.+)$/.exec(text) ?? [];
  if (name === undefined || type === undefined || value === undefined || description === undefined) {
    throw new TypeError(`${where}: parameter is ${describe(text)}, wanted "name type default description"`);
  }
  if (!/^[a-z][a-z0-9_]*$/.test(name)) {
    throw new TypeError(
      `${where}: parameter name is ${describe(name)}, wanted lower case letters, digits and _`,
    );
  }
  if (!isParameterType(type)) {
    throw new TypeError(
      `${where}: type of "${name}" is ${describe(type)}, wanted integer, number, text or boolean`,
    );
  }
  return { name, type, value: parseDefault(where, name, type, value), description };
}

function isParameterType(type: string): type is ParameterType {
  return type === "integer" || type === "number" || type === "text" || type === "boolean";
}

function parseDefault(where: string, name: string, type: ParameterType, text: string): Argument {
  if (text === "null") return null;
  if (type === "text") return text;
  if (type === "boolean" && (text === "true" || text === "false")) return text === "true";
  const number = Number(text);
  if (type === "integer" && Number.isSafeInteger(number)) return number;
  if (type === "number" && Number.isFinite(number)) return number;
  throw new TypeError(`${where}: default of "${name}" is ${describe(text)}, wanted ${type} or null`);
}

function checkSchedule(where: string, schedule: string): void {
  if (schedule === "default" || schedule === "none") return;
  let reason = "it never comes due";
  try {
    if (Bun.cron.parse(schedule, 0, { tz: "UTC" }) !== null) return;
  } catch (error) {
    reason = messageOf(error);
  }
  throw new TypeError(
    `${where}: schedule is ${describe(schedule)}, wanted a cron expression, "default" or "none": ${reason}`,
  );
}
