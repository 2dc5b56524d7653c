import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { EXAMPLE_LABEL, jsonContent } from "../../api/content.ts";
import { endpoint, readQuery } from "../../api/endpoint.ts";
import { boolean, type JsonSchema, integer, list, nullable, number, object, text } from "../../api/schema.ts";
import { readItems, readLines } from "../../http/body.ts";
import type { WebContext } from "../../http/context.ts";

/** The fields of a record; only the time, the place and the temperature have to be there. */
const RECORD: Readonly<Record<string, JsonSchema>> = {
  timestamp: { type: "string", format: "date-time", description: "When it was observed, with a zone" },
  city: text("Name of the place"),
  ...Object.fromEntries(VARIABLE_NAMES.map((name) => [name, variableSchema(name)])),
  weather_main: nullable(text("Group of the condition")),
  weather_description: nullable(text("The condition in words")),
  source: text("Who reported it"),
  correction: boolean(
    "Whether it replaces what its source reported of that time as a whole, also with missing values; else it is joined with it",
  ),
};
const REQUIRED = ["timestamp", "city", "temperature"];

/** Takes observations in. */
export const POST_OBSERVATIONS = endpoint({
  method: "POST",
  path: "/api/v1/observations",
  id: "postObservations",
  tag: "weather",
  summary: "Take observations in",
  description:
    "One JSON object a line, or a JSON object, or an array of objects. They are durable in the log before the answer, all or none. They are not judged here: the consumer puts a record that is no observation among the rejected ones with the reason. One that names no `source` gets the source `api`. Records of one source, city and timestamp are joined field by field: a missing value never replaces a value, unless `correction` is true and the record replaces the whole. A value that is no number or that no instrument can have measured is kept as it came in `impossible`, and its field is null. A record without any value is none. At most 1 MiB an object and 16 MiB a body.",
  query: {},
  body: {
    "application/json": list(
      object(RECORD, { optional: Object.keys(RECORD).filter((name) => !REQUIRED.includes(name)) }),
    ),
    "application/x-ndjson": text("The same objects, one a line"),
  },
  answers: [
    {
      status: 200,
      description: "They are in the log",
      content: jsonContent(labelled({ appended: integer("Records appended to the log") })),
      example: { ...EXAMPLE_LABEL, appended: 1 },
    },
  ],
  errors: ["conflict", "too_large", "unsupported_media_type"],
  examples: [
    {
      title: "One observation",
      path: "/api/v1/observations",
      body: [
        "application/json",
        '[{"timestamp":"2026-01-31T11:50:00Z","city":"London","temperature":7.5,"humidity":81}]',
      ],
    },
  ],
});

/**
 * Takes observations in, as NDJSON or as a JSON array, all or none. They are durable in the log before the answer. An
 * invalid line is appended too; the consumer stores it as a rejected record with the reason.
 */
export function ingestRoutes(context: WebContext) {
  return new Elysia().post(
    POST_OBSERVATIONS.path,
    async ({ request }) => {
      readQuery(POST_OBSERVATIONS, request, context.services);
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

function variableSchema(name: Variable): JsonSchema {
  const { meaning, unit } = VARIABLES[name];
  return nullable(number(meaning, unit));
}
