import type { JsonSchema } from "../../server/api/schema.ts";

/**
 * What of a value does not fit a schema, a line each; it knows the words that the API's schemas use.
 *
 * @param options.closed keys that the schema does not know are findings too
 */
export function misfits(
  schema: JsonSchema,
  value: unknown,
  options: { closed: boolean },
  path = "$",
): string[] {
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.some((type) => isOf(type, value))) {
    return [`${path} is ${JSON.stringify(value)?.slice(0, 80)}, wanted ${types.join(" or ")}`];
  }
  const found: string[] = [];
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    found.push(`${path} is ${JSON.stringify(value)}, wanted one of ${JSON.stringify(schema.enum)}`);
  }
  if (typeof value === "string" && schema.format === "date-time" && !/^\d{4}-\d\d-\d\dT.*Z$/.test(value)) {
    found.push(`${path} is ${value}, wanted a time`);
  }
  if (
    typeof value === "number" &&
    !(value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity))
  ) {
    found.push(`${path} is ${value}, out of bounds`);
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const [index, item] of value.entries()) {
      found.push(...misfits(schema.items, item, options, `${path}[${index}]`));
    }
  } else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    const { properties, required = [], additionalProperties } = schema;
    for (const name of required) if (!(name in value)) found.push(`${path} has no ${name}`);
    for (const [name, part] of Object.entries(value)) {
      const known = properties?.[name] ?? additionalProperties;
      if (known !== undefined) found.push(...misfits(known, part, options, `${path}.${name}`));
      else if (options.closed && properties !== undefined) found.push(`${path}.${name} is not in the schema`);
    }
  }
  return found;
}

function isOf(type: string, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "integer" ? Number.isSafeInteger(value) : typeof value === type;
}
