import type { Place } from "../../../core/city.ts";
import type { AnomaliesPageProps, AnomalyFilter } from "../../../views/pages/anomalies/anomalies.tsx";
import type { Units } from "../../../views/units.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { foundAnomalies } from "./page-props.ts";
import { pageClock } from "../../answers/page-clock.ts";
import type { Services } from "../../answers/services.ts";

/** Most anomalies on the page; the API has the rest. */
const ROWS = 100;

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
