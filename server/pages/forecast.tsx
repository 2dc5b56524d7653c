import { Elysia } from "elysia";
import { codeOf, messageOf } from "../../core/errors.ts";
import { ForecastPage } from "../../views/pages/forecast/forecast.tsx";
import { forecastVerification } from "../answers/forecast-verification.ts";
import { Parameters } from "../http/parameters.ts";
import { pageResponse, type PagesOptions, unitsOfReader } from "./frame/page.tsx";
import { forecastPageOf } from "./props/forecast.ts";

/** How it will go, and what the forecasts of before were worth. */
export function forecastPage(options: PagesOptions) {
  const { services, clock, logger } = options;
  return new Elysia().get("/forecast", async ({ request }) => {
    new Parameters(request, []);
    const verification = await forecastVerification(services, clock).catch((error: unknown) => {
      logger.error(`Cannot verify the forecasts: ${messageOf(error)}`, { code: codeOf(error) });
      return "failed" as const;
    });
    const props = forecastPageOf(services, clock.now(), unitsOfReader(request), verification);
    return pageResponse(
      options,
      request,
      { path: "/forecast", title: "Forecast" },
      <ForecastPage {...props} />,
    );
  });
}
