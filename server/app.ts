import { type AnyElysia, Elysia } from "elysia";
import type { Clock } from "../core/clock.ts";
import { ConfigError, RequestError, codeOf } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { BODY_MAX } from "./body.ts";
import type { WebContext } from "./context.ts";
import { type Problem, logProblem, noRoute, pathOf, problemOf, problemResponse } from "./errors.ts";
import type { Hub } from "./hub.ts";
import { ResultCache } from "./result-cache.ts";
import { cityRoutes } from "./routes/cities.ts";
import { currentRoutes } from "./routes/current.ts";
import { dayRoutes } from "./routes/days.ts";
import { healthRoutes } from "./routes/health.ts";
import { ingestRoutes } from "./routes/ingest.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { liveRoutes } from "./routes/live.ts";
import { observationRoutes } from "./routes/observations.ts";
import { openApiRoutes } from "./routes/openapi.ts";
import { pipelineRoutes } from "./routes/pipeline.ts";
import { forecastRoutes } from "./routes/forecast.ts";
import { resultRoutes } from "./routes/results.ts";
import { whyRoutes } from "./routes/why.ts";
import { type SecurityOptions, guard } from "./security.ts";
import type { Services } from "./services.ts";
import { routable } from "./station-paths.ts";

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
        return new Response(await errorPage(problem), { status, headers: { ...PAGE_HEADERS, ...headers } });
      } catch (cause) {
        // Thrown on from here it would leave the process as it is.
        logProblem(logger, request, problemOf(cause), cause);
        return problemResponse(problem);
      }
    })
    .use(healthRoutes(context))
    .use(cityRoutes(context))
    .use(currentRoutes(context))
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

const PAGE_HEADERS = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };

/** Whether a person with a browser asks, and not for the API. */
function wantsPage(request: Request): boolean {
  const path = pathOf(request);
  return (
    path !== "/api" &&
    !path.startsWith("/api/") &&
    (request.headers.get("accept") ?? "").includes("text/html")
  );
}

/** Seconds after which a connection that moves nothing is cut: three heartbeats. 0 would keep a dead one for ever. */
const IDLE_SECONDS = 30;

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached. */
  readonly url: URL;
  /**
   * Takes no new connection, lets answers under way finish, and cuts what is left at the deadline. Close the hub first:
   * its streams never finish by themselves.
   */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Listens.
 *
 * @param options.port 0 for any free one
 * @throws ConfigError `port_in_use`, or `bad_setting` where the address is not this machine's
 */
export function startServer(options: {
  app: AnyElysia;
  host: string;
  port: number;
  clock: Clock;
}): RunningServer {
  const { app, host, port, clock } = options;
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname: host,
      port,
      fetch: (request) => app.fetch(routable(request)),
      idleTimeout: IDLE_SECONDS,
      // The route refuses before that, by name; this is for the other routes.
      maxRequestBodySize: 2 * BODY_MAX,
      development: false,
      // Else Bun shares the port with a second server in silence.
      reusePort: false,
    });
  } catch (cause) {
    if (codeOf(cause) === "EADDRINUSE") {
      throw new ConfigError("port_in_use", `Cannot listen on ${host}:${port}: the port is in use`, {
        cause,
        hint: "Stop the other program, or set PORT to another number.",
      });
    }
    throw new ConfigError(
      "bad_setting",
      `Cannot listen on ${host}:${port}: wanted an address of this machine`,
      {
        cause,
        hint: "Set HOST and PORT.",
      },
    );
  }
  return {
    url: server.url,
    async stop(deadlineMs) {
      const done = new AbortController();
      await Promise.race([server.stop(false), clock.sleep(deadlineMs, done.signal)]);
      done.abort();
      await server.stop(true);
    },
  };
}
