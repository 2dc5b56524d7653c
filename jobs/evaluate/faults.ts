import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS, parseTimestamp } from "../../core/time.ts";

/** A fault that a sensor or its line may have. */
export type InjectedFault =
  /** The temperature is off by `by` °C, up or down by chance, for `hours` reports. */
  | { name: string; kind: "offset"; by: number; hours: number }
  /** It leaves the truth by `by` °C more with each report. */
  | { name: string; kind: "drift"; by: number; hours: number }
  /** It stays where it was, for `hours` to `longest` reports. */
  | { name: string; kind: "stuck"; hours: number; longest: number }
  /** No report comes. */
  | { name: string; kind: "gap"; hours: number };

/** Where a fault was put. Its end is the first good report after it: the way back counts as finding it. */
export interface PlacedFault {
  fault: InjectedFault;
  city: string;
  /** First and last time at which it can be found, ms. */
  from: number;
  to: number;
}

/**
 * Puts faults into hourly series, one after the other, at random places with good reports on both sides.
 *
 * @param from faults begin later than this, ms
 * @param everyHours hours of a city from fault to fault, on average
 * @param random a number in [0, 1); with the same numbers the faults are the same
 */
export function placeFaults(
  rows: readonly Row[],
  faults: readonly InjectedFault[],
  options: { from: number; everyHours: number; random: () => number },
): { rows: Row[]; placed: PlacedFault[] } {
  const { from, everyHours, random } = options;
  const placed: PlacedFault[] = [];
  const changed = new Map<Row, number | null>();
  const cities = Map.groupBy(rows, ({ city }) => city);
  for (const [city, own] of [...cities].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const times = new Map(own.map((row) => [parseTimestamp(row.timestamp), row]));
    const last = Math.max(...times.keys());
    let turn = 0;
    for (let slot = from; slot + everyHours * HOUR_MS <= last; slot += everyHours * HOUR_MS) {
      const fault = faults[turn++ % faults.length]!;
      const hours =
        fault.kind === "stuck"
          ? fault.hours + Math.floor(random() * (fault.longest - fault.hours + 1))
          : fault.hours;
      const start = slot + (1 + Math.floor(random() * (everyHours - hours - 2))) * HOUR_MS;
      const sign = random() < 0.5 ? -1 : 1;
      const hit = Array.from({ length: hours + 2 }, (_, i) => times.get(start + (i - 1) * HOUR_MS));
      if (!hit.every((row) => typeof row?.temperature === "number")) continue;
      const held = hit[1]!.temperature!;
      for (const [i, row] of hit.slice(1, -1).entries()) {
        changed.set(row!, faultyValue(fault, row!.temperature!, { held, sign, report: i + 1 }));
      }
      // A gap is told of the last report before it.
      const first = fault.kind === "gap" ? start - HOUR_MS : start;
      placed.push({ fault, city, from: first, to: start + hours * HOUR_MS });
    }
  }
  const result = rows.flatMap((row) => {
    const value = changed.get(row);
    if (value === undefined) return [row];
    return value === null ? [] : [{ ...row, temperature: value }];
  });
  return { rows: result, placed };
}

/** What is reported instead of `truth`; null for nothing. */
function faultyValue(
  fault: InjectedFault,
  truth: number,
  { held, sign, report }: { held: number; sign: number; report: number },
): number | null {
  if (fault.kind === "gap") return null;
  if (fault.kind === "stuck") return held;
  return truth + sign * fault.by * (fault.kind === "drift" ? report : 1);
}

/** A fault for people. */
export function describePlaced({ fault, city, from }: PlacedFault): string {
  return `${fault.name} in ${city} from ${formatTimestamp(from)}`;
}
