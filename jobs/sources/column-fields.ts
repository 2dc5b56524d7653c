import { describe } from "../../core/observation.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { type NumberRead, numberReader, type NumberStyle } from "./columns/number-text.ts";
import { type Convert, importUnits, unitConversion, wordsOfUnit } from "./columns/units.ts";
import type { ZoneClock } from "./local-time.ts";
import { parseRainColumn, type RainColumn } from "./rain-column.ts";
import { objectOf } from "./record.ts";

/** A column that a measured field may come from. A field may have several, of which the file has one. */
export interface NumberColumn {
  field: string;
  column: string;
  /** What a text of the column says, in the column's unit. */
  read: (text: string) => NumberRead;
  /** To the record's unit. */
  convert: Convert;
  /** What a column of rain is; null for other fields. */
  rain: RainColumn | null;
}

/** A column that a field of text may come from, and what its texts mean where that is another text. */
export interface TextColumn {
  field: string;
  column: string;
  names: ReadonlyMap<string, string>;
}

const TEXT_FIELDS = ["weather_main", "weather_description"];
const VARIABLES: readonly string[] = VARIABLE_NAMES;
const FIELDS = [...VARIABLES, ...TEXT_FIELDS];

/**
 * Reads the part `fields` of a column map.
 *
 * @param style how numbers are written in the whole file
 * @param clock of the map's zone; null where it has none
 * @throws {TypeError} naming the part, its value and what was wanted
 */
export function parseFields(
  input: unknown,
  style: Pick<NumberStyle, "decimal" | "thousands" | "missing">,
  clock: ZoneClock | null,
): { numbers: NumberColumn[]; texts: TextColumn[] } {
  const fields = objectOf(input);
  if (fields === undefined || Object.keys(fields).length === 0) {
    throw new TypeError(
      `fields is ${describe(input)}, wanted { "temperature": { "column": "…", "unit": "C" }, … }`,
    );
  }
  refuseUnknown(fields, FIELDS, "fields");
  const numbers: NumberColumn[] = [];
  const texts: TextColumn[] = [];
  for (const [field, entry] of Object.entries(fields)) {
    for (const one of Array.isArray(entry) ? (entry as unknown[]) : [entry]) {
      const { column, ...others } = objectOf(one) ?? {};
      if (typeof column !== "string") {
        throw new TypeError(`fields.${field}.column is ${describe(column)}, wanted the name of a column`);
      }
      if (field !== "rainfall" && others.amount !== undefined)
        throw new TypeError(`fields.${field} has "amount", which only rainfall has`);
      const rain = field === "rainfall" ? parseRainColumn(others.amount, clock) : null;
      if (VARIABLES.includes(field))
        numbers.push({ field, column, ...parseNumber(field, others, style), rain });
      else texts.push({ field, column, ...parseText(field, others) });
    }
  }
  return { numbers, texts };
}

function parseNumber(
  field: string,
  entry: Record<string, unknown>,
  style: Pick<NumberStyle, "decimal" | "thousands" | "missing">,
): Pick<NumberColumn, "read" | "convert"> {
  const what = `fields.${field}`;
  const { unit, amount: _, missing = [], trace = [], match = null, ...others } = entry;
  refuseUnknown(others, ["column", "unit", "missing", "trace", "match", "amount"], what);
  const convert = typeof unit === "string" ? unitConversion(field, unit) : undefined;
  if (typeof unit !== "string" || convert === undefined) {
    const wanted = VARIABLES.includes(field) ? importUnits(field as (typeof VARIABLE_NAMES)[number]) : [];
    throw new TypeError(`${what}.unit is ${describe(unit)}, wanted one of ${wanted.join(", ")}`);
  }
  const read = numberReader({
    ...style,
    missing: [...style.missing, ...textsOf(missing, `${what}.missing`)],
    trace: textsOf(trace, `${what}.trace`),
    words: wordsOfUnit(unit),
    match: match === null ? null : patternOf(match, `${what}.match`),
  });
  return { read, convert };
}

function parseText(field: string, entry: Record<string, unknown>): Pick<TextColumn, "names"> {
  const { names = {}, ...others } = entry;
  refuseUnknown(others, ["column", "names"], `fields.${field}`);
  return { names: namesOf(names, `fields.${field}.names`) };
}

/** The pattern of a whole text; what it is of has a first group. */
function patternOf(input: unknown, what: string): RegExp {
  try {
    if (typeof input === "string" && /\((?!\?)/.test(input)) return new RegExp(`^(?:${input})$`);
  } catch {
    // Refused below, as a text without a group is.
  }
  throw new TypeError(
    `${what} is ${describe(input)}, wanted a regular expression with the number as its first group`,
  );
}

/** What the texts of a column mean. @throws {TypeError} naming the part */
export function namesOf(input: unknown, what: string): ReadonlyMap<string, string> {
  const entries = Object.entries(objectOf(input) ?? { "": null });
  if (entries.every((entry): entry is [string, string] => typeof entry[1] === "string"))
    return new Map(entries);
  throw new TypeError(`${what} is ${describe(input)}, wanted { "text in the file": "name" }`);
}

/** A list of texts. @throws {TypeError} naming the part */
export function textsOf(input: unknown, what: string): string[] {
  if (Array.isArray(input) && input.every((text) => typeof text === "string")) return input;
  throw new TypeError(`${what} is ${describe(input)}, wanted texts`);
}

/** Refuses a part that is not known. @throws {TypeError} naming it */
export function refuseUnknown(object: Record<string, unknown>, known: readonly string[], what: string): void {
  const name = Object.keys(object).find((key) => !known.includes(key));
  if (name === undefined) return;
  const wanted = known.length === 0 ? "nothing else" : known.join(", ");
  throw new TypeError(`${what} has ${describe(name)}, wanted ${wanted}`);
}
