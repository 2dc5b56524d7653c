import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { describe } from "../../../core/observation.ts";
import type { PostedAnswer } from "../../../jobs/posted-lines.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";
import { answerJson } from "../../http/answer.ts";
import { labelled } from "../../api/columns.ts";
import { switchParameter } from "../../api/parameter.ts";
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
const LINE_AND_REASON = object({
  line: integer("Line of the body, or item of the array, from 1"),
  reason: text("What is wrong, and what was wanted"),
});
const REQUIRED = ["timestamp", "city", "temperature"];

/** Takes observations in. */
export const POST_OBSERVATIONS = endpoint({
  method: "POST",
  path: "/api/v1/observations",
  id: "postObservations",
  tag: "weather",
  summary: "Take observations in",
  description:
    "One JSON object a line, or a JSON object, or an array of objects. They are durable in the log before the answer. A record that is no observation, or that is older than five years, is refused: the others are taken, and the answer counts the refused ones and gives the first reasons with their lines. Where all are refused the answer is 400. What is of the past is posted with `history=true`. A record that names no `source` gets the source `api`. A city's name is kept in Unicode NFC with single blanks, in the spelling of a configured city where it differs in case only. Records of one source, city and timestamp are joined field by field: a missing value never replaces a value, unless `correction` is true and the record replaces the whole. A value that is no number or that no instrument can have measured is kept as it came in `impossible`, and its field is null; the answer tells the first of them as `left_out`. A record without any value is none. At most 1 MiB an object and 16 MiB a body.",
  query: {
    history: switchParameter(
      "Whether the records are history, as of an import: then any age is taken, and a record that is no observation is counted, and kept among the rejected ones.",
    ),
  },
  body: {
    "application/json": list(
      object(RECORD, { optional: Object.keys(RECORD).filter((name) => !REQUIRED.includes(name)) }),
    ),
    "application/x-ndjson": text("The same objects, one a line"),
  },
  answers: [
    {
      status: 200,
      description: "They are in the log, but for those that were refused",
      content: jsonContent(
        labelled(
          {
            appended: integer("Records appended to the log"),
            rejected: integer("Records that are no observations, or too old to be live"),
            reasons: list(LINE_AND_REASON, "Why, of the first ten of them"),
            left_out: list(LINE_AND_REASON, "The first ten impossible values of records that were taken"),
          },
          { optional: ["left_out"] },
        ),
      ),
      example: {
        ...EXAMPLE_LABEL,
        appended: 1,
        rejected: 1,
        reasons: [{ line: 2, reason: "timestamp is missing, wanted ISO 8601 with a zone" }],
      },
    },
  ],
  errors: ["conflict", "too_large", "unsupported_media_type"],
  examples: [
    {
      title: "One observation of the past",
      path: "/api/v1/observations?history=true",
      body: [
        "application/json",
        '[{"timestamp":"2026-01-31T11:50:00Z","city":"London","temperature":7.5,"humidity":81}]',
      ],
    },
  ],
});

/** Takes observations in, as NDJSON or as a JSON array. They are durable in the log before the answer. */
export function ingestRoutes(context: WebContext) {
  return new Elysia().post(
    POST_OBSERVATIONS.path,
    async ({ request }) => {
      const { history } = readQuery(POST_OBSERVATIONS, request, context.services);
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
      const answer = await context.services.ingest(lines, { history });
      if (answer.appended === 0) throw allRefused(answer);
      return answerJson(context, request, answer);
    },
    { parse: "none" },
  );
}

/** Of records that are all refused. */
function allRefused({ rejected, reasons }: PostedAnswer): RequestError {
  const told = reasons.map(({ line, reason }) => `${line}: ${reason}`).join("; ");
  return new RequestError("bad_parameter", `None of the ${rejected} records is taken. Line ${told}`, {
    hint: "What is older than five years is history: post it with ?history=true.",
  });
}

function variableSchema(name: Variable): JsonSchema {
  const { meaning, unit } = VARIABLES[name];
  return nullable(number(meaning, unit));
}
