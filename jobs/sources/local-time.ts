import { type ZonePeriod, zonePeriods } from "../../core/zone-offsets.ts";
import { DAY_MS, parseTimestamp } from "../../core/time.ts";

/**
 * Reads the times of a file.
 *
 * @param text as it stands in the file
 * @returns what it may mean, ms since the epoch, the earlier one first: two in an hour that the clocks repeat (see
 *   {@link RepeatedHours}), none when it is no such time
 */
export type TimeReader = (text: string) => readonly number[];

/** Parts of a pattern: what each matches, and where in the date it belongs. */
const TOKENS: Readonly<Record<string, readonly [regex: string, part: Part]>> = {
  YYYY: ["(\\d{4})", "year"],
  YY: ["(\\d{2})", "year"],
  MMM: ["([A-Za-z]{3,9})\\.?", "month"],
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
  A: ["([AaPp])(?:\\.?[Mm]\\.?)?", "noon"],
  Z: ["(Z|UTC|GMT|[+-]\\d{2}(?::?[0-5]\\d)?)", "offset"],
};
type Part = "year" | "month" | "day" | "hour" | "half" | "minute" | "second" | "noon" | "offset";

/** Years whose changes of clocks are known. */
const ZONE_YEARS = { first: 1970, last: 2037 };
const MINUTE_MS = 60_000;
/** The last time that a Date holds, ms; the first is its negative. */
const TIME_MAX = 8.64e15;

/** Formats that are no pattern. */
export const TIME_FORMATS = ["iso", "epoch_s", "epoch_ms"] as const;

/**
 * Makes a reader of times.
 *
 * @param format `iso` (ISO 8601), `epoch_s`, `epoch_ms`, or a pattern of YYYY YY MMM MM M DD D HH H h mm m ss s A Z, in which
 *   anything else stands for itself
 * @param zone of a clock that does not say its offset: `UTC`, a fixed distance such as `-05:00`, or an IANA time zone. A
 *   pattern without Z needs one; `iso` without one takes only times that say their offset
 * @throws {TypeError} saying what was wanted
 */
export function timeReader(format: string, zone: string | null): TimeReader {
  const clock = zone === null ? null : zoneClock(zone);
  if (format === "iso") {
    return (text) => {
      const ms = parseTimestamp(text.trim());
      return Number.isNaN(ms) && clock !== null
        ? timesOf(parseTimestamp(`${text.trim()}Z`), clock)
        : known(ms);
    };
  }
  if (format === "epoch_s" || format === "epoch_ms") {
    const factor = format === "epoch_s" ? 1000 : 1;
    return (text) =>
      /^-?\d{1,15}(\.\d+)?$/.test(text.trim()) ? known(Math.round(Number(text) * factor)) : [];
  }
  const { regex, parts } = compile(format);
  if (clock === null && !parts.includes("offset"))
    throw new TypeError(`a pattern such as "${format}" needs a zone, such as UTC`);
  return (text) => {
    const match = regex.exec(text.trim());
    if (match === null) return [];
    const value: Partial<Record<Part, string>> = {};
    for (const [index, part] of parts.entries()) value[part] = match[index + 1] ?? "";
    const wall = wallClock(value);
    if (value.offset !== undefined) return known(wall - offsetMs(value.offset));
    return clock === null ? [] : timesOf(wall, clock);
  };
}

/** One time, or none where it is none that a computer keeps. */
function known(ms: number): readonly number[] {
  return Math.abs(ms) <= TIME_MAX ? [ms] : [];
}

function timesOf(wall: number, clock: ZoneClock): readonly number[] {
  return Number.isNaN(wall) ? [] : clock.timesOf(wall);
}

function compile(format: string): { regex: RegExp; parts: Part[] } {
  const parts: Part[] = [];
  const source = format.replace(/YYYY|YY|MMM|MM?|DD?|HH?|h|mm?|ss?|A|Z|[^YMDHhmsAZ]+|./g, (token) => {
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
  return (
    parseTimestamp(`${fullYear(year)}-${two(monthNumber(month))}-${two(day)}T${clock}Z`) +
    (isEnd ? DAY_MS : 0)
  );
}

/** A year of two digits lies between 1970 and 2069: no file of weather is older. */
function fullYear(year: string): string {
  if (year.length !== 2) return year;
  return year < "70" ? `20${year}` : `19${year}`;
}

const MONTHS = "january february march april may june july august september october november december".split(
  " ",
);

/** The number of a month that may be named in English, in full or by three or four letters; a text that is none stays. */
function monthNumber(month: string): string {
  const name = month.toLowerCase();
  const index =
    name.length < 3
      ? -1
      : MONTHS.findIndex((full) => full === name || full.slice(0, Math.min(name.length, 4)) === name);
  return index === -1 ? month : String(index + 1);
}

/** The clocks of a zone. */
export interface ZoneClock {
  /** What a clock that shows `wall` (ms, as if it were UTC) may mean, ms since the epoch, the earlier one first. */
  timesOf: (wall: number) => readonly number[];
  /** When the day of a time began, both ms since the epoch, by days that begin when the clock shows `clockMs`. */
  dayOf: (ms: number, clockMs: number) => number;
}

/**
 * Knows the clocks of a zone.
 *
 * @param zone `UTC`, a fixed distance such as `-05:00`, or an IANA time zone
 * @throws {TypeError} saying what was wanted
 */
export function zoneClock(zone: string): ZoneClock {
  const periods = periodsOf(zone);
  const timesOf = (wall: number): readonly number[] => {
    const found: number[] = [];
    let before = NaN;
    for (const { from, to, offsetMinutes } of periods) {
      const utc = wall - offsetMinutes * MINUTE_MS;
      if (utc >= from && utc < to) found.push(utc);
      // An hour that the clocks leave out: as if they had not yet been moved.
      if (utc >= to) before = utc;
    }
    return found.length > 0 ? found : [before];
  };
  const dayOf = (ms: number, clockMs: number): number => {
    const { offsetMinutes } = periods.find(({ to }) => ms < to)!;
    const wall = ms + offsetMinutes * MINUTE_MS - clockMs;
    const begin = Math.floor(wall / DAY_MS) * DAY_MS + clockMs;
    return timesOf(begin).findLast((time) => time <= ms) ?? ms;
  };
  return { timesOf, dayOf };
}

function periodsOf(zone: string): ZonePeriod[] {
  if (/^[+-]\d{2}:?[0-5]\d$/.test(zone))
    return [{ zone, from: -Infinity, to: Infinity, offsetMinutes: offsetMs(zone) / MINUTE_MS }];
  try {
    return zonePeriods(zone, ZONE_YEARS.first, ZONE_YEARS.last);
  } catch {
    throw new TypeError(`the zone is "${zone}", wanted UTC, an offset such as -05:00, or an IANA time zone`);
  }
}

/** `+05:30`, `+0530`, `+05`, `Z`, `UTC` or `GMT` in ms. */
function offsetMs(text: string): number {
  const [, sign, hours = "0", minutes = "0"] = /^([+-])(\d{2}):?(\d{2})?$/.exec(text) ?? [];
  const ms = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
  return sign === "-" ? -ms : ms;
}
