import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "../core/observation.ts";
import { VARIABLE_NAMES } from "../core/variables.ts";
import type { SqlView } from "./engine.ts";
import { type CellValue, valuesView } from "./values.ts";
import type { Limit } from "../core/quality.ts";

/** In the order they have to be in. */
const BOUNDS = ["fail_low", "suspect_low", "suspect_high", "fail_high"] as const;
const COLUMNS = [
  "test",
  "variable",
  "latitude",
  "season",
  "hours",
  "suspect_low",
  "suspect_high",
  "fail_low",
  "fail_high",
  "unit",
  "source",
] as const satisfies readonly (keyof Limit)[];

type Bound = (typeof BOUNDS)[number];

const SUSPECT: readonly Bound[] = ["suspect_high"];
const BOTH: readonly Bound[] = ["suspect_high", "fail_high"];

/**
 * The lines that `views/quality.sql` reads beside those of the test `gross`, by their first five cells, and the bounds it
 * wants of each: another line would say something that nobody reads.
 */
const WANTED: ReadonlyMap<string, readonly Bound[]> = new Map<string, readonly Bound[]>([
  ["step,temperature,,,1", BOTH],
  ["step,temperature,,,2", SUSPECT],
  ["step,temperature,,,3", SUSPECT],
  ["step,temperature,,,6", SUSPECT],
  ["step,temperature,,,12", SUSPECT],
  ["step,pressure,,,1", BOTH],
  ["step,humidity,,,1", SUSPECT],
  ["spike,temperature,,,", BOTH],
  ["spike,pressure,,,", BOTH],
  ["stuck,temperature,,,", BOTH],
  ["stuck,humidity,,,", BOTH],
  ["stuck,pressure,,,", SUSPECT],
  ["stuck,saturation,,,", SUSPECT],
  ["level,pressure,low,,", BOTH],
  ["level,pressure,high,,", BOTH],
  ["consistency,dew_point,,,", BOTH],
  ["consistency,wind_gust,,,", SUSPECT],
  ["time,age,,,", ["fail_low", "suspect_high"]],
  ["time,order,,,", SUSPECT],
  ["time,history,,,", SUSPECT],
  ["neighbour,temperature,,,", BOTH],
]);

/** Where and when a limit of the test `gross` holds that is not the same everywhere. */
const PLACES = ["low,winter", "low,summer", "high,winter", "high,summer"];

/** The lines wanted of a file. Each variable has one limit of the test `gross` for everywhere, or one for each of {@link PLACES}. */
function wantedOf(lines: readonly string[]): ReadonlyMap<string, readonly Bound[]> {
  const gross = VARIABLE_NAMES.flatMap((name) => {
    const everywhere = `gross,${name},,,`;
    const keys = lines.some((line) => line.startsWith(everywhere))
      ? [everywhere]
      : PLACES.map((place) => `gross,${name},${place},`);
    return keys.map((key) => [key, BOUNDS] as const);
  });
  return new Map([...gross, ...WANTED]);
}

/** Reads the limits that come with the program. @throws TypeError naming the line and what was wanted */
export async function readLimits(): Promise<Limit[]> {
  return parseLimits(await readFile(join(import.meta.dir, "limits.csv"), "utf8"));
}

/**
 * Reads a table of limits: comma-separated with a header, without quotes.
 *
 * @throws TypeError naming the line, its value and what was wanted
 */
export function parseLimits(text: string): Limit[] {
  const lines = text.split(/\r?\n/);
  const header = COLUMNS.join(",");
  if (lines[0] !== header)
    throw new TypeError(`limits.csv:1: header is ${describe(lines[0])}, wanted ${header}`);
  const expected = wantedOf(lines);
  const seen = new Set<string>();
  const limits: Limit[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line === "") continue;
    const where = `limits.csv:${index + 1}`;
    const cells = line.split(",");
    if (cells.length !== COLUMNS.length)
      throw new TypeError(`${where}: ${cells.length} cells, wanted ${COLUMNS.length}`);
    const key = cells.slice(0, 5).join(",");
    const bounds = expected.get(key);
    if (bounds === undefined) throw new TypeError(`${where}: no test reads a limit of "${key}"`);
    if (seen.has(key)) throw new TypeError(`${where}: the limit of "${key}" stands there twice`);
    seen.add(key);
    limits.push(parseLimit(where, cells, bounds));
  }
  const missing = [...expected.keys()].find((key) => !seen.has(key));
  if (missing !== undefined) throw new TypeError(`limits.csv: there is no limit of "${missing}"`);
  return limits;
}

/** The limits as the view `limits`, without units and sources. */
export function limitsView(limits: readonly Limit[]): SqlView {
  const texts = ["test", "variable", "latitude", "season"] as const;
  const numbers = ["hours", "suspect_low", "suspect_high", "fail_low", "fail_high"] as const;
  return valuesView(
    "limits",
    [...texts.map((name) => [name, "string"] as const), ...numbers.map((name) => [name, "double"] as const)],
    limits.map((limit) => [...texts, ...numbers].map((name): CellValue => limit[name])),
  );
}

function parseLimit(where: string, cells: readonly string[], wanted: readonly Bound[]): Limit {
  const text = (name: (typeof COLUMNS)[number]) => cells[COLUMNS.indexOf(name)] ?? "";
  const number = (name: (typeof COLUMNS)[number]) => {
    const value = text(name);
    if (value === "") return null;
    if (value.trim() !== value || !Number.isFinite(Number(value)))
      throw new TypeError(`${where}: ${name} is ${describe(value)}, wanted a number`);
    return Number(value);
  };
  const limit: Limit = {
    test: text("test"),
    variable: text("variable"),
    latitude: text("latitude") || null,
    season: text("season") || null,
    hours: number("hours"),
    suspect_low: number("suspect_low"),
    suspect_high: number("suspect_high"),
    fail_low: number("fail_low"),
    fail_high: number("fail_high"),
    unit: text("unit"),
    source: text("source"),
  };
  for (const name of ["unit", "source"] as const)
    if (limit[name] === "") throw new TypeError(`${where}: ${name} is empty, wanted a text`);
  for (const name of BOUNDS) {
    if (wanted.includes(name) === (limit[name] !== null)) continue;
    const says = limit[name] === null ? "empty, wanted a number" : `${limit[name]}, which no test reads`;
    throw new TypeError(`${where}: ${name} is ${says}`);
  }
  const given = BOUNDS.flatMap((name) => limit[name] ?? []);
  if (given.some((bound, i) => bound < (given[i - 1] ?? -Infinity)))
    throw new TypeError(`${where}: bounds are ${given.join(", ")}, wanted ${BOUNDS.join(" ≤ ")}`);
  return limit;
}
