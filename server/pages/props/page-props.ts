import type { Table } from "apache-arrow";
import type { Place } from "../../../core/city.ts";
import { HOUR_MS, parseTimestamp } from "../../../core/time.ts";
import type { PipelineProps } from "../../../views/pages/pipeline/pipeline.tsx";
import type { AnomaliesProps } from "../../../views/parts/anomalies.tsx";
import type { StatisticsProps } from "../../../views/pages/now/statistics.tsx";
import type { HeadlineProps } from "../../../views/pages/now/headline.tsx";
import type { CityAnomaly, CityStatistics, CityNow } from "../../../views/city-facts.ts";
import { columnsOf } from "../../answers/result-columns.ts";
import type { Result } from "../../../jobs/analytics/results.ts";
import type { CurrentObservation, Services } from "../../answers/services.ts";

/** Most rows of a table on a page; the API has the rest. */
const ROWS = 100;
/** Most anomalies on the first page. */
const ANOMALIES = 6;
/** Bounds are those of an hour of the day: after one they say nothing of now. */
const UNUSUAL_NOW_MS = HOUR_MS;

/** The newest of one city. */
export function cityNowOf(services: Services, place: Pick<Place, "name" | "slug">, asOf: number): CityNow {
  const entry = services.current().find(({ observation }) => observation.city === place.name);
  return nowOf(services, place, entry, asOf);
}

/** The newest of one city where its entry is at hand. */
export function nowOf(
  services: Services,
  { name, slug }: Pick<Place, "name" | "slug">,
  entry: CurrentObservation | undefined,
  asOf: number,
): CityNow {
  const observation = entry?.observation ?? null;
  const ageMs = observation === null ? 0 : Math.max(0, asOf - parseTimestamp(observation.timestamp));
  return { city: name, slug, observation, ageMs, stale: ageMs > services.about.staleAfterSeconds * 1000 };
}

/** What the headline answers. */
export function headlineOf(services: Services, asOf: number): HeadlineProps {
  const newest = newestByCity(services);
  const staleMs = services.about.staleAfterSeconds * 1000;
  const late: string[] = [];
  const silent: string[] = [];
  const cities = services.cities();
  for (const { name } of cities) {
    const entry = newest.get(name);
    if (entry === undefined) silent.push(name);
    else if (asOf - parseTimestamp(entry.observation.timestamp) > staleMs) late.push(name);
  }
  const result = services.analytics.result("anomalies");
  const judged = result === null ? [] : judgementsIn(result.table);
  // A judgement of a city's newest observation: old news once that is more than an hour ago.
  const unusual = judged.filter(
    ({ isNewest, isAnomaly, time }) => isNewest && isAnomaly && asOf - time <= UNUSUAL_NOW_MS,
  );
  return {
    asOf,
    cities: cities.length,
    late,
    silent,
    unusual: unusual.map(({ city, score }) => ({ city, warm: (score ?? 0) > 0 })),
    judged: judged.some(({ isJudged }) => isJudged),
  };
}

/** The newest statistics, the cities in the order of the result. */
export function statisticsOf(services: Services, now: number): StatisticsProps {
  const result = services.analytics.result("city_statistics");
  if (result === null) return { now, result: null };
  const shown = Math.min(result.table.numRows, ROWS);
  const rows = statisticsRows(
    result,
    Array.from({ length: shown }, (_, row) => row),
  );
  return { now, result: { info: result, rows, more: result.table.numRows - shown } };
}

/** Some rows of a result of city_statistics. */
export function statisticsRows({ table }: Result, rows: readonly number[]): CityStatistics[] {
  const read = columnsOf(table);
  return rows.map((i): CityStatistics => ({
    city: read.text("city", i) ?? "",
    n: read.number("n_temperature", i) ?? 0,
    coverage: read.number("coverage", i),
    min: read.number("temperature_min", i),
    p05: read.number("temperature_p05", i),
    median: read.number("temperature_median", i),
    mean: read.number("temperature_mean", i),
    p95: read.number("temperature_p95", i),
    max: read.number("temperature_max", i),
    deviation: read.number("temperature_stddev", i),
    humidity: read.number("humidity_mean", i),
    pressure: read.number("pressure_mean", i),
    wind: read.number("wind_speed_mean", i),
    rain: read.number("rainfall_total", i),
    weather: read.text("weather_dominant", i),
  }));
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

/** Where everything stands. */
export function pipelineOf(
  services: Services,
  asOf: number,
  now: number,
): Omit<PipelineProps, "rejected" | "servers"> {
  return { ...services.pipeline(), asOf, now, staleAfterSeconds: services.about.staleAfterSeconds };
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
function judgementsIn(table: Table): readonly JudgedReport[] {
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

/** What is known of each city, by its name. */
export function newestByCity(services: Services): Map<string, CurrentObservation> {
  return new Map(services.current().map((entry) => [entry.observation.city, entry]));
}
