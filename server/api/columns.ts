import { DATASET_KINDS } from "../../core/dataset-kind.ts";
import { OPTIONAL_VARIABLES, VARIABLE_NAMES, VARIABLES } from "../../core/variables.ts";
import type { Column } from "../formats/formats.ts";
import { unitsOf } from "../formats/column-units.ts";
import {
  type JsonSchema,
  boolean,
  integer,
  list,
  map,
  nullable,
  number,
  object,
  oneOf,
  text,
  time,
} from "./schema.ts";

/** What each column of rows that are made here means. */
const MEANINGS: Readonly<Record<string, string>> = {
  name: "Name, as it stands in observations",
  slug: "Name in URLs",
  latitude: "Degrees north; null of a city that is not configured",
  longitude: "Degrees east; null of a city that is not configured",
  zone: "IANA time zone; null of a city that is not configured",
  timestamp: "When it was observed",
  city: "Name of the place",
  ...Object.fromEntries(VARIABLE_NAMES.map((name) => [name, VARIABLES[name].meaning])),
  weather_main: "Group of the condition: Clear, Clouds, Rain, …",
  weather_description: "The condition in words",
  source: "Who reported it",
  impossible:
    "Values that no instrument can have measured, as they came, as the text of a JSON object; their fields are null",
  log_offset: "Offset of the record in its partition of the log; a revision has a higher one",
  ingested_at: "When the log took it",
  age_seconds: "How long ago it was observed when the answer was made",
  stale: "Whether it is older than `stale_after_seconds`",
  flag: "Worst of the tests' flags: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing",
  q_gross: "Flag of the test for extremes",
  q_step: "Flag of the test for changes",
  q_spike: "Flag of the test for one value that sticks out",
  q_stuck: "Flag of the test for hours without a change",
  q_level: "Flag of the test for pressure of another height",
  q_consistency: "Flag of the test for contradictions within a report",
  q_time: "Flag of the test of when it came",
  q_neighbour: "Flag of the test against neighbours",
  ...Object.fromEntries(
    VARIABLE_NAMES.map((name) => [`${name}_flag`, `Worst flag of the ${name.replaceAll("_", " ")}`]),
  ),
  temperature_expected: "Temperature that is usual for season and hour; null without enough history",
  temperature_lower: "Lower bound of the usual temperatures",
  temperature_upper: "Upper bound of the usual temperatures",
  anomalies:
    "Kinds of what is unusual, separated by spaces; null until it was judged, and where nothing was found but its past is too short to judge it by season and hour",
};

/** Columns that are never null: what makes an observation the same one, and what the program itself adds. */
const ALWAYS = new Set("name slug timestamp city source log_offset ingested_at age_seconds stale".split(" "));

/**
 * Schema of a row.
 *
 * @param options.unjudged flags may be null: the row was not judged yet
 * @throws {TypeError} for a column without a meaning here
 */
export function rowSchema(columns: readonly Column[], options: { unjudged?: boolean } = {}): JsonSchema {
  const units = unitsOf(columns.map(([name]) => name));
  const isFlag = (name: string) => name === "flag" || name.startsWith("q_") || name.endsWith("_flag");
  const optional = new Set<string>([...OPTIONAL_VARIABLES, "impossible"]);
  const properties = columns.map(([name, type]) => {
    const meaning = MEANINGS[name];
    if (meaning === undefined)
      throw new TypeError(`The column ${name} has no meaning in the API's documentation`);
    const schema = columnSchema(type, meaning, units[name]);
    const never = ALWAYS.has(name) || (isFlag(name) && options.unjudged !== true);
    return [name, never ? schema : nullable(schema)] as const;
  });
  return object(Object.fromEntries(properties), {
    optional: columns.map(([name]) => name).filter((name) => optional.has(name)),
  });
}

function columnSchema(type: Column[1], meaning: string, unit: string | undefined): JsonSchema {
  switch (type) {
    case "timestamp":
      return time(meaning);
    case "string":
      return text(meaning);
    case "double":
      return number(meaning, unit);
    case "int":
    case "bigint":
      return integer(meaning);
    case "boolean":
      return boolean(meaning);
  }
}

/** What every JSON answer says about itself. */
export const LABEL = {
  generated_at: time("When the content was made"),
  dataset: text("Data set inside the lake"),
  kind: oneOf(DATASET_KINDS, "Whether the data is real"),
} as const satisfies Record<string, JsonSchema>;

/** Units of the columns that have one. */
export const UNITS = map(text("Unit"), "Units by column");

/** Schema of a labelled object. */
export function labelled(
  properties: Readonly<Record<string, JsonSchema>>,
  options: { optional?: readonly string[] } = {},
): JsonSchema {
  return object({ ...LABEL, ...properties }, options);
}

/** Schema of a JSON answer with rows; `extra` stands beside them, of which not always those in `optional`. */
export function rowsSchema(
  row: JsonSchema,
  extra: Readonly<Record<string, JsonSchema>> = {},
  optional: readonly string[] = [],
): JsonSchema {
  return labelled({ units: UNITS, ...extra, rows: list(row) }, { optional });
}
