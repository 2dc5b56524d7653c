import type { ChainState } from "../../jobs/commits/fold.ts";
import { isWithin, type RetractedRange } from "../../jobs/commits/retracted-range.ts";

/** What is retracted, by partition. */
export type Retracted = ReadonlyMap<number, readonly RetractedRange[]>;

/** What the chains of commits say is retracted. */
export function retractedIn(states: ReadonlyMap<number, ChainState>): Retracted {
  return new Map([...states].map(([partition, { retractions }]) => [partition, retractions]));
}

/** How many retractions there are: they only ever come, so that another number means new ones. */
export function countRetractions(retracted: Retracted): number {
  return [...retracted.values()].reduce((sum, { length }) => sum + length, 0);
}

/**
 * Whether a row is retracted.
 *
 * @param row.partition undefined where it is not known: then what is retracted in any counts
 */
export function isRetractedRow(
  retracted: Retracted,
  row: { partition?: number | undefined; source: string; offset: number },
): boolean {
  const { partition } = row;
  const ranges = partition === undefined ? [...retracted.values()].flat() : (retracted.get(partition) ?? []);
  return ranges.some((range) => isWithin(range, row));
}
