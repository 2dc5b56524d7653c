import type { Retraction } from "./entry.ts";

/** The rows that a retraction names: those of a source in a range of offsets, inclusive. */
export type RetractedRange = Pick<Retraction, "source" | "first" | "last">;

/** Whether a retraction names a row. */
export function isWithin(range: RetractedRange, row: { source: string; offset: number }): boolean {
  return range.source === row.source && range.first <= row.offset && row.offset <= range.last;
}

/** The retractions that may name rows of a range of offsets, inclusive. */
export function retractionsWithin<T extends RetractedRange>(
  retractions: readonly T[],
  { first, last }: { first: number; last: number },
): T[] {
  return retractions.filter((one) => one.first <= last && one.last >= first);
}
