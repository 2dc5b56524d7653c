import { Elysia } from "elysia";
import { DAY_MS, HOUR_MS, parseTimestamp } from "../../core/time.ts";
import { WhyRest, WhyTop } from "../../views/pages/why/why.tsx";
import { explain } from "../answers/explanation.ts";
import { pageInOrder, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { badParameter, Parameters } from "../http/parameters.ts";
import type { Services } from "../answers/services.ts";

/** How far before the newest report the newest that is committed is looked for, ms: a report may come every second. */
const LOOKS = [10 * 60_000, HOUR_MS, DAY_MS];
/** Rows of a look: ten minutes of a dozen reports a second. */
const ROWS_MAX = 10_000;

/** Why a value is what it is: of the newest report of a city that is committed, or of one of a given time. */
export function whyPage(options: PagesOptions) {
  const { services } = options;
  return new Elysia().get("/why", async ({ request }) => {
    const parameters = new Parameters(request, ["city", "timestamp", "source"]);
    const city = parameters.city("city", services.cities());
    if (city === null) throw badParameter("city", null, "the name or slug of a city");
    const timestamp = parameters.time("timestamp");
    const source = parameters.text("source");
    const page = { path: null, title: `Why? ${city.name}`, live: { cities: [city.slug] } };
    return pageInOrder(options, request, page, <WhyTop place={city} />, async () => {
      const { signal } = request;
      const time = timestamp ?? (await newestCommitted(services, city.name, signal));
      const sources = time === null ? [] : await explain(services, city, { timestamp: time, source, signal });
      return <WhyRest place={city} time={time} units={unitsOfReader(request)} sources={sources} />;
    });
  });
}

/** The time of the newest report of a city that is committed, ms; null where there is none within a day of the newest of all. */
async function newestCommitted(
  services: Services,
  city: string,
  signal: AbortSignal,
): Promise<number | null> {
  const newest = services.current().find(({ observation }) => observation.city === city);
  if (newest === undefined) return null;
  const to = parseTimestamp(newest.observation.timestamp) + 1;
  for (const look of LOOKS) {
    const { rows } = await services.observations({
      city,
      from: to - look,
      to,
      limit: ROWS_MAX,
      after: null,
      signal,
    });
    const last = rows.at(-1);
    if (last !== undefined) return parseTimestamp(last.timestamp);
  }
  return null;
}
