import type { Place } from "../../../core/city.ts";
import { RequestError } from "../../../core/errors.ts";
import { cookieOf } from "./page.tsx";

/** The cookie that holds the slugs of a reader's favourite cities. */
export const FAVOURITES_COOKIE = "favourites";
/** Most favourites: they are sent with every request. */
export const FAVOURITES_MAX = 50;

/** Slugs of a reader's favourite cities, in the order in which they were chosen. */
export function favouritesOfReader(request: Request): string[] {
  const text = cookieOf(request, FAVOURITES_COOKIE) ?? "";
  return [...new Set(text.split(".").filter((slug) => /^[a-z0-9-]{1,100}$/.test(slug)))].slice(
    0,
    FAVOURITES_MAX,
  );
}

/** Favourites as {@link favouritesOfReader} reads them. */
export function writeFavourites(slugs: readonly string[]): string {
  return slugs.join(".");
}

/**
 * Favourites with one more at their end.
 *
 * @throws RequestError `bad_parameter` when there are {@link FAVOURITES_MAX} already
 */
export function withFavourite(favourites: readonly string[], slug: string): string[] {
  if (favourites.includes(slug)) return [...favourites];
  if (favourites.length >= FAVOURITES_MAX) {
    throw new RequestError(
      "bad_parameter",
      `Cannot keep another favourite: there are ${FAVOURITES_MAX}, wanted fewer`,
      { hint: "Take one away first." },
    );
  }
  return [...favourites, slug];
}

/** The places with a reader's favourites first; a favourite that is not there is left out. */
export function favouritesFirst(places: readonly Place[], favourites: readonly string[]): Place[] {
  if (favourites.length === 0) return [...places];
  const wanted = new Set(favourites);
  const bySlug = new Map(places.filter(({ slug }) => wanted.has(slug)).map((place) => [place.slug, place]));
  const first = favourites.flatMap((slug) => bySlug.get(slug) ?? []);
  return [...first, ...places.filter(({ slug }) => !wanted.has(slug))];
}
