import { RequestError } from "../../core/errors.ts";
import { describe, type Observation, parseObservation } from "../../core/observation.ts";
import { type Station, stationSource } from "../../core/station.ts";
import { formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { celsiusFromFahrenheit, HPA_PER_INHG, MM_PER_INCH, MS_PER_MPH, roundTo } from "../../core/units.ts";
import type { Variable } from "../../core/variables.ts";
import { NUMBER } from "./csv.ts";

/** What a station sent, in the record's units. A number is null where it was not reported. */
export interface StationPush {
  /** When it was observed, ms since the epoch. */
  ms: number;
  /** The record's numbers but for the rain. */
  numbers: Record<string, number | null>;
  /** Rain of the last 60 minutes, mm. */
  hourlyRain: number | null;
  /** Rain since the station's midnight, mm. */
  dailyRain: number | null;
}

/** Consoles send -9999 for a sensor that is away. */
const AWAY = -9990;

const same = (value: number): number => value;
const inHg = (value: number): number => value * HPA_PER_INHG;
const mph = (value: number): number => value * MS_PER_MPH;
const inches = (value: number): number => value * MM_PER_INCH;

/** Field, the parameters that may hold it, and how they become its unit. The first parameter that is there counts. */
const NUMBERS: readonly (readonly [
  field: Variable,
  parameters: readonly string[],
  convert: (value: number) => number,
])[] = [
  ["temperature", ["tempf"], celsiusFromFahrenheit],
  ["humidity", ["humidity"], same],
  ["pressure", ["baromin", "baromrelin"], inHg], // both at sea level; baromabsin is the station's own
  ["wind_speed", ["windspeedmph"], mph],
  ["wind_direction", ["winddir"], same],
  ["wind_gust", ["windgustmph"], mph],
  ["dew_point", ["dewptf"], celsiusFromFahrenheit],
];
/** Both protocols' rain of a moving hour; Ecowitt's gauges without moving parts have names of their own. */
const HOURLY_RAIN = ["rainin", "hourlyrainin", "hrain_piezo"];
const DAILY_RAIN = ["dailyrainin", "drain_piezo"];

/**
 * Reads what a station pushes by the Weather Underground protocol or by Ecowitt's: their parameters differ in few names,
 * so one reading serves both. Parameters that are not known are left out.
 *
 * @param parameters of the query or of the form
 * @param receivedMs when it came, ms: what `dateutc=now` means
 * @throws RequestError `bad_parameter` naming the parameter, its value and what was wanted
 */
export function readPush(parameters: URLSearchParams, receivedMs: number): StationPush {
  const numbers: StationPush["numbers"] = {};
  for (const [field, names, convert] of NUMBERS) numbers[field] = numberOf(parameters, names, convert, 2);
  const hourlyRain = numberOf(parameters, HOURLY_RAIN, inches, 3);
  const dailyRain = numberOf(parameters, DAILY_RAIN, inches, 3);
  const ms = timeOf(parameters, receivedMs);
  if ([...Object.values(numbers), hourlyRain, dailyRain].every((value) => value === null)) {
    throw new RequestError(
      "bad_parameter",
      "The push has no measurement, wanted tempf, humidity or the like",
    );
  }
  return { ms, numbers, hourlyRain, dailyRain };
}

/**
 * The observation of a push.
 *
 * @param rainfall rain of the last hour, mm; null where it is not known
 * @throws RequestError `bad_parameter` for a value that no instrument can have measured, or a time in the future
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
    rainfall,
    source: stationSource(station.id),
  };
  const parsed = parseObservation(record, receivedMs);
  if (parsed.ok) return parsed.observation;
  throw new RequestError("bad_parameter", `The push is no observation: ${parsed.reason}`);
}

function numberOf(
  parameters: URLSearchParams,
  names: readonly string[],
  convert: (value: number) => number,
  digits: number,
): number | null {
  for (const name of names) {
    const text = parameters.get(name)?.trim() ?? "";
    if (text === "") continue;
    if (!NUMBER.test(text)) {
      throw new RequestError("bad_parameter", `The parameter ${name} is ${describe(text)}, wanted a number`);
    }
    const value = Number(text);
    if (value > AWAY) return roundTo(convert(value), digits);
  }
  return null;
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
