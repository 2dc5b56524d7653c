import { type Anomaly, FLAG_COLUMNS, type Flags, isSilence, type Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";

/** A row of a result, by column. */
export type ResultRow = Record<string, unknown>;

/** Of the rows those from `since` on of their series, and the one before them; in time order within a series. */
export function newAndBefore(
  unsorted: readonly ResultRow[],
  since: ReadonlyMap<string, number>,
): ResultRow[] {
  const rows = unsorted.toSorted((a, b) => compareText(seriesOf(a), seriesOf(b)) || timeOf(a) - timeOf(b));
  const kept: ResultRow[] = [];
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
  flagged: readonly ResultRow[],
  anomalies: readonly ResultRow[],
  isLive: boolean,
): Judgement[] {
  const byObservation = Map.groupBy(anomalies, keyOf);
  return flagged.map((row): Judgement => {
    const own = byObservation.get(keyOf(row)) ?? [];
    const usual = own.find(({ kind }) => kind === "unusual") as Anomaly | undefined;
    const isJudged = usual?.status !== "insufficient data";
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
              // What two days say is usual is not.
              expected: isJudged ? usual.expected : null,
              lower: isJudged ? usual.lower : null,
              upper: isJudged ? usual.upper : null,
              score: isJudged ? usual.score : null,
              n: usual.n,
              status: usual.status,
            },
      anomalies: own
        .filter(({ kind, status }) => status === "anomaly" && (isLive || !isSilence(String(kind))))
        .map(anomalyOf),
    };
  });
}

function anomalyOf(row: ResultRow): Anomaly {
  const { kind, variable, observed, expected, lower, upper, score, method, n, severity, status } =
    row as unknown as Anomaly;
  return { kind, variable, observed, expected, lower, upper, score, method, n, severity, status };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function timeOf(row: ResultRow): number {
  return parseTimestamp(String(row.timestamp));
}

/** What tells an observation from others: source, city and time. */
export function keyOf(row: ResultRow): string {
  return `${seriesOf(row)}\u0000${timeOf(row)}`;
}

/** What tells a series from others: source and city. */
export function seriesOf({ city, source }: { city?: unknown; source?: unknown }): string {
  return `${String(source)}\u0000${String(city)}`;
}
