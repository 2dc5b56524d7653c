/** What stands where a value is missing: an en dash, never 0 and never nothing. */
export const MISSING = "–";

const MINUS = "−";
const THIN_SPACE = "\u2009";

/**
 * A number as people read it: fixed decimals, a true minus, thin spaces in groups from five digits on.
 *
 * @param value null, undefined or not finite gives {@link MISSING}
 * @param digits decimals
 */
export function formatNumber(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const text = Math.abs(value).toFixed(digits);
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.length < 5 ? whole : whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
  const sign = value < 0 && Number(text) !== 0 ? MINUS : "";
  return sign + grouped + (fraction === undefined ? "" : `.${fraction}`);
}

/** A difference: as {@link formatNumber}, with a sign unless it rounds to zero. */
export function formatSigned(value: number | null | undefined, digits: number): string {
  const text = formatNumber(value, digits);
  return typeof value === "number" && value > 0 && Number(value.toFixed(digits)) !== 0 ? `+${text}` : text;
}

/**
 * An age or a duration: seconds to a minute, minutes to an hour, hours and minutes to two days, then days.
 *
 * @param ms milliseconds; what lies in the future counts as 0
 */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${formatNumber(Math.floor(hours / 24), 0)} days`;
}

const DATE = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
});
const CLOCK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const MONTH_DAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric" });

/** A point in time, ms since the epoch, as `22:00` in UTC. */
export function formatClock(ms: number): string {
  return CLOCK.format(ms);
}

/** A point in time, ms since the epoch, as `Sun 9` in UTC. */
export function formatDay(ms: number): string {
  return WEEKDAY.format(ms).replace(",", "");
}

/** A point in time, ms since the epoch, as `9 Apr` in UTC. */
export function formatDate(ms: number): string {
  return MONTH_DAY.format(ms);
}

/** A point in time, ms since the epoch, as `Sun 9 Apr 2017, 22:00 UTC`. */
export function formatTime(ms: number): string {
  return `${DATE.format(ms).replace(",", "")}, ${CLOCK.format(ms)} UTC`;
}

/** A number of things: `1 city`, `5 cities`. */
export function formatCount(count: number, one: string, many: string): string {
  return `${formatNumber(count, 0)} ${count === 1 ? one : many}`;
}

/** A condition as the source words it, with a capital: `Light drizzle`. */
export function formatCondition(text: string | null): string {
  return text === null || text === "" ? MISSING : text.charAt(0).toUpperCase() + text.slice(1);
}
