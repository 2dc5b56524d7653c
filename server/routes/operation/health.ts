import { Elysia } from "elysia";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { list, oneOf, text } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import type { PipelineStatus } from "../../../core/pipeline-status.ts";

/** Liveness: whether the process runs. */
export const GET_LIVENESS = endpoint({
  method: "GET",
  path: "/api/v1/health/live",
  id: "getLiveness",
  tag: "operation",
  summary: "Liveness: whether the process runs",
  description: "For a supervisor that restarts a process that hangs.",
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

/** Readiness: whether the process can do its work. */
export const GET_READINESS = endpoint({
  method: "GET",
  path: "/api/v1/health/ready",
  id: "getReadiness",
  tag: "operation",
  summary: "Readiness: whether the process can do its work",
  description:
    "It is not ready while its log, its lake or its engine is unavailable, or when a job has failed. A source that does not answer is no reason: the data collected so far is still served.",
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

/** Liveness and readiness of the process. */
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
 * The reasons why the process is not ready: log, lake or engine of a stage is unavailable, or a job has failed. A job that
 * waits for a source or for its time is no reason: the data collected so far is still served.
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
