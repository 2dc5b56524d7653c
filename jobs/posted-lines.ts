import { knownName } from "../core/city-name.ts";
import { POSTED_MAX_AGE_MS, tooOldReason } from "../core/live-age.ts";
import { impossibleReasons, parseObservation } from "../core/observation.ts";
import { parseTimestamp } from "../core/time.ts";
import { namingCity, namingSource } from "./sources/record.ts";
import type { Log } from "./log/log.ts";

/** Source of posted observations that name none. */
const SOURCE = "api";
/** Records whose reason is told. */
const REASONS_TOLD = 10;

/** A record that was posted, and where it stood. */
export interface PostedLine {
  /** Line of the body, or item of the array, from 1. */
  line: number;
  /** Its JSON, as it came. */
  text: string;
}

/** What became of posted records. */
export interface PostedAnswer {
  /** Records appended to the log. */
  appended: number;
  /** Records that are no observations, or too old to be live. */
  rejected: number;
  /** Why, of the first of them. */
  reasons: { line: number; reason: string }[];
  /** Impossible values of records that were taken, of the first of them; left out where there are none. */
  left_out?: { line: number; reason: string }[];
}

/**
 * Appends posted records to the log; they are durable when it resolves. An object without a source gets one, and the
 * city's name its normal form: that of a configured city where it differs in case only. A record that is
 * no observation, or too old to be live, is refused, and the others are appended. An impossible value is told. Of `history`, which is what an import
 * brings, any age is taken, and what is no observation is appended too: the consumer keeps it among the rejected records.
 *
 * @param options.cities the configured ones
 * @param options.now when they came, ms
 * @throws LogError
 */
export async function appendLines(
  log: Log,
  lines: readonly PostedLine[],
  options: { cities: readonly { name: string }[]; now: number; history: boolean },
): Promise<PostedAnswer> {
  const answer: PostedAnswer = { appended: 0, rejected: 0, reasons: [] };
  const records = [];
  for (const { line, text } of lines) {
    const value = namingCity(namingSource(text, SOURCE), (name) => knownName(name, options.cities));
    const { city, reason, impossible } = judge(value, options);
    if (reason !== null) {
      answer.rejected++;
      if (answer.reasons.length < REASONS_TOLD) answer.reasons.push({ line, reason });
    }
    for (const one of reason === null ? impossible : []) {
      answer.left_out ??= [];
      if (answer.left_out.length < REASONS_TOLD) answer.left_out.push({ line, reason: one });
    }
    if (reason === null || options.history) records.push({ key: city, value });
  }
  if (records.length > 0) await log.append(records);
  answer.appended = records.length;
  return answer;
}

/**
 * The city of a record, "" where it has none; why the record is refused, null where it is not; and why values of it are
 * impossible.
 */
function judge(
  text: string,
  { now, history }: { now: number; history: boolean },
): { city: string; reason: string | null; impossible: string[] } {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return { city: "", reason: "record is not JSON", impossible: [] };
  }
  const parsed = parseObservation(record, now);
  const named = (record as { city?: unknown } | null)?.city;
  const city = typeof named === "string" ? named : "";
  if (!parsed.ok) return { city, reason: parsed.reason, impossible: [] };
  const ms = parseTimestamp(parsed.observation.timestamp);
  const reason = history ? null : tooOldReason(ms, now, POSTED_MAX_AGE_MS);
  return { city, reason, impossible: impossibleReasons(parsed.observation) };
}
