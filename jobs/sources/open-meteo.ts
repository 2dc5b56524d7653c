import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { messageOf, SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { roundTo } from "../../core/units.ts";
import type { NewRecord } from "../log/log.ts";
import { type Fetch, WeatherHttp } from "./http.ts";
import { checkedRecord, errorOf, objectOf, pollOf, timestampOfSeconds } from "./record.ts";
import type { Poll, Source } from "./source.ts";
import { conditionOfWmo } from "./wmo.ts";

/** The free plan (open-meteo.com/en/terms). Each place of a call counts as a call. */
const LIMITS = [
  { calls: 600, windowMs: 60_000 },
  { calls: 5_000, windowMs: HOUR_MS },
  { calls: 10_000, windowMs: DAY_MS },
];
/** Calls a day that polling uses; the rest is for history and second tries. */
const POLL_CALLS_PER_DAY = 9_000;
const MIN_POLL_SECONDS = 300;
const CITIES_PER_CALL = 100;
/** Places × hours of one call: about 1 MB at ten variables is 16,000. */
const VALUES_PER_CALL = 7_500;
const PROBE_TIMEOUT_MS = 3_000;
/** The longest past its forecast endpoint gives. */
const HISTORY_MAX_HOURS = 92 * 24;
/** Up to so many days of ten variables count as one call. */
const DAYS_PER_CALL = 14;

/** Variables of both `current` and `hourly`, but for the rain. */
const VARIABLES = [
  "temperature_2m",
  "relative_humidity_2m",
  "pressure_msl",
  "wind_speed_10m",
  "weather_code",
  "wind_direction_10m",
  "wind_gusts_10m",
  "dew_point_2m",
  "cloud_cover",
];

/** Open-Meteo, which can be asked whether it is there. */
export interface OpenMeteo extends Source {
  /** Asks once, for 3 s at most: null when it answers, else why it does not. */
  probe(signal: AbortSignal): Promise<string | null>;
}

/**
 * Open-Meteo's current weather (a model's value for each quarter of an hour), one call for up to 100 cities.
 *
 * @param options.endpoint scheme and host, with a path before `/v1/forecast` if need be
 */
export function openMeteo(options: {
  cities: readonly City[];
  endpoint: string;
  clock: Clock;
  fetch?: Fetch | undefined;
  random?: (() => number) | undefined;
}): OpenMeteo {
  const { cities, clock } = options;
  const endpoint = `${options.endpoint.replace(/\/+$/, "")}/v1/forecast`;
  const pollSeconds = Math.ceil(Math.max(MIN_POLL_SECONDS, (cities.length * 86_400) / POLL_CALLS_PER_DAY));
  const http = new WeatherHttp({
    provider: "Open-Meteo",
    limits: LIMITS,
    maxWaitMs: pollSeconds * 1000,
    unauthorizedHint:
      "Open-Meteo takes calls without a key: look at its address, and at a proxy on the way to it.",
    clock,
    fetch: options.fetch,
    random: options.random,
  });

  /** One call: an answer for each place, in the order asked. Places are snapped to a grid, so only the order tells. */
  const ask = async (
    places: readonly City[],
    query: Record<string, string>,
    signal: AbortSignal,
    call: { cost?: number; timeoutMs?: number; tries?: number } = {},
  ): Promise<unknown[]> => {
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
  };

  /** Asks for all cities, so many a call, and takes each answer apart by itself. */
  const collect = async (
    perCall: number,
    query: Record<string, string>,
    costPerPlace: number,
    signal: AbortSignal,
    read: (answer: unknown, city: City) => NewRecord[],
  ): Promise<Poll> => {
    const records: NewRecord[] = [];
    const failures: Poll["failures"] = [];
    for (let start = 0; start < cities.length; start += perCall) {
      const places = cities.slice(start, start + perCall);
      try {
        const answers = await ask(places, query, signal, { cost: places.length * costPerPlace });
        for (const [index, city] of places.entries()) {
          try {
            records.push(...read(answers[index], city));
          } catch (error) {
            failures.push({ city: city.name, error: errorOf(error) });
          }
        }
      } catch (error) {
        for (const city of places) failures.push({ city: city.name, error: errorOf(error) });
      }
    }
    return pollOf(records, failures);
  };

  return {
    name: "open-meteo",
    kind: "observed",
    pollSeconds,
    credit: { text: "Weather data by Open-Meteo.com", url: "https://open-meteo.com/" },

    poll: (signal) =>
      // `current.rain` is the rain of 15 minutes: the hour's is the sum of four quarters.
      collect(
        CITIES_PER_CALL,
        {
          current: VARIABLES.join(","),
          minutely_15: "rain",
          past_minutely_15: "4",
          forecast_minutely_15: "1",
        },
        1,
        signal,
        (answer, city) => {
          const current = section(answer, "current", city);
          const quarters = objectOf(objectOf(answer)?.minutely_15);
          const fields = fieldsOf(city, current.time, (name) => current[name]);
          return [
            checkedRecord(
              "Open-Meteo",
              { ...fields, rainfall: lastHour(quarters, current.time) },
              clock.now(),
            ),
          ];
        },
      ),

    async history(hours, signal) {
      const past = Math.min(Math.ceil(hours), HISTORY_MAX_HOURS);
      const now = clock.now();
      const poll = await collect(
        Math.max(1, Math.min(CITIES_PER_CALL, Math.floor(VALUES_PER_CALL / past))),
        { hourly: [...VARIABLES, "rain"].join(","), past_hours: String(past), forecast_hours: "1" },
        Math.ceil(past / 24 / DAYS_PER_CALL),
        signal,
        (answer, city) => {
          const hourly = section(answer, "hourly", city);
          const records: NewRecord[] = [];
          for (const [index, time] of listOf(hourly.time).entries()) {
            if (typeof time === "number" && (time * 1000 > now || time * 1000 < now - hours * HOUR_MS))
              continue;
            const value = (name: string) => listOf(hourly[name])[index];
            if ([...VARIABLES, "rain"].every((name) => (value(name) ?? null) === null)) continue; // not yet known
            const fields = { ...fieldsOf(city, time, value), rainfall: value("rain") };
            records.push(checkedRecord("Open-Meteo", fields, now));
          }
          return records;
        },
      );
      // Values begin with the timestamp, all of one form: their order is the order of time.
      poll.records.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
      return poll;
    },

    async probe(signal) {
      try {
        const query = { current: "temperature_2m" };
        await ask(cities.slice(0, 1), query, signal, { timeoutMs: PROBE_TIMEOUT_MS, tries: 1 });
        return null;
      } catch (error) {
        return messageOf(error);
      }
    },
  };
}

/** A part of an answer. @throws SourceError `bad_response` when it is not there */
function section(answer: unknown, name: string, city: City): Record<string, unknown> {
  const found = objectOf(objectOf(answer)?.[name]);
  if (found !== undefined) return found;
  throw new SourceError(
    "bad_response",
    `Cannot read Open-Meteo's answer for ${city.name}: ${name} is ${describe(objectOf(answer)?.[name])}, wanted an object`,
  );
}

/** The record's fields but for the rain. What they hold is checked afterwards. */
function fieldsOf(city: City, time: unknown, value: (name: string) => unknown): Record<string, unknown> {
  const condition = conditionOfWmo(value("weather_code"));
  return {
    timestamp: timestampOfSeconds(time) ?? time,
    city: city.name,
    temperature: value("temperature_2m"),
    humidity: value("relative_humidity_2m"),
    pressure: value("pressure_msl"),
    wind_speed: value("wind_speed_10m"),
    weather_main: condition?.main,
    weather_description: condition?.description,
    source: "open-meteo",
    wind_direction: value("wind_direction_10m"),
    wind_gust: value("wind_gusts_10m"),
    dew_point: value("dew_point_2m"),
    clouds: value("cloud_cover"),
  };
}

/** The rain of the hour that ends at `time` (s), mm: its four quarters, or null where one of them is missing. */
function lastHour(quarters: Record<string, unknown> | undefined, time: unknown): number | null {
  if (typeof time !== "number") return null;
  const rain = listOf(quarters?.rain);
  const values = listOf(quarters?.time).flatMap((end, index) => {
    const value = rain[index];
    const within = typeof end === "number" && end > time - 3600 && end <= time;
    return within && typeof value === "number" ? [value] : [];
  });
  const sum = values.reduce((total, value) => total + value, 0);
  return values.length === 4 ? roundTo(sum, 2) : null;
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
