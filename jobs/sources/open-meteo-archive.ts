import { setting, url } from "../../core/setting.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { type Archive, archiveEntry } from "./archive.ts";
import type { CallLimit } from "./budget.ts";
import { WeatherHttp } from "./http.ts";
import {
  askOpenMeteo,
  DAYS_PER_CALL,
  HOURLY_VARIABLES,
  hourlyRecords,
  OPEN_METEO_CREDIT,
  readPlaces,
  VALUES_PER_CALL,
} from "./open-meteo-answer.ts";
import { sortByTime } from "./record.ts";
import type { SourceDeps } from "./source.ts";

/** What polling Open-Meteo leaves of the free plan's 600 a minute, 5,000 an hour and 10,000 a day. */
const LIMITS: readonly CallLimit[] = [
  { calls: 60, windowMs: 60_000 },
  { calls: 400, windowMs: HOUR_MS },
  { calls: 900, windowMs: DAY_MS },
];
const TIMEOUT_MS = 45_000;

const NAME = "open-meteo-archive";

/** Open-Meteo's archive, which gives observed data its past. */
export const OPEN_METEO_ARCHIVE = archiveEntry({
  name: NAME,
  title: "Open-Meteo's archive",
  credit: OPEN_METEO_CREDIT,
  settings: {
    openMeteoArchiveUrl: setting({
      name: "OPEN_METEO_ARCHIVE_URL",
      kind: url,
      default: "https://archive-api.open-meteo.com",
      written: "https://archive-api.open-meteo.com",
      meaning: "Where Open-Meteo's archive answers; `/v1/archive` is added.",
    }),
  },
  callDays: DAYS_PER_CALL,
  callPlaces: Math.floor(VALUES_PER_CALL / (DAYS_PER_CALL * 24)),
  open: ({ openMeteoArchiveUrl: endpoint }, deps) => openMeteoArchive({ ...deps, endpoint }),
});

/**
 * Open-Meteo's archive: reanalyses (ERA5 of ECMWF, and newer ones), some days late. It waits for its part of the calls that
 * Open-Meteo allows a day, for as long as that takes.
 *
 * @param options.endpoint scheme and host, with a path before `/v1/archive` if need be
 */
export function openMeteoArchive(options: Omit<SourceDeps, "cities"> & { endpoint: string }): Archive {
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
      const hours = { source: NAME, from, to: to - 1, now: clock.now() };
      const poll = readPlaces(places, answers, (answer, city) => hourlyRecords(answer, city, hours));
      sortByTime(poll.records);
      return poll;
    },
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
