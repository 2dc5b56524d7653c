import { addressName } from "../../../core/city-name.ts";
import type { Place } from "../../../core/city.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { AnomaliesPageProps, AnomalyFilter } from "../../../views/pages/anomalies/anomalies.tsx";
import type { AnomaliesProps } from "../../../views/parts/anomalies.tsx";
import type { Units } from "../../../views/units.ts";
import { pageClock } from "../../answers/page-clock.ts";
import { foundAnomalies, type JudgedReport, judgementsIn } from "../../answers/judged-reports.ts";
import type { Services } from "../../answers/services.ts";
import { verdictNow } from "../../answers/verdict.ts";

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
    verdict: verdictNow(services, asOf, city === null ? services.cities() : [city]),
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
            severe: found.filter(({ severity }) => severity === 3).length,
            rows: found.slice(0, ROWS).map((one) => {
              const place = places.get(one.city);
              if (place === undefined) return { ...one, slug: null, asked: null, zone: null };
              return {
                ...one,
                slug: place.slug,
                asked: addressName(place, services.cities()),
                zone: place.zone,
              };
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
  const places = services.cities().filter(({ name }) => only.city === null || name === only.city);
  const verdict = verdictNow(services, asOf, places);
  if (result === null) return { asOf, now, verdict, result: null };
  const all = judgementsIn(result.table).filter(({ city }) => only.city === null || city === only.city);
  return {
    asOf,
    now,
    verdict,
    result: {
      info: result,
      rows: newestOfEach(all.filter(({ isAnomaly }) => isAnomaly)).slice(0, only.most),
    },
  };
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
