import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { formatTimestamp } from "../../core/time.ts";
import { answerJson } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";
import { factsOf } from "../result-cache.ts";
import type { AnalyticsService, JobInfo } from "../services.ts";

/** Most runs in one answer. */
const RUNS = { min: 1, max: 1_000, fallback: 100 };

/** The analytic jobs and their runs. */
export function jobRoutes(context: WebContext) {
  const { analytics } = context.services;
  const summary = ({ name, title, question, schedule, chart }: JobInfo) => {
    const next = analytics.nextRun(name);
    const result = analytics.result(name);
    return {
      name,
      title,
      question,
      schedule,
      chart,
      last_run: analytics.runs(name)[0] ?? null,
      next_run_at: next === null ? null : formatTimestamp(next),
      result: result === null ? null : factsOf(result),
    };
  };
  return new Elysia()
    .get("/jobs", ({ request }) => {
      new Parameters(request, []);
      return answerJson(context, request, { jobs: analytics.jobs().map(summary) });
    })
    .get("/jobs/:name", ({ request, params }) => {
      new Parameters(request, []);
      const job = findJob(analytics, params.name);
      return answerJson(context, request, { job: { ...summary(job), sql: job.sql } });
    })
    .post(
      "/jobs/:name/runs",
      ({ request, params }) => {
        new Parameters(request, []);
        const run = analytics.start(findJob(analytics, params.name).name);
        const headers = { location: `/api/v1/runs/${encodeURIComponent(run.id)}` };
        return answerJson(context, request, { run }, { status: 202, headers });
      },
      { parse: "none" },
    )
    .get("/runs", ({ request }) => {
      const parameters = new Parameters(request, ["job", "limit"]);
      const job = parameters.text("job");
      const limit = parameters.integer("limit", RUNS);
      const runs = job === null ? analytics.runs() : analytics.runs(findJob(analytics, job).name);
      return answerJson(context, request, { runs: runs.slice(0, limit) });
    })
    .get("/runs/:id", ({ request, params }) => {
      new Parameters(request, []);
      const run = analytics.run(params.id);
      if (run === null) throw noRun(params.id);
      return answerJson(context, request, { run });
    })
    .post(
      "/runs/:id/cancel",
      ({ request, params }) => {
        new Parameters(request, []);
        if (analytics.run(params.id) === null) throw noRun(params.id);
        return answerJson(context, request, { run: analytics.cancel(params.id) });
      },
      { parse: "none" },
    );
}

/**
 * An analytic job by its name.
 *
 * @throws RequestError `not_found`
 */
export function findJob(analytics: AnalyticsService, name: unknown): JobInfo {
  const job = analytics.jobs().find((one) => one.name === name);
  if (job === undefined) {
    throw new RequestError("not_found", `There is no job ${describe(name)}`, {
      hint: "/api/v1/jobs lists them.",
    });
  }
  return job;
}

function noRun(id: unknown): RequestError {
  return new RequestError("not_found", `There is no run ${describe(id)}`, {
    hint: "/api/v1/runs lists them.",
  });
}
