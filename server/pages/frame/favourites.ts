import { Elysia } from "elysia";
import type { Place } from "../../../core/city.ts";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import { cookieOf, KEPT_SECONDS, ownPath, type PagesOptions } from "./page.tsx";

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

/** Takes a city into a reader's favourites (`add`) or out of them (`remove`), and leads back to where it was asked. */
export function favouritesRoutes({ services }: Pick<PagesOptions, "services">) {
  return new Elysia().post(
    "/favourites",
    async ({ request }) => {
      const form = await request.formData();
      const field = (name: string) => {
        const value = form.get(name);
        return typeof value === "string" ? value : null;
      };
      const [add, remove] = [field("add"), field("remove")];
      if (add !== null && !services.cities().some(({ slug }) => slug === add)) {
        throw new RequestError("not_found", `There is no city ${describe(add)}`);
      }
      const before = favouritesOfReader(request).filter((slug) => slug !== remove);
      const favourites = add === null ? before : withFavourite(before, add);
      const cookie = `${FAVOURITES_COOKIE}=${writeFavourites(favourites)}; Path=/; Max-Age=${KEPT_SECONDS}; SameSite=Lax; HttpOnly`;
      return new Response(null, {
        status: 303,
        headers: { location: ownPath(field("back")), "set-cookie": cookie },
      });
    },
    { parse: "none" },
  );
}
