import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { answerJson, headersOf } from "../answer.ts";
import type { WebContext } from "../context.ts";
import { chooseFormat } from "../formats.ts";
import { Parameters } from "../parameters.ts";
import { findJob } from "./jobs.ts";

/** The newest results of the analytic jobs: the three that have a name of their own, and any other by its job's name. */
export function resultRoutes(context: WebContext) {
  return new Elysia()
    .get("/statistics", ({ request }) => answerResult(context, request, "city_statistics"))
    .get("/trends", ({ request }) => answerResult(context, request, "hourly_trends"))
    .get("/anomalies", ({ request }) => answerResult(context, request, "anomalies"))
    .get("/results/:job", ({ request, params }) =>
      answerResult(context, request, findJob(context.services.analytics, params.job).name),
    );
}

/**
 * A job's newest result. One that is not there yet is an empty one, not an error: the job exists and has not run.
 */
async function answerResult(context: WebContext, request: Request, job: string): Promise<Response> {
  const { services, results } = context;
  const parameters = new Parameters(request, ["city", "format"]);
  const format = chooseFormat(parameters, request);
  const city = parameters.city("city", services.cities());
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
  // Weak: the compressed and the plain body share it.
  const etag = `W/"${[version, result.run, format, city?.slug ?? ""].join("/")}"`;
  const headers = { ...headersOf(context, format), "cache-control": "no-cache", etag };
  if (isKnown(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers });
  const payload =
    city === null ? await results.whole(result, format) : await results.ofCity(result, city.name, format);
  return payload.respond(request, { headers });
}

/** Whether If-None-Match names the tag, by weak comparison (RFC 9110, 13.1.2). */
function isKnown(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  const opaque = (tag: string) => tag.trim().replace(/^W\//, "");
  return header.split(",").some((tag) => opaque(tag) === opaque(etag));
}
