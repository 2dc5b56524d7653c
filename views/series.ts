import type { History, Series } from "../core/chart-history.ts";

/** The same courses with every value converted; breaks stay breaks. */
export function convertHistory(history: History, convert: (value: number | null) => number | null): History {
  return {
    ...history,
    series: history.series.map((series) => ({ ...series, v: series.v.map(convert) })),
  };
}

/** The newest value that is not missing, or undefined. */
export function lastOf(series: Series): { t: number; v: number } | undefined {
  for (let i = series.t.length - 1; i >= 0; i--) {
    const v = series.v[i];
    if (v !== null && v !== undefined) return { t: series.t[i] as number, v };
  }
  return undefined;
}

/** The newest value, or null when it is older than `since`, seconds: old data is never shown as new. */
export function freshOf(series: Series, since: number): number | null {
  const last = lastOf(series);
  return last === undefined || last.t < since ? null : last.v;
}

/**
 * Adds a point in its place. A point of the same time is replaced, never doubled; a break is put in where the new point
 * stands further from the line's end than {@link Series.gap}.
 */
export function addPoint(series: Series, t: number, v: number | null): void {
  const { t: times, v: values } = series;
  let at = times.length;
  while (at > 0 && (times[at - 1] as number) > t) at--;
  if (at > 0 && times[at - 1] === t) {
    values[at - 1] = v;
    return;
  }
  const before = times[at - 1];
  if (at === times.length && before !== undefined && t - before > series.gap) {
    times.push((before + t) / 2);
    values.push(null);
    at++;
  }
  times.splice(at, 0, t);
  values.splice(at, 0, v);
}

/** Drops what is older than `from`, seconds. */
export function dropBefore(series: Series, from: number): void {
  let count = 0;
  while (count < series.t.length && (series.t[count] as number) < from) count++;
  series.t.splice(0, count);
  series.v.splice(0, count);
}

/**
 * The value at `at` seconds: the nearest point no further away than the gap allows, null where the nearest is a break
 * or nothing is near.
 */
export function valueAt(series: Series, at: number): number | null {
  let low = 0;
  let high = series.t.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((series.t[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  const after = series.t[low];
  const before = series.t[low - 1];
  const nearest = after === undefined || (before !== undefined && at - before <= after - at) ? low - 1 : low;
  const t = series.t[nearest];
  if (t === undefined || Math.abs(t - at) > series.gap) return null;
  return series.v[nearest] ?? null;
}

const TREND_SECONDS = 3 * 3600;
/** How far from three hours ago the value compared with may lie. */
const TREND_TOLERANCE = 1800;
/** A smaller change within three hours is no trend, °C. */
export const FLAT_BELOW = 0.5;

/** A change over three hours. */
export interface Trend {
  delta: number;
  direction: "up" | "down" | "flat";
}

/**
 * The change of the newest value against that three hours before, or null where either is missing.
 *
 * @param flatBelow a smaller change is no trend, in the unit of the series; by default half a degree Celsius
 */
export function trendOf(series: Series, flatBelow: number = FLAT_BELOW): Trend | null {
  const last = lastOf(series);
  if (last === undefined) return null;
  let then: number | undefined;
  let distance = TREND_TOLERANCE;
  for (let i = series.t.length - 1; i >= 0; i--) {
    const v = series.v[i];
    const off = Math.abs((series.t[i] as number) - (last.t - TREND_SECONDS));
    if (v === null || v === undefined || off > distance) continue;
    then = v;
    distance = off;
  }
  if (then === undefined) return null;
  const delta = last.v - then;
  return { delta, direction: Math.abs(delta) < flatBelow ? "flat" : delta > 0 ? "up" : "down" };
}

/** The smallest and the largest value of all series, or undefined when there is none. */
export function rangeOf(series: readonly Series[]): { min: number; max: number } | undefined {
  let min = Infinity;
  let max = -Infinity;
  for (const { v } of series) {
    for (const value of v) {
      if (value === null) continue;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  return min > max ? undefined : { min, max };
}

/** Stretches without data inside a series: from the last value before each break to the first one after it, seconds. */
export function breaksOf(series: Series): { from: number; to: number }[] {
  const breaks: { from: number; to: number }[] = [];
  let last: number | undefined;
  let broken = false;
  series.t.forEach((t, i) => {
    if (series.v[i] === null) {
      broken = true;
      return;
    }
    if (broken && last !== undefined) breaks.push({ from: last, to: t });
    broken = false;
    last = t;
  });
  return breaks;
}
