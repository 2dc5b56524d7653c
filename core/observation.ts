import { normalName } from "./city-name.ts";
import { type ImpossibleValues, impossibleOf, impossibleText, textOfValue } from "./impossible-values.ts";
import { DAY_MS, formatTimestamp, isCanonical, parseTimestamp } from "./time.ts";
import {
  CONTRACT_VARIABLES,
  type ContractVariable,
  OPTIONAL_VARIABLES,
  type OptionalVariable,
  type Variable,
  VARIABLES,
} from "./variables.ts";

/** A measured number, or null when it was not reported. Missing is never 0. */
export type Measure = number | null;

/**
 * One weather observation: the variables of {@link VARIABLES} beside when, where and who. Its first nine fields are the
 * contract and never change: timestamp, city, the variables of the contract, weather_main, weather_description. Then come
 * the source and the optional variables.
 */
export interface Observation
  extends Record<ContractVariable, Measure>, Partial<Record<OptionalVariable, number>> {
  /** When it was observed: ISO 8601 UTC, `2026-01-31T06:00:00Z`. */
  timestamp: string;
  /** Name of the place. */
  city: string;
  /** Group of the condition: Clear, Clouds, Rain, … */
  weather_main: string | null;
  /** The condition in words. */
  weather_description: string | null;
  /** Who reported it: `openweathermap`, `open-meteo`, `simulator`, a replay's name. */
  source: string;
  /**
   * Values that no instrument can have measured, as they came: the text of a JSON object of field and value, such as
   * `{"humidity":"255"}`. Each such field is null. Left out when there is none.
   */
  impossible?: string;
}

/** An observation as it lies in the lake. */
export interface Row extends Observation {
  /** Offset of the record in its partition of the log; of several revisions the newest offset is what readers see. */
  log_offset: number;
  /** When the log took it, ISO 8601 UTC. */
  ingested_at: string;
}

/** Longest text field, characters. */
const TEXT_MAX = 200;
/** The oldest year taken: before it no network of stations reported hourly. */
const OLDEST = Date.UTC(1900, 0, 1);
/** A record from further in the future than this is no observation. */
const FUTURE_MS = DAY_MS;

const required = CONTRACT_VARIABLES.map((name) => [name, VARIABLES[name].range] as const);
const optional = OPTIONAL_VARIABLES.map((name) => [name, VARIABLES[name].range] as const);
const WORDS = ["weather_main", "weather_description"] as const;
/** The fields that hold what was observed. */
const VALUES = [...CONTRACT_VARIABLES, ...WORDS, ...OPTIONAL_VARIABLES] as const;
const KNOWN = new Set<string>(["timestamp", "city", "source", ...VALUES, "impossible", "correction"]);

/**
 * What {@link parseObservation} found: the observation, or why the record is none. A `correction` replaces what was reported
 * before as a whole; any other record is joined with it ({@link joinObservations}).
 */
export type Parsed =
  { ok: true; observation: Observation; correction?: true } | { ok: false; reason: string };

/** Why a record without any value is no observation. */
export const NO_VALUE = "no value: every variable is missing, and so are the words for the weather";

/**
 * Checks one record and puts it into canonical form: fields in the record's order, the timestamp in UTC, the city's name in
 * its normal form ({@link normalName}), absent numbers null, optional fields left out when null. A value that is merely unlikely passes: judging it is quality control's work.
 * One that no instrument can have measured, or that is no number, goes into `impossible` as it came, and its field is null:
 * a bad value loses nothing beside it. Only a record without an identity or a time, or without any value, is refused.
 *
 * @param input anything: the parsed JSON of a log record. A line of a file that could not be read comes as
 *   `{ source, line, unreadable }`, where `unreadable` is the reason
 * @param receivedMs when the log took the record, ms: the future is measured from it, so that the same offsets always
 *   give the same rows
 */
export function parseObservation(input: unknown, receivedMs: number): Parsed {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return bad(`record is ${describe(input)}, wanted an object`);
  }
  const record = input as Record<string, unknown>;
  const { timestamp, source, unreadable } = record;
  if (typeof unreadable === "string" && unreadable !== "") return bad(unreadable);
  if (typeof timestamp !== "string")
    return bad(`timestamp is ${describe(timestamp)}, wanted ISO 8601 with a zone`);
  const ms = parseTimestamp(timestamp);
  if (Number.isNaN(ms)) return bad(`timestamp is ${describe(timestamp)}, wanted ISO 8601 with a zone`);
  if (ms < OLDEST) return bad(`timestamp is ${describe(timestamp)}, wanted 1900 or later`);
  if (ms > receivedMs + FUTURE_MS)
    return bad(`timestamp is ${describe(timestamp)}, more than a day in the future`);
  const city = isText(record.city) ? normalName(record.city) : "";
  if (!isText(city)) return bad(`city is ${describe(record.city)}, wanted a name`);
  if (!isText(source)) return bad(`source is ${describe(source)}, wanted a name`);
  const observation: Record<string, unknown> = {
    timestamp: isCanonical(timestamp) ? timestamp : formatTimestamp(ms),
    city,
  };
  const impossible = impossibleOf(record.impossible);
  if (typeof impossible === "string") return bad(impossible);
  for (const [name, range] of required)
    observation[name] = possible(name, record, impossible, (value) => inRange(value, range));
  for (const name of WORDS) observation[name] = possible(name, record, impossible, isText);
  observation.source = source;
  for (const [name, range] of optional) {
    const value = possible(name, record, impossible, (one) => inRange(one, range));
    if (value !== null) observation[name] = value;
  }
  const text = impossibleText(VALUES, impossible);
  if (text !== undefined) observation.impossible = text;
  for (const name in record) {
    if (!KNOWN.has(name)) return bad(`field ${describe(name)} is not known`);
  }
  const { correction } = record;
  if (correction !== undefined && typeof correction !== "boolean")
    return bad(`correction is ${describe(correction)}, wanted true or false`);
  if (!hasValue(observation)) return bad(NO_VALUE);
  const found = { ok: true as const, observation: observation as unknown as Observation };
  return correction === true ? { ...found, correction } : found;
}

/** The value of a field, null where it is missing or impossible: then `impossible` has it as it came. */
function possible(
  name: (typeof VALUES)[number],
  record: Readonly<Record<string, unknown>>,
  impossible: ImpossibleValues,
  isPossible: (value: unknown) => boolean,
): unknown {
  const value = record[name] ?? null;
  if (value === null) return null;
  const isGood = isPossible(value);
  if (isGood) delete impossible[name];
  else impossible[name] = textOfValue(value);
  return !isGood ? null : value === 0 ? 0 : value; // −0 and 0 are one value
}

/**
 * Whether a record's fields hold a variable or words for the weather, possible or not. Undefined and null mean missing.
 */
export function hasValue(fields: Readonly<Record<string, unknown>>): boolean {
  return [...VALUES, "impossible"].some((name) => (fields[name] ?? null) !== null);
}

/** Why each impossible value of an observation is none, for people: `humidity is 255, wanted a number from 0 to 110`. */
export function impossibleReasons({ impossible }: Pick<Observation, "impossible">): string[] {
  const values = impossibleOf(impossible);
  if (typeof values === "string") return [];
  return Object.entries(values).map(([name, value]) => `${name} is ${value}, wanted ${wantedOf(name)}`);
}

/** Whether a value is a number that an instrument on Earth can have measured; see {@link VARIABLES}. */
export function isPossible(name: Variable, value: unknown): value is number {
  return inRange(value, VARIABLES[name].range);
}

/** What is wanted of a field's value, for people: `a number from 0 to 110`, in the record's unit. */
export function wantedOf(name: string): string {
  if (!Object.hasOwn(VARIABLES, name)) return `text of at most ${TEXT_MAX} characters`;
  const [low, high] = VARIABLES[name as Variable].range;
  const { unit } = VARIABLES[name as Variable];
  return `a number from ${low} to ${high}${unit === "1" ? "" : ` ${unit}`}`;
}

/**
 * Joins a later record of an observation with what was reported before, field by field: a missing value never replaces a
 * value, and neither does an impossible one.
 *
 * @param before the observation as it was stored last
 * @param later of the same identity
 * @returns the observation in canonical form; equal to `before` where the later record says nothing new
 */
export function joinObservations(before: Observation, later: Observation): Observation {
  const joined: Record<string, unknown> = { ...before };
  for (const name of VALUES) joined[name] = later[name] ?? before[name];
  joined.impossible = impossibleText(
    VALUES.filter((name) => (joined[name] ?? null) === null),
    { ...storedImpossible(before), ...storedImpossible(later) },
  );
  return observationOfRow(joined as unknown as Observation);
}

/**
 * What makes an observation the same one: source, city and timestamp. The separator cannot stand in a name, because
 * {@link parseObservation} refuses control characters.
 */
export function identityOf(observation: Observation): string {
  return `${observation.source}\u0000${observation.city}\u0000${observation.timestamp}`;
}

/** The values in canonical form: of one identity two observations say the same exactly when these are equal. */
export function canonicalJson(observation: Observation): string {
  return JSON.stringify(observation);
}

/**
 * The observation of a row, in canonical form: what {@link canonicalJson} needs to compare what was stored with what
 * arrives.
 */
export function observationOfRow(row: Observation): Observation {
  const result: Record<string, unknown> = { timestamp: row.timestamp, city: row.city };
  for (const name of CONTRACT_VARIABLES) result[name] = row[name];
  result.weather_main = row.weather_main;
  result.weather_description = row.weather_description;
  result.source = row.source;
  for (const name of OPTIONAL_VARIABLES)
    if (row[name] !== undefined && row[name] !== null) result[name] = row[name];
  if ((row.impossible ?? null) !== null) result.impossible = row.impossible;
  return result as unknown as Observation;
}

/** The impossible values of an observation that was checked. */
function storedImpossible({ impossible }: Observation): ImpossibleValues {
  return impossible === undefined || impossible === null ? {} : (JSON.parse(impossible) as ImpossibleValues);
}

function isText(value: unknown): value is string {
  if (typeof value !== "string" || value === "" || value.length > TEXT_MAX) return false;
  // Control characters break terminals and the identity's separator, half a surrogate pair is no text for other readers.
  return !/[\u0000-\u001f\u007f]/.test(value) && value.isWellFormed();
}

function inRange(value: unknown, [low, high]: readonly [number, number]): value is number {
  return typeof value === "number" && value >= low && value <= high; // NaN compares false
}

function bad(reason: string): Parsed {
  return { ok: false, reason };
}

/** Longest part of a value that a message repeats, characters. */
const DESCRIBED_MAX = 80;

/** A value as an error message shows it: quoted, and cut when long. */
export function describe(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "string" && value.length > DESCRIBED_MAX)
    return `${JSON.stringify(value.slice(0, DESCRIBED_MAX))}…`;
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 2 * DESCRIBED_MAX ? `${text.slice(0, DESCRIBED_MAX)}…` : text;
}
