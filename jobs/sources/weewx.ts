import { Database } from "bun:sqlite";
import { messageOf, SourceError } from "../../core/errors.ts";
import { type Logger, silentLogger } from "../../core/log.ts";
import { parseObservation } from "../../core/observation.ts";
import { celsiusFromFahrenheit, HPA_PER_INHG, MM_PER_INCH, MS_PER_MPH, roundTo } from "../../core/units.ts";
import type { Variable } from "../../core/variables.ts";
import type { NewRecord } from "../log/log.ts";
import { recordOf, timestampOfSeconds } from "./record.ts";

const CHUNK_RECORDS = 1_000;
const HOUR_S = 3600;
/** Seconds of an hour that may be uncovered or covered twice: consoles drift. */
const SLACK_S = 60;
/** Longest interval of which a part says something of its rain, s. */
const SHARED_S = 900;

/** How the numbers of a unit system become the record's: `usUnits` of a row (weewx.com/docs, "Units"). */
interface Units {
  temperature: (value: number) => number;
  pressure: (value: number) => number;
  speed: (value: number) => number;
  rain: (value: number) => number;
}
const same = (value: number): number => value;
const SYSTEMS: Readonly<Record<number, Units>> = {
  1: {
    temperature: (value) => roundTo(celsiusFromFahrenheit(value), 2),
    pressure: (value) => roundTo(value * HPA_PER_INHG, 2),
    speed: (value) => roundTo(value * MS_PER_MPH, 2),
    rain: (value) => value * MM_PER_INCH,
  },
  16: {
    temperature: same,
    pressure: same, // mbar
    speed: (value) => roundTo(value / 3.6, 2), // km/h
    rain: (value) => value * 10, // cm
  },
  17: { temperature: same, pressure: same, speed: same, rain: same },
};

/** The record's variables, the columns that are read for them where the table has them, and what they measure. */
const COLUMNS = {
  temperature: ["outTemp", "temperature"],
  humidity: ["outHumidity", null],
  pressure: ["barometer", "pressure"], // of the sea level
  wind_speed: ["windSpeed", "speed"],
  wind_direction: ["windDir", null],
  wind_gust: ["windGust", "speed"],
  dew_point: ["dewpoint", "temperature"],
} as const satisfies Partial<Record<Variable, readonly [column: string, measures: keyof Units | null]>>;

type ArchiveRow = { dateTime: number; usUnits: number; interval: number; rain: number | null } & Record<
  string,
  number | null
>;

/** Rain of an archive interval: seconds since the epoch of its beginning and end, mm. */
interface Interval {
  from: number;
  to: number;
  mm: number | null;
}

/** Whether a file is an SQLite database, by its first bytes. */
export async function isSqlite(path: string): Promise<boolean> {
  const head = await Bun.file(path)
    .slice(0, 16)
    .text()
    .catch(() => ""); // whoever reads it says that it is not there
  return head === "SQLite format 3\0";
}

/**
 * Reads the archive of a WeeWX database: an observation for each archive record, in the order of time, in chunks of up to
 * 1,000. Each row's own unit system counts. Rain, which WeeWX keeps by archive interval, becomes the rain of the hour before
 * the record; it is missing where the intervals do not cover that hour. A record that is no observation is passed on as
 * JSON, for the consumer to reject with the reason.
 *
 * @param options.city whose weather it is
 * @param options.source who reported it
 * @throws SourceError `bad_file` when it is no such database or cannot be read
 */
export async function* readWeewx(
  path: string,
  options: { city: string; source: string; logger?: Logger },
): AsyncGenerator<NewRecord[]> {
  const { logger = silentLogger, ...who } = options;
  const failed = (why: string, cause?: unknown) =>
    new SourceError("bad_file", `Cannot read the WeeWX database ${path}: ${why}`, { cause });
  let db: Database;
  try {
    db = new Database(path, { readonly: true });
  } catch (cause) {
    throw failed(messageOf(cause), cause);
  }
  const counts = { records: 0, unreadable: 0 };
  try {
    const columns = db
      .query<{ name: string }, []>("PRAGMA table_info(archive)")
      .all()
      .map(({ name }) => name);
    for (const name of ["dateTime", "usUnits", "interval"])
      if (!columns.includes(name)) throw failed(`it has no column archive.${name}`);
    const selected = [...Object.values(COLUMNS).map(([column]) => column), "rain"]
      .map((name) => (columns.includes(name) ? name : `NULL AS ${name}`))
      .join(", ");
    const rows = db
      .query<ArchiveRow, []>(
        `SELECT dateTime, usUnits, "interval", ${selected} FROM archive ORDER BY dateTime`,
      )
      .iterate();
    let hour: Interval[] = [];
    let chunk: NewRecord[] = [];
    for (const row of rows) {
      const units = SYSTEMS[row.usUnits];
      const to = row.dateTime;
      const mm = row.rain === null || units === undefined ? null : units.rain(row.rain);
      hour = [...hour.filter((one) => one.to > to - HOUR_S), { from: to - row.interval * 60, to, mm }];
      const record = recordFields(row, units, who, rainOfHour(hour, to));
      // The future is measured where the log takes the record.
      const parsed = units === undefined ? null : parseObservation(record, Infinity);
      if (parsed?.ok !== true) counts.unreadable++;
      counts.records++;
      chunk.push(
        parsed?.ok === true ? recordOf(parsed.observation) : { key: "", value: JSON.stringify(record) },
      );
      if (chunk.length < CHUNK_RECORDS) continue;
      yield chunk;
      chunk = [];
    }
    if (chunk.length > 0) yield chunk;
  } catch (cause) {
    throw cause instanceof SourceError ? cause : failed(messageOf(cause), cause);
  } finally {
    db.close();
  }
  logger[counts.unreadable > 0 ? "warn" : "info"]("Read a WeeWX database", { path, ...counts });
}

/** The record's fields in an archive row. What they hold is checked afterwards. */
function recordFields(
  row: ArchiveRow,
  units: Units | undefined,
  { city, source }: { city: string; source: string },
  rainfall: number | null,
): Record<string, unknown> {
  const timestamp = timestampOfSeconds(row.dateTime) ?? row.dateTime;
  // Not one of the systems: the field says so to the consumer.
  if (units === undefined) return { timestamp, city, source, usUnits: row.usUnits };
  const values = Object.entries(COLUMNS).map(([name, [column, measures]]) => {
    const value = row[column];
    return [name, measures !== null && typeof value === "number" ? units[measures](value) : value];
  });
  return { timestamp, city, ...Object.fromEntries(values), rainfall, source };
}

/** Rain of the hour that ends at `to` (s), mm: of an interval in which it begins the share of its time inside. */
function rainOfHour(intervals: readonly Interval[], to: number): number | null {
  const start = to - HOUR_S;
  let covered = 0;
  let sum = 0;
  for (const interval of intervals) {
    if (interval.mm === null) return null;
    const length = interval.to - interval.from;
    const inside = interval.to - Math.max(interval.from, start);
    if (!(length > 0) || (interval.from < start - SLACK_S && length > SHARED_S)) return null;
    covered += inside;
    sum += (interval.mm * inside) / length;
  }
  return Math.abs(covered - HOUR_S) <= SLACK_S ? roundTo(sum, 3) : null;
}
