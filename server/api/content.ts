import { CONTENT_TYPES, type Format } from "../formats/formats.ts";
import type { JsonSchema } from "./schema.ts";

/** The content type of a format, without its parameters. */
export const typeOf = (format: Format): string => CONTENT_TYPES[format].split(";", 1)[0] ?? "";

/** An answer in JSON. */
export function jsonContent(schema: JsonSchema): Record<string, JsonSchema> {
  return { [typeOf("json")]: schema };
}

/** An answer in any of the formats, described for JSON. */
export function rowsContent(schema: JsonSchema): Record<string, JsonSchema> {
  return {
    ...jsonContent(schema),
    [typeOf("csv")]: { type: "string", description: "RFC 4180 with a header; null is empty" },
    [typeOf("arrow")]: { description: "Arrow IPC stream; the schema's metadata has the label" },
  };
}

/** The label of an answer that is shown. */
export const EXAMPLE_LABEL = {
  generated_at: "2026-01-31T12:00:00Z",
  dataset: "observed",
  kind: "observed",
} as const;

/** An observation that is shown. */
export const EXAMPLE_OBSERVATION = {
  timestamp: "2026-01-31T11:50:00Z",
  city: "London",
  temperature: 7.5,
  humidity: 81,
  pressure: 1012.4,
  wind_speed: 4.1,
  rainfall: 0,
  weather_main: "Clouds",
  weather_description: "broken clouds",
  source: "open-meteo",
  wind_direction: 240,
  wind_gust: 9.3,
  dew_point: 4.4,
  clouds: 75,
  visibility: null,
} as const;
