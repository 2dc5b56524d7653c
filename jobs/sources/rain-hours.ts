import { HOUR_MS } from "../../core/time.ts";
import { roundTo } from "../../core/units.ts";

/** What a report says of rain, by what its column is (see {@link RAIN_AMOUNTS}), mm or mm/h; null where it is missing. */
export interface RainReading {
  /** ms since the epoch. */
  at: number;
  mm: number | null;
}

/** The rain of an hour, mm, or why it is not known. */
export type RainOfHour = { mm: number } | { unknown: string };

const MINUTE_MS = 60_000;
/** Part of an hour that may be uncovered or covered twice, ms: consoles drift. */
export const SLACK_MS = MINUTE_MS;
/** Longest time between two reports of which a part says something, ms. */
const GAP_MS = 15 * MINUTE_MS;
/** How far from a report another one may be that tells of its hour, ms. */
export const REACH_MS = 3 * HOUR_MS;
/** How much longer than the one beside it a step between two reports is at least, when a report is missing. */
const STEP_RATIO = 1.5;

const UNCOVERED = "the reports before it do not cover the hour";
const NO_RAIN = "a report in the hour has no rain";
const FELL = "the total fell: it was corrected, or it began anew";
const BEFORE_DAY = "no report in the 15 minutes before the day in which the total began anew";
const NOT_ANEW = "the total did not begin anew with the day";
const APART = "reports are more than 15 minutes apart: the hour begins between two of them";
const RARE = "reports are more than 15 minutes apart: a rate says nothing about so long a time";

/**
 * The rain of the hour before a report, from amounts of the time since the report before. After a gap an amount counts as
 * one of the usual time, because a logger's amounts are: such an hour is not covered.
 *
 * @param readings around it, oldest first
 * @param index of the report
 * @param isRate whether they are rates: each stands for the time since the report before, of up to 15 minutes
 */
export function rainOfAmounts(
  readings: readonly RainReading[],
  index: number,
  { isRate }: { isRate: boolean },
): RainOfHour {
  const start = readings[index]!.at - HOUR_MS;
  let covered = 0;
  let sum = 0;
  for (let i = index; i >= 0 && readings[i]!.at > start; i--) {
    const { at, mm } = readings[i]!;
    const length = lengthOf(readings, i);
    if (Number.isNaN(length)) return { unknown: UNCOVERED };
    if (mm === null) return { unknown: NO_RAIN };
    if (isRate && length > GAP_MS) return { unknown: RARE };
    if (at - length < start - SLACK_MS && length > GAP_MS) return { unknown: APART };
    const inside = at - Math.max(at - length, start);
    covered += inside;
    sum += isRate ? (mm * inside) / HOUR_MS : (mm * inside) / length;
  }
  return Math.abs(covered - HOUR_MS) <= SLACK_MS ? { mm: roundTo(sum, 3) } : { unknown: UNCOVERED };
}

/** How long a time the amount of a report is of, ms; NaN when the reports beside it do not tell. */
function lengthOf(readings: readonly RainReading[], index: number): number {
  const step = (i: number) => (readings[i]?.at ?? NaN) - (readings[i - 1]?.at ?? NaN);
  const before = step(index);
  const beside = Number.isNaN(step(index + 1)) ? step(index - 1) : step(index + 1);
  return Number.isNaN(before) || before > beside * STEP_RATIO ? beside : before;
}

/**
 * The rain of the hour before a report, from totals: the difference between the total and that of an hour before. Of the
 * time between two reports in which the hour begins, at most 15 minutes, it takes the part inside. A total that falls was
 * corrected or began anew, and its next rise may only be the way back: neither is rain of a known amount.
 *
 * @param readings around it, oldest first
 * @param index of the report
 * @param dayOf when the day of a time began (ms), where totals begin anew with it; null where they never do
 */
export function rainOfTotals(
  readings: readonly RainReading[],
  index: number,
  dayOf: ((ms: number) => number) | null,
): RainOfHour {
  const now = readings[index]!.at;
  const start = now - HOUR_MS;
  let first = index;
  while (first > 0 && readings[first - 1]!.at > now - REACH_MS) first--;
  const known = readings.slice(first, index + 1).filter((one): one is Total => one.mm !== null);
  const totals = dayOf === null ? known : withDays(known, dayOf);
  const returns = risesAfterFalls(totals);
  let later = totals.pop()!;
  let sum = 0;
  for (let i = totals.length - 1; i >= 0; i--) {
    const total = totals[i]!;
    if (total.begins === "unseen" || later.begins === "unseen") return { unknown: NOT_ANEW };
    const length = later.at - total.at;
    if (later.begins === "seen") {
      // What fell between the last report of a day and its end is not known: in a quarter of an hour it counts as none.
      if (length > GAP_MS) return { unknown: BEFORE_DAY };
      if (total.at <= start) return { mm: roundTo(sum, 3) };
    } else {
      const rain = later.mm - total.mm;
      if (rain < 0 || returns.has(later)) return { unknown: FELL };
      if (Math.abs(total.at - start) <= SLACK_MS) return { mm: roundTo(sum + rain, 3) };
      if (total.at < start) {
        if (length > GAP_MS) return { unknown: APART };
        return { mm: roundTo(sum + (rain * (later.at - start)) / length, 3) };
      }
      sum += rain;
    }
    later = total;
  }
  return { unknown: UNCOVERED };
}

interface Total {
  at: number;
  mm: number;
  /** Of the zero with which a day begins: whether the total was seen to fall to it. No report need be there. */
  begins?: "seen" | "unseen";
}

/**
 * Puts the zero of the begin of a day between the totals of two days. It was seen when the total fell to less than half, as
 * for a station's pushes: a console whose clock is late still has the old total then, perhaps corrected.
 */
function withDays(totals: readonly Total[], dayOf: (ms: number) => number): Total[] {
  const all: Total[] = [];
  let before: { mm: number; day: number } | null = null;
  for (const total of totals) {
    // A total at the begin of a day that is not 0 is that of the day that ends.
    const day = dayOf(total.mm > 0 ? total.at - 1 : total.at);
    if (before !== null && day !== before.day) {
      const isSeen = before.mm === 0 || total.mm < before.mm / 2;
      all.push({ at: day, mm: 0, begins: isSeen ? "seen" : "unseen" });
      if (total.at > day) all.push(total);
    } else all.push(total);
    before = { mm: total.mm, day };
  }
  return all;
}

/** The first total after each fall that is larger than the one before it. */
function risesAfterFalls(totals: readonly Total[]): Set<Total> {
  const rises = new Set<Total>();
  let isFallen = false;
  for (let i = 1; i < totals.length; i++) {
    const total = totals[i]!;
    const rain = total.mm - totals[i - 1]!.mm;
    if (isFallen && rain > 0) rises.add(total);
    isFallen = total.begins === undefined && (rain < 0 || (isFallen && rain === 0));
  }
  return rises;
}
