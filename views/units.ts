import { HPA_PER_INHG, MM_PER_INCH, MS_PER_MPH } from "../core/units.ts";
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

/** How one quantity is shown. */
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

/** The quantities that are shown. */
export interface Scales {
  temperature: Scale;
  humidity: Scale;
  pressure: Scale;
  wind: Scale;
  rain: Scale;
}

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

/** How each quantity is shown in a reader's units. */
export function scalesOf(units: Units): Scales {
  return {
    temperature: units.temperature === "F" ? scale("°F", 1, 1.8, 32) : scale("°C", 1),
    humidity: scale("%", 0),
    pressure: units.pressure === "inHg" ? scale("inHg", 2, 1 / HPA_PER_INHG) : scale("hPa", 0),
    wind:
      units.wind === "kmh"
        ? scale("km/h", 0, KMH_PER_MS)
        : units.wind === "mph"
          ? scale("mph", 0, 1 / MS_PER_MPH)
          : scale("m/s", 1),
    rain: units.rain === "in" ? scale("in", 2, 1 / MM_PER_INCH) : scale("mm", 1),
  };
}

/**
 * The scale of a column by the unit it is kept in (`°C`, `m/s`, `hPa`, `mm`), or null for any other unit.
 *
 * @param unit as the API names it
 */
export function scaleOfUnit(scales: Scales, unit: string | undefined): Scale | null {
  switch (unit) {
    case "°C":
      return scales.temperature;
    case "m/s":
      return scales.wind;
    case "hPa":
      return scales.pressure;
    case "mm":
      return scales.rain;
    default:
      return null;
  }
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
