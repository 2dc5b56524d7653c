/** Milliseconds in an hour. */
export const HOUR_MS = 3_600_000;
/** Milliseconds in a day of UTC. */
export const DAY_MS = 86_400_000;

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):?([0-5]\d))$/;
/** Days in 400 years of the Gregorian calendar. */
const DAYS_400 = 146_097;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads a point in time: ISO 8601 with `Z` or an offset. A time without a zone is refused, because a guess may be wrong by
 * hours. A fraction is truncated to milliseconds.
 *
 * @returns milliseconds since the epoch, or NaN when `text` is no such time
 */
export function parseTimestamp(text: string): number {
  const match = ISO.exec(text);
  if (match === null) return NaN;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 1 : 0;
  if (day < 1 || day > (MONTH_DAYS[month - 1] ?? 0) + leap) return NaN;
  const fraction = match[7] === undefined ? 0 : Number(match[7].slice(0, 3).padEnd(3, "0"));
  // Date.UTC treats the years 0 to 99 as 1900 to 1999. The calendar repeats every 400 years.
  const date = Date.UTC(year + 400, month - 1, day) - DAYS_400 * DAY_MS;
  const time =
    date + Number(match[4]) * HOUR_MS + Number(match[5]) * 60_000 + Number(match[6] ?? 0) * 1_000 + fraction;
  if (match[8] === undefined) return time;
  const offset = Number(match[9]) * HOUR_MS + Number(match[10]) * 60_000;
  return match[8] === "+" ? time - offset : time + offset;
}

/** Writes a point in time as ISO 8601 UTC, without a fraction when it has none: `2026-01-31T06:00:00Z`. */
export function formatTimestamp(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, 19)}Z` : text;
}

/** The hour of an ISO 8601 UTC timestamp, as in the name of a lake folder: `2026-01-31T06`. */
export function hourKey(timestamp: string): string {
  return timestamp.slice(0, 13);
}

/** Whether `a` is later than `b`, both as {@link formatTimestamp} writes them. As text, `…:00.500Z` sorts before `…:00Z`. */
export function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : Date.parse(a) > Date.parse(b);
}

/** Whether a time that {@link parseTimestamp} reads is written as {@link formatTimestamp} would write it, to the second. */
export function isCanonical(timestamp: string): boolean {
  return timestamp.length === 20 && timestamp.charCodeAt(10) === 84 && timestamp.charCodeAt(19) === 90; // T, Z
}
