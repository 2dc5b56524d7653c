import { sha256Hex } from "../core/checksum.ts";
import {
  canonicalJson,
  describe,
  identityOf,
  joinObservations,
  type Observation,
  parseObservation,
} from "../core/observation.ts";
import { formatTimestamp, hourKey, isLater, parseTimestamp } from "../core/time.ts";
import { VARIABLE_NAMES } from "../core/variables.ts";
import { laterColumns } from "../spark/file-columns.ts";
import { isAhead } from "../spark/time-ahead.ts";
import type { Counts, LastRecord } from "./commits/entry.ts";
import type { CommittedIndex } from "./dedupe.ts";
import type { LogRecord } from "./log/log.ts";

/** Rows of one hour, as they go into one file. */
export interface HourRows {
  /** `2026-01-31T06` */
  hour: string;
  /** JSON lines, each with its line feed. */
  lines: string[];
  /** How many of them revise an observation stored before. */
  revisions: number;
  /** Columns with a value in one of them that the first version of the format did not have. */
  columns: readonly string[];
}

/** What became of a range of records: each of them is in exactly one of the three. */
export interface SortedBatch {
  first: number;
  last: number;
  hours: HourRows[];
  /** JSON lines of what could not be read, and why. */
  rejected: string[];
  counts: Counts;
  record: LastRecord;
  /** Newest observation time stored, ISO 8601 UTC. */
  watermark: string | null;
  /** Values stored, by identity: what {@link CommittedIndex.remember} takes once the batch is committed. */
  stored: Map<string, Map<string, string>>;
}

/** What was parsed of a record: its observation in canonical form, or why it is none. */
export type ParsedRecord =
  | {
      ok: true;
      offset: number;
      timestamp: number;
      hour: string;
      identity: string;
      json: string;
      /** Whether it replaces what was reported before as a whole. */
      correction: boolean;
      observed: string;
      /** Fields with a value that the first version of the lake's format did not have. */
      later: readonly string[];
    }
  | { ok: false; offset: number; timestamp: number; reason: string; value: string };

/** A record kept in `rejected/` is cut here, characters; its whole length is told. */
const REJECTED_MAX = 1_000_000;

/** Fields that the first version of the lake's format did not have. */
const LATER_FIELDS = laterColumns([...VARIABLE_NAMES, "impossible"] as const);

/** Reads the records of a batch. Never throws: what cannot be read says why. */
export function parseRecords(records: readonly LogRecord[]): ParsedRecord[] {
  return records.map(({ offset, timestamp, value }) => {
    let input: unknown;
    try {
      input = JSON.parse(value);
    } catch {
      return { ok: false, offset, timestamp, value, reason: `record is not JSON: ${describe(value)}` };
    }
    const parsed = parseObservation(input, timestamp);
    if (!parsed.ok) return { ok: false, offset, timestamp, value, reason: parsed.reason };
    const { observation } = parsed;
    return {
      ok: true,
      offset,
      timestamp,
      hour: hourKey(observation.timestamp),
      identity: identityOf(observation),
      json: canonicalJson(observation),
      correction: parsed.correction ?? false,
      observed: observation.timestamp,
      later: laterOf(observation),
    };
  });
}

function laterOf(observation: Observation): string[] {
  return LATER_FIELDS.filter((name) => (observation[name] ?? null) !== null);
}

/**
 * What the lake holds of an observation once a record of it came: the record joined with the values before, or the record
 * alone where it is a correction or the first. It is a duplicate when this is equal to the values before.
 *
 * @param before the newest values stored, in canonical form
 */
export function joinedJson(before: string | undefined, record: ParsedRecord & { ok: true }): string {
  const { json, correction } = record;
  if (before === undefined || before === json || correction) return json;
  return canonicalJson(joinObservations(JSON.parse(before) as Observation, JSON.parse(json) as Observation));
}

/**
 * Sorts a batch into rows by event-time hour, duplicates and rejected records. A record of an observation that was stored
 * before is joined with its values ({@link joinedJson}). The same records over the same committed rows always give the same
 * result.
 *
 * @param first where the batch before ended, plus one: offsets without a record belong to the batch as well
 * @param index what is committed of every hour in the batch
 */
export function sortBatch(
  topic: string,
  partition: number,
  first: number,
  records: readonly LogRecord[],
  parsed: readonly ParsedRecord[],
  index: CommittedIndex,
): SortedBatch {
  const newest = records.at(-1);
  if (newest === undefined) throw new RangeError("Cannot make a batch of no records");
  const hours = new Map<string, HourRows>();
  const stored = new Map<string, Map<string, string>>();
  const rejected: string[] = [];
  const counts: Counts = { rows: 0, duplicates: 0, rejected: 0 };
  let watermark: string | null = null;
  let ingestedMs = NaN;
  let ingestedAt = "";
  for (const record of parsed) {
    if (!record.ok) {
      counts.rejected++;
      rejected.push(rejectedLine(topic, partition, record));
      continue;
    }
    let fresh = stored.get(record.hour);
    if (fresh === undefined) stored.set(record.hour, (fresh = new Map()));
    const before = fresh.get(record.identity) ?? index.valuesOf(record.hour, record.identity);
    const json = joinedJson(before, record);
    if (before === json) {
      counts.duplicates++;
      continue;
    }
    let rows = hours.get(record.hour);
    if (rows === undefined) {
      hours.set(record.hour, (rows = { hour: record.hour, lines: [], revisions: 0, columns: [] }));
    }
    const later = json === record.json ? record.later : laterOf(JSON.parse(json) as Observation);
    if (later.length > 0) rows.columns = [...new Set([...rows.columns, ...later])];
    if (record.timestamp !== ingestedMs) {
      ingestedMs = record.timestamp;
      ingestedAt = formatTimestamp(ingestedMs);
    }
    rows.lines.push(`${json.slice(0, -1)},"log_offset":${record.offset},"ingested_at":"${ingestedAt}"}\n`);
    if (before !== undefined) rows.revisions++;
    counts.rows++;
    fresh.set(record.identity, json);
    const isNewest = watermark === null || isLater(record.observed, watermark);
    // A time that is ahead fails, and moves nothing.
    if (isNewest && !isAhead(parseTimestamp(record.observed), record.timestamp)) watermark = record.observed;
  }
  return {
    first,
    last: newest.offset,
    hours: [...hours.values()],
    rejected,
    counts,
    record: { offset: newest.offset, sha256: sha256Hex(newest.value) },
    watermark,
    stored,
  };
}

function rejectedLine(topic: string, partition: number, record: ParsedRecord & { ok: false }): string {
  const { offset, reason, value } = record;
  const cut = value.length > REJECTED_MAX;
  return `${JSON.stringify({
    topic,
    partition,
    offset,
    reason,
    ingested_at: formatTimestamp(record.timestamp),
    record: cut ? value.slice(0, REJECTED_MAX) : value,
    ...(cut ? { record_length: value.length } : {}),
  })}\n`;
}
