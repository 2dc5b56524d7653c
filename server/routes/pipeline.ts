import { Elysia } from "elysia";
import { answerJson } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";

/** Where everything stands: stages with their watermarks, background jobs, partitions, live clients. */
export function pipelineRoutes(context: WebContext) {
  return new Elysia().get("/pipeline", ({ request }) => {
    new Parameters(request, []);
    const { about } = context.services;
    return answerJson(context, request, {
      about: {
        version: about.version,
        source: about.source,
        log: about.log,
        lake: about.lake,
        engine: about.engine,
        stale_after_seconds: about.staleAfterSeconds,
      },
      ...context.services.pipeline(),
    });
  });
}
