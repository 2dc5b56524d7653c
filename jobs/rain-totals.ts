import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { roundTo } from "../core/units.ts";

/** A station's daily rain total at a point in time. */
export interface TotalReading {
  /** ms since the epoch. */
  at: number;
  /** Rain since the station's midnight, mm. */
  mm: number;
}

/** Longest interval between two readings whose difference is used, ms. */
const GAP_MS = 15 * 60_000;
/** Retention of the readings, ms: late pushes need them. */
const KEPT_MS = 2 * DAY_MS;

/** Interval in which the highest total is looked for, ms: the longest day has 25 hours. */
const DAY_BEFORE_MS = 25 * HOUR_MS;
/** How far the clock of a console may be off at its midnight, ms. */
const CLOCK_MS = 10 * 60_000;

/**
 * The rain of the hour before a reading: the sum of the differences between consecutive totals. A total begins anew only at
 * the station's midnight, and there it falls to less than half. Any other fall is a correction or a fault, and so is the rise
 * by which a total comes back to where it had been: what fell then is not known. The interval that contains the start of the
 * hour counts in proportion to its part inside the hour.
 *
 * @param before readings of the day before `now`, oldest first
 * @param zone IANA time zone of the station; null if unknown: then no fall is a midnight
 * @returns mm; null if the start of the hour, or the midnight, lies in a gap of more than 15 minutes, or if the total was
 *   corrected within the hour
 */
export function rainOfLastHour(
  before: readonly TotalReading[],
  now: TotalReading,
  zone: string | null,
): number | null {
  const start = now.at - HOUR_MS;
  let sum: number | null = null;
  let highest = -Infinity;
  let earlier: TotalReading | null = null;
  for (const later of [...before, now]) {
    if (earlier !== null) {
      const fell = later.mm < earlier.mm;
      const beganAnew =
        fell && later.mm < earlier.mm / 2 && zone !== null && isMidnightIn(earlier.at, later.at, zone);
      const cameBack = earlier.mm < highest && later.mm >= highest;
      const length = later.at - earlier.at;
      if (later.at > start) {
        if (earlier.at <= start) sum = 0;
        const isGap = length > GAP_MS && (earlier.at < start || beganAnew);
        if (sum === null || isGap || cameBack || (fell && !beganAnew)) return null;
        const rain = beganAnew ? later.mm : later.mm - earlier.mm;
        sum += (rain * (later.at - Math.max(start, earlier.at))) / length;
      }
      if (beganAnew) highest = -Infinity;
    }
    highest = Math.max(highest, later.mm);
    earlier = later;
  }
  return sum === null ? null : roundTo(sum, 3);
}

/** Whether a midnight of the zone lies between two moments, as a console's clock may show it. */
function isMidnightIn(from: number, to: number, zone: string): boolean {
  const dayOf = (ms: number) =>
    new Intl.DateTimeFormat("en", { timeZone: zone, dateStyle: "short" }).format(ms);
  return dayOf(from - CLOCK_MS) !== dayOf(to + CLOCK_MS);
}

/**
 * The stations' totals of the last two days, in an SQLite file, so that the rain of the last hour is known after a restart.
 * The file is not essential: if it is lost, the rain is unknown for one hour.
 */
export class RainTotals {
  readonly #db: Database;

  /** @param path of the file; made with its folder when it is not there */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.#db = new Database(path, { create: true, readwrite: true, strict: true });
    this.#db.run("PRAGMA journal_mode = WAL");
    this.#db.run("PRAGMA synchronous = NORMAL");
    this.#db.run("PRAGMA busy_timeout = 1000");
    this.#db.run(
      "CREATE TABLE IF NOT EXISTS totals (station TEXT, at INTEGER, mm REAL, PRIMARY KEY (station, at)) WITHOUT ROWID, STRICT",
    );
  }

  /**
   * Stores a reading and returns the rain of the hour before it. It is idempotent: the same reading gives the same answer.
   * A late reading gets the answer that it would have had in time.
   *
   * @param zone IANA time zone of the station; null if unknown
   * @returns mm; null where it is not known
   */
  take(station: string, { at, mm }: TotalReading, zone: string | null): number | null {
    const take = this.#db.transaction(() => {
      const before = this.#db
        .query<TotalReading, [string, number, number]>(
          "SELECT at, mm FROM totals WHERE station = ? AND at >= ? AND at < ? ORDER BY at",
        )
        .all(station, at - DAY_BEFORE_MS, at);
      this.#db
        .query<unknown, [string, number, number]>("INSERT OR REPLACE INTO totals VALUES (?, ?, ?)")
        .run(station, at, mm);
      this.#db
        .query<unknown, [string, string, number]>(
          "DELETE FROM totals WHERE station = ? AND at < (SELECT max(at) FROM totals WHERE station = ?) - ?",
        )
        .run(station, station, KEPT_MS);
      return rainOfLastHour(before, { at, mm }, zone);
    });
    return take.immediate();
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }
}
