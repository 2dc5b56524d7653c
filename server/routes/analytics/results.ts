import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { answerJson, headersOf } from "../../http/answer.ts";
import { UNITS, labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, rowsContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { FORMAT_PARAMETER, cityParameter } from "../../api/parameter.ts";
import { EXAMPLE_RESULT, RESULT_FACTS } from "../../api/run-schemas.ts";
import { list, nullable } from "../../api/schema.ts";
import type { WebContext } from "../../http/context.ts";
import { isKnown } from "../../http/etag.ts";
import { findJob } from "./jobs.ts";

const QUERY = {
  city: cityParameter("Its rows only, where the result has a column `city`."),
  format: FORMAT_PARAMETER,
};
const answersWith = (row: object, job: string) =>
  [
    {
      status: 200,
      description: "The newest result; before the first one `result` is null and there are no rows",
      content: rowsContent(
        labelled(
          {
            units: UNITS,
            result: nullable(RESULT_FACTS),
            rows: list({ type: "object", description: "The job's columns: jobs.md has them" }),
          },
          { optional: ["units"] },
        ),
      ),
      example: {
        ...EXAMPLE_LABEL,
        units: { temperature_mean: "°C" },
        result: { ...EXAMPLE_RESULT, job },
        rows: [row],
      },
      headers: { etag: "Changes with every run" },
    },
  ] as const;
const ERRORS = ["not_acceptable", "not_found"] as const;
const ABOUT_NONE =
  "Before the job's first run it is empty in JSON, and a 404 as CSV or Arrow, which have no columns then.";

/** Statistics of each city. */
export const GET_STATISTICS = endpoint({
  method: "GET",
  path: "/api/v1/statistics",
  id: "getStatistics",
  tag: "results",
  summary: "Statistics of each city",
  description: `The newest result of the job \`city_statistics\`. ${ABOUT_NONE}`,
  query: QUERY,
  answers: answersWith({ city: "London", n: 8640, temperature_mean: 7.25 }, "city_statistics"),
  errors: ERRORS,
  examples: [{ title: "Of one city", path: "/api/v1/statistics?city=london" }],
});

/** Hourly trends. */
export const GET_TRENDS = endpoint({
  method: "GET",
  path: "/api/v1/trends",
  id: "getTrends",
  tag: "results",
  summary: "Hourly trends of each city",
  description: `The newest result of the job \`hourly_trends\`. ${ABOUT_NONE}`,
  query: QUERY,
  answers: answersWith(
    { city: "London", hour: "2026-01-31T11:00:00Z", temperature_mean: 7.3 },
    "hourly_trends",
  ),
  errors: ERRORS,
  examples: [{ title: "Of one city", path: "/api/v1/trends?city=london" }],
});

/** Anomalies. */
export const GET_ANOMALIES = endpoint({
  method: "GET",
  path: "/api/v1/anomalies",
  id: "getAnomalies",
  tag: "results",
  summary: "What was unusual",
  description: `The newest result of the job \`anomalies\`: [anomalies.md](anomalies.md). ${ABOUT_NONE}`,
  query: QUERY,
  answers: answersWith(
    {
      timestamp: "2026-01-31T11:50:00Z",
      city: "London",
      kind: "spike",
      variable: "temperature",
      unit: "°C",
      observed: 19.5,
      expected: 7.4,
    },
    "anomalies",
  ),
  errors: ERRORS,
  examples: [{ title: "Everywhere", path: "/api/v1/anomalies" }],
});

/** The newest result of any job. */
export const GET_RESULT = endpoint({
  method: "GET",
  path: "/api/v1/results/:job",
  id: "getResult",
  tag: "results",
  summary: "The newest result of a job",
  description: `[jobs.md](jobs.md) has the jobs with their columns. ${ABOUT_NONE}`,
  segments: { job: ["Name of an analytic job", "daily_summary"] },
  query: QUERY,
  answers: answersWith({ city: "London", date: "2026-01-30", temperature_mean: 6.8 }, "daily_summary"),
  errors: ERRORS,
  examples: [{ title: "The days of a city", path: "/api/v1/results/daily_summary?city=london" }],
});

/** The newest results of the analytic jobs: three under paths of their own, and each under the name of its job. */
export function resultRoutes(context: WebContext) {
  return new Elysia()
    .get(GET_STATISTICS.path, ({ request }) => answerResult(context, request, "city_statistics"))
    .get(GET_TRENDS.path, ({ request }) => answerResult(context, request, "hourly_trends"))
    .get(GET_ANOMALIES.path, ({ request }) => answerResult(context, request, "anomalies"))
    .get(GET_RESULT.path, ({ request, params }) =>
      answerResult(context, request, findJob(context.services.analytics, params.job).name),
    );
}

/**
 * A job's newest result. If the job has not run yet, the answer is an empty result and no error.
 */
async function answerResult(context: WebContext, request: Request, job: string): Promise<Response> {
  const { services, results } = context;
  const { city, format } = readQuery({ query: QUERY }, request, services);
  const result = services.analytics.result(job);
  if (result === null) {
    if (format === "json") return answerJson(context, request, { result: null, rows: [] });
    throw new RequestError("not_found", `There is no result of ${job} yet, so no columns for ${format}`, {
      hint: `POST /api/v1/jobs/${job}/runs computes it.`,
    });
  }
  if (city !== null && !result.table.schema.fields.some(({ name }) => name === "city")) {
    throw new RequestError(
      "unknown_parameter",
      `The parameter city is not known here: ${job} has no column city`,
    );
  }
  const { version } = services.about;
  // A weak ETag, because the compressed and the plain body share it.
  const etag = `W/"${[version, result.run, format, city?.slug ?? ""].join("/")}"`;
  const headers = { ...headersOf(context, format), "cache-control": "no-cache", etag };
  if (isKnown(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  const payload =
    city === null ? await results.whole(result, format) : await results.ofCity(result, city.name, format);
  return payload.respond(request, { headers });
}
