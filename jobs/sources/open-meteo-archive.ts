import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import type { CallLimit } from "./budget.ts";
import { type Fetch, WeatherHttp } from "./http.ts";
import {
  askOpenMeteo,
  DAYS_PER_CALL,
  HOURLY_VARIABLES,
  hourlyRecords,
  readPlaces,
  VALUES_PER_CALL,
} from "./open-meteo-answer.ts";
import { sortByTime } from "./record.ts";
import type { Poll } from "./source.ts";

/** Source of the archive's observations. */
export const ARCHIVE_SOURCE = "open-meteo-archive";

/** Days of one call. */
export const ARCHIVE_CALL_DAYS = DAYS_PER_CALL;
/** Most places of one call: as many as fit into one answer. */
export const ARCHIVE_CALL_PLACES = Math.floor(VALUES_PER_CALL / (ARCHIVE_CALL_DAYS * 24));

/** What polling Open-Meteo leaves of the free plan's 600 a minute, 5,000 an hour and 10,000 a day. */
const LIMITS: readonly CallLimit[] = [
  { calls: 60, windowMs: 60_000 },
  { calls: 400, windowMs: HOUR_MS },
  { calls: 900, windowMs: DAY_MS },
];
const TIMEOUT_MS = 45_000;

/** Hourly weather of the past. */
export interface Archive {
  /**
   * Fetches whole UTC days of some places, in the order of time. Hours that the archive does not have yet are left out.
   *
   * @param from first day's beginning, ms since the epoch
   * @param to the end of the last day, exclusive, ms since the epoch; at most {@link ARCHIVE_CALL_DAYS} days later
   * @throws SourceError when nothing can be had
   */
  fetch(places: readonly City[], from: number, to: number, signal: AbortSignal): Promise<Poll>;
}

/**
 * Open-Meteo's archive: reanalyses (ERA5 of ECMWF, and newer ones), some days late. It waits for its part of the calls that
 * Open-Meteo allows a day, for as long as that takes.
 *
 * @param options.endpoint scheme and host, with a path before `/v1/archive` if need be
 */
export function openMeteoArchive(options: {
  endpoint: string;
  clock: Clock;
  fetch?: Fetch | undefined;
  random?: (() => number) | undefined;
}): Archive {
  const { clock } = options;
  const endpoint = `${options.endpoint.replace(/\/+$/, "")}/v1/archive`;
  const http = new WeatherHttp({
    provider: "Open-Meteo's archive",
    limits: LIMITS,
    maxWaitMs: DAY_MS,
    unauthorizedHint:
      "Open-Meteo takes calls without a key: look at its address, and at a proxy on the way to it.",
    clock,
    fetch: options.fetch,
    random: options.random,
  });
  return {
    async fetch(places, from, to, signal) {
      const query = {
        start_date: dateOf(from),
        end_date: dateOf(to - DAY_MS),
        hourly: HOURLY_VARIABLES.join(","),
      };
      const cost = places.length * Math.ceil((to - from) / DAY_MS / DAYS_PER_CALL);
      const call = { cost, timeoutMs: TIMEOUT_MS };
      const answers = await askOpenMeteo(http, endpoint, places, query, signal, call);
      const hours = { source: ARCHIVE_SOURCE, from, to: to - 1, now: clock.now() };
      const poll = readPlaces(places, answers, (answer, city) => hourlyRecords(answer, city, hours));
      sortByTime(poll.records);
      return poll;
    },
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
