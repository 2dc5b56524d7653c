import { addressName } from "../../core/city-name.ts";
import { CHARTED_CITIES } from "../../core/chart-history.ts";
import type { Services } from "../answers/services.ts";

/** Up to this number of cities, every page subscribes to all of them. */
const ALL_MAX = 60;
/** Largest number of cities in one subscription: a page shows fewer. */
export const LIVE_CITIES_MAX = 100;

/** What a page subscribes to. */
export interface LiveWanted {
  /** Slugs of the cities it shows. */
  cities?: readonly string[];
  /** Whether it shows the state of the pipeline. */
  status?: boolean;
}

/**
 * The URL of the live feed for a page. It leaves out the event types that no page uses. If there are many cities it selects
 * those that the page shows, so that the traffic of a page does not grow with their number. A page that shows no city gets
 * the first few, because its clock needs observation times.
 */
export function liveAddress(services: Pick<Services, "cities">, { cities, status }: LiveWanted): string {
  const all = services.cities();
  const types = ["observations", "result", "run", ...(status === true ? ["status"] : [])].join(",");
  if (all.length <= ALL_MAX) return `/live?types=${types}`;
  const shown = cities ?? all.slice(0, CHARTED_CITIES).map(({ slug }) => slug);
  const bySlug = new Map(all.map((place) => [place.slug, place]));
  const asked = shown.slice(0, LIVE_CITIES_MAX).map((slug) => {
    const place = bySlug.get(slug);
    return encodeURIComponent(place === undefined ? slug : addressName(place, all));
  });
  return `/live?types=${types}&city=${asked.join(",")}`;
}
