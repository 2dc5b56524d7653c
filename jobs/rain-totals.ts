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

/**
 * The rain of the hour before a reading: the sum of the differences between consecutive totals. A total that is smaller than
 * the one before was reset in between. The interval that contains the start of the hour counts in proportion to its part
 * inside the hour.
 *
 * @param before readings before `now`, oldest first
 * @returns mm; null if the start of the hour, or the reset, lies in a gap of more than 15 minutes
 */
export function rainOfLastHour(before: readonly TotalReading[], now: TotalReading): number | null {
  const start = now.at - HOUR_MS;
  let sum = 0;
  let later = now;
  for (const reading of before.toReversed()) {
    const beganAnew = later.mm < reading.mm;
    const rain = beganAnew ? later.mm : later.mm - reading.mm;
    const length = later.at - reading.at;
    if ((beganAnew || reading.at < start) && length > GAP_MS) return null;
    if (reading.at <= start) return roundTo(sum + (rain * (later.at - start)) / length, 3);
    sum += rain;
    later = reading;
  }
  return null;
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
   * @returns mm; null where it is not known
   */
  take(station: string, { at, mm }: TotalReading): number | null {
    const take = this.#db.transaction(() => {
      const before = this.#db
        .query<TotalReading, [string, number, number]>(
          "SELECT at, mm FROM totals WHERE station = ? AND at >= ? AND at < ? ORDER BY at",
        )
        .all(station, at - HOUR_MS - GAP_MS, at);
      this.#db
        .query<unknown, [string, number, number]>("INSERT OR REPLACE INTO totals VALUES (?, ?, ?)")
        .run(station, at, mm);
      this.#db
        .query<unknown, [string, string, number]>(
          "DELETE FROM totals WHERE station = ? AND at < (SELECT max(at) FROM totals WHERE station = ?) - ?",
        )
        .run(station, station, KEPT_MS);
      return rainOfLastHour(before, { at, mm });
    });
    return take.immediate();
  }

  /** Closes the file. */
  close(): void {
    this.#db.close();
  }
}
