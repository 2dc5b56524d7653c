import type { Place } from "../../../core/city.ts";
import type { CitiesList } from "../../../views/pages/now/cities-table.tsx";
import type { CityNow } from "../../../views/city-facts.ts";
import { CHARTED_CITIES } from "../../../core/chart-history.ts";
import { favouritesFirst } from "../frame/favourites.ts";
import { newestByCity, nowOf } from "./city-now.ts";
import type { Services } from "../../answers/services.ts";

/** Rows of the table on one page. */
const ROWS = 50;

/** What a reader wants to see of the cities. */
export interface CitiesQuery {
  /** Slugs, in order. */
  favourites: readonly string[];
  /** A part of a name, or null for all cities. */
  search: string | null;
  /** From 1; beyond the last page it is the last one. */
  page: number;
}

/** Cities with a card and a line: a reader's favourites, then as they are configured. */
export function chartedCities(services: Services, favourites: readonly string[]): Place[] {
  return favouritesFirst(services.cities(), favourites).slice(0, CHARTED_CITIES);
}

/** The newest of the cities with a card, and one page of the others or of those a search finds. */
export function citiesOf(
  services: Services,
  asOf: number,
  { favourites, search, page }: CitiesQuery,
): { cards: CityNow[]; list: CitiesList } {
  const newest = newestByCity(services);
  const now = (place: Place) => nowOf(services, place, newest.get(place.name), asOf);
  const places = favouritesFirst(services.cities(), favourites);
  const listed = search === null ? places.slice(CHARTED_CITIES) : matching(places, search);
  const pages = Math.max(1, Math.ceil(listed.length / ROWS));
  const shown = Math.min(page, pages);
  return {
    cards: places.slice(0, CHARTED_CITIES).map(now),
    list: {
      rows: listed.slice((shown - 1) * ROWS, shown * ROWS).map(now),
      search,
      found: listed.length,
      total: places.length,
      page: shown,
      pages,
    },
  };
}

/** Places whose name holds a text, in any case and with or without accents: those that begin with it first. */
function matching(places: readonly Place[], search: string): Place[] {
  const wanted = plain(search);
  const begins: Place[] = [];
  const holds: Place[] = [];
  for (const place of places) {
    const at = plain(place.name).indexOf(wanted);
    if (at === 0) begins.push(place);
    else if (at > 0) holds.push(place);
  }
  return [...begins, ...holds];
}

function plain(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
