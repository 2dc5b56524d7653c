import { describe } from "../../core/observation.ts";
import { codeOf, messageOf, SourceError } from "../../core/errors.ts";
import {
  celsiusFromFahrenheit,
  celsiusFromKelvin,
  HPA_PER_INHG,
  M_PER_MILE,
  MM_PER_INCH,
  MS_PER_KNOT,
  MS_PER_MPH,
  roundTo,
} from "../../core/units.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../../core/variables.ts";
import { NUMBER, splitCsv, wrongCount } from "./csv.ts";
import type { DraftLine } from "./draft.ts";
import { objectOf } from "./record.ts";
import { type TimeReader, timeReader, type ZoneClock, zoneClock } from "./local-time.ts";
import { parseRainColumn, type RainColumn } from "./rain-column.ts";

/** How the columns of a CSV file become observations. */
export interface ColumnMap {
  /** One character between two fields. */
  delimiter: string;
  /** Between the whole and the fraction of a number. */
  decimal: "." | ",";
  /** Fields that mean "not reported", beside the empty one. */
  missing: readonly string[];
  /** Columns whose texts, joined by a space, are the time. */
  time: { columns: readonly string[]; read: TimeReader; clock: ZoneClock | null };
  /** The column that names the city, and what its texts mean where that is another name; or the city of every line. */
  city: { column: string; names: ReadonlyMap<string, string> } | { value: string } | null;
  /** Who reported them; null where the caller says it. */
  source: string | null;
  /** Measured fields. */
  numbers: readonly { field: string; column: string; convert: (value: number) => number }[];
  /** Fields of text. */
  texts: readonly { field: string; column: string }[];
  /** What the column of rain is; null where there is none. */
  rain: RainColumn | null;
}

type Convert = (value: number) => number;
const same: Convert = (value) => value;
/** Rounded, because a conversion makes digits that nobody measured. */
const times =
  (factor: number): Convert =>
  (value) =>
    roundTo(value * factor, 3);

/** Units a value may come in, by their names in a map. */
type Units = ReadonlyMap<string, Convert>;

/** The units a value may come in, by the record's unit, which is the first of them. */
const UNITS: Readonly<Record<string, Units>> = {
  "°C": new Map([
    ["C", same],
    ["F", (value) => roundTo(celsiusFromFahrenheit(value), 2)],
    ["K", (value) => roundTo(celsiusFromKelvin(value), 2)],
  ]),
  "%": new Map([
    ["%", same],
    ["1", times(100)],
  ]),
  hPa: new Map([
    ["hPa", same],
    ["mbar", same],
    ["Pa", times(0.01)],
    ["kPa", times(10)],
    ["inHg", times(HPA_PER_INHG)],
    ["mmHg", times(HPA_PER_INHG / MM_PER_INCH)],
  ]),
  "m/s": new Map([
    ["m/s", same],
    ["km/h", times(1 / 3.6)],
    ["mph", times(MS_PER_MPH)],
    ["kn", times(MS_PER_KNOT)],
  ]),
  mm: new Map([
    ["mm", same],
    ["cm", times(10)],
    ["in", times(MM_PER_INCH)],
  ]),
  "°": new Map([["deg", same]]),
  m: new Map([
    ["m", same],
    ["km", times(1000)],
    ["mi", times(M_PER_MILE)],
    ["ft", times(0.3048)],
  ]),
};
/** Eighths of the sky: of clouds alone. */
const OKTAS: Units = new Map([["oktas", times(100 / 8)]]);

/** The units each variable may come in. The first is the record's own. */
const FIELD_UNITS: ReadonlyMap<string, Units> = new Map(
  VARIABLE_NAMES.map((name) => {
    const { unit } = VARIABLES[name];
    const units = UNITS[unit] ?? new Map([[unit, same]]);
    return [name, name === "clouds" ? new Map([...units, ...OKTAS]) : units];
  }),
);

/** Names of the units a variable may come in; the first is the record's own. */
export function importUnits(variable: Variable): string[] {
  return [...(FIELD_UNITS.get(variable)?.keys() ?? [])];
}

const TEXT_FIELDS = ["weather_main", "weather_description"];
const FIELDS = [...VARIABLE_NAMES, ...TEXT_FIELDS];
const KEYS = ["delimiter", "decimal", "missing", "time", "city", "source", "fields"];

/**
 * Reads a column map.
 *
 * @param input parsed JSON; docs/import.md describes it
 * @throws {TypeError} naming the part, its value and what was wanted
 */
export function parseColumnMap(input: unknown): ColumnMap {
  const map = objectOf(input);
  if (map === undefined) throw new TypeError(`the map is ${describe(input)}, wanted an object`);
  refuseUnknown(map, KEYS, "the map");
  const { delimiter = ",", decimal = ".", missing = [], source = null } = map;
  if (typeof delimiter !== "string" || delimiter.length !== 1 || delimiter === '"') {
    throw new TypeError(`delimiter is ${describe(delimiter)}, wanted one character such as ; or a tab`);
  }
  if ((decimal !== "." && decimal !== ",") || decimal === delimiter) {
    throw new TypeError(`decimal is ${describe(decimal)}, wanted . or , and another one than the delimiter`);
  }
  if (source !== null && (typeof source !== "string" || source === "")) {
    throw new TypeError(`source is ${describe(source)}, wanted a name`);
  }
  const fields = objectOf(map.fields);
  if (fields === undefined || Object.keys(fields).length === 0) {
    throw new TypeError(
      `fields is ${describe(map.fields)}, wanted { "temperature": { "column": "…", "unit": "C" }, … }`,
    );
  }
  refuseUnknown(fields, FIELDS, "fields");
  const numbers: ColumnMap["numbers"][number][] = [];
  const texts: ColumnMap["texts"][number][] = [];
  const time = parseTime(map.time);
  let rain: RainColumn | null = null;
  for (const [field, entry] of Object.entries(fields)) {
    const { column, unit, amount, ...others } = objectOf(entry) ?? {};
    refuseUnknown(others, [], `fields.${field}`);
    if (field === "rainfall") rain = parseRainColumn(amount, time.clock);
    else if (amount !== undefined)
      throw new TypeError(`fields.${field} has "amount", which only rainfall has`);
    if (typeof column !== "string") {
      throw new TypeError(`fields.${field}.column is ${describe(column)}, wanted the name of a column`);
    }
    const units = FIELD_UNITS.get(field);
    if (units === undefined) {
      texts.push({ field, column });
      continue;
    }
    const convert = typeof unit === "string" ? units.get(unit) : undefined;
    if (convert === undefined) {
      const wanted = [...units.keys()].join(", ");
      throw new TypeError(`fields.${field}.unit is ${describe(unit)}, wanted one of ${wanted}`);
    }
    numbers.push({ field, column, convert });
  }
  return {
    delimiter,
    decimal,
    missing: textsOf(missing, "missing"),
    time,
    city: map.city === undefined ? null : parseCity(map.city),
    source,
    numbers,
    texts,
    rain,
  };
}

function parseTime(input: unknown): ColumnMap["time"] {
  const { column, format, zone = null, ...others } = objectOf(input) ?? {};
  refuseUnknown(others, [], "time");
  const columns = textsOf(typeof column === "string" ? [column] : column, "time.column");
  if (columns.length === 0 || typeof format !== "string" || (zone !== null && typeof zone !== "string")) {
    throw new TypeError(
      `time is ${describe(input)}, wanted { "column": "…", "format": "YYYY-MM-DD HH:mm:ss", "zone": "UTC" }`,
    );
  }
  try {
    return { columns, read: timeReader(format, zone), clock: zone === null ? null : zoneClock(zone) };
  } catch (error) {
    throw new TypeError(`time: ${messageOf(error)}`, { cause: error });
  }
}

function parseCity(input: unknown): ColumnMap["city"] {
  const city = objectOf(input);
  if (typeof city?.value === "string" && Object.keys(city).length === 1) return { value: city.value };
  const { column, names = {}, ...others } = city ?? {};
  const entries = Object.entries(objectOf(names) ?? { "": null });
  if (
    typeof column !== "string" ||
    Object.keys(others).length > 0 ||
    entries.some(([, name]) => typeof name !== "string")
  ) {
    throw new TypeError(
      `city is ${describe(input)}, wanted { "column": "…", "names": { "EWR": "Newark" } } or { "value": "…" }`,
    );
  }
  return { column, names: new Map(entries as [string, string][]) };
}

function textsOf(input: unknown, what: string): string[] {
  if (Array.isArray(input) && input.every((text) => typeof text === "string")) return input;
  throw new TypeError(`${what} is ${describe(input)}, wanted texts`);
}

function refuseUnknown(object: Record<string, unknown>, known: readonly string[], what: string): void {
  const name = Object.keys(object).find((key) => !known.includes(key));
  if (name === undefined) return;
  const wanted = known.length === 0 ? "no more than column and unit" : known.join(", ");
  throw new TypeError(`${what} has ${describe(name)}, wanted ${wanted}`);
}

/**
 * Reads lines by a column map.
 *
 * @param header the file's first line
 * @param options.source who reported them, where the map does not say
 * @param options.city of every line, whatever the map says; null where the map names it
 * @throws SourceError `bad_file` when the header lacks a column of the map, or nothing names the city
 */
export function mapParser(
  header: string,
  map: ColumnMap,
  options: { source: string; city: string | null },
): (line: string) => DraftLine["read"] {
  const columns = splitCsv(header, map.delimiter)?.map((name) => name.trim()) ?? [];
  const at = (name: string): number => {
    const index = columns.indexOf(name);
    const again = columns.indexOf(name, index + 1);
    if (again !== -1) {
      throw new SourceError(
        "bad_file",
        `Cannot use the column map: the file has two columns ${describe(name)}, number ${index + 1} and number ${again + 1}`,
        {
          hint: "Give each a name of its own in the file's header: which one is meant is not to be guessed.",
        },
      );
    }
    if (index !== -1) return index;
    throw new SourceError(
      "bad_file",
      `Cannot use the column map: the file has no column ${describe(name)}, its first line is ${describe(header)}`,
    );
  };
  const city = options.city === null ? map.city : { value: options.city };
  if (city === null) {
    throw new SourceError("bad_file", "Cannot use the column map: it names no city", {
      hint: 'Add "city" to the map, or name one with --city or --station.',
    });
  }
  const cityAt = "column" in city ? at(city.column) : -1;
  const timesAt = map.time.columns.map(at);
  const numbers = map.numbers.map(({ field, column, convert }) => ({ field, index: at(column), convert }));
  const texts = map.texts.map(({ field, column }) => ({ field, index: at(column) }));
  const missing = new Set(["", ...map.missing]);
  return (line) => {
    const fields = splitCsv(line, map.delimiter);
    if (fields?.length !== columns.length) return wrongCount(fields, columns);
    const text = (index: number) => (fields[index] ?? "").trim();
    const named = text(cityAt);
    const name = "value" in city ? city.value : (city.names.get(named) ?? named);
    const clock = timesAt.map(text).join(" ");
    const times = map.time.read(clock);
    if (times.length === 0)
      return { ok: false, reason: `time is ${describe(clock)}, wanted it as the map's format has it` };
    const record: Record<string, unknown> = { city: name, source: map.source ?? options.source };
    for (const { field, index } of texts) if (!missing.has(text(index))) record[field] = text(index);
    for (const { field, index, convert } of numbers) {
      if (missing.has(text(index))) continue;
      const number = map.decimal === "," ? text(index).replace(",", ".") : text(index);
      record[field] = NUMBER.test(number) ? convert(Number(number)) : text(index);
    }
    if (map.rain === null || map.rain.amount === "hour") return { times, clock, series: name, record };
    return { times, clock, series: name, record, rain: record.rainfall ?? null };
  };
}

/** Reads the file of a column map. @throws SourceError `bad_file` */
export async function readColumnMap(path: string): Promise<ColumnMap> {
  try {
    return parseColumnMap(JSON.parse(await Bun.file(path).text()));
  } catch (cause) {
    const why =
      cause instanceof SyntaxError
        ? "it is no JSON"
        : codeOf(cause) === "ENOENT"
          ? "there is no such file"
          : messageOf(cause);
    throw new SourceError("bad_file", `Cannot use the column map ${path}: ${why}`, {
      cause,
      hint: "docs/import.md describes it.",
    });
  }
}
