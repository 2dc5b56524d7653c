import type { Table } from "apache-arrow";
import { columnsOf } from "./result-columns.ts";

/** Days with a report at the same hour that it takes to say what is usual then: `samples` of `unusual` in `spark/views/thresholds.sql`. */
export const USUAL_DAYS = 10;

/** A result is read once, however many look at it. */
const read = new WeakMap<Table, ReadonlyMap<string, number>>();

/**
 * Days with a temperature in the past of a series, at the hour of a time, as a result of `baseline` has them; 0 where it has
 * none.
 */
export function usualDays(baseline: Table, city: string, source: string, ms: number): number {
  let days = read.get(baseline);
  if (days === undefined) {
    days = daysIn(baseline);
    read.set(baseline, days);
  }
  return days.get(keyOf(city, source, new Date(ms).getUTCHours())) ?? 0;
}

function daysIn(table: Table): Map<string, number> {
  const columns = columnsOf(table);
  const days = new Map<string, number>();
  for (let row = 0; row < table.numRows; row++) {
    const [city, source] = [columns.text("city", row) ?? "", columns.text("source", row) ?? ""];
    const key = keyOf(city, source, columns.number("hour_of_day", row) ?? -1);
    days.set(key, columns.number("days", row) ?? 0);
  }
  return days;
}

function keyOf(city: string, source: string, hour: number): string {
  return `${city}\u0000${source}\u0000${hour}`;
}
