import { HOUR_MS, parseTimestamp } from "../../../core/time.ts";
import type { HeadlineProps } from "../../../views/pages/now/headline.tsx";
import type { Services } from "../../answers/services.ts";
import { judgementsIn } from "./anomalies.ts";
import { newestByCity } from "./city-now.ts";

/** Bounds are those of an hour of the day: after one they say nothing of now. */
const UNUSUAL_NOW_MS = HOUR_MS;

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
