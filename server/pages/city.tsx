import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { DAY_MS } from "../../core/time.ts";
import { CityRest, CityTop } from "../../views/pages/city/city.tsx";
import { RANGES } from "../../views/pages/city/city-props.ts";
import { LONGEST_MS, SHORTEST_MS, type TimeWindow } from "../../views/zoom.ts";
import { favouritesOfReader } from "./frame/favourites.ts";
import { cityPageOf, withHistory } from "./props/city.ts";
import { pageInOrder, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { badParameter, findCity, Parameters } from "../http/parameters.ts";

/** What is shown when nobody asks for another range. */
const DEFAULT_RANGE = "7d";

/** A page for each city, by its slug. Its name, and the slug of an older version, lead to it. */
export function cityPages(options: PagesOptions) {
  const { services } = options;
  return new Elysia().get("/cities/:slug", async ({ request, params }) => {
    const place = services.cities().find(({ slug }) => slug === params.slug);
    if (place === undefined) {
      const meant = findCity(services.cities(), params.slug);
      if (meant !== undefined) {
        const location = `/cities/${meant.slug}${new URL(request.url).search}`;
        return new Response(null, { status: 302, headers: { location } });
      }
      throw new RequestError("not_found", `There is no city ${describe(params.slug)}`, {
        hint: "The first page lists those that are known.",
      });
    }
    const parameters = new Parameters(request, ["range", "from", "to", "compare"]);
    const wanted = parameters.text("range") ?? DEFAULT_RANGE;
    const range = RANGES.find(({ name }) => name === wanted);
    if (range === undefined) {
      throw badParameter("range", wanted, `one of ${RANGES.map(({ name }) => name).join(", ")}`);
    }
    const zoom = zoomOf(parameters);
    // A form sends its empty choice too.
    const compare = parameters.text("compare") === "" ? null : parameters.city("compare", services.cities());
    const props = cityPageOf(options, place, {
      range,
      zoom,
      compare,
      units: unitsOfReader(request),
      favourites: favouritesOfReader(request),
    });
    const page = { path: `/cities/${place.slug}`, title: place.name, live: { cities: [place.slug] } };
    return pageInOrder(options, request, page, <CityTop {...props} />, async () => (
      <CityRest {...await withHistory(options, props)} />
    ));
  });
}

/** The part of the past an address asks for, or null where it asks for none. */
function zoomOf(parameters: Parameters): TimeWindow | null {
  const [from, to] = [parameters.time("from"), parameters.time("to")];
  if (from === null && to === null) return null;
  if (from === null) throw badParameter("from", null, "a time, because to is given");
  const width = to === null ? 0 : to - from;
  if (to === null || width < SHORTEST_MS || width > LONGEST_MS) {
    const [minutes, days] = [SHORTEST_MS / 60_000, LONGEST_MS / DAY_MS];
    throw badParameter(
      "to",
      parameters.text("to"),
      `a time from ${minutes} minutes to ${days} days after from`,
    );
  }
  return { from, to };
}
