import { ERROR_STATUS } from "../http/problems.ts";
import type { RequestError } from "../../core/errors.ts";
import { type Answer, type Endpoint, TAGS } from "./endpoint.ts";
import { LIVE_EVENTS } from "./live-schemas.ts";
import { type JsonSchema, object, text } from "./schema.ts";

/** The common shape of all errors. */
export const ERROR_SCHEMA: JsonSchema = object({
  error: object(
    {
      code: text("What is wrong, for programs"),
      message: text("What was asked, with which value, and what was wanted"),
      hint: text("What to do about it"),
    },
    { optional: ["hint"] },
  ),
});

/** What each status of an error means. */
export const ERRORS: Readonly<Record<number, { codes: string; meaning: string }>> = {
  400: {
    codes: "`unknown_parameter`, `bad_parameter`",
    meaning: "A parameter is not known here, or its value is wrong; the message names it",
  },
  401: { codes: "`unauthorized`", meaning: "The station's key is not known" },
  403: {
    codes: "`forbidden`",
    meaning: "The host that was asked for is not served here, or another site asks for a change",
  },
  404: { codes: "`not_found`", meaning: "There is no city, job, run or result of that name" },
  406: { codes: "`not_acceptable`", meaning: "`Accept` leaves no format" },
  409: { codes: "`conflict`", meaning: "This process does not do that: its roles or its data set forbid it" },
  413: { codes: "`too_large`", meaning: "What was sent is too long" },
  415: { codes: "`unsupported_media_type`", meaning: "What was sent is of another content type" },
  500: { codes: "`internal`", meaning: "A bug; it was logged" },
  503: {
    codes: "`unavailable`",
    meaning: "Log, lake or engine cannot answer now; `Retry-After` says when to try again",
  },
};

/** Error statuses of every endpoint. */
const EVERYWHERE = [400, 403, 500, 503];

/** Statuses of the errors of an endpoint, ascending. */
export function errorStatuses({ errors }: Pick<Endpoint, "errors">): number[] {
  const own = errors.map((code: RequestError["code"]) => ERROR_STATUS[code]);
  return [...new Set([...EVERYWHERE, ...own])].sort((a, b) => a - b);
}

/** A path as OpenAPI writes it: `/jobs/{name}`. */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

/** The OpenAPI 3.1 document of an API. */
export function openApiDocument(endpoints: readonly Endpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const one of endpoints) {
    const path = (paths[openApiPath(one.path)] ??= {});
    path[one.method.toLowerCase()] = operation(one);
  }
  const events = Object.entries(LIVE_EVENTS).map(([name, { schema, description }]) => [
    `Live${name[0]?.toUpperCase()}${name.slice(1)}`,
    { ...schema, description: `Data of the event \`${name}\`. ${description}` },
  ]);
  return {
    openapi: "3.1.0",
    info: {
      title: "Isobar",
      version,
      description:
        "Weather observations, what is unusual about them, and what the analytic jobs find out. Missing values are null and never 0. Times are ISO 8601 in UTC. Keys may be added to objects in later versions.",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: { Error: ERROR_SCHEMA, ...Object.fromEntries(events) } },
  };
}

function operation(one: Endpoint): object {
  const { id, tag, summary, description, segments, query, sent, headers, body } = one;
  const parameters = [
    ...Object.entries(segments ?? {}).map(([name, [meaning, example]]) => ({
      name,
      in: "path",
      required: true,
      description: meaning,
      schema: { type: "string", minLength: 1 },
      example,
    })),
    ...Object.entries(query ?? {}).map(([name, parameter]) => ({
      name,
      in: "query",
      required: parameter.required === true,
      description: parameter.description,
      schema: parameter.schema,
      example: parameter.schema.type === "integer" ? Number(parameter.example) : parameter.example,
    })),
    ...Object.entries(body === undefined ? (sent ?? {}) : {}).map(([name, field]) => ({
      name,
      in: "query",
      required: false,
      ...field,
    })),
    ...Object.entries(headers ?? {}).map(([name, [meaning, example]]) => ({
      name,
      in: "header",
      required: false,
      description: meaning,
      schema: { type: "string" },
      example,
    })),
  ];
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === "" ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: requestBody(one, body) }),
    responses: responses(one),
  };
}

function requestBody({ examples }: Endpoint, body: NonNullable<Endpoint["body"]>): object {
  const content = Object.entries(body).map(([type, schema]) => {
    const sent = examples.find((one) => one.body?.[0] === type)?.body?.[1];
    const example = sent === undefined ? {} : { example: JSON.parse(sent) as unknown };
    return [type, { schema, ...example }];
  });
  return { required: true, content: Object.fromEntries(content) };
}

function responses(one: Endpoint): object {
  const found: Record<string, object> = {};
  const byStatus = new Map(one.answers.map((answer) => [answer.status, answer]));
  for (const status of errorStatuses(one)) {
    const { codes, meaning } = ERRORS[status]!;
    const own = byStatus.get(status);
    const schema = { $ref: "#/components/schemas/Error" };
    // If the endpoint uses an error status for an answer of its own, the body has either shape.
    const either = Object.values(own?.content ?? {});
    found[status] = {
      description:
        own === undefined ? `${codes}: ${meaning}.` : `${own.description}; or ${codes}: ${meaning}.`,
      content: {
        "application/json": { schema: either.length === 0 ? schema : { anyOf: [...either, schema] } },
      },
    };
  }
  found[431] = { description: "URL and headers are longer than 16 kB together; without a body." };
  const hasTag = ({ content, headers }: Answer) =>
    "application/json" in content || headers?.etag !== undefined;
  if (one.method === "GET" && one.answers.some(hasTag)) {
    found[304] = { description: "What `If-None-Match` names is still the answer." };
  }
  for (const answer of one.answers) {
    if (found[answer.status] === undefined) found[answer.status] = response(answer);
  }
  return found;
}

function response({ description, content, example, headers }: Answer): object {
  const types = Object.entries(content).map(([type, schema]) => [
    type,
    { schema, ...(type === "application/json" && example !== undefined ? { example } : {}) },
  ]);
  return {
    description: `${description}.`,
    ...(types.length === 0 ? {} : { content: Object.fromEntries(types) as object }),
    ...(headers === undefined
      ? {}
      : {
          headers: Object.fromEntries(
            Object.entries(headers).map(([name, meaning]) => [
              name,
              { description: meaning, schema: { type: "string" } },
            ]),
          ) as object,
        }),
  };
}
