import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { integerParameter, textParameter } from "../../api/parameter.ts";
import { EXAMPLE_RESULT, EXAMPLE_RUN, RESULT_FACTS, RUN } from "../../api/run-schemas.ts";
import { list, nullable, object, text, time } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import { factsOf } from "../../http/result-cache.ts";
import type { AnalyticsService } from "../../../jobs/analytics/analytics.ts";
import type { JobInfo } from "../../../core/analytic-job.ts";

const JOB = {
  name: text("Its name"),
  title: text("Its title"),
  question: text("What it answers"),
  schedule: nullable(text("Cron expression, UTC; null when it runs on demand only")),
  chart: nullable(text("How its result is drawn; null when it is not")),
  last_run: nullable(RUN),
  next_run_at: nullable(time("When the schedule runs it next")),
  result: nullable(RESULT_FACTS),
};
const EXAMPLE_JOB = {
  name: "daily_summary",
  title: "Daily summary",
  question: "How was each day of each city's own calendar, and on how much of it does that rest?",
  schedule: "*/5 * * * *",
  chart: "range x=date low=temperature_min middle=temperature_mean high=temperature_max series=city",
  last_run: EXAMPLE_RUN,
  next_run_at: "2026-01-31T12:00:00Z",
  result: EXAMPLE_RESULT,
};
const NAMED = { name: ["Name of an analytic job", "daily_summary"] } as const;
const WITH_ID = { id: ["Id of a run", EXAMPLE_RUN.id] } as const;

/** The analytic jobs. */
export const GET_JOBS = endpoint({
  method: "GET",
  path: "/api/v1/jobs",
  id: "getJobs",
  tag: "jobs",
  summary: "The analytic jobs",
  description: "Each with its last run, its next run and facts about its newest result.",
  query: {},
  answers: [
    {
      status: 200,
      description: "The jobs, by name",
      content: jsonContent(labelled({ jobs: list(object(JOB)) })),
      example: { ...EXAMPLE_LABEL, jobs: [EXAMPLE_JOB] },
    },
  ],
  errors: [],
  examples: [{ title: "Every job", path: "/api/v1/jobs" }],
});

/** One job with its SQL. */
export const GET_JOB = endpoint({
  method: "GET",
  path: "/api/v1/jobs/:name",
  id: "getJob",
  tag: "jobs",
  summary: "One analytic job, with its SQL",
  description: "",
  segments: NAMED,
  query: {},
  answers: [
    {
      status: 200,
      description: "The job",
      content: jsonContent(labelled({ job: object({ ...JOB, sql: text("Its SQL") }) })),
      example: { ...EXAMPLE_LABEL, job: { ...EXAMPLE_JOB, sql: "SELECT …" } },
    },
  ],
  errors: ["not_found"],
  examples: [{ title: "One job", path: "/api/v1/jobs/daily_summary" }],
});

/** Runs a job. */
export const POST_RUN = endpoint({
  method: "POST",
  path: "/api/v1/jobs/:name/runs",
  id: "startRun",
  tag: "jobs",
  summary: "Run a job now",
  description:
    "A job that already waits or runs is not started again: the answer describes the existing run.",
  segments: NAMED,
  query: {},
  answers: [
    {
      status: 202,
      description: "The run waits or has begun",
      content: jsonContent(labelled({ run: RUN })),
      example: {
        ...EXAMPLE_LABEL,
        run: {
          ...EXAMPLE_RUN,
          state: "queued",
          progress: 0,
          started_at: null,
          finished_at: null,
          rows: null,
        },
      },
      headers: { location: "Path that tells of the run" },
    },
  ],
  errors: ["not_found", "conflict"],
  examples: [{ title: "Run a job", path: "/api/v1/jobs/daily_summary/runs" }],
});

/** The runs. */
export const GET_RUNS = endpoint({
  method: "GET",
  path: "/api/v1/runs",
  id: "getRuns",
  tag: "jobs",
  summary: "The runs of the jobs, newest first",
  description: "Runs of this process only. The last 50 runs of each job are kept.",
  query: {
    job: textParameter("Name of a job: its runs only.", "daily_summary"),
    limit: integerParameter("Most runs.", { min: 1, max: 1_000, fallback: 100 }),
  },
  answers: [
    {
      status: 200,
      description: "The runs",
      content: jsonContent(labelled({ runs: list(RUN) })),
      example: { ...EXAMPLE_LABEL, runs: [EXAMPLE_RUN] },
    },
  ],
  errors: ["not_found"],
  examples: [{ title: "The last runs of a job", path: "/api/v1/runs?job=daily_summary&limit=5" }],
});

/** One run. */
export const GET_RUN = endpoint({
  method: "GET",
  path: "/api/v1/runs/:id",
  id: "getRun",
  tag: "jobs",
  summary: "One run",
  description: "",
  segments: WITH_ID,
  query: {},
  answers: [
    {
      status: 200,
      description: "The run",
      content: jsonContent(labelled({ run: RUN })),
      example: { ...EXAMPLE_LABEL, run: EXAMPLE_RUN },
    },
  ],
  errors: ["not_found"],
  examples: [{ title: "How far a run is", path: "/api/v1/runs/{id}" }],
});

/** Cancels a run. */
export const POST_CANCEL = endpoint({
  method: "POST",
  path: "/api/v1/runs/:id/cancel",
  id: "cancelRun",
  tag: "jobs",
  summary: "Cancel a run",
  description: "A run that has ended does not change.",
  segments: WITH_ID,
  query: {},
  answers: [
    {
      status: 200,
      description: "The run",
      content: jsonContent(labelled({ run: RUN })),
      example: { ...EXAMPLE_LABEL, run: { ...EXAMPLE_RUN, state: "cancelled" } },
    },
  ],
  errors: ["not_found"],
  examples: [{ title: "Cancel a run", path: "/api/v1/runs/{id}/cancel" }],
});

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
    .get(GET_JOBS.path, ({ request }) => {
      readQuery(GET_JOBS, request, context.services);
      return answerJson(context, request, { jobs: analytics.jobs().map(summary) });
    })
    .get(GET_JOB.path, ({ request, params }) => {
      readQuery(GET_JOB, request, context.services);
      const job = findJob(analytics, params.name);
      return answerJson(context, request, { job: { ...summary(job), sql: job.sql } });
    })
    .post(
      POST_RUN.path,
      ({ request, params }) => {
        readQuery(POST_RUN, request, context.services);
        const run = analytics.start(findJob(analytics, params.name).name);
        const headers = { location: `/api/v1/runs/${encodeURIComponent(run.id)}` };
        return answerJson(context, request, { run }, { status: 202, headers });
      },
      { parse: "none" },
    )
    .get(GET_RUNS.path, ({ request }) => {
      const { job, limit } = readQuery(GET_RUNS, request, context.services);
      const runs = job === null ? analytics.runs() : analytics.runs(findJob(analytics, job).name);
      return answerJson(context, request, { runs: runs.slice(0, limit) });
    })
    .get(GET_RUN.path, ({ request, params }) => {
      readQuery(GET_RUN, request, context.services);
      const run = analytics.run(params.id);
      if (run === null) throw noRun(params.id);
      return answerJson(context, request, { run });
    })
    .post(
      POST_CANCEL.path,
      ({ request, params }) => {
        readQuery(POST_CANCEL, request, context.services);
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
