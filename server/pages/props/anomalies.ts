import type { Table } from "apache-arrow";
import type { Place } from "../../../core/city.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { Result } from "../../../jobs/analytics/results.ts";
import type { CityAnomaly } from "../../../views/city-facts.ts";
import type { AnomaliesPageProps, AnomalyFilter } from "../../../views/pages/anomalies/anomalies.tsx";
import type { AnomaliesProps } from "../../../views/parts/anomalies.tsx";
import type { Units } from "../../../views/units.ts";
import { pageClock } from "../../answers/page-clock.ts";
import { columnsOf } from "../../answers/result-columns.ts";
import type { Services } from "../../answers/services.ts";

/** Most anomalies on their page; the API has the rest. */
const ROWS = 100;
/** Most anomalies on the first page. */
const ANOMALIES = 6;

/** Every anomaly of the newest result that a filter lets through, newest first. */
export function anomaliesPageOf(
  services: Services,
  now: number,
  units: Units,
  filter: AnomalyFilter & { city: Place | null },
): AnomaliesPageProps {
  const asOf = pageClock(services, now);
  const places = new Map(services.cities().map((place) => [place.name, place]));
  const result = services.analytics.result("anomalies");
  const { city, kind, severity, hours } = filter;
  const all = result === null ? [] : foundAnomalies(result);
  const found = all.filter(
    (one) =>
      (city === null || one.city === city.name) &&
      (kind === null || one.kind === kind) &&
      (severity === null || (one.severity ?? 1) >= severity) &&
      (hours === null || asOf - one.time <= hours * HOUR_MS),
  );
  return {
    asOf,
    now,
    units,
    filter: { kind, severity, hours },
    city: city === null ? null : city.slug,
    cities: services.cities().map(({ name, slug }) => ({ name, slug })),
    result:
      result === null
        ? null
        : {
            info: result,
            total: all.length,
            matching: found.length,
            rows: found.slice(0, ROWS).map((one) => {
              const { slug = null, zone = null } = places.get(one.city) ?? {};
              return { ...one, slug, zone };
            }),
          },
  };
}

/**
 * The newest anomaly of each city and kind, newest first: one that lasts is one.
 *
 * @param only of one city, and how many at most
 */
export function anomaliesOf(
  services: Services,
  asOf: number,
  now: number,
  only: { city: string | null; most: number } = { city: null, most: ANOMALIES },
): AnomaliesProps {
  const result = services.analytics.result("anomalies");
  if (result === null) return { asOf, now, result: null };
  const all = judgementsIn(result.table).filter(({ city }) => only.city === null || city === only.city);
  return {
    asOf,
    now,
    result: {
      info: result,
      judged: all.some(({ isJudged }) => isJudged),
      rows: newestOfEach(all.filter(({ isAnomaly }) => isAnomaly)).slice(0, only.most),
    },
  };
}

/** Every anomaly of a result, newest first. */
export function foundAnomalies({ table }: Result): readonly CityAnomaly[] {
  return judgementsIn(table).filter(({ isAnomaly }) => isAnomaly);
}

/** What the anomalies' job says of one observation. */
interface JudgedReport extends CityAnomaly {
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

function newestOfEach(anomalies: readonly JudgedReport[]): JudgedReport[] {
  const seen = new Set<string>();
  return anomalies.filter(({ city, kind }) => {
    const key = `${kind} ${city}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}
