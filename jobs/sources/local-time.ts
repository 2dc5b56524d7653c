import { type ZonePeriod, zonePeriods } from "../../core/zone-offsets.ts";
import { DAY_MS, parseTimestamp } from "../../core/time.ts";

/**
 * Reads the times of a file.
 *
 * @param text as it stands in the file
 * @param after the time read before it of the same series, ms; −Infinity for none: it decides between the two meanings of
 *   an hour that the clocks repeat
 * @returns ms since the epoch; NaN when it is no such time
 */
export type TimeReader = (text: string, after: number) => number;

/** Parts of a pattern: what each matches, and where in the date it belongs. */
const TOKENS: Readonly<Record<string, readonly [regex: string, part: Part]>> = {
  YYYY: ["(\\d{4})", "year"],
  MM: ["(\\d{2})", "month"],
  M: ["(\\d{1,2})", "month"],
  DD: ["(\\d{2})", "day"],
  D: ["(\\d{1,2})", "day"],
  HH: ["(\\d{2})", "hour"],
  H: ["(\\d{1,2})", "hour"],
  h: ["(\\d{1,2})", "half"],
  mm: ["(\\d{2})", "minute"],
  m: ["(\\d{1,2})", "minute"],
  ss: ["(\\d{2}(?:\\.\\d{1,9})?)", "second"],
  s: ["(\\d{1,2})", "second"],
  A: ["([AaPp])\\.?[Mm]\\.?", "noon"],
};
type Part = "year" | "month" | "day" | "hour" | "half" | "minute" | "second" | "noon";

/** Years whose changes of clocks are known. */
const ZONE_YEARS = { first: 1970, last: 2037 };
const MINUTE_MS = 60_000;

/** Formats that are no pattern. */
export const TIME_FORMATS = ["iso", "epoch_s", "epoch_ms"] as const;

/**
 * Makes a reader of times.
 *
 * @param format `iso` (ISO 8601 with a zone), `epoch_s`, `epoch_ms`, or a pattern of YYYY MM M DD D HH H h mm m ss s A, in which
 *   anything else stands for itself
 * @param zone of a pattern's clock: `UTC`, a fixed distance such as `-05:00`, or an IANA time zone
 * @throws {TypeError} saying what was wanted
 */
export function timeReader(format: string, zone: string | null): TimeReader {
  if (format === "iso") return (text) => parseTimestamp(text.trim());
  if (format === "epoch_s" || format === "epoch_ms") {
    const factor = format === "epoch_s" ? 1000 : 1;
    return (text) => (/^-?\d{1,15}(\.\d+)?$/.test(text.trim()) ? Math.round(Number(text) * factor) : NaN);
  }
  const { regex, parts } = compile(format);
  if (zone === null) throw new TypeError(`a pattern such as "${format}" needs a zone, such as UTC`);
  const toUtc = zoneReader(zone);
  return (text, after) => {
    const match = regex.exec(text.trim());
    if (match === null) return NaN;
    const value: Partial<Record<Part, string>> = {};
    for (const [index, part] of parts.entries()) value[part] = match[index + 1] ?? "";
    return toUtc(wallClock(value), after);
  };
}

function compile(format: string): { regex: RegExp; parts: Part[] } {
  const parts: Part[] = [];
  const source = format.replace(/YYYY|MM?|DD?|HH?|h|mm?|ss?|A|[^YMDHhmsA]+|./g, (token) => {
    const known = TOKENS[token];
    if (known === undefined) return token.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&").replace(/\s+/g, "\\s+");
    parts.push(known[1]);
    return known[0];
  });
  const missing = ["year", "month", "day"].find((part) => !parts.includes(part as Part));
  if (missing !== undefined || new Set(parts).size < parts.length) {
    throw new TypeError(
      `the time format is "${format}", wanted ${TIME_FORMATS.join(", ")} or a pattern such as YYYY-MM-DD HH:mm:ss`,
    );
  }
  if (parts.includes("half") !== parts.includes("noon")) {
    throw new TypeError(`the time format "${format}" has one of h and A, wanted both or none`);
  }
  return { regex: new RegExp(`^${source}$`), parts };
}

/** What the clock shows, as if it were UTC, ms; NaN for a time that no clock shows. */
function wallClock(value: Partial<Record<Part, string>>): number {
  const two = (text: string) => text.padStart(2, "0");
  const { year = "", month = "", day = "", hour = "0", minute = "00", second = "00", half, noon } = value;
  let h = Number(half ?? hour);
  if (half !== undefined) {
    if (h < 1 || h > 12) return NaN;
    h = (h % 12) + (noon?.toLowerCase() === "p" ? 12 : 0);
  }
  // Hour 24 is midnight at the end of the day (ISO 8601:2000, 5.3.2): it ends a day of hourly values 1 to 24.
  const isEnd = h === 24 && Number(minute) === 0 && Number(second) === 0;
  const clock = `${two(isEnd ? "0" : String(h))}:${two(minute)}:${two(second)}`;
  return parseTimestamp(`${year}-${two(month)}-${two(day)}T${clock}Z`) + (isEnd ? DAY_MS : 0);
}

/** Turns what a clock of a zone shows into UTC. */
function zoneReader(zone: string): (wall: number, after: number) => number {
  const fixed = /^([+-])(\d{2}):?([0-5]\d)$/.exec(zone);
  if (fixed !== null) {
    const minutes = Number(fixed[2]) * 60 + Number(fixed[3]);
    const offset = (fixed[1] === "+" ? minutes : -minutes) * MINUTE_MS;
    return (wall) => wall - offset;
  }
  let periods: ZonePeriod[];
  try {
    periods = zonePeriods(zone, ZONE_YEARS.first, ZONE_YEARS.last);
  } catch {
    throw new TypeError(`the zone is "${zone}", wanted UTC, an offset such as -05:00, or an IANA time zone`);
  }
  return (wall, after) => {
    let found = NaN;
    let before = NaN;
    for (const { from, to, offsetMinutes } of periods) {
      const utc = wall - offsetMinutes * MINUTE_MS;
      // An hour that the clocks repeat: the first one, unless the file has passed it already.
      if (utc >= from && utc < to && (Number.isNaN(found) || found <= after)) found = utc;
      // An hour that the clocks leave out: as if they had not yet been moved.
      if (utc >= to) before = utc;
    }
    return Number.isNaN(found) ? before : found;
  };
}
