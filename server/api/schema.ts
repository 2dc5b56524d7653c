/** A JSON Schema (2020-12, as OpenAPI 3.1 uses it), of the words that the API's schemas need. */
export interface JsonSchema {
  type?: string | readonly string[];
  description?: string;
  enum?: readonly unknown[];
  properties?: Readonly<Record<string, JsonSchema>>;
  required?: readonly string[];
  items?: JsonSchema;
  /** Of the values of an object that is a map. */
  additionalProperties?: JsonSchema;
  format?: string;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  default?: unknown;
  /** Unit of a number, as OpenAPI's extensions are written. */
  "x-unit"?: string;
  $ref?: string;
}

/** A whole number. */
export const integer = (description: string): JsonSchema => ({ type: "integer", description });
/** A number, in a unit where it has one. */
export const number = (description: string, unit?: string): JsonSchema => ({
  type: "number",
  description: unit === undefined ? description : `${description}, ${unit}`,
  ...(unit === undefined ? {} : { "x-unit": unit }),
});
/** Text. */
export const text = (description: string): JsonSchema => ({ type: "string", description });
/** True or false. */
export const boolean = (description: string): JsonSchema => ({ type: "boolean", description });
/** A point in time. */
export const time = (description: string): JsonSchema => ({
  type: "string",
  format: "date-time",
  description: `${description}, ISO 8601 UTC`,
});
/** One of some texts. */
export const oneOf = (values: readonly string[], description: string): JsonSchema => ({
  type: "string",
  enum: values,
  description,
});
/** A list. */
export const list = (items: JsonSchema, description = ""): JsonSchema => ({
  type: "array",
  items,
  ...(description === "" ? {} : { description }),
});
/** An object whose keys are data. */
export const map = (values: JsonSchema, description: string): JsonSchema => ({
  type: "object",
  additionalProperties: values,
  description,
});

/**
 * The schemas of an object's fields, one for each field of a type: `satisfies SchemasOf<Run>` does not compile where one lacks
 * or is too many.
 */
export type SchemasOf<T> = Readonly<Record<keyof T, JsonSchema>>;

/** An object with these keys, all of them there but those in `optional`. Keys may be added in later versions. */
export function object(
  properties: Readonly<Record<string, JsonSchema>>,
  options: { description?: string; optional?: readonly string[] } = {},
): JsonSchema {
  const { description, optional = [] } = options;
  return {
    type: "object",
    ...(description === undefined ? {} : { description }),
    properties,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
  };
}

/** The same, or null where it is not known. */
export function nullable(schema: JsonSchema): JsonSchema {
  const { type, enum: values, ...rest } = schema;
  if (type === undefined) throw new TypeError("Cannot make a schema nullable that has no type");
  return {
    type: [type, "null"].flat(),
    ...(values === undefined ? {} : { enum: [...values, null] }),
    ...rest,
  };
}
