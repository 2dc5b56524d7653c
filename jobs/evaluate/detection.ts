import { DAY_MS } from "../../core/time.ts";
import type { PlacedFault } from "./faults.ts";
import type { JudgedSeries } from "./judged-series.ts";

/** Whether a report of a series raises an alarm. */
export type Alarm = (series: JudgedSeries, report: number) => boolean;

/** How often nothing was wrong and an alarm was raised, a city and 30 days. */
export interface FalseAlarms {
  /** Reports that alarm, each counted. */
  reports: number;
  /** Alarms that are raised: reports in a row that alarm are one. */
  raised: number;
}

/** Reports that a city has in 30 days, where it reports every hour. */
const REPORTS_OF_30_DAYS = (30 * DAY_MS) / 3_600_000;

/** Counts the alarms on series in which nothing is wrong: each of them is a false one. */
export function falseAlarms(all: readonly JudgedSeries[], alarm: Alarm): FalseAlarms {
  let reports = 0;
  let raised = 0;
  let count = 0;
  for (const series of all) {
    let before = false;
    for (let i = 0; i < series.times.length; i++) {
      const alarms = alarm(series, i);
      if (alarms) reports++;
      if (alarms && !before) raised++;
      before = alarms;
    }
    count += series.times.length;
  }
  const of30Days = count / REPORTS_OF_30_DAYS;
  return { reports: reports / of30Days, raised: raised / of30Days };
}

/**
 * The smallest threshold at which no more than so many reports a city and 30 days reach it.
 *
 * @param scoreOf the score of a report; NaN where it was not judged
 */
export function thresholdFor(
  all: readonly JudgedSeries[],
  scoreOf: (series: JudgedSeries, report: number) => number,
  reportsOf30Days: number,
): number {
  const scores: number[] = [];
  let count = 0;
  for (const series of all) {
    count += series.times.length;
    for (let i = 0; i < series.times.length; i++) {
      const score = scoreOf(series, i);
      if (!Number.isNaN(score)) scores.push(score);
    }
  }
  const sorted = Float64Array.from(scores).sort().toReversed();
  const allowed = Math.floor((reportsOf30Days * count) / REPORTS_OF_30_DAYS);
  const beyond = sorted[allowed];
  if (beyond === undefined) return 0;
  for (let i = allowed - 1; i >= 0; i--) if (sorted[i]! > beyond) return sorted[i]!;
  return Infinity;
}

/** Share of the faults within which an alarm was raised, and how many they are. */
export function recallOf(
  all: readonly JudgedSeries[],
  faults: readonly PlacedFault[],
  alarm: Alarm,
): { share: number; faults: number } {
  const byCity = new Map(all.map((series) => [series.city, series]));
  let found = 0;
  let count = 0;
  for (const { city, from, to } of faults) {
    const series = byCity.get(city);
    if (series === undefined) continue;
    count++;
    for (let i = firstAtOrAfter(series.times, from); i < series.times.length && series.times[i]! <= to; i++) {
      if (!alarm(series, i)) continue;
      found++;
      break;
    }
  }
  return { share: found / count, faults: count };
}

/** Place of the first of ascending times that is not before `time`. */
function firstAtOrAfter(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
