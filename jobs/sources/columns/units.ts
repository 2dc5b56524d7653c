import {
  celsiusFromFahrenheit,
  celsiusFromKelvin,
  HPA_PER_INHG,
  M_PER_MILE,
  MM_PER_INCH,
  MS_PER_KNOT,
  MS_PER_MPH,
  roundTo,
} from "../../../core/units.ts";
import { type Variable, VARIABLE_NAMES, VARIABLES } from "../../../core/variables.ts";

/** Makes a number of a file into one of the record's unit. */
export type Convert = (value: number) => number;
const same: Convert = (value) => value;
/** Rounded, because a conversion makes digits that nobody measured. */
const times =
  (factor: number): Convert =>
  (value) =>
    roundTo(value * factor, 3);

/** Units a value may come in, by their names in a map. */
type Units = ReadonlyMap<string, Convert>;

/** The units a value may come in, by the record's unit, which is the first of them. */
const UNITS: Readonly<Record<string, Units>> = {
  "°C": new Map([
    ["C", same],
    ["F", (value) => roundTo(celsiusFromFahrenheit(value), 2)],
    ["K", (value) => roundTo(celsiusFromKelvin(value), 2)],
  ]),
  "%": new Map([
    ["%", same],
    ["1", times(100)],
  ]),
  hPa: new Map([
    ["hPa", same],
    ["mbar", same],
    ["Pa", times(0.01)],
    ["kPa", times(10)],
    ["inHg", times(HPA_PER_INHG)],
    ["mmHg", times(HPA_PER_INHG / MM_PER_INCH)],
  ]),
  "m/s": new Map([
    ["m/s", same],
    ["km/h", times(1 / 3.6)],
    ["mph", times(MS_PER_MPH)],
    ["kn", times(MS_PER_KNOT)],
  ]),
  mm: new Map([
    ["mm", same],
    ["cm", times(10)],
    ["in", times(MM_PER_INCH)],
  ]),
  "°": new Map([
    ["deg", same],
    ["tens of degrees", times(10)],
    ["compass", same],
  ]),
  m: new Map([
    ["m", same],
    ["km", times(1000)],
    ["mi", times(M_PER_MILE)],
    ["ft", times(0.3048)],
  ]),
};
/** Eighths of the sky: of clouds alone. */
const OKTAS: Units = new Map([["oktas", times(100 / 8)]]);

/** Parts of a unit that may stand before its name: `tenths of C`. */
const PARTS: Readonly<Record<string, number>> = { "tenths of ": 0.1, "hundredths of ": 0.01 };

/** The units each variable may come in. The first is the record's own. */
const FIELD_UNITS: ReadonlyMap<string, Units> = new Map(
  VARIABLE_NAMES.map((name) => {
    const { unit } = VARIABLES[name];
    const units = UNITS[unit] ?? new Map([[unit, same]]);
    return [name, name === "clouds" ? new Map([...units, ...OKTAS]) : units];
  }),
);

/** Names of the units a variable may come in; the first is the record's own. */
export function importUnits(variable: Variable): string[] {
  return [...(FIELD_UNITS.get(variable)?.keys() ?? [])];
}

/** How a unit of a variable becomes the record's; undefined for a unit that it does not have. */
export function unitConversion(variable: string, unit: string): Convert | undefined {
  const units = FIELD_UNITS.get(variable);
  const part = Object.keys(PARTS).find((words) => unit.startsWith(words));
  if (part === undefined) return units?.get(unit);
  const convert = units?.get(unit.slice(part.length));
  return convert && ((value) => convert(roundTo(value * PARTS[part]!, 4)));
}

const COMPASS = "N NNE NE ENE E ESE SE SSE S SSW SW WSW W WNW NW NNW".split(" ");

/** What the texts of a unit mean, as numbers: those of the compass, in degrees. Other units have none. */
export function wordsOfUnit(unit: string): Readonly<Record<string, number>> {
  if (unit !== "compass") return {};
  return Object.fromEntries(COMPASS.map((name, index) => [name, (index * 360) / COMPASS.length]));
}
