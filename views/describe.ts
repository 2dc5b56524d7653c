import { formatAge, formatCount, formatNumber } from "./format.ts";
import type { History, Series } from "../core/chart-history.ts";

/** Lowest and highest of a chart, in words. */
export function describeRange(range: { min: number; max: number } | undefined): string {
  return range === undefined
    ? "No temperature yet: the lines begin with the next observation that has one."
    : `lowest ${formatNumber(range.min, 1)}°, highest ${formatNumber(range.max, 1)}°`;
}

/** What a chart shows, in a sentence; its values are in `unit`. */
export function describeHistory(history: History, unit: string): string {
  const extreme = (pick: (a: number, b: number) => boolean) => {
    let best: { city: string; v: number } | undefined;
    for (const { city, v } of history.series) {
      for (const value of v) if (value !== null && (!best || pick(value, best.v))) best = { city, v: value };
    }
    return best;
  };
  const low = extreme((a, b) => a < b);
  const high = extreme((a, b) => a > b);
  const span = formatAge((history.to - history.from) * 1000);
  const of = `Temperature of ${formatCount(history.series.length, "city", "cities")} over ${span}`;
  if (low === undefined || high === undefined) return `${of}: no data.`;
  const at = (point: { city: string; v: number }) => `${formatNumber(point.v, 1)} ${unit} in ${point.city}`;
  const broken = history.series.filter((series: Series) => series.v.includes(null)).map(({ city }) => city);
  const gaps = broken.length === 0 ? "" : ` Data is missing for a time in ${broken.join(", ")}.`;
  return `${of}, from ${at(low)} to ${at(high)}.${gaps}`;
}
