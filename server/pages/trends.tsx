import { Elysia } from "elysia";
import { codeOf, messageOf } from "../../core/errors.ts";
import { ForecastPage } from "../../views/pages/forecast/forecast.tsx";
import { TREND_RANGES, TREND_VARIABLES, TrendsPage } from "../../views/pages/trends/trends.tsx";
import { cityForecast } from "./props/city.ts";
import { forecastCities, forecastVerification } from "../answers/forecast-verification.ts";
import { pageResponse, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { trendsPageOf } from "./props/trends.ts";
import { badParameter, Parameters } from "../http/parameters.ts";

/** How it went from hour to hour, and how it will go. */
export function trendPages(options: PagesOptions) {
  const { services, clock, logger } = options;
  return new Elysia()
    .get("/trends", ({ request }) => {
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
    })
    .get("/forecast", async ({ request }) => {
      new Parameters(request, []);
      const result = services.analytics.result("forecast");
      const verified = await forecastVerification(services, clock).catch((error: unknown) => {
        logger.error(`Cannot verify the forecasts: ${messageOf(error)}`, { code: codeOf(error) });
        return "failed" as const;
      });
      const cities = forecastCities(services).map(({ name, slug, zone }) => ({
        name,
        slug,
        zone,
        forecast: cityForecast(services, name),
      }));
      const page = { path: "/forecast", title: "Forecast" };
      return pageResponse(
        options,
        request,
        page,
        <ForecastPage
          now={clock.now()}
          units={unitsOfReader(request)}
          info={result === null ? null : result}
          cities={cities}
          more={services.cities().length - cities.length}
          verification={verified}
        />,
      );
    });
}
