import type { City } from "../../core/city.ts";
import { messageOf } from "../../core/errors.ts";
import { setting, url } from "../../core/setting.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { roundTo } from "../../core/units.ts";
import type { NewRecord } from "../log/log.ts";
import type { CallLimit } from "./budget.ts";
import { WeatherHttp } from "./http.ts";
import {
  askOpenMeteo,
  DAYS_PER_CALL,
  fieldsOf,
  HOURLY_VARIABLES,
  hourlyRecords,
  listOf,
  OPEN_METEO_CREDIT,
  CURRENT_VARIABLES,
  readPlaces,
  sectionOf,
  VALUES_PER_CALL,
} from "./open-meteo-answer.ts";
import { checkedRecord, errorOf, objectOf, pollOf, sortByTime } from "./record.ts";
import { type Poll, type Source, type SourceDeps, sourceEntry } from "./source.ts";

/** The free plan (open-meteo.com/en/terms). Each place of a call counts as a call. */
const LIMITS: readonly CallLimit[] = [
  { calls: 600, windowMs: 60_000 },
  { calls: 5_000, windowMs: HOUR_MS },
  { calls: 10_000, windowMs: DAY_MS },
];
/** Calls a day that polling uses; the rest is for history, the archive and second tries. */
const POLL_CALLS_PER_DAY = 9_000;
const MIN_POLL_SECONDS = 300;
/** `current` is a value for each quarter of an hour. */
const REPORT_SECONDS = 900;
const CITIES_PER_CALL = 100;
const PROBE_TIMEOUT_MS = 3_000;
/** The longest past its forecast endpoint gives. */
const HISTORY_MAX_HOURS = 92 * 24;

/** Open-Meteo, which needs no key. */
export const OPEN_METEO = sourceEntry({
  name: "open-meteo",
  title: "Open-Meteo",
  licence: {
    name: "CC BY 4.0",
    url: "https://open-meteo.com/",
    note: "Weather data by Open-Meteo.com; its past holds modified Copernicus Climate Change Service information.",
  },
  settings: {
    openMeteoUrl: setting({
      name: "OPEN_METEO_URL",
      kind: url,
      default: "https://api.open-meteo.com",
      written: "https://api.open-meteo.com",
      meaning: "Where Open-Meteo answers; `/v1/forecast` is added.",
    }),
  },
  auto: "Open-Meteo when it answers",
  open: ({ openMeteoUrl: endpoint }, deps) => openMeteo({ ...deps, endpoint }),
});

/**
 * Open-Meteo's current weather (a model's value for each quarter of an hour), one call for up to 100 cities.
 *
 * @param options.endpoint scheme and host, with a path before `/v1/forecast` if need be
 */
export function openMeteo(
  options: SourceDeps & { endpoint: string },
): Source & Required<Pick<Source, "probe">> {
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

  const collect = (
    ask: Question,
    signal: AbortSignal,
    read: (answer: unknown, city: City) => NewRecord[],
  ): Promise<Poll> =>
    askForAll(
      cities,
      ask,
      (places, call) => askOpenMeteo(http, endpoint, places, ask.query, signal, call),
      read,
    );

  return {
    name: "open-meteo",
    kind: "observed",
    pollSeconds,
    reportSeconds: REPORT_SECONDS,
    credit: OPEN_METEO_CREDIT,

    poll: (signal) =>
      collect(
        {
          query: {
            current: CURRENT_VARIABLES.join(","),
            minutely_15: "rain",
            past_minutely_15: "4",
            forecast_minutely_15: "1",
          },
          perCall: CITIES_PER_CALL,
          costPerPlace: 1,
        },
        signal,
        (answer, city) => [currentRecord(answer, city, clock.now())],
      ),

    async history(hours, signal) {
      const past = Math.min(Math.ceil(hours), HISTORY_MAX_HOURS);
      const now = clock.now();
      const poll = await collect(
        {
          query: { hourly: HOURLY_VARIABLES.join(","), past_hours: String(past), forecast_hours: "1" },
          perCall: Math.max(1, Math.min(CITIES_PER_CALL, Math.floor(VALUES_PER_CALL / past))),
          costPerPlace: Math.ceil(past / 24 / DAYS_PER_CALL),
        },
        signal,
        (answer, city) =>
          hourlyRecords(answer, city, { source: "open-meteo", from: now - hours * HOUR_MS, to: now, now }),
      );
      sortByTime(poll.records);
      return poll;
    },

    async probe(signal) {
      const query = { current: "temperature_2m" };
      const call = { timeoutMs: PROBE_TIMEOUT_MS, tries: 1 };
      const answer = askOpenMeteo(http, endpoint, cities.slice(0, 1), query, signal, call);
      return answer.then(() => null, messageOf);
    },
  };
}

/** The record of a city's current weather. `current.rain` is the rain of 15 minutes: the hour's is the sum of four quarters. */
function currentRecord(answer: unknown, city: City, now: number): NewRecord {
  const current = sectionOf(answer, "current", city);
  const quarters = objectOf(objectOf(answer)?.minutely_15);
  const fields = fieldsOf(city, current.time, (name) => current[name]);
  const rainfall = lastHour(quarters, current.time);
  return checkedRecord("Open-Meteo", { ...fields, rainfall, source: "open-meteo" }, now);
}

/** What Open-Meteo is asked for of each city. */
interface Question {
  query: Record<string, string>;
  /** Cities in one call. */
  perCall: number;
  /** What a city counts in the provider's limits, calls. */
  costPerPlace: number;
}

/** Asks for all cities, so many a call. A call that fails is a failure of its cities alone. */
async function askForAll(
  cities: readonly City[],
  { perCall, costPerPlace }: Question,
  ask: (places: readonly City[], call: { cost: number }) => Promise<readonly unknown[]>,
  read: (answer: unknown, city: City) => NewRecord[],
): Promise<Poll> {
  const records: NewRecord[] = [];
  const failures: Poll["failures"] = [];
  for (let start = 0; start < cities.length; start += perCall) {
    const places = cities.slice(start, start + perCall);
    try {
      const answers = await ask(places, { cost: places.length * costPerPlace });
      const found = readPlaces(places, answers, read);
      records.push(...found.records);
      failures.push(...found.failures);
    } catch (error) {
      for (const city of places) failures.push({ city: city.name, error: errorOf(error) });
    }
  }
  return pollOf(records, failures);
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
