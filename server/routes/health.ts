import { Elysia } from "elysia";
import { answerJson } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";
import type { PipelineStatus } from "../services.ts";

/** Whether the process lives, and whether it can do its work. */
export function healthRoutes(context: WebContext) {
  return new Elysia({ prefix: "/health" })
    .get("/live", ({ request }) => {
      new Parameters(request, []);
      return answerJson(context, request, { status: "live" });
    })
    .get("/ready", ({ request }) => {
      new Parameters(request, []);
      const reasons = reasonsAgainst(context.services.pipeline());
      return answerJson(
        context,
        request,
        { status: reasons.length === 0 ? "ready" : "not ready", reasons },
        { status: reasons.length === 0 ? 200 : 503 },
      );
    });
}

/**
 * Why the process cannot do its work: a stage whose log, lake or engine is away, or a job that failed. A job that waits,
 * for a source or for its hour, is no such reason: what was collected is served all the same.
 */
function reasonsAgainst({ stages, jobs }: PipelineStatus): string[] {
  const reasons: string[] = [];
  for (const { name, trouble } of stages) {
    if (trouble !== null) reasons.push(`The ${name} stands still: ${trouble}`);
  }
  for (const { name, state, reason } of jobs) {
    if (state === "failed") reasons.push(`The job ${name} failed${reason === null ? "" : `: ${reason}`}`);
  }
  return reasons;
}
