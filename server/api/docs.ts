import { markdownTable } from "../../core/markdown.ts";
import { type Answer, type Endpoint, type Example, TAGS } from "./endpoint.ts";
import { LIVE_EVENTS } from "./live-schemas.ts";
import { ERRORS, errorStatuses, openApiPath } from "./openapi.ts";
import { PYTHON_EXAMPLES } from "./python.ts";
import type { JsonSchema } from "./schema.ts";

/** The text of `docs/api.md`, generated from the endpoint descriptions that the routes use. */
export function apiPage(endpoints: readonly Endpoint[]): string {
  const told: Told = new Map();
  const tags = Object.entries(TAGS).map(([tag, about]) => {
    const own = endpoints.filter((one) => one.tag === tag);
    const events = tag === "live" ? [eventsSection(told)] : [];
    const sections = own.map((one) => section(one, told));
    return [`## ${tag[0]?.toUpperCase()}${tag.slice(1)}`, about, ...sections, ...events].join("\n\n");
  });
  return `# API

<!-- This page is made by \`bun run docs\` from the routes in server/routes/. -->

Everything the pages show, for programs. A running program serves this description as OpenAPI 3.1 at \`/api/openapi.json\`, and as a
page at \`/api\`. There is no key: who reaches the program reads it ([configuration.md](configuration.md) has \`HOST\` and \`AUTH\`).

${markdownTable(
  ["Method", "Path", "What it is"],
  endpoints.map((one) => [one.method, `[\`${openApiPath(one.path)}\`](#${anchorOf(one)})`, one.summary]),
)}

## What holds everywhere

- Every JSON answer is an object with \`generated_at\`, \`dataset\` and \`kind\`, which says whether the data is real. CSV and Arrow say the
  last two in the headers \`X-Isobar-Dataset\` (percent-encoded) and \`X-Isobar-Kind\`.
- Missing is null, in CSV nothing, and never 0. Times are ISO 8601 in UTC. \`units\` has the unit of each column that has one.
- A parameter that is not known is refused by its name, and so is one that is given twice: a slip never gives unfiltered data.
- Rows come as JSON, CSV (\`text/csv\`) or Arrow (\`application/vnd.apache.arrow.stream\`), by \`format=\` or by \`Accept\`.
- \`HEAD\` answers wherever \`GET\` does. JSON and CSV are sent with brotli or gzip to who accepts
  it; what is read while it is sent, such as a million rows, with gzip alone.
- JSON and CSV come with a weak \`ETag\` that stays while nothing but \`generated_at\` changes, results as Arrow too: \`If-None-Match\` with
  it is answered 304 then.
- Pages of other origins read \`/api\` and \`/live\` where \`CORS_ORIGINS\` lists them; nothing else of them is taken.
- Keys may be added to objects, and columns to rows. Nothing is taken away within \`v1\`.

## Errors

Every error is \`{ "error": { "code", "message", "hint" } }\`: the message names the parameter, its value and what was wanted; the hint,
where there is one, says what to do. A URL that is longer than 16 kB with its headers is answered 431, without a body.

${markdownTable(
  ["Status", "Code", "Means"],
  Object.entries(ERRORS).map(([status, { codes, meaning }]) => [status, codes, meaning]),
)}

${tags.join("\n\n")}

## From TypeScript

[\`client/isobar-api.ts\`](client/isobar-api.ts) has the types of every endpoint but the live stream and the stations', made of the same
description, for [Eden's treaty](https://elysiajs.com/eden/treaty/overview): copy it, \`bun add @elysiajs/eden elysia\`, and see
[\`client/example.ts\`](client/example.ts). Answers are JSON; \`parseDate: false\` leaves times the text that the types say they are.

## From Python

${PYTHON_EXAMPLES.map(({ title, code }) => `${title}:\n\n\`\`\`python\n${code}\n\`\`\``).join("\n\n")}
`;
}

/** Anchor of an endpoint's heading, on GitHub and on the page `/api`. */
export function anchorOf({ method, path }: Pick<Endpoint, "method" | "path">): string {
  return `${method} ${openApiPath(path)}`
    .toLowerCase()
    .replace(/[^\w\- ]/g, "")
    .replaceAll(" ", "-");
}

function section(one: Endpoint, told: Told): string {
  const { summary, description, answers } = one;
  const parts = [`### ${one.method} ${openApiPath(one.path)}`, `${summary}. ${description}`.trim()];
  const parameters = parametersOf(one);
  if (parameters.length > 0) {
    const rows = parameters.map(({ name, where, values, meaning }) => [
      `\`${name}\``,
      where,
      values,
      meaning,
    ]);
    parts.push(markdownTable(["Parameter", "In", "Values", "Meaning"], rows));
  }
  for (const example of one.examples)
    parts.push(`${example.title}:\n\n\`\`\`sh\n${curlOf(one, example)}\n\`\`\``);
  for (const answer of answers)
    parts.push(...answerParts(answer, told, `${one.method} ${openApiPath(one.path)}`));
  parts.push(`Errors: ${errorStatuses(one).join(", ")}.`);
  return parts.join("\n\n");
}

/** A parameter in the list of an endpoint. */
export interface ListedParameter {
  name: string;
  where: "path" | "query" | "form" | "header";
  /** Allowed values, for people. */
  values: string;
  meaning: string;
}

/** The parameters of an endpoint. */
export function parametersOf({ segments, query, sent, body, headers }: Endpoint): ListedParameter[] {
  return [
    ...Object.entries(segments ?? {}).map(([name, [meaning, example]]): ListedParameter => ({
      name,
      where: "path",
      values: `such as \`${example}\``,
      meaning: `${meaning}.`,
    })),
    ...Object.entries(query ?? {}).map(([name, { description, schema, example }]): ListedParameter => ({
      name,
      where: "query",
      values: valuesOf(schema, example),
      meaning: description,
    })),
    ...Object.entries(sent ?? {}).map(([name, { description, schema, example }]): ListedParameter => ({
      name,
      where: body === undefined ? "query" : "form",
      values: valuesOf(schema, String(example)),
      meaning: description,
    })),
    ...Object.entries(headers ?? {}).map(([name, [meaning, example]]): ListedParameter => ({
      name,
      where: "header",
      values: `such as \`${example}\``,
      meaning: `${meaning}.`,
    })),
  ];
}

function valuesOf(
  { enum: values, minimum, maximum, default: fallback }: JsonSchema,
  example: string,
): string {
  if (values !== undefined) return values.map((value) => `\`${String(value)}\``).join(", ");
  if (minimum === undefined)
    return `such as \`${example.length > 30 ? `${example.slice(0, 27)}…` : example}\``;
  return `${minimum} to ${maximum}, else ${String(fallback)}`;
}

/** An example request as a curl command. */
export function curlOf({ method }: Pick<Endpoint, "method">, { path, headers = {}, body }: Example): string {
  const sent = Object.entries({ ...headers, ...(body === undefined ? {} : { "content-type": body[0] }) });
  return [
    path === "/live" || path.startsWith("/live?") ? "curl -N" : "curl",
    ...(method === "GET" ? [] : [`-X ${method}`]),
    ...sent.map(([name, value]) => `-H '${name}: ${value}'`),
    ...(body === undefined ? [] : [`-d '${body[1]}'`]),
    `'localhost:3000${path}'`,
  ].join(" ");
}

/** One line about an answer. */
export function headOf({ status, description, content, headers }: Answer): string {
  const types = Object.keys(content).map((type) => `\`${type}\``);
  const more = Object.entries(headers ?? {}).map(([name, meaning]) => ` Header \`${name}\`: ${meaning}.`);
  return `${[`Answer ${status}`, ...types].join(", ")}: ${description}.${more.join("")}`;
}

/** An example formatted as `bun fmt` does it: lists of strings on one line. */
function exampleText(example: object): string {
  return JSON.stringify(example, null, 2).replace(
    /\[\n\s+("[^"\n]*"(?:,\n\s+"[^"\n]*")*)\n\s+\]/g,
    (_, items: string) => `[${items.replace(/\n\s+/g, " ")}]`,
  );
}

function answerParts(answer: Answer, told: Told, where: string): string[] {
  const { content, example } = answer;
  const parts = [headOf(answer)];
  if (example !== undefined) parts.push(`\`\`\`json\n${exampleText(example)}\n\`\`\``);
  const fields = fieldsOf(content["application/json"], told, where);
  if (fields.length > 0) parts.push(markdownTable(["Field", "Type", "Meaning"], fields));
  return parts;
}

/** The objects whose fields are listed already, with the place. */
type Told = Map<object, string>;

/**
 * The fields of a schema, nested ones by their path. The label's fields, which are in every answer, are left out. Objects that
 * were listed before are only referred to.
 */
function fieldsOf(schema: JsonSchema | undefined, told: Told, where: string, prefix = ""): string[][] {
  const properties = schema?.properties ?? {};
  if (prefix !== "") told.set(properties, where);
  return Object.entries(properties).flatMap(([name, field]) => {
    if (prefix === "" && ["generated_at", "dataset", "kind", "units"].includes(name)) return [];
    const path = `${prefix}${name}`;
    const inside = field.items ?? field;
    const before = inside.properties === undefined ? undefined : told.get(inside.properties);
    const meaning = field.description ?? inside.description ?? "";
    const see = before === undefined ? "" : `${meaning === "" ? "" : ". "}Its fields: see ${before}`;
    const inner =
      before === undefined ? fieldsOf(inside, told, where, `${path}${field.items ? "[]" : ""}.`) : [];
    return [[`\`${path}\``, typeName(field), `${meaning}${see}`], ...inner];
  });
}

function typeName({ type, format, items }: JsonSchema): string {
  const names = [type ?? "any"].flat().map((name) => (name === "array" ? "list" : name));
  const shown = names.map((name) => (name === "string" ? (format === "date-time" ? "time" : "text") : name));
  return items === undefined ? shown.join(" or ") : `list of ${typeName(items)}`;
}

function eventsSection(told: Told): string {
  const events = Object.entries(LIVE_EVENTS).map(([name, { description, id, schema }]) => {
    const ids = { always: "with an id", sometimes: "with the id it stands at", never: "without an id" }[id];
    return `#### Event \`${name}\`\n\n${description} It comes ${ids}.\n\n${markdownTable(["Field", "Type", "Meaning"], fieldsOf(schema, told, "GET /live"))}`;
  });
  return events.join("\n\n");
}
