import { DAY_MS, formatTimestamp } from "./time.ts";

/**
 * How old a report may be that a station pushes or a program posts as live, ms. After an outage stations send what they kept:
 * a logger of 2,560 records, as Davis builds it, holds nine days of five minutes.
 */
export const PUSHED_MAX_AGE_MS = 14 * DAY_MS;

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
  const days = maxAgeMs / DAY_MS;
  return `timestamp is ${formatTimestamp(ms)}, more than ${days === 1 ? "a day" : `${days} days`} old for a live report`;
}
