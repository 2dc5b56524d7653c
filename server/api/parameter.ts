import type { Place } from "../../core/city.ts";
import { FORMATS, type Format } from "../formats/formats.ts";
import { chooseFormat } from "../http/negotiation.ts";
import { type Parameters, badParameter, findCity, noCity } from "../http/parameters.ts";
import type { Services } from "../answers/services.ts";
import type { JsonSchema } from "./schema.ts";

/** One query parameter: what the documentation says of it, and how the route reads it. Both are of one making. */
export interface Parameter<T> {
  /** What it does; Markdown. */
  readonly description: string;
  /** The values it takes, as far as a schema can say. */
  readonly schema: JsonSchema;
  /** A value for a request that is answered. */
  readonly example: string;
  /** Whether a request without it is refused. */
  readonly required?: true;
  /** Its value in a request. @throws RequestError naming it, its value and what was wanted */
  read(name: string, given: Given): T;
}

/** Where a parameter's value is read from. */
export interface Given {
  parameters: Parameters;
  request: Request;
  services: Pick<Services, "cities">;
}

/** A city by slug or name; null when it is not given. */
export function cityParameter(description: string): Parameter<Place | null> {
  return {
    description: `${description} Its name, in any case, or its slug; an exact name comes first; \`/api/v1/cities\` lists them.`,
    schema: { type: "string", minLength: 1, maxLength: 200 },
    example: "london",
    read: (name, { parameters, services }) => parameters.city(name, services.cities()),
  };
}

/** One or more cities, separated by commas; null when none is given. A name with a comma in it stands alone. */
export function citiesParameter(description: string, most: number): Parameter<readonly Place[] | null> {
  return {
    description: `${description} Up to ${most} names or slugs, separated by commas; \`/api/v1/cities\` lists them.`,
    schema: { type: "string", minLength: 1, maxLength: 20_000 },
    example: "london,tokyo",
    read(name, { parameters, services }) {
      const text = parameters.text(name);
      if (text === null) return null;
      const cities = services.cities();
      const parts = findCity(cities, text) === undefined ? text.split(",") : [text];
      if (parts.length > most) throw badParameter(name, text, `at most ${most} cities`);
      return parts.map((part) => findCity(cities, part) ?? noCity(name, part));
    },
  };
}

/** A point in time, ms; null when it is not given. */
export function timeParameter(description: string, example: string): Parameter<number | null> {
  return {
    description: `${description} ISO 8601 with a zone, or seconds since 1970; from 1900 to 2100.`,
    schema: { type: "string", minLength: 1, maxLength: 40 },
    example,
    read: (name, { parameters }) => parameters.time(name),
  };
}

/** A whole number within bounds. */
export function integerParameter(
  description: string,
  bounds: { min: number; max: number; fallback: number },
): Parameter<number> {
  const { min, max, fallback } = bounds;
  return {
    description,
    schema: { type: "integer", minimum: min, maximum: max, default: fallback },
    example: String(Math.min(max, 5)),
    read: (name, { parameters }) => parameters.integer(name, bounds),
  };
}

/** Text that the route itself reads; null when it is not given. */
export function textParameter(
  description: string,
  example: string,
  schema: JsonSchema = { type: "string", minLength: 1, maxLength: 4_000 },
): Parameter<string | null> {
  return { description, schema, example, read: (name, { parameters }) => parameters.text(name) };
}

/** A parameter that must be there. */
export function required<T>(parameter: Parameter<T | null>): Parameter<T> {
  return {
    ...parameter,
    required: true,
    read(name, given) {
      const value = parameter.read(name, given);
      if (value === null) throw badParameter(name, null, `one such as ${parameter.example}`);
      return value;
    },
  };
}

/** One or more of `values`, separated by commas; null when it is not given. */
export function someOfParameter(
  description: string,
  values: readonly string[],
  example: string,
): Parameter<readonly string[] | null> {
  const one = `(?:${values.join("|")})`;
  return {
    description: `${description} One or more of ${values.map((value) => `\`${value}\``).join(", ")}, separated by commas.`,
    schema: { type: "string", pattern: `^${one}(?:,${one})*$` },
    example,
    read(name, { parameters }) {
      const given = parameters.text(name);
      if (given === null) return null;
      const names = given.split(",");
      if (names.every((value) => values.includes(value))) return [...new Set(names)];
      throw badParameter(name, given, `one or more of ${values.join(", ")}, separated by commas`);
    },
  };
}

/** A switch: `true` or `false`, which is what it is when it is not given. */
export function switchParameter(description: string): Parameter<boolean> {
  return {
    description,
    schema: { type: "string", enum: ["true", "false"], default: "false" },
    example: "true",
    read(name, { parameters }) {
      const text = parameters.text(name) ?? "false";
      if (text !== "true" && text !== "false") throw badParameter(name, text, "true or false");
      return text === "true";
    },
  };
}

/** The format of an answer with rows. */
export const FORMAT_PARAMETER: Parameter<Format> = {
  description:
    "Format of the answer. Without it the `Accept` header decides, and where that leaves a choice JSON.",
  schema: { type: "string", enum: FORMATS },
  example: "csv",
  read: (_name, { parameters, request }) => chooseFormat(parameters, request),
};
