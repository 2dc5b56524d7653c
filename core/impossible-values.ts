import { VARIABLES } from "./variables.ts";

/** Impossible values as they came, by field. */
export type ImpossibleValues = Partial<Record<string, string>>;

/** Longest text that is kept of such a value, characters. */
const TEXT_MAX = 40;
const FIELDS = new Set<string>([...Object.keys(VARIABLES), "weather_main", "weather_description"]);
const WANTED = `a JSON object, as text, of fields and texts of at most ${TEXT_MAX} characters`;

/**
 * Reads the field `impossible` of a record: missing, or what {@link impossibleText} wrote.
 *
 * @returns the values by field, or the reason why they cannot be read
 */
export function impossibleOf(field: unknown): ImpossibleValues | string {
  if (field === undefined || field === null) return {};
  const wrong = `impossible is not as expected, wanted ${WANTED}`;
  if (typeof field !== "string" || field.length > FIELDS.size * (4 * TEXT_MAX)) return wrong;
  let values: unknown;
  try {
    values = JSON.parse(field);
  } catch {
    return wrong;
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) return wrong;
  const result: ImpossibleValues = {};
  for (const [name, value] of Object.entries(values)) {
    if (!FIELDS.has(name) || typeof value !== "string" || value !== cut(value)) return wrong;
    result[name] = value;
  }
  return result;
}

/** The text of impossible values, in the order of `names` and without others; undefined where there is none. */
export function impossibleText(names: readonly string[], values: ImpossibleValues): string | undefined {
  const found = names.filter((name) => values[name] !== undefined);
  return found.length === 0
    ? undefined
    : JSON.stringify(Object.fromEntries(found.map((name) => [name, values[name]])));
}

/** A value as it is kept: a number or a word as it came, cut when long. What is nested is not kept. */
export function textOfValue(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return cut(String(value));
}

/** Without control characters, which no text of a record has. */
function cut(text: string): string {
  return text
    .slice(0, TEXT_MAX)
    .toWellFormed()
    .replace(/[\u0000-\u001f\u007f]/g, "\ufffd");
}
