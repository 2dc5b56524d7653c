import { DAY_MS, formatTimestamp } from "./time.ts";

const YEAR_MS = 366 * DAY_MS;

/**
 * How old a report may be that a station pushes, ms. After an outage stations send what they kept, which may be months: a logger
 * of 2,560 records, as Davis builds it, holds 213 days of two hours. A clock that is not set shows a year of long ago.
 */
export const PUSHED_MAX_AGE_MS = YEAR_MS;

/** How old a record may be that a program posts without saying that it is history, ms. The program names the time itself. */
export const POSTED_MAX_AGE_MS = 5 * YEAR_MS;

/**
 * How old a provider's current answer may be, ms. From this age on quality control takes a report for history
 * (`time,history` in `spark/limits.csv`), so that nothing else could say that it is late.
 */
export const POLLED_MAX_AGE_MS = DAY_MS;

/**
 * Why a time is too old for a live report: a clock that is not set says 1970 or 2000. What is imported, replayed or backfilled
 * is history and may have any age: who brings it says so, it is never guessed from the age.
 *
 * @param ms the time, ms since the epoch
 * @param receivedMs when it came, ms
 * @returns the reason, for people; null where it is not too old
 */
export function tooOldReason(ms: number, receivedMs: number, maxAgeMs: number): string | null {
  if (receivedMs - ms <= maxAgeMs) return null;
  const years = maxAgeMs / YEAR_MS;
  const age = years < 1 ? "a day" : years === 1 ? "a year" : `${years} years`;
  return `timestamp is ${formatTimestamp(ms)}, more than ${age} old for a live report`;
}
