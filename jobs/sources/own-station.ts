import { RequestError } from "../../core/errors.ts";
import {
  describe,
  isPossible,
  type Observation,
  parseObservation,
  wantedOf,
} from "../../core/observation.ts";
import { type Station, stationSource } from "../../core/station.ts";
import { formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { celsiusFromFahrenheit, HPA_PER_INHG, MM_PER_INCH, MS_PER_MPH, roundTo } from "../../core/units.ts";
import type { Variable } from "../../core/variables.ts";
import { NUMBER } from "./columns/number-text.ts";

/**
 * What a station sent, in the record's units. A number is null where it was not reported. What is no number, or none that an
 * instrument can have measured, stays as it came: the record keeps it as impossible.
 */
export interface StationPush {
  /** When it was observed, ms since the epoch. */
  ms: number;
  /** The record's numbers but for the rain. */
  numbers: Record<string, number | string | null>;
  /** Rain of the last 60 minutes, mm. */
  hourlyRain: number | null;
  /** Rain since the station's midnight, mm. */
  dailyRain: number | null;
  /** A rain that is impossible, as it came; null where there is none. */
  impossibleRain: number | string | null;
  /** Why values are impossible, for people: the parameter, its value and what was wanted. */
  leftOut: readonly string[];
}

/** Consoles send -9999 for a sensor that is away. */
const AWAY = -9990;

/** A parameter, and how its value becomes the record's unit. */
type Sent = readonly [parameter: string, convert: (value: number) => number];

const same = (value: number): number => value;
const inHg = (value: number): number => value * HPA_PER_INHG;
const mph = (value: number): number => value * MS_PER_MPH;
const kmh = (value: number): number => value / 3.6;
const inches = (value: number): number => value * MM_PER_INCH;

/**
 * Field, and the parameters that may hold it, those of consoles that send metric units behind the others. The first parameter
 * that is there counts. `baromabsin`, `baromabshpa`, `tempinf` and `tempinc` are not here: the station's own pressure, and
 * the temperature indoors.
 */
const NUMBERS: readonly (readonly [field: Variable, sent: readonly Sent[]])[] = [
  [
    "temperature",
    [
      ["tempf", celsiusFromFahrenheit],
      ["tempc", same],
    ],
  ],
  ["humidity", [["humidity", same]]],
  [
    "pressure",
    [
      ["baromin", inHg],
      ["baromrelin", inHg],
      ["baromhpa", same],
      ["baromrelhpa", same],
    ],
  ],
  [
    "wind_speed",
    [
      ["windspeedmph", mph],
      ["windspeedkmh", kmh],
      ["windspeedms", same],
    ],
  ],
  ["wind_direction", [["winddir", same]]],
  [
    "wind_gust",
    [
      ["windgustmph", mph],
      ["windgustkmh", kmh],
      ["windgustms", same],
    ],
  ],
  [
    "dew_point",
    [
      ["dewptf", celsiusFromFahrenheit],
      ["dewptc", same],
    ],
  ],
];
/** Both protocols' rain of a moving hour; Ecowitt's gauges without moving parts have names of their own. */
const HOURLY_RAIN: readonly Sent[] = [
  ["rainin", inches],
  ["hourlyrainin", inches],
  ["hrain_piezo", inches],
  ["rainmm", same],
  ["hourlyrainmm", same],
];
const DAILY_RAIN: readonly Sent[] = [
  ["dailyrainin", inches],
  ["drain_piezo", inches],
  ["dailyrainmm", same],
];
/** What is read, and what tells of the push and not of the weather. */
const KNOWN = new Set([
  ...[...NUMBERS.flatMap(([, sent]) => sent), ...HOURLY_RAIN, ...DAILY_RAIN].map(([parameter]) => parameter),
  "ID",
  "PASSWORD",
  "PASSKEY",
  "dateutc",
  "action",
  "realtime",
  "rtfreq",
  "softwaretype",
  "stationtype",
  "model",
  "freq",
  "interval",
  "runtime",
  "heap",
]);

/** The names of a push's parameters that are not read: of sensors indoors or in the soil, or misspelled. */
export function unknownParameters(parameters: URLSearchParams): string[] {
  return [...new Set(parameters.keys())].filter((name) => /^[\w.-]+$/.test(name) && !KNOWN.has(name));
}

/**
 * Reads what a station pushes by the Weather Underground protocol or by Ecowitt's: their parameters differ in few names,
 * so one reading serves both. Parameters that are not known are left out.
 *
 * @param parameters of the query or of the form
 * @param receivedMs when it came, ms: what `dateutc=now` means
 * @throws RequestError `bad_parameter` naming the time, its value and what was wanted, or when nothing was measured
 */
export function readPush(parameters: URLSearchParams, receivedMs: number): StationPush {
  const leftOut: string[] = [];
  const read = (field: Variable, sent: readonly Sent[], digits: number) => {
    const value = valueOf(parameters, field, sent, digits, leftOut);
    return isPossible(field, value) ? { good: value, bad: null } : { good: null, bad: value };
  };
  const numbers: StationPush["numbers"] = {};
  for (const [field, sent] of NUMBERS) {
    const { good, bad } = read(field, sent, 2);
    numbers[field] = good ?? bad;
  }
  const hourly = read("rainfall", HOURLY_RAIN, 3);
  const daily = read("rainfall", DAILY_RAIN, 3);
  const impossibleRain = hourly.bad ?? daily.bad;
  const ms = timeOf(parameters, receivedMs);
  if ([...Object.values(numbers), hourly.good, daily.good, impossibleRain].every((value) => value === null)) {
    throw new RequestError(
      "bad_parameter",
      "The push has no measurement, wanted tempf, humidity or the like",
    );
  }
  return { ms, numbers, hourlyRain: hourly.good, dailyRain: daily.good, impossibleRain, leftOut };
}

/**
 * The observation of a push.
 *
 * @param rainfall rain of the last hour, mm; null where it is not known
 * @throws RequestError `bad_parameter` for a time in the future or before 1900
 */
export function observationOfPush(
  push: StationPush,
  station: Station,
  rainfall: number | null,
  receivedMs: number,
): Observation {
  const record = {
    timestamp: formatTimestamp(push.ms),
    city: station.city,
    ...push.numbers,
    rainfall: rainfall ?? push.impossibleRain,
    source: stationSource(station.id),
  };
  const parsed = parseObservation(record, receivedMs);
  if (parsed.ok) return parsed.observation;
  throw new RequestError("bad_parameter", `The push is no observation: ${parsed.reason}`);
}

/**
 * The first possible value of some parameters, else the first as it came; null where none is there. Of two gauges for rain the
 * one that has more counts: a gauge that is clogged, or that a console has no sensor for, says 0.
 */
function valueOf(
  parameters: URLSearchParams,
  field: Variable,
  sent: readonly Sent[],
  digits: number,
  leftOut: string[],
): number | string | null {
  let possible: number | null = null;
  let impossible: number | string | null = null;
  for (const [name, convert] of sent) {
    const text = parameters.get(name)?.trim() ?? "";
    if (text === "") continue;
    const isNumber = NUMBER.test(text);
    if (isNumber && Number(text) <= AWAY) continue;
    const value = isNumber ? roundTo(convert(Number(text)), digits) : text;
    if (isPossible(field, value)) {
      if (field !== "rainfall") return value;
      possible = Math.max(possible ?? value, value);
      continue;
    }
    leftOut.push(`${name} is ${describe(text)}, wanted ${field} as ${wantedOf(field)}`);
    impossible ??= value;
  }
  return possible ?? impossible;
}

function timeOf(parameters: URLSearchParams, receivedMs: number): number {
  const text = parameters.get("dateutc")?.trim() ?? "";
  if (text === "now") return Math.floor(receivedMs / 1000) * 1000;
  // Some write the T of ISO 8601, or the zone that it is in anyway.
  const ms = parseTimestamp(`${text.replace(/Z$/, "")}Z`);
  if (Number.isNaN(ms)) {
    throw new RequestError(
      "bad_parameter",
      `The parameter dateutc is ${text === "" ? "missing" : describe(text)}, wanted now or YYYY-MM-DD HH:MM:SS in UTC`,
    );
  }
  return ms;
}
