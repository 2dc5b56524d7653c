import { Elysia } from "elysia";
import { TREND_RANGES, TREND_VARIABLES, TrendsPage } from "../../views/pages/trends/trends.tsx";
import { pageResponse, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { trendsPageOf } from "./props/trends.ts";
import { badParameter, Parameters } from "../http/parameters.ts";

/** How it went from hour to hour. */
export function trendsPage(options: PagesOptions) {
  const { services, clock } = options;
  return new Elysia().get("/trends", ({ request }) => {
    const parameters = new Parameters(request, ["variable", "range"]);
    const choice = <T extends string>(name: string, known: Record<T, unknown>, otherwise: T): T => {
      const text = parameters.text(name);
      if (text === null) return otherwise;
      if (Object.hasOwn(known, text)) return text as T;
      throw badParameter(name, text, `one of ${Object.keys(known).join(", ")}`);
    };
    const props = trendsPageOf(services, clock.now(), unitsOfReader(request), {
      variable: choice("variable", TREND_VARIABLES, "temperature"),
      range: choice("range", TREND_RANGES, "7d"),
    });
    return pageResponse(options, request, { path: "/trends", title: "Trends" }, <TrendsPage {...props} />);
  });
}
