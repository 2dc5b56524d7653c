import { CHARTED_CITIES } from "../../views/series.ts";
import type { Services } from "../answers/services.ts";

/** Up to so many cities every page hears of all of them. */
const ALL_MAX = 60;
/** Most cities one stream can be asked for: the rows of a page and its cards are fewer. */
export const LIVE_CITIES_MAX = 100;

/** What a page wants to hear of. */
export interface LiveWanted {
  /** Slugs of the cities it shows. */
  cities?: readonly string[];
  /** Whether it shows how the pipeline stands. */
  status?: boolean;
}

/**
 * The address of the live feed for a page: events that no page uses are left out, and of many cities all but those it shows, so
 * that a page stays small however many there are. A page that shows none hears of the first few: its clock goes by them.
 */
export function liveAddress(services: Pick<Services, "cities">, { cities, status }: LiveWanted): string {
  const all = services.cities();
  const types = ["observations", "result", "run", ...(status === true ? ["status"] : [])].join(",");
  if (all.length <= ALL_MAX) return `/live?types=${types}`;
  const shown = cities ?? all.slice(0, CHARTED_CITIES).map(({ slug }) => slug);
  return `/live?types=${types}&city=${shown.slice(0, LIVE_CITIES_MAX).map(encodeURIComponent).join(",")}`;
}
