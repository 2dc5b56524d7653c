import type { Endpoint } from "./endpoint.ts";
import { ERROR_SCHEMA, errorStatuses } from "./openapi.ts";
import type { JsonSchema } from "./schema.ts";

const JSON_TYPE = "application/json";
/** Longest line: the formatter breaks longer ones. */
const LINE = 110;
/** This parameter is left out: with it an answer is text or bytes, and its type would be wrong. */
const LEFT_OUT = "format";

/** A path's methods, and the paths below it. */
interface Node {
  methods: Map<string, Endpoint>;
  below: Map<string, Node>;
}

/**
 * The API's types for Eden's treaty, as the text of a module: requests and JSON answers of each endpoint. It leaves out the
 * live stream, which is for `EventSource`, and the paths for stations.
 */
export function clientTypes(endpoints: readonly Endpoint[]): string {
  const root: Node = { methods: new Map(), below: new Map() };
  for (const one of endpoints) {
    if (one.tag === "live" || one.tag === "stations") continue;
    let node = root;
    for (const segment of one.path.slice(1).split("/")) {
      const next = node.below.get(segment) ?? { methods: new Map(), below: new Map() };
      node.below.set(segment, next);
      node = next;
    }
    node.methods.set(one.method.toLowerCase(), one);
  }
  return `// This file is made by \`bun run docs\` from the routes in server/routes/.
import type { Elysia } from "elysia";

/** The one shape of every error. */
export type ApiError = ${typeOf(ERROR_SCHEMA, "", 0)};

/** Every path, and what its methods take and answer. */
export interface Routes ${nodeText(root, "")}

/** The API, for \`treaty<IsobarApi>(…)\` of @elysiajs/eden. */
export type IsobarApi = Elysia & { "~Routes": Routes };
`;
}

function nodeText({ methods, below }: Node, indent: string): string {
  const inner = `${indent}  `;
  const lines = [
    ...[...methods].flatMap(([method, one]) => [
      `${inner}/** ${one.summary}. */`,
      `${inner}${method}: ${methodText(one, inner)};`,
    ]),
    ...[...below].map(([segment, node]) => `${inner}${keyText(segment)}: ${nodeText(node, inner)};`),
  ];
  return `{\n${lines.join("\n")}\n${indent}}`;
}

function methodText(one: Endpoint, indent: string): string {
  const inner = `${indent}  `;
  const body = one.body?.[JSON_TYPE];
  const names = Object.keys(one.segments ?? {});
  const params = names.map((name) => [name, "string", true] as const);
  const query = Object.entries(one.query ?? {})
    .filter(([name]) => name !== LEFT_OUT)
    .map(
      ([name, { schema, required }]) =>
        [name, typeOf(schema, `${inner}  `, name.length + 4), required === true] as const,
    );
  return objectText(
    [
      ["body", body === undefined ? "unknown" : typeOf(body, inner, 6), true],
      ["params", params.length === 0 ? "unknown" : objectText(params, inner), true],
      ["query", query.length === 0 ? "unknown" : objectText(query, inner), true],
      ["headers", "unknown", true],
      ["response", responsesText(one, inner), true],
    ],
    indent,
  );
}

function responsesText(one: Endpoint, indent: string): string {
  const inner = `${indent}  `;
  const found = new Map<number, string>(errorStatuses(one).map((status) => [status, "ApiError"]));
  for (const { status, content } of one.answers) {
    const schema = content[JSON_TYPE];
    if (schema === undefined) found.set(status, "unknown");
    else if (!found.has(status)) found.set(status, typeOf(schema, inner, 5));
    // The endpoint uses this error status for an answer of its own too.
    else found.set(status, `\n${inner}  | ${typeOf(schema, `${inner}    `, 4)}\n${inner}  | ApiError`);
  }
  const entries = [...found].sort(([a], [b]) => a - b);
  return objectText(
    entries.map(([status, type]) => [String(status), type, true] as const),
    indent,
  );
}

function objectText(
  entries: readonly (readonly [name: string, type: string, required: boolean])[],
  indent: string,
): string {
  const lines = entries.map(
    ([name, type, required]) =>
      `${indent}  ${keyText(name)}${required ? "" : "?"}:${type.startsWith("\n") ? "" : " "}${type};`,
  );
  return `{\n${lines.join("\n")}\n${indent}}`;
}

/** @param before characters of the line before the type */
function typeOf(schema: JsonSchema, indent: string, before: number): string {
  const { type, enum: values, properties, required = [], items, additionalProperties } = schema;
  if (values !== undefined)
    return union(
      values.map((value) => JSON.stringify(value)),
      indent,
      before,
    );
  const inner = `${indent}  `;
  const types = [type ?? "unknown"].flat().map((one): string => {
    switch (one) {
      case "integer":
        return "number";
      case "array":
        return items === undefined ? "unknown[]" : arrayOf(typeOf(items, indent, before));
      case "object":
        if (properties === undefined)
          return `Record<string, ${additionalProperties === undefined ? "unknown" : typeOf(additionalProperties, indent, before)}>`;
        return objectText(
          Object.entries(properties).map(
            ([name, part]) => [name, typeOf(part, inner, name.length + 4), required.includes(name)] as const,
          ),
          indent,
        );
      default:
        return one;
    }
  });
  return union(types, indent, before);
}

function union(types: readonly string[], indent: string, before: number): string {
  const line = types.join(" | ");
  if (types.length < 2 || line.includes("\n") || indent.length + before + line.length < LINE) return line;
  return types.map((type) => `\n${indent}  | ${type}`).join("");
}

function arrayOf(type: string): string {
  return type.endsWith("}") || /^(\w+|Record<[^|]*>)$/.test(type) ? `${type}[]` : `(${type})[]`;
}

function keyText(name: string): string {
  return /^([A-Za-z_$][\w$]*|\d+)$/.test(name) ? name : JSON.stringify(name);
}
