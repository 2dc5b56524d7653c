import { HPA_PER_INHG, MM_PER_INCH, MS_PER_MPH } from "../core/units.ts";
import { unitBeside, type Variable, VARIABLE_NAMES, VARIABLES } from "../core/variables.ts";
import { formatNumber, formatSigned } from "./format.ts";

/** What a reader may choose, by the choice's name: the word shown for each value. The first of each is the default. */
export const CHOICES = {
  temperature: { C: "°C", F: "°F" },
  wind: { ms: "m/s", kmh: "km/h", mph: "mph" },
  pressure: { hPa: "hPa", inHg: "inHg" },
  rain: { mm: "mm", in: "in" },
  time: { utc: "UTC", city: "local time of the city" },
  refresh: { no: "stand still", "60": "load anew every 60 s" },
} as const;

/** The units and the clock in which one reader sees the pages, and what they do where no script keeps them new. */
export type Units = { [K in keyof typeof CHOICES]: keyof (typeof CHOICES)[K] };

/** What is shown to a reader who has chosen nothing: the units of the record, in UTC. */
export const DEFAULT_UNITS: Units = {
  temperature: "C",
  wind: "ms",
  pressure: "hPa",
  rain: "mm",
  time: "utc",
  refresh: "no",
};

/** How one variable is shown. */
export interface Scale {
  /** The unit as it stands beside a number. */
  unit: string;
  /** Decimals. */
  digits: number;
  /** A value of the record in this unit; what is missing stays missing. */
  of(value: number | null | undefined): number | null;
  /** A difference of two values of the record in this unit: without the zero point. */
  difference(value: number | null | undefined): number | null;
  /** The value as text, an en dash for what is missing. */
  text(value: number | null | undefined): string;
  /** The difference as text, with its sign. */
  signed(value: number | null | undefined): string;
}

/** How each variable is shown. */
export type Scales = Readonly<Record<Variable, Scale>>;

function scale(unit: string, digits: number, factor = 1, offset = 0): Scale {
  const of = (value: number | null | undefined) => (isMissing(value) ? null : value * factor + offset);
  const difference = (value: number | null | undefined) => (isMissing(value) ? null : value * factor);
  return {
    unit,
    digits,
    of,
    difference,
    text: (value) => formatNumber(of(value), digits),
    signed: (value) => formatSigned(difference(value), digits),
  };
}

function isMissing(value: number | null | undefined): value is null | undefined {
  return value === null || value === undefined || !Number.isFinite(value);
}

const KMH_PER_MS = 3.6;

/** Units a reader may have chosen, by the record's unit; null where it is the record's own. */
const CHOSEN: Readonly<Record<string, (units: Units) => Scale | null>> = {
  "°C": ({ temperature }) => (temperature === "F" ? scale("°F", 1, 1.8, 32) : null),
  "m/s": ({ wind }) =>
    wind === "kmh" ? scale("km/h", 0, KMH_PER_MS) : wind === "mph" ? scale("mph", 0, 1 / MS_PER_MPH) : null,
  hPa: ({ pressure }) => (pressure === "inHg" ? scale("inHg", 2, 1 / HPA_PER_INHG) : null),
  mm: ({ rain }) => (rain === "in" ? scale("in", 2, 1 / MM_PER_INCH) : null),
};

/** How each variable is shown in a reader's units. */
export function scalesOf(units: Units): Scales {
  const scales = VARIABLE_NAMES.map((name) => {
    const { unit, decimals } = VARIABLES[name];
    return [name, CHOSEN[unit]?.(units) ?? scale(unitBeside(unit), decimals)];
  });
  return Object.fromEntries(scales) as Record<Variable, Scale>;
}

const NAMES = Object.keys(CHOICES) as (keyof Units)[];

/** Choices as one word for a cookie: `F.mph.inHg.in.city.no`. */
export function writeUnits(units: Units): string {
  return NAMES.map((name) => units[name]).join(".");
}

/** Reads what {@link writeUnits} wrote; a choice that is not there or not known is the default's. */
export function readUnits(text: string | null | undefined): Units {
  const words = (text ?? "").split(".");
  return unitsFrom((name) => words[NAMES.indexOf(name)] ?? null);
}

/** Units from single choices, such as the fields of a form; one that is not there or not known is the default's. */
export function unitsFrom(choice: (name: keyof Units) => string | null): Units {
  const entries = NAMES.map((name) => {
    const value = choice(name);
    return [name, value !== null && Object.hasOwn(CHOICES[name], value) ? value : DEFAULT_UNITS[name]];
  });
  return Object.fromEntries(entries) as Units;
}
