import { type Parsed, parseObservation } from "../../core/observation.ts";
import { celsiusFromKelvin, roundTo } from "../../core/units.ts";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { NUMBER } from "./columns/number-text.ts";
import { timestampOfSeconds } from "./record.ts";

/** Makes a line into an observation, or says why it is none. */
export type LineParser = (line: string) => Parsed;

const MEASURES: readonly string[] = VARIABLE_NAMES;
const TEXTS = ["timestamp", "city", "weather_main", "weather_description", "source", "impossible"];
const RECORD_COLUMNS: readonly string[] = [...TEXTS, ...MEASURES];
/** Columns that the API's own CSV has besides: where the record lies and how it was judged. They are made anew. */
const MADE_COLUMNS: readonly string[] = ["log_offset", "ingested_at", ...FLAG_COLUMNS];

/** No air is warmer in °C, and none is colder in K. */
const KELVIN_FROM = 150;

/**
 * The fields of a line of CSV (RFC 4180; a quoted field cannot hold a line's end, because no field of a record can).
 *
 * @param delimiter one character
 * @returns null when its quotes do not match
 */
export function splitCsv(line: string, delimiter = ","): string[] | null {
  if (!line.includes('"')) return line.split(delimiter);
  const fields: string[] = [];
  const field = fieldPattern(delimiter);
  for (;;) {
    const match = field.exec(line);
    if (match === null) return null;
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "") return fields;
  }
}

const patterns = new Map<string, RegExp>();

/** Matches one field after the other, from the beginning. */
function fieldPattern(delimiter: string): RegExp {
  let pattern = patterns.get(delimiter);
  if (pattern === undefined) {
    const mark = `\\u${delimiter.charCodeAt(0).toString(16).padStart(4, "0")}`;
    pattern = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${mark}]*))(${mark}|$)`, "y");
    patterns.set(delimiter, pattern);
  }
  pattern.lastIndex = 0;
  return pattern;
}

/** Whether the columns are those of the CSV whose header is the record's field names. */
export function isRecordHeader(columns: readonly string[]): boolean {
  return (
    ["timestamp", "city"].every((name) => columns.includes(name)) &&
    columns.every((name) => RECORD_COLUMNS.includes(name) || MADE_COLUMNS.includes(name)) &&
    new Set(columns).size === columns.length
  );
}

/** Whether the columns are those of OpenWeatherMap's bulk history; older files lack some of them. */
export function isBulkHeader(columns: readonly string[]): boolean {
  return ["dt", "city_name", "temp"].every((name) => columns.includes(name));
}

/**
 * Reads lines of the CSV whose header is the record's field names. An empty field is missing.
 *
 * @param source stands in where a line names none
 */
export function recordParser(columns: readonly string[], source: string): LineParser {
  const measured = columns.map((name) => MEASURES.includes(name));
  return (line) => {
    const fields = splitCsv(line);
    if (fields?.length !== columns.length) return wrongCount(fields, columns);
    const record: Record<string, unknown> = { source };
    for (const [index, name] of columns.entries()) {
      const text = fields[index];
      if (text === undefined || text === "" || MADE_COLUMNS.includes(name)) continue;
      record[name] = measured[index] === true ? numberOf(text) : text;
    }
    return observationOf(record);
  };
}

/**
 * Reads lines of OpenWeatherMap's bulk history.
 *
 * @param sample the file's first lines: most of their temperatures tell Kelvin from °C
 */
export function bulkParser(
  columns: readonly string[],
  source: string,
  sample: readonly string[],
): LineParser {
  const index = new Map(columns.map((name, position) => [name, position]));
  const text = (fields: string[], name: string): string => fields[index.get(name) ?? -1] ?? "";
  const kelvin = isKelvin(sample.map((line) => numberOf(text(splitCsv(line) ?? [], "temp"))));
  const celsius = (value: unknown) =>
    kelvin && typeof value === "number" ? roundTo(celsiusFromKelvin(value), 2) : value;
  return (line) => {
    const fields = splitCsv(line);
    if (fields?.length !== columns.length) return wrongCount(fields, columns);
    const number = (name: string) => {
      const value = text(fields, name);
      return value === "" ? undefined : numberOf(value);
    };
    // An hour without rain has empty fields; the total of three hours says nothing about the last one.
    const dry = index.has("rain_1h") && text(fields, "rain_3h") === "" ? 0 : null;
    const dt = number("dt");
    return observationOf({
      timestamp: timestampOfSeconds(dt) ?? dt,
      city: text(fields, "city_name"),
      temperature: celsius(number("temp")),
      humidity: number("humidity"),
      pressure: number("sea_level") ?? number("pressure"), // pressure may be the ground's
      wind_speed: number("wind_speed"),
      rainfall: number("rain_1h") ?? dry,
      weather_main: text(fields, "weather_main") || null,
      weather_description: text(fields, "weather_description") || null,
      source,
      wind_direction: number("wind_deg"),
      wind_gust: number("wind_gust"),
      dew_point: celsius(number("dew_point")),
      clouds: number("clouds_all"),
      visibility: number("visibility"),
    });
  };
}

/** Whether most temperatures are in Kelvin. */
function isKelvin(temperatures: readonly (number | string)[]): boolean {
  const known = temperatures.filter((value) => typeof value === "number");
  return known.filter((value) => value > KELVIN_FROM).length * 2 > known.length;
}

/** A number, or the text itself where it is none: then the line is no observation. */
function numberOf(text: string): number | string {
  return NUMBER.test(text) ? Number(text) : text;
}

/** The future is measured where the log takes the record. */
function observationOf(record: Record<string, unknown>): Parsed {
  return parseObservation(record, Infinity);
}

/** Why a line with another number of fields than the header is no observation; null stands for quotes that do not match. */
export function wrongCount(
  fields: readonly string[] | null,
  columns: readonly string[],
): Parsed & { ok: false } {
  const reason =
    fields === null
      ? "the line's quotes do not match"
      : `the line has ${fields.length} fields, the header has ${columns.length}`;
  return { ok: false, reason };
}
