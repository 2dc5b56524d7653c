import type { Clock } from "../../core/clock.ts";
import { SourceError } from "../../core/errors.ts";
import { type Logger, silentLogger } from "../../core/log.ts";
import {
  canonicalJson,
  describe,
  type Observation,
  type Parsed,
  parseObservation,
} from "../../core/observation.ts";
import { DAY_MS, HOUR_MS, parseTimestamp } from "../../core/time.ts";
import type { NewRecord } from "../log/log.ts";
import type { ColumnMap } from "./column-map.ts";
import { bulkParser, isBulkHeader, isRecordHeader, type LineParser, recordParser, splitCsv } from "./csv.ts";
import { type LineReader, plainReader, type ReadLine, type ReadWatcher } from "./line-reader.ts";
import { linesOf } from "./lines.ts";
import { Notes } from "./notes.ts";
import { namingSource, recordOf } from "./record.ts";
import { tableReader } from "./table-reader.ts";

const CHUNK_RECORDS = 1_000;

/**
 * Reads recorded observations: `.jsonl` (one record a line), `.csv` (the header is the record's field names, or that of
 * OpenWeatherMap's bulk history, or any with a column map), each also with `.gz`; in chunks of up to 1,000, in the file's order, with bounded memory.
 *
 * An observation becomes its canonical JSON. A line that is none is passed on with the key "", so that the consumer rejects
 * it with its offset and the reason: JSON as it is (an object gets its source), a line of CSV as
 * `{ source, line, unreadable }`; of one longer than 1 MiB the beginning is. Nothing is left out but
 * the header and what is before it, lines that a column map leaves out, and, in the bulk history, an hour that is repeated
 * only to name a second condition. The counts are logged.
 *
 * @param path the file; its ending tells the format
 * @param options.source stands in where a record names no source
 * @param options.map how the columns of a CSV file become observations
 * @param options.city of every line of a file with a column map; null where the map names it
 * @param options.see looks at what is read
 * @param options.notes takes what is to be said of the file, such as why rain is not known
 * @throws SourceError `bad_file` when it cannot be read, its name or header is of no known format, or it is
 *   damaged: then what came before has been yielded, of a gzip file that ends too early every whole line
 */
export async function* readRecords(
  path: string,
  options: {
    source: string;
    map?: ColumnMap | null;
    city?: string | null;
    see?: ReadWatcher;
    notes?: Notes;
    logger?: Logger;
  },
): AsyncGenerator<NewRecord[]> {
  const { source, map = null, city = null, notes = new Notes(), logger = silentLogger } = options;
  const format = map === null ? /\.(jsonl|csv)(\.gz)?$/.exec(path)?.[1] : "csv";
  if (format === undefined)
    throw new SourceError(
      "bad_file",
      `Cannot read the recording ${path}: wanted a name that ends in .jsonl, .csv, .jsonl.gz or .csv.gz`,
    );
  const counts = { records: 0, unreadable: 0, too_long: 0, repeated: 0, left_out: 0 };
  let reader: LineReader | null =
    map !== null
      ? tableReader(map, { source, city, see: options.see, notes, counts })
      : format === "jsonl"
        ? plainReader(jsonParser(source))
        : null;
  let columns: string[] | null = null;
  let repeats: ((observation: Observation) => boolean) | null = null;
  let chunk: NewRecord[] = [];
  /** Adds what was read, and returns the chunks that are full. */
  const take = (read: readonly ReadLine[]): NewRecord[][] => {
    const full: NewRecord[][] = [];
    for (const one of read) {
      const { line, parsed } = one;
      if (parsed.ok && repeats?.(parsed.observation) === true) {
        counts.repeated++;
        continue;
      }
      options.see?.line(one);
      counts.records++;
      if (!parsed.ok) counts.unreadable++;
      chunk.push(
        parsed.ok
          ? recordOf(parsed.observation, parsed.correction)
          : unreadableRecord(line, parsed, { format, source }),
      );
      if (chunk.length < CHUNK_RECORDS) continue;
      full.push(chunk);
      chunk = [];
    }
    return full;
  };
  try {
    for await (let lines of linesOf(path, () => counts.too_long++, map?.encoding)) {
      if (columns === null && reader === null) {
        columns = headerOf(path, lines[0] ?? "");
        lines = lines.slice(1);
        if (isBulkHeader(columns)) repeats = repeatedHours();
      }
      if (reader === null && columns !== null) {
        if (lines.length === 0) continue;
        reader = plainReader(
          isBulkHeader(columns) ? bulkParser(columns, source, lines) : recordParser(columns, source),
        );
      }
      yield* take(reader!.read(lines));
    }
    if (reader === null && columns === null) headerOf(path, ""); // an empty file
  } catch (error) {
    yield* take(reader?.end() ?? []);
    if (chunk.length > 0) yield chunk;
    throw error;
  }
  yield* take(reader?.end() ?? []);
  if (chunk.length > 0) yield chunk;
  const level = counts.unreadable > 0 || counts.too_long > 0 ? "warn" : "info";
  logger[level]("Read a recording", { path, ...counts });
}

function jsonParser(source: string): LineParser {
  return (line) => {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      return { ok: false, reason: `record is not JSON: ${describe(line)}` };
    }
    if (typeof record === "object" && record !== null && !Array.isArray(record)) {
      const fields = record as Record<string, unknown>;
      fields.source ??= source;
    }
    // The future is measured where the log takes the record.
    return parseObservation(record, Infinity);
  };
}

/**
 * A line that is no observation, for the consumer to reject. JSON is passed on as it is, because the consumer finds the same
 * fault in it; a line of CSV needs its header to be understood, and so its reason goes with it.
 */
function unreadableRecord(
  line: string,
  { reason }: Parsed & { ok: false },
  { format, source }: { format: string; source: string },
): NewRecord {
  if (format === "jsonl") return { key: "", value: namingSource(line, source) };
  return { key: "", value: JSON.stringify({ source, line, unreadable: reason }) };
}

function headerOf(path: string, line: string): string[] {
  const columns = splitCsv(line)?.map((name) => name.trim()) ?? [];
  if (isBulkHeader(columns) || isRecordHeader(columns)) return columns;
  throw new SourceError(
    "bad_file",
    `Cannot read the recording ${path}: its first line is ${describe(line)}, wanted a header`,
    {
      hint: "The columns are the record's field names, timestamp and city among them, or those of OpenWeatherMap's bulk history (dt, city_name, temp, …). Any other CSV file needs a column map (docs/import.md).",
    },
  );
}

/**
 * Tells an hour that is repeated with the same values and other words: bulk history has a line for each condition. One
 * with other values is a revision, and stays.
 */
function repeatedHours(): (observation: Observation) => boolean {
  const last = new Map<string, string>(); // by city
  return (observation) => {
    const values = canonicalJson({ ...observation, weather_main: null, weather_description: null });
    if (last.get(observation.city) === values) return true;
    last.set(observation.city, values);
    return false;
  };
}

/**
 * Lets records through when they are due: the first at once, each other one as much later as it was observed later,
 * divided by `speed`. Records of one moment stay together. What has no time, lies further ahead than a day from now, or
 * comes late in the file is due at once. It ends early when `signal` aborts.
 *
 * @param options.speed times real time; Infinity for flat out
 */
export async function* replayPace(
  chunks: AsyncIterable<NewRecord[]>,
  options: { speed: number; clock: Clock; signal?: AbortSignal },
): AsyncGenerator<NewRecord[]> {
  const { speed, clock, signal } = options;
  if (!(speed > 0)) throw new RangeError(`Cannot replay at speed ${speed}, wanted a number above 0`);
  let begin: { observed: number; at: number } | undefined;
  for await (const chunk of chunks) {
    if (signal?.aborted) return;
    if (speed === Infinity) {
      yield chunk;
      continue;
    }
    let ready: NewRecord[] = [];
    for (const record of chunk) {
      const observed = timeOf(record);
      const now = clock.now();
      if (!Number.isNaN(observed) && observed <= now + DAY_MS) {
        begin ??= { observed, at: now };
        const due = begin.at + (observed - begin.observed) / speed;
        if (due > now) {
          if (ready.length > 0) yield ready;
          ready = [];
          await until(due, clock, signal);
          if (signal?.aborted) return;
        }
      }
      ready.push(record);
    }
    if (ready.length > 0) yield ready;
  }
}

/** When a record was observed, ms, or NaN: canonical JSON begins with the timestamp. */
function timeOf(record: NewRecord): number {
  const text = /^\{"timestamp":"([^"]+)"/.exec(record.value)?.[1];
  return text === undefined ? NaN : parseTimestamp(text);
}

/** Sleeps in pieces, because timers cannot run for more than 24 days. */
async function until(time: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  for (let left = time - clock.now(); left > 0; left = time - clock.now()) {
    await clock.sleep(Math.min(Math.ceil(left), HOUR_MS), signal);
    if (signal?.aborted) return;
  }
}
