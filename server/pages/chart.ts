import { Elysia } from "elysia";
import { HISTORY_HOURS } from "../../core/chart-history.ts";
import { readHistory, sharedHistory } from "../answers/chart-history.ts";
import { pageClock } from "../answers/page-clock.ts";
import { Payload } from "../http/payload.ts";
import { Parameters } from "../http/parameters.ts";
import { favouritesOfReader } from "./frame/favourites.ts";
import type { PagesOptions } from "./frame/page.tsx";
import { chartedCities } from "./props/cities.ts";

/** Which cities are in the chart is said by a cookie. */
const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  vary: "accept-encoding, cookie",
};

/** Longest past a chart may ask for, hours. */
const HOURS_MAX = 168;

/** Reads the temperature of some cities over the last hours. What one has read others get too, for a moment. */
export type ReadHistory = ReturnType<typeof sharedHistory>;

/** Makes {@link ReadHistory}, up to the page's clock. */
export function chartHistory({ services, clock }: Pick<PagesOptions, "services" | "clock">): ReadHistory {
  return sharedHistory(clock, (hours, cities) => {
    const to = pageClock(services, clock.now());
    return readHistory(services, {
      cities,
      from: to - hours * 3_600_000,
      // The end is exclusive, and the newest observation of a recording stands on it.
      to: to + 1,
      staleAfterSeconds: services.about.staleAfterSeconds,
    });
  });
}

/** The data of the temperature chart, which its island reads anew after a break. */
export function chartData({ services }: Pick<PagesOptions, "services">, history: ReadHistory) {
  return new Elysia().get("/chart/temperature", async ({ request }) => {
    const hours = new Parameters(request, ["hours"]).integer("hours", {
      min: 1,
      max: HOURS_MAX,
      fallback: HISTORY_HOURS,
    });
    const cities = chartedCities(services, favouritesOfReader(request)).map(({ name }) => name);
    const payload = new Payload(JSON.stringify(await history(hours, cities)), { effort: "quick" });
    return payload.respond(request, { headers: HEADERS });
  });
}
