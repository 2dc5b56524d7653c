import type { City } from "../../core/city.ts";
import { SourceError } from "../../core/errors.ts";
import { describe, hasValue } from "../../core/observation.ts";
import type { Variable } from "../../core/variables.ts";
import type { NewRecord } from "../log/log.ts";
import type { WeatherHttp } from "./http.ts";
import { checkedRecord, errorOf, objectOf, timestampOfSeconds } from "./record.ts";
import type { Poll } from "./source.ts";
import { conditionOfWmo } from "./wmo.ts";

/** What both `current` and `hourly` are asked for, but for the rain, and the record's variable that each is. */
const ASKED = {
  temperature_2m: "temperature",
  relative_humidity_2m: "humidity",
  pressure_msl: "pressure",
  wind_speed_10m: "wind_speed",
  weather_code: null, // becomes the two texts
  wind_direction_10m: "wind_direction",
  wind_gusts_10m: "wind_gust",
  dew_point_2m: "dew_point",
  cloud_cover: "clouds",
} as const satisfies Record<string, Variable | null>;
/** What `current` is asked for. */
export const CURRENT_VARIABLES: readonly string[] = Object.keys(ASKED);
/** What `hourly` is asked for. `rain` is that of the hour before. */
export const HOURLY_VARIABLES: readonly string[] = [...CURRENT_VARIABLES, "rain"];
/** Places × hours of one call: about 1 MB at ten variables is 16,000. */
export const VALUES_PER_CALL = 7_500;
/** Up to so many days of ten variables count as one call (open-meteo.com/en/pricing). */
export const DAYS_PER_CALL = 14;
/** The credit that its licence (CC BY 4.0) asks for. */
export const OPEN_METEO_CREDIT = { text: "Weather data by Open-Meteo.com", url: "https://open-meteo.com/" };

/**
 * One call: an answer for each place, in the order asked. Places are snapped to a grid, so only the order tells.
 *
 * @param endpoint with its path
 * @throws SourceError, also where the answer has another number of places
 */
export async function askOpenMeteo(
  http: WeatherHttp,
  endpoint: string,
  places: readonly City[],
  query: Record<string, string>,
  signal: AbortSignal,
  call: { cost?: number; timeoutMs?: number; tries?: number } = {},
): Promise<unknown[]> {
  const url = new URL(endpoint);
  url.searchParams.set("latitude", places.map((city) => city.latitude).join(","));
  url.searchParams.set("longitude", places.map((city) => city.longitude).join(","));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  url.searchParams.set("wind_speed_unit", "ms"); // km/h otherwise
  url.searchParams.set("timeformat", "unixtime");
  const body = await http.getJson(url, signal, { cost: places.length, ...call });
  const answers = Array.isArray(body) ? (body as unknown[]) : [body];
  if (answers.length !== places.length)
    throw new SourceError(
      "bad_response",
      `Cannot read Open-Meteo's answer: got ${answers.length} places, wanted ${places.length}`,
    );
  return answers;
}

/** Takes each place's answer apart by itself: an odd one does not hold up the others. */
export function readPlaces(
  places: readonly City[],
  answers: readonly unknown[],
  read: (answer: unknown, city: City) => NewRecord[],
): Poll {
  const records: NewRecord[] = [];
  const failures: Poll["failures"] = [];
  for (const [index, city] of places.entries()) {
    try {
      records.push(...read(answers[index], city));
    } catch (error) {
      failures.push({ city: city.name, error: errorOf(error) });
    }
  }
  return { records, failures };
}

/** A part of an answer. @throws SourceError `bad_response` when it is not there */
export function sectionOf(answer: unknown, name: string, city: City): Record<string, unknown> {
  const found = objectOf(objectOf(answer)?.[name]);
  if (found !== undefined) return found;
  throw new SourceError(
    "bad_response",
    `Cannot read Open-Meteo's answer for ${city.name}: ${name} is ${describe(objectOf(answer)?.[name])}, wanted an object`,
  );
}

/**
 * The hours of an answer's `hourly` with `from` ≤ time ≤ `to`. Hours of which nothing is known are left out.
 *
 * @param options.source as it stands in the observations
 * @param options.from ms since the epoch
 * @param options.to ms since the epoch
 * @param options.now when the answer came, ms
 * @throws SourceError `bad_response` naming the city, the field and its value
 */
export function hourlyRecords(
  answer: unknown,
  city: City,
  options: { source: string; from: number; to: number; now: number },
): NewRecord[] {
  const { source, from, to, now } = options;
  const hourly = sectionOf(answer, "hourly", city);
  const records: NewRecord[] = [];
  for (const [index, time] of listOf(hourly.time).entries()) {
    if (typeof time === "number" && (time * 1000 > to || time * 1000 < from)) continue;
    const value = (name: string) => listOf(hourly[name])[index];
    if (HOURLY_VARIABLES.every((name) => (value(name) ?? null) === null)) continue;
    const fields = { ...fieldsOf(city, time, value), rainfall: value("rain"), source };
    if (!hasValue(fields)) continue;
    records.push(checkedRecord("Open-Meteo", fields, now));
  }
  return records;
}

/** The record's fields but for the rain and the source. What they hold is checked afterwards. */
export function fieldsOf(
  city: City,
  time: unknown,
  value: (name: string) => unknown,
): Record<string, unknown> {
  const condition = conditionOfWmo(value("weather_code"));
  const measured: Record<string, unknown> = {};
  for (const [asked, variable] of Object.entries(ASKED))
    if (variable !== null) measured[variable] = value(asked);
  return {
    timestamp: timestampOfSeconds(time) ?? time,
    city: city.name,
    ...measured,
    weather_main: condition?.main,
    weather_description: condition?.description,
  };
}

/** `value` where it is an array, else an empty one. */
export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
