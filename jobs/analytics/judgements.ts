import { type Anomaly, FLAG_COLUMNS, type Flags, type Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";

/** A row of a result, by column. */
export type Cells = Record<string, unknown>;

/** Of the rows those from `since` on of their series, and the one before them; in time order within a series. */
export function newAndBefore(unsorted: readonly Cells[], since: ReadonlyMap<string, number>): Cells[] {
  const rows = unsorted.toSorted((a, b) => compareText(seriesOf(a), seriesOf(b)) || timeOf(a) - timeOf(b));
  const kept: Cells[] = [];
  for (const [index, row] of rows.entries()) {
    const from = since.get(seriesOf(row));
    if (from === undefined) continue;
    const next = rows[index + 1];
    const nextIsNew = next !== undefined && seriesOf(next) === seriesOf(row) && timeOf(next) >= from;
    if (timeOf(row) >= from || nextIsNew) kept.push(row);
  }
  return kept;
}

/**
 * Puts flags and anomalies of the same observations together.
 *
 * @param isLive without it nothing is called silent
 */
export function assemble(
  flagged: readonly Cells[],
  anomalies: readonly Cells[],
  isLive: boolean,
): Judgement[] {
  const byObservation = Map.groupBy(anomalies, keyOf);
  return flagged.map((row): Judgement => {
    const own = byObservation.get(keyOf(row)) ?? [];
    const usual = own.find(({ kind }) => kind === "unusual") as Anomaly | undefined;
    return {
      city: String(row.city),
      source: String(row.source),
      timestamp: String(row.timestamp),
      log_offset: Number(row.log_offset),
      flags: Object.fromEntries(FLAG_COLUMNS.map((name) => [name, row[name]])) as Flags,
      usual:
        usual === undefined
          ? null
          : {
              expected: usual.expected,
              lower: usual.lower,
              upper: usual.upper,
              score: usual.score,
              n: usual.n,
              status: usual.status,
            },
      anomalies: own
        .filter(({ kind, status }) => status === "anomaly" && (isLive || kind !== "silent"))
        .map(anomalyOf),
    };
  });
}

function anomalyOf(row: Cells): Anomaly {
  const { kind, variable, observed, expected, lower, upper, score, method, n, severity, status } =
    row as unknown as Anomaly;
  return { kind, variable, observed, expected, lower, upper, score, method, n, severity, status };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function timeOf(row: Cells): number {
  return parseTimestamp(String(row.timestamp));
}

/** What tells an observation from others: source, city and time. */
export function keyOf(row: Cells): string {
  return `${seriesOf(row)}\u0000${timeOf(row)}`;
}

/** What tells a series from others: source and city. */
export function seriesOf({ city, source }: { city?: unknown; source?: unknown }): string {
  return `${String(source)}\u0000${String(city)}`;
}
