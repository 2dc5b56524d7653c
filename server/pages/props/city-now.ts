import type { Place } from "../../../core/city.ts";
import { parseTimestamp } from "../../../core/time.ts";
import type { CityNow } from "../../../views/city-facts.ts";
import type { CurrentObservation, Services } from "../../answers/services.ts";

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
  const { kind, staleAfterSeconds } = services.about;
  const stale = ageMs > staleAfterSeconds * 1000;
  return { city: name, slug, observation, ageMs, stale, recorded: kind === "replayed" };
}

/** What is known of each city, by its name. */
export function newestByCity(services: Services): Map<string, CurrentObservation> {
  return new Map(services.current().map((entry) => [entry.observation.city, entry]));
}
