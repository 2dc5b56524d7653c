import { SourceError } from "../../core/errors.ts";
import { canonicalJson, type Observation, parseObservation } from "../../core/observation.ts";
import type { NewRecord } from "../log/log.ts";
import type { Poll } from "./source.ts";

/** The log record of an observation that is in canonical form, and whether it replaces what was reported before as a whole. */
export function recordOf(observation: Observation, correction = false): NewRecord {
  const value = canonicalJson(observation);
  return { key: observation.city, value: correction ? `${value.slice(0, -1)},"correction":true}` : value };
}

/**
 * Puts records into the order of time, then of cities; those of one city and time stay in theirs, because the later one
 * replaces. Values begin with the timestamp, all of one form.
 */
export function sortByTime(records: NewRecord[]): void {
  const timeOf = ({ value }: NewRecord) => value.slice(0, value.indexOf(","));
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  records.sort((a, b) => compare(timeOf(a), timeOf(b)) || compare(a.key, b.key));
}

/** An observation in canonical form, and whether it replaces what was reported before as a whole. */
export interface Checked {
  observation: Observation;
  correction: boolean;
}

/**
 * Checks what was made of a provider's answer.
 *
 * @param fields the record's fields; undefined and null mean missing
 * @param now when the answer came, ms
 * @throws SourceError `bad_response` naming the city, the field and its value
 */
export function checkedObservation(provider: string, fields: Record<string, unknown>, now: number): Checked {
  const parsed = parseObservation(fields, now);
  if (parsed.ok) return { observation: parsed.observation, correction: parsed.correction ?? false };
  throw new SourceError(
    "bad_response",
    `Cannot read ${provider}'s answer for ${fields.city}: ${parsed.reason}`,
  );
}

/** The record of what was made of a provider's answer. @throws SourceError as {@link checkedObservation} */
export function checkedRecord(provider: string, fields: Record<string, unknown>, now: number): NewRecord {
  return recordOf(checkedObservation(provider, fields, now).observation);
}

/**
 * What a poll brought.
 *
 * @throws SourceError when every city failed: `unauthorized` where a city failed with it, else the first failure
 */
export function pollOf(records: NewRecord[], failures: Poll["failures"]): Poll {
  const first = failures[0];
  if (records.length > 0 || first === undefined) return { records, failures };
  const errors = failures.map((failure) => failure.error);
  throw errors.find((error) => error instanceof SourceError && error.code === "unauthorized") ?? first.error;
}

/** `value` where it is an object, else undefined. */
export function objectOf(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** ISO 8601 of seconds since the epoch, or undefined when they are no such time. */
export function timestampOfSeconds(seconds: unknown): string | undefined {
  if (typeof seconds !== "number" || !(Math.abs(seconds) <= 8.64e12)) return undefined;
  return new Date(seconds * 1000).toISOString();
}

/**
 * The text of a JSON object with another name of its city put in, as {@link namingSource} puts in a source. A text that has
 * none stays as it is.
 */
export function namingCity(text: string, nameOf: (name: string) => string): string {
  let record: { city?: unknown } | null;
  try {
    record = JSON.parse(text) as typeof record;
  } catch {
    return text;
  }
  const city = record?.city;
  if (typeof city !== "string") return text;
  const name = nameOf(city);
  // In a JSON text the key can stand nowhere else: within a string its quotes are escaped.
  return name === city
    ? text
    : text.replace(/("city"\s*:\s*)"(?:[^"\\]|\\.)*"/g, (_, key: string) => key + JSON.stringify(name));
}

/** Whatever was thrown, as an Error. */
export function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * The text of a JSON object that names no source, with one put in: as text, since a value read and written again may be
 * another one (1e999 becomes null). Any other text stays as it is.
 */
export function namingSource(text: string, source: string): string {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return text;
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) return text;
  if ("source" in record || Object.keys(record).length === 0) return text;
  return text.replace("{", `{"source":${JSON.stringify(source)},`);
}
