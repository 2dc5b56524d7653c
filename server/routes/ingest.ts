import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { answerJson } from "../answer.ts";
import { readItems, readLines } from "../body.ts";
import type { WebContext } from "../context.ts";
import { Parameters } from "../parameters.ts";

/**
 * Takes observations in, one JSON object a line or as a JSON array. They are durable in the log before the answer; a line
 * that is no observation is taken too, and the consumer puts it among the rejected ones with the reason. All or nothing.
 */
export function ingestRoutes(context: WebContext) {
  return new Elysia().post(
    "/observations",
    async ({ request }) => {
      new Parameters(request, []);
      const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
      const lines =
        type === "application/x-ndjson"
          ? await readLines(request)
          : type === "application/json"
            ? await readItems(request)
            : null;
      if (lines === null) {
        throw new RequestError(
          "unsupported_media_type",
          `The content type is ${describe(type)}, wanted application/x-ndjson or application/json`,
        );
      }
      if (lines.length === 0)
        throw new RequestError("bad_parameter", "The body is empty, wanted observations");
      return answerJson(context, request, await context.services.ingest(lines));
    },
    { parse: "none" },
  );
}
