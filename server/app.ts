import { type AnyElysia, Elysia } from "elysia";
import type { Clock } from "../core/clock.ts";
import { RequestError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { answerPage } from "./http/answer.ts";
import type { WebContext } from "./http/context.ts";
import { chooseMediaType } from "./http/negotiation.ts";
import { type Problem, logProblem, noRoute, pathOf, problemOf, problemResponse } from "./http/problems.ts";
import type { Hub } from "./live/hub.ts";
import { ResultCache } from "./http/result-cache.ts";
import { cityRoutes } from "./routes/weather/cities.ts";
import { currentRoutes } from "./routes/weather/current.ts";
import { dayRoutes } from "./routes/weather/days.ts";
import { healthRoutes } from "./routes/operation/health.ts";
import { ingestRoutes } from "./routes/weather/ingest.ts";
import { jobRoutes } from "./routes/analytics/jobs.ts";
import { liveRoutes } from "./routes/operation/live.ts";
import { observationRoutes } from "./routes/weather/observations.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { pipelineRoutes } from "./routes/operation/pipeline.ts";
import { forecastRoutes } from "./routes/analytics/forecast.ts";
import { resultRoutes } from "./routes/analytics/results.ts";
import { verdictRoutes } from "./routes/weather/verdict.ts";
import { whyRoutes } from "./routes/weather/why.ts";
import { type SecurityOptions, guard } from "./http/security.ts";
import type { Services } from "./answers/services.ts";

/** What the application is made of. */
export interface AppOptions {
  services: Services;
  hub: Hub;
  clock: Clock;
  logger: Logger;
  security: SecurityOptions;
  /** More routes: the pages and their files. */
  plugins?: readonly AnyElysia[];
  /** A problem as an HTML page, for who asked for a page outside of /api. Without it problems are JSON everywhere. */
  errorPage?: (problem: Problem) => string | Promise<string>;
}

/** The web application: guard, one error shape, the API under /api/v1, the live feed, and what `plugins` add. */
export function createApp(options: AppOptions): AnyElysia {
  const { services, hub, clock, logger, errorPage } = options;
  const context: WebContext = { services, hub, clock, logger, results: new ResultCache(services.about) };
  const app: AnyElysia = new Elysia()
    .use(guard(options.security))
    .onError(async ({ code, error, request }) => {
      const problem =
        code === "NOT_FOUND"
          ? noRoute(request, app.routes)
          : code === "VALIDATION" || code === "PARSE"
            ? problemOf(new RequestError("bad_parameter", "The request is not what this route takes"))
            : problemOf(error);
      logProblem(logger, request, problem, error);
      if (errorPage === undefined || !wantsPage(request)) return problemResponse(problem);
      try {
        const { status, headers } = problem;
        return await answerPage(request, await errorPage(problem), {
          status,
          headers: { ...headers, vary: "accept, accept-encoding" },
        });
      } catch (cause) {
        // Thrown on from here it would leave the process as it is.
        logProblem(logger, request, problemOf(cause), cause);
        return problemResponse(problem);
      }
    })
    .use(healthRoutes(context))
    .use(cityRoutes(context))
    .use(currentRoutes(context))
    .use(verdictRoutes(context))
    .use(observationRoutes(context))
    .use(whyRoutes(context))
    .use(dayRoutes(context))
    .use(ingestRoutes(context))
    .use(resultRoutes(context))
    .use(forecastRoutes(context))
    .use(jobRoutes(context))
    .use(pipelineRoutes(context))
    .use(openApiRoutes(context))
    .use(liveRoutes(context));
  for (const plugin of options.plugins ?? []) app.use(plugin);
  return app;
}

/** Whether a person with a browser asks, and not for the API. */
function wantsPage(request: Request): boolean {
  const path = pathOf(request);
  return (
    path !== "/api" &&
    !path.startsWith("/api/") &&
    chooseMediaType(request, ["application/json", "text/html"]) === "text/html"
  );
}
