import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { FAVOURITES_COOKIE, favouritesOfReader, withFavourite, writeFavourites } from "./frame/favourites.ts";
import { KEPT_SECONDS, ownPath, type PagesOptions } from "./frame/page.tsx";

/** Takes a city into a reader's favourites (`add`) or out of them (`remove`), and leads back to where it was asked. */
export function favouritesPage({ services }: Pick<PagesOptions, "services">) {
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
