import { SourceError } from "../../core/errors.ts";
import { describe, isPossible } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { type Draft, type DraftLine, isDraft } from "./draft.ts";
import { HeldLines } from "./held-lines.ts";
import type { ZoneClock } from "./local-time.ts";
import type { Notes } from "./notes.ts";
import {
  REACH_MS,
  type RainOfHour,
  rainOfAmounts,
  rainOfTotals,
  type RainReading,
  SLACK_MS,
} from "./rain-hours.ts";

/** What a column of rain may be; `unstated`: the map does not say it. */
type Amount = "hour" | "interval" | "since" | "total" | "rate" | "unstated";

/** What a map says of its column of rain. */
export interface RainColumn {
  amount: Amount;
  /** When the day of a time began (ms), where the amount is one since then. */
  dayOf: ((ms: number) => number) | null;
}

/** What a map may call its column of rain, for people. */
export const RAIN_AMOUNTS = "hour, interval, since 00:00 (or when it begins anew), total or rate";

/**
 * Reads what a map says of its column of rain.
 *
 * @param clock of the map's zone; null where it has none
 * @throws {TypeError} saying what was wanted
 */
export function parseRainColumn(input: unknown, clock: ZoneClock | null): RainColumn {
  if (input === undefined) return { amount: "unstated", dayOf: null };
  const [, hour, minute] = /^since ([01]\d|2[0-3]):([0-5]\d)$/.exec(String(input)) ?? [];
  if (hour !== undefined) {
    if (clock === null)
      throw new TypeError(`fields.rainfall.amount is ${describe(input)}: time.zone must say by which clock`);
    const clockMs = (Number(hour) * 60 + Number(minute)) * 60_000;
    return { amount: "since", dayOf: (ms) => clock.dayOf(ms, clockMs) };
  }
  if (input === "hour" || input === "interval" || input === "total" || input === "rate")
    return { amount: input, dayOf: null };
  throw new TypeError(`fields.rainfall.amount is ${describe(input)}, wanted ${RAIN_AMOUNTS}`);
}

/** Steps between reports after which the interval of a file is known. */
const STEPS = 3;
const UNSTATED = 'reports are under an hour apart, and the map has no "amount" for the column of rain';

interface Series {
  /** Readings of rain around the newest line, oldest first; one of each time. */
  readings: RainReading[];
  /** Lines that wait for the lines around them. */
  waiting: Waiting[];
  /** The time of the line with rain before, ms; NaN before the first. */
  last: number;
}

interface Waiting {
  held: DraftLine;
  draft: Draft;
  at: number;
}

/**
 * Makes a column of rain into the rain of the hour before each report, from the lines before and after it, in files of
 * either order. Where it is not known the value is missing, and a note says why. Lines come out in the order in which they
 * go in.
 */
export class RainHours {
  readonly #column: RainColumn;
  readonly #notes: Notes;
  readonly #held = new HeldLines<DraftLine>();
  readonly #series = new Map<string, Series>();
  /** Steps between reports of a series, ms: the first ones, where the map does not say what its column is. */
  readonly #steps: number[] = [];
  #isDecided: boolean;
  #isRefused = false;

  /** @param notes where it says why the rain of a line is not known */
  constructor(column: RainColumn, notes: Notes) {
    this.#column = column;
    this.#notes = notes;
    this.#isDecided = column.amount !== "unstated";
  }

  /**
   * Takes the next line of the file, and returns those that wait for nothing.
   *
   * @throws SourceError `bad_file` when the map does not say what the column is, and the interval of the file is not an hour;
   *   nothing was returned before
   */
  push(line: DraftLine): DraftLine[] {
    if (this.#isRefused) return [];
    if (!isDraft(line.read) || line.read.rain === undefined) {
      this.#held.add(line, true);
    } else {
      const draft = line.read;
      const at = draft.times[0]!;
      const series = this.#seriesOf(draft.series);
      const mm = this.#amountOf(draft);
      if (mm !== null) {
        if (!this.#isDecided) this.#decide(at, series.last);
        series.last = at;
      }
      if (this.#isDecided) this.#settle(series, (one) => Math.abs(one.at - at) > REACH_MS);
      forget(series.readings, at);
      // Where it is not said, a line without rain is no report of it.
      if (mm !== null || this.#column.amount !== "unstated") addReading(series.readings, { at, mm });
      this.#held.add(line, false);
      series.waiting.push({ held: line, draft, at });
    }
    const overdue = this.#held.overdue();
    if (overdue !== undefined && isDraft(overdue.read)) {
      this.#isDecided = true;
      this.#settle(this.#seriesOf(overdue.read.series), (one) => one.held === overdue);
    }
    return this.#isDecided ? this.#held.take() : [];
  }

  /** Returns the last lines: the file has ended. */
  end(): DraftLine[] {
    if (this.#isRefused) return [];
    for (const series of this.#series.values()) this.#settle(series, () => true);
    return this.#held.take();
  }

  #seriesOf(name: string): Series {
    let series = this.#series.get(name);
    if (series === undefined) this.#series.set(name, (series = { readings: [], waiting: [], last: NaN }));
    return series;
  }

  /** The amount in a line; null where it is missing or impossible. */
  #amountOf({ rain }: Draft): number | null {
    if (this.#column.amount === "total") return typeof rain === "number" && rain >= 0 ? rain : null;
    return isPossible("rainfall", rain) ? rain : null;
  }

  #decide(at: number, last: number): void {
    const step = Math.abs(at - last);
    if (!(step > 0)) return;
    this.#steps.push(step);
    const isUnder = step < HOUR_MS - SLACK_MS;
    const isDone = isUnder || this.#steps.length === STEPS;
    const least = Math.min(...this.#steps);
    if (isUnder || (isDone && least > HOUR_MS + SLACK_MS)) {
      this.#isRefused = true;
      throw new SourceError(
        "bad_file",
        `Cannot use the column map: the file's reports are ${Math.round(least / 60_000)} minutes apart, and the map does not say of what time its amounts of rain are`,
        {
          hint: `Add "amount" to fields.rainfall: "hour" (the hour before each report), "interval" (since the report before), "since 00:00" (a total that begins anew at midnight), "total" (one that never does) or "rate" (an hour). docs/import.md describes them.`,
        },
      );
    }
    this.#isDecided = isDone;
  }

  /** Settles the first lines of a series that are due, by what is known of the others. */
  #settle(series: Series, isDue: (one: Waiting) => boolean): void {
    const until = series.waiting.findIndex((one) => !isDue(one));
    const due = series.waiting.splice(0, until === -1 ? series.waiting.length : until);
    for (const { held, draft, at } of due) {
      held.read = this.#settled(draft, at, series.readings);
      this.#held.settle(held);
    }
  }

  /** The draft with the rain of the hour. A missing or impossible amount stays as it is. */
  #settled(draft: Draft, at: number, readings: readonly RainReading[]): Draft {
    const mm = this.#amountOf(draft);
    if (mm === null) return draft;
    const hour = this.#hourOf(at, mm, readings);
    if ("unknown" in hour) {
      const where = `${formatTimestamp(at)} ${String(draft.record.city)}`;
      this.#notes.add(`the rain of the hour is not known: ${hour.unknown}`, where);
    }
    return { ...draft, record: { ...draft.record, rainfall: "mm" in hour ? hour.mm : null } };
  }

  #hourOf(at: number, mm: number, readings: readonly RainReading[]): RainOfHour {
    const index = placeOf(readings, at);
    const { amount, dayOf } = this.#column;
    if (amount === "interval" || amount === "rate")
      return rainOfAmounts(readings, index, { isRate: amount === "rate" });
    if (amount === "since" || amount === "total") return rainOfTotals(readings, index, dayOf);
    const before = readings[index - 1];
    return before !== undefined && at - before.at < HOUR_MS - SLACK_MS ? { unknown: UNSTATED } : { mm };
  }
}

/** The place of the last reading that is not later, by bisection; −1 for none. */
function placeOf(readings: readonly RainReading[], at: number): number {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (readings[middle]!.at <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Adds a reading at its place. Of one time the later line counts, unless it has no rain. */
function addReading(readings: RainReading[], reading: RainReading): void {
  const place = placeOf(readings, reading.at);
  const same = readings[place];
  if (same?.at === reading.at) same.mm = reading.mm ?? same.mm;
  else readings.splice(place + 1, 0, reading);
}

/**
 * Takes out readings that no line needs which waits: the first of them is within reach of the newest line, and so the others
 * are within twice the reach, and what they need within three times.
 */
function forget(readings: RainReading[], at: number): void {
  readings.splice(placeOf(readings, at + 3 * REACH_MS) + 1);
  readings.splice(0, placeOf(readings, at - 3 * REACH_MS));
}
