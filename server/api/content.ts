import { CONTRACT_VARIABLES, OPTIONAL_VARIABLES, type Variable, VARIABLES } from "../../core/variables.ts";
import { CONTENT_TYPES, type Format } from "../formats/formats.ts";
import type { JsonSchema } from "./schema.ts";

/** The content type of a format, without its parameters. */
export const mediaTypeOf = (format: Format): string => CONTENT_TYPES[format].split(";", 1)[0] ?? "";

/** An answer in JSON. */
export function jsonContent(schema: JsonSchema): Record<string, JsonSchema> {
  return { [mediaTypeOf("json")]: schema };
}

/** An answer in any of the formats, described for JSON. */
export function rowsContent(schema: JsonSchema): Record<string, JsonSchema> {
  return {
    ...jsonContent(schema),
    [mediaTypeOf("csv")]: { type: "string", description: "RFC 4180 with a header; null is empty" },
    [mediaTypeOf("arrow")]: { description: "Arrow IPC stream; the schema's metadata has the label" },
  };
}

/** The label of an answer that is shown. */
export const EXAMPLE_LABEL = {
  generated_at: "2026-01-31T12:00:00Z",
  dataset: "observed",
  kind: "observed",
} as const;

const examples = (names: readonly Variable[]) =>
  Object.fromEntries(names.map((name) => [name, VARIABLES[name].example]));

/** An observation that is shown. */
export const EXAMPLE_OBSERVATION = {
  timestamp: "2026-01-31T11:50:00Z",
  city: "London",
  ...examples(CONTRACT_VARIABLES),
  weather_main: "Clouds",
  weather_description: "broken clouds",
  source: "open-meteo",
  ...examples(OPTIONAL_VARIABLES),
};
