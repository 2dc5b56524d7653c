import type { City } from "../../core/city.ts";
import { ConfigError, SourceError } from "../../core/errors.ts";
import { describe, hasValue, identityOf, joinObservations } from "../../core/observation.ts";
import { setting, url } from "../../core/setting.ts";
import { M_PER_MILE, MM_PER_INCH, MS_PER_KNOT, roundTo } from "../../core/units.ts";
import { WeatherHttp } from "./http.ts";
import { conditionOfMetar, skyOfMetar } from "./metar-weather.ts";
import {
  type Checked,
  checkedObservation,
  errorOf,
  objectOf,
  pollOf,
  recordOf,
  sortByTime,
  timestampOfSeconds,
} from "./record.ts";
import { type Poll, type Source, type SourceDeps, sourceEntry } from "./source.ts";

/** The service asks for at most one request a minute. */
const LIMITS = [{ calls: 1, windowMs: 60_000 }];
/** Reports come every half hour or hour, and at once when the weather changes much. */
const POLL_SECONDS = 300;
const REPORT_SECONDS = 3600;
/** Reports in one answer. */
const REPORTS_PER_CALL = 400;
/** Reports of a station in an hour, special ones included. */
const REPORTS_PER_HOUR = 2.5;

/** A report of the answer; undefined where it is no object. */
type Report = Record<string, unknown> | undefined;

/** Airports' reports, taken by name only: they are for the cities that name a station. */
export const METAR = sourceEntry({
  name: "metar",
  title: "METAR reports",
  licence: {
    name: "public domain",
    url: "https://aviationweather.gov/",
    note: "Airport reports by way of the Aviation Weather Center of the US National Weather Service.",
  },
  settings: {
    metarUrl: setting({
      name: "METAR_URL",
      kind: url,
      default: "https://aviationweather.gov",
      written: "https://aviationweather.gov",
      meaning: "Where the Aviation Weather Center answers; `/api/data/metar` is added.",
    }),
  },
  note: (cities) => `${withStation(cities).length} of ${cities.length} cities have a station`,
  open({ metarUrl: endpoint }, deps) {
    if (withStation(deps.cities).length === 0)
      throw new ConfigError(
        "bad_setting",
        "WEATHER_SOURCE is metar, wanted a city with a METAR station too",
        { hint: 'Give cities in CITIES_FILE an ICAO id, such as "metar": "EGLL".' },
      );
    return metar({ ...deps, endpoint });
  },
});

/** The cities that name a station. */
function withStation(cities: readonly City[]): City[] {
  return cities.filter((city) => (city.metar ?? null) !== null);
}

/**
 * METAR reports of airports by the Aviation Weather Center of the US National Weather Service: real observations of
 * {@link City.metar}, one request for all. Cities without a station are left out.
 *
 * @param options.endpoint scheme and host, with a path before `/api/data/metar` if need be
 */
export function metar(options: SourceDeps & { endpoint: string }): Source {
  const { clock } = options;
  const endpoint = `${options.endpoint.replace(/\/+$/, "")}/api/data/metar`;
  /** Cities by station. */
  const stations = Map.groupBy(withStation(options.cities), (city) => city.metar as string);
  const ids = [...stations.keys()];
  const pollSeconds = Math.max(POLL_SECONDS, 60 * Math.ceil(ids.length / REPORTS_PER_CALL));
  const http = new WeatherHttp({
    provider: "The Aviation Weather Center",
    limits: LIMITS,
    maxWaitMs: pollSeconds * 1000,
    unauthorizedHint:
      "It takes requests without a key: look at its address, and at a proxy on the way to it.",
    clock,
    fetch: options.fetch,
    random: options.random,
  });

  const ask = async (some: readonly string[], hours: number | null, signal: AbortSignal): Promise<Poll> => {
    const call = new URL(endpoint);
    call.searchParams.set("ids", some.join(","));
    call.searchParams.set("format", "json");
    if (hours !== null) call.searchParams.set("hours", String(hours));
    const answer = (await http.getJson(call, signal)) ?? []; // no content: no reports
    if (!Array.isArray(answer)) {
      throw new SourceError(
        "bad_response",
        `Cannot read the METAR reports: got ${describe(answer)}, wanted an array`,
      );
    }
    return pollOfReports(answer as unknown[], some, stations, clock.now());
  };

  return {
    name: "metar",
    kind: "observed",
    pollSeconds,
    reportSeconds: REPORT_SECONDS,
    credit: null, // a work of the US government

    async poll(signal) {
      const polls: Poll[] = [];
      for (let i = 0; i < ids.length; i += REPORTS_PER_CALL)
        polls.push(await ask(ids.slice(i, i + REPORTS_PER_CALL), null, signal));
      return pollOf(
        polls.flatMap(({ records }) => records),
        polls.flatMap(({ failures }) => failures),
      );
    },

    async history(hours, signal) {
      const possible = Math.floor(REPORTS_PER_CALL / (ids.length * REPORTS_PER_HOUR));
      if (possible < 1) return { records: [], failures: [] };
      return ask(ids, Math.min(Math.ceil(hours), possible), signal);
    },
  };
}

/**
 * What an answer says of the stations asked for.
 *
 * @param stations cities by station
 * @param now when the answer came, ms
 */
function pollOfReports(
  answer: readonly unknown[],
  asked: readonly string[],
  stations: ReadonlyMap<string, readonly City[]>,
  now: number,
): Poll {
  const poll: Poll = { records: [], failures: [] };
  const reported = new Set<string>();
  const found = new Map<string, Checked>();
  for (const report of answer.map(objectOf).toSorted(inOrderOfReceipt)) {
    const id = typeof report?.icaoId === "string" ? report.icaoId.toUpperCase() : "";
    for (const city of stations.get(id) ?? []) {
      reported.add(id);
      try {
        const fields = fieldsOf(report ?? {}, city);
        if (!hasValue(fields)) continue; // NIL: the station reports that it has no report
        const checked = checkedObservation("METAR", fields, now);
        const identity = identityOf(checked.observation);
        found.set(identity, followedBy(found.get(identity), checked));
      } catch (error) {
        poll.failures.push({ city: city.name, error: errorOf(error) });
      }
    }
  }
  for (const id of asked.filter((one) => !reported.has(one))) {
    const error = new SourceError("not_found", `There is no METAR report of ${id}`, {
      hint: "The field `metar` in CITIES_FILE names the station.",
    });
    for (const city of stations.get(id) ?? []) poll.failures.push({ city: city.name, error });
  }
  for (const { observation, correction } of found.values())
    poll.records.push(recordOf(observation, correction));
  sortByTime(poll.records);
  return poll;
}

/** Reports in the order in which they stand: the later received replaces, and a corrected one replaces what it corrects. */
function inOrderOfReceipt(a: Report, b: Report): number {
  return Number(isCorrected(a)) - Number(isCorrected(b)) || receivedMs(a) - receivedMs(b);
}

/** When the service received a report, ms; 0 where it does not say. */
function receivedMs(report: Report): number {
  if (typeof report?.receiptTime !== "string") return 0;
  return Date.parse(report.receiptTime.replace(" ", "T").replace(/Z?$/, "Z")) || 0; // it is in UTC, named or not
}

/** Whether a report says before its remarks that it corrects another: COR, or CCA, CCB, … in Canada. */
function isCorrected(report: Report): boolean {
  const [body = ""] = typeof report?.rawOb === "string" ? report.rawOb.split(/\bRMK\b/) : [];
  return /\b(COR|CC[A-Z])\b/.test(body);
}

/** What the answer says of one time of a station, so that each poll gives the same one record. */
function followedBy(before: Checked | undefined, later: Checked): Checked {
  if (before === undefined || later.correction) return later;
  return { ...before, observation: joinObservations(before.observation, later.observation) };
}

/** The record's fields in a report. What they hold is checked afterwards. */
function fieldsOf(report: Record<string, unknown>, city: City): Record<string, unknown> {
  const layers = Array.isArray(report.clouds) ? (report.clouds as unknown[]) : [];
  const sky = skyOfMetar([...layers.map((layer) => objectOf(layer)?.cover), report.cover]);
  const weather = typeof report.wxString === "string" ? conditionOfMetar(report.wxString) : null;
  const condition = weather ?? sky?.condition;
  const wind = scaled(report.wspd, MS_PER_KNOT);
  return {
    timestamp: timestampOfSeconds(report.obsTime) ?? report.obsTime, // reportTime is rounded
    city: city.name,
    temperature: report.temp,
    humidity: humidityOf(report.temp, report.dewp),
    pressure: report.slp ?? report.altim,
    wind_speed: wind,
    rainfall: rainOf(report),
    weather_main: condition?.main,
    weather_description: condition?.description,
    source: "metar",
    correction: isCorrected(report),
    wind_direction: report.wdir === "VRB" || wind === 0 ? null : report.wdir, // a calm comes from nowhere
    wind_gust: scaled(report.wgst, MS_PER_KNOT),
    dew_point: report.dewp,
    clouds: sky?.clouds,
    visibility: visibilityOf(report.visib),
  };
}

/** Relative humidity, %, of air temperature and dew point, °C (Magnus; Alduchov and Eskridge 1996). */
function humidityOf(temperature: unknown, dewPoint: unknown): number | null {
  if (typeof temperature !== "number" || typeof dewPoint !== "number") return null;
  const magnus = (celsius: number) => (17.625 * celsius) / (243.04 + celsius);
  return Math.min(100, Math.round(100 * Math.exp(magnus(dewPoint) - magnus(temperature))));
}

/**
 * Rain of the last hour, mm: `precip` of a routine report, inches. An automated station that tells rain from snow (AO2)
 * leaves it out when none fell (Federal Meteorological Handbook No. 1, 12.7.2); others never report it.
 */
function rainOf(report: Record<string, unknown>): unknown {
  if (report.metarType !== undefined && report.metarType !== "METAR") return null; // since the last routine report
  const { precip = null, rawOb } = report;
  if (precip !== null) return scaled(precip, MM_PER_INCH);
  const remarks = typeof rawOb === "string" ? rawOb : "";
  return /\bAO2\b/.test(remarks) && !/\bPNO\b/.test(remarks) ? 0 : null;
}

/** Visibility, m, of statute miles; `10+` is 10 or more. */
function visibilityOf(visib: unknown): unknown {
  const miles = typeof visib === "string" && /^\d+(\.\d+)?\+?$/.test(visib) ? parseFloat(visib) : visib;
  return typeof miles === "number" ? Math.round(miles * M_PER_MILE) : null;
}

/** A number in another unit; anything else as it is, for the check to say. */
function scaled(value: unknown, factor: number): unknown {
  return typeof value === "number" ? roundTo(value * factor, 2) : value;
}
