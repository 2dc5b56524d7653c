import { readFileSync } from "node:fs";
import { join } from "node:path";
import { unitBeside, VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";
import { importUnits } from "../../../jobs/sources/columns/units.ts";
import { OBSERVATION_COLUMNS } from "../../../spark/engine.ts";
import { markdownTable } from "../../../core/markdown.ts";

const root = join(import.meta.dir, "../../..");

/** What the lake's columns mean that are no variables. */
const MEANINGS: Readonly<Record<string, string>> = {
  timestamp: "when it was observed",
  city: "the place",
  weather_main: "group of the condition: Clear, Clouds, Rain, …",
  weather_description: "the condition in words",
  source: "who reported it",
  impossible: "values that no instrument can have measured, as they came; optional",
  log_offset: "offset of the record in its partition of the log",
  ingested_at: "when the log took it",
};

/** The types of the lake's columns, as Parquet's readers call them. */
const TYPES = {
  timestamp: "timestamp[us, UTC]",
  string: "string",
  double: "double",
  bigint: "int64",
} as const;

/** The tables in pages that people wrote, by their name in the page. */
const TABLES: Readonly<Record<string, () => string>> = {
  columns: columnsTable,
  units: unitsTable,
  limits: limitsTable,
};

/** The pages with such a table. */
const PAGES = ["docs/lake-format.md", "docs/import.md", "docs/quality.md"];

/** The pages that hold tables made of variables and limits, with their tables as they should be, by path in the project. */
export function pagesWithTables(): Record<string, string> {
  return Object.fromEntries(PAGES.map((path) => [path, withTables(readFileSync(join(root, path), "utf8"))]));
}

/**
 * A page with its tables made anew: each stands between "made by `bun run docs`: NAME" and "end of NAME", both comments.
 *
 * @throws TypeError for a table of another name
 */
export function withTables(page: string): string {
  return page.replace(
    /(<!-- made by `bun run docs`: (\w+) -->\n\n).*?(\n\n<!-- end of \2 -->)/gs,
    (_, begin: string, name: string, end: string) => {
      const table = TABLES[name];
      if (table === undefined)
        throw new TypeError(`Cannot make the table ${name}, wanted ${Object.keys(TABLES).join(", ")}`);
      return `${begin}${table()}${end}`;
    },
  );
}

/** The page of the variables, `docs/variables.md`. */
export function variablesPage(): string {
  const rows = VARIABLE_NAMES.map((name) => {
    const { contract, unit, meaning, standardName, range, aggregation } = VARIABLES[name];
    return [
      `\`${name}\``,
      meaning,
      unit,
      contract ? "always" : "where reported",
      `${range[0]} to ${range[1]}`,
      aggregation,
      `\`${standardName}\``,
    ];
  });
  return `# Variables

<!-- This page is made by \`bun run docs\` from core/variables.ts. -->

What an observation measures. Each variable is one entry of \`core/variables.ts\`, with limits in \`spark/limits.csv\`; the record, the lake, the API, pages, alert rules and
imports follow from it.

${markdownTable(
  ["Field", "Meaning", "Unit", "In a record", "Possible", "Over time", "CF standard name"],
  rows,
)}

- **In a record**: a variable that is always there is null when it is missing; any other is left out then. Missing is never 0.
- **Possible**: a value outside is left out and kept as it came in \`impossible\`, because no instrument on Earth can have measured it. What is merely unlikely
  is kept, and [quality control](quality.md) flags it.
- **Over time**: how values become one of a longer time. Rain is that of the last hour, so one value of each hour counts.
- **CF standard name**: its name in the [CF conventions](https://cfconventions.org).
`;
}

function columnsTable(): string {
  const rows = OBSERVATION_COLUMNS.map(([column, type]) => {
    const variable = VARIABLE_NAMES.find((name) => name === column);
    const { unit = "", meaning, contract = true } = variable === undefined ? {} : VARIABLES[variable];
    const text = meaning === undefined ? MEANINGS[column] : lowerFirst(meaning);
    if (text === undefined) throw new TypeError(`The column ${column} has no meaning in docs/lake-format.md`);
    return [`\`${column}\``, `\`${TYPES[type]}\``, unitBeside(unit), contract ? text : `${text}; optional`];
  });
  return markdownTable(["Column", "In Parquet", "Unit", "Meaning"], rows);
}

function unitsTable(): string {
  const rows = VARIABLE_NAMES.map((name) => [
    `\`${name}\``,
    lowerFirst(VARIABLES[name].meaning),
    importUnits(name)
      .map((unit) => `\`${unit}\``)
      .join(", "),
  ]);
  const texts = [
    ["`weather_main`", MEANINGS.weather_main ?? "", "text, without a unit"],
    ["`weather_description`", MEANINGS.weather_description ?? "", "text, without a unit"],
  ];
  return markdownTable(["field", "what it is", "units"], [...rows, ...texts]);
}

function limitsTable(): string {
  const lines = readFileSync(join(root, "spark/limits.csv"), "utf8").trimEnd().split("\n");
  const [head = [], ...rows] = lines.map((line) => line.split(","));
  return markdownTable(head, rows);
}

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
