import { expect } from "bun:test";
import type { Row } from "../../core/observation.ts";
import type { Variable } from "../../core/variables.ts";
import { HOUR_MS } from "../../core/time.ts";

/** Plain statistics, the reference for the SQL: null where there is nothing to compute from. */
export function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation. */
export function stddev(values: readonly number[]): number | null {
  const centre = mean(values);
  if (centre === null || values.length < 2) return null;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

/** Quantile with linear interpolation between the two nearest ranks, as percentile_cont. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = share * (sorted.length - 1);
  const low = sorted[Math.floor(rank)];
  const high = sorted[Math.ceil(rank)];
  return low === undefined || high === undefined ? null : low + (high - low) * (rank - Math.floor(rank));
}

/** The values that are there. */
export function present(values: readonly (number | null)[]): number[] {
  return values.filter((value) => value !== null);
}

/** A row of the view `quality`, with the flags that jobs look at. */
export type QualityRow = Row & Record<`${Variable}_flag` | "flag" | "q_time", number>;

/** The values of a variable that are there and did not fail. */
export function passed(rows: readonly QualityRow[], name: Variable): number[] {
  return present(rows.map((row) => (row[`${name}_flag`] === 4 ? null : (row[name] ?? null))));
}

/** Items by key, in the order they came. */
export function groupBy<T, K>(items: readonly T[], keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

/** Start of a row's hour, ms. */
export function hourOf(row: Row): number {
  return Math.floor(Date.parse(row.timestamp) / HOUR_MS) * HOUR_MS;
}

/** The value of a city's hour: the mean of its sources', which are means of their reports; null where none has a value. */
export function hourMean<T extends Row>(rows: readonly T[], valuesOf: (own: T[]) => number[]): number | null {
  const sources = groupBy(rows, ({ source }) => source).values();
  return mean([...sources].flatMap((own) => mean(valuesOf(own)) ?? []));
}

/** The values of a city's hours that have one. */
export function hourMeans<T extends Row>(rows: readonly T[], valuesOf: (own: T[]) => number[]): number[] {
  return [...groupBy(rows, hourOf).values()].flatMap((own) => hourMean(own, valuesOf) ?? []);
}

/** Expects equal rows, numbers to 1e-9 of their size. */
export function expectRows(
  found: readonly Record<string, unknown>[],
  wanted: readonly Record<string, unknown>[],
): void {
  expect(found.length).toBe(wanted.length);
  for (const [index, want] of wanted.entries()) {
    const got = found[index] ?? {};
    expect(Object.keys(got)).toEqual(Object.keys(want));
    for (const [name, value] of Object.entries(want)) {
      const other = got[name];
      const close =
        typeof value === "number" && typeof other === "number"
          ? Math.abs(value - other) <= 1e-9 * Math.max(1, Math.abs(value))
          : Object.is(value, other);
      if (!close) expect({ index, name, value: other }).toEqual({ index, name, value });
    }
  }
}
