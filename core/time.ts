/** Milliseconds in an hour. */
export const HOUR_MS = 3_600_000;
/** Milliseconds in a day of UTC. */
export const DAY_MS = 86_400_000;

const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?$/;

/**
 * Reads a point in time: ISO 8601 with `Z` or an offset. Without a zone it is refused, because guessing one loses hours.
 *
 * @returns milliseconds since the epoch, or NaN when `text` is no such time.
 */
export function parseTimestamp(text: string): number {
  const match = ISO.exec(text);
  if (match === null || match[8] === undefined) return NaN;
  const year = Number(match[1]);
  const month = Number(match[2]);
  const day = Number(match[3]);
  // Date.parse takes 30 February for 2 March: look at the calendar ourselves.
  if (month < 1 || month > 12 || day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return NaN;
  const zone = match[8].length === 5 ? `${match[8].slice(0, 3)}:${match[8].slice(3)}` : match[8];
  const fraction = match[7] === undefined ? "" : `.${match[7].slice(0, 3)}`;
  return Date.parse(
    `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6] ?? "00"}${fraction}${zone}`,
  );
}

/** Writes a point in time as ISO 8601 UTC, without a fraction when it has none: `2026-01-31T06:00:00Z`. */
export function formatTimestamp(ms: number): string {
  const text = new Date(ms).toISOString();
  return text.endsWith(".000Z") ? `${text.slice(0, 19)}Z` : text;
}

/** The start of the hour (UTC) that holds `ms`. */
export function hourStart(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

/** The hour of an ISO 8601 UTC timestamp as it names a lake folder: `2026-01-31T06`. */
export function hourKey(timestamp: string): string {
  return timestamp.slice(0, 13);
}

/** Whether `a` is later than `b`, both as {@link formatTimestamp} writes them. As text, `…:00.500Z` sorts before `…:00Z`. */
export function isLater(a: string, b: string): boolean {
  return a.length === b.length ? a > b : Date.parse(a) > Date.parse(b);
}
