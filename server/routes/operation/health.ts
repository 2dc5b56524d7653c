import { Elysia } from "elysia";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { list, oneOf, text } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import type { PipelineStatus } from "../../answers/services.ts";

/** Whether the process lives. */
export const GET_LIVENESS = endpoint({
  method: "GET",
  path: "/api/v1/health/live",
  id: "getLiveness",
  tag: "operation",
  summary: "Whether the process lives",
  description: "For who restarts what hangs.",
  query: {},
  answers: [
    {
      status: 200,
      description: "It lives",
      content: jsonContent(labelled({ status: oneOf(["live"], "It lives") })),
      example: { ...EXAMPLE_LABEL, status: "live" },
    },
  ],
  errors: [],
  examples: [{ title: "Liveness", path: "/api/v1/health/live" }],
});

const READINESS = labelled({
  status: oneOf(["ready", "not ready"], "Whether it can do its work"),
  reasons: list(text("What stands in the way, for people"), "Empty when it is ready"),
});

/** Whether the process can do its work. */
export const GET_READINESS = endpoint({
  method: "GET",
  path: "/api/v1/health/ready",
  id: "getReadiness",
  tag: "operation",
  summary: "Whether the process can do its work",
  description:
    "It cannot while its log, its lake or its engine is away, or a job has failed. A source that does not answer is no such reason: what was collected is served all the same.",
  query: {},
  answers: [
    {
      status: 200,
      description: "It can",
      content: jsonContent(READINESS),
      example: { ...EXAMPLE_LABEL, status: "ready", reasons: [] },
    },
    { status: 503, description: "It cannot", content: jsonContent(READINESS) },
  ],
  errors: [],
  examples: [{ title: "Readiness", path: "/api/v1/health/ready" }],
});

/** Whether the process lives, and whether it can do its work. */
export function healthRoutes(context: WebContext) {
  return new Elysia()
    .get(GET_LIVENESS.path, ({ request }) => {
      readQuery(GET_LIVENESS, request, context.services);
      return answerJson(context, request, { status: "live" });
    })
    .get(GET_READINESS.path, ({ request }) => {
      readQuery(GET_READINESS, request, context.services);
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
