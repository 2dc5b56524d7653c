import type { Table } from "apache-arrow";
import type { Result } from "../../jobs/analytics/results.ts";
import type { CityAnomaly } from "../../views/city-facts.ts";
import { columnsOf } from "./result-columns.ts";

/** Every anomaly of a result, newest first. */
export function foundAnomalies({ table }: Result): readonly CityAnomaly[] {
  return judgementsIn(table).filter(({ isAnomaly }) => isAnomaly);
}

/** What the anomalies' job says of one observation. */
export interface JudgedReport extends CityAnomaly {
  /** Whether its temperature is the newest of its city that was judged by season and hour. */
  isNewest: boolean;
  isAnomaly: boolean;
  /** Whether the past was long enough to judge by. */
  isJudged: boolean;
}

/** A result is read once, however many look at it. */
const judgements = new WeakMap<Table, JudgedReport[]>();

/** The judgements of a result, newest first. */
export function judgementsIn(table: Table): readonly JudgedReport[] {
  const known = judgements.get(table);
  if (known !== undefined) return known;
  const read = columnsOf(table);
  const found: JudgedReport[] = [];
  for (let i = 0; i < table.numRows; i++) {
    const time = read.number("timestamp", i);
    if (time === null) continue;
    found.push({
      city: read.text("city", i) ?? "",
      time,
      kind: (read.text("kind", i) ?? "unusual") as CityAnomaly["kind"],
      observed: read.number("observed", i),
      expected: read.number("expected", i),
      lower: read.number("lower", i),
      upper: read.number("upper", i),
      score: read.number("score", i),
      method: read.text("method", i) ?? "",
      n: read.number("n", i) ?? 0,
      severity: read.number("severity", i),
      isNewest: read.flag("is_newest", i),
      isAnomaly: read.flag("is_anomaly", i),
      isJudged: read.text("status", i) !== "insufficient data",
    });
  }
  found.sort((a, b) => b.time - a.time || (b.severity ?? 0) - (a.severity ?? 0));
  judgements.set(table, found);
  return found;
}
