import type { City } from "../../core/city.ts";
import { ConfigError, SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { matching, setting, url } from "../../core/setting.ts";
import { DAY_MS } from "../../core/time.ts";
import type { NewRecord } from "../log/log.ts";
import { WeatherHttp } from "./http.ts";
import { checkedRecord, errorOf, objectOf, pollOf, timestampOfSeconds } from "./record.ts";
import { type Poll, type Source, type SourceDeps, sourceEntry } from "./source.ts";

/** The free plan: 60 calls a minute and 1,000,000 a month (openweathermap.org/price), here spread over 31 days. */
const PER_MINUTE = 60;
const PER_DAY = 32_000;
/** Part of the limits that polling uses; the rest is for second tries. */
const SHARE = 0.9;
const AT_ONCE = 4;
const MIN_POLL_SECONDS = 60;

/** OpenWeatherMap, for those who have a key. */
export const OPENWEATHERMAP = sourceEntry({
  name: "openweathermap",
  title: "OpenWeatherMap",
  licence: {
    name: "ODbL",
    url: "https://openweathermap.org/",
    note: "Weather data provided by OpenWeather.",
  },
  settings: {
    openweathermapApiKey: setting({
      name: "OPENWEATHERMAP_API_KEY",
      kind: matching(/^[\u0021-\u007e]{1,200}$/, "the key of an OpenWeatherMap account, without spaces"),
      default: null,
      written: "0123456789abcdef0123456789abcdef",
      otherwise: "no key",
      meaning: "Lets the program ask OpenWeatherMap; its value is never printed.",
      secret: true,
    }),
    openweathermapUrl: setting({
      name: "OPENWEATHERMAP_URL",
      kind: url,
      default: "https://api.openweathermap.org",
      written: "https://api.openweathermap.org",
      meaning: "Where OpenWeatherMap answers; `/data/2.5/weather` is added.",
    }),
  },
  key: "openweathermapApiKey",
  auto: "OpenWeatherMap with a key",
  open({ openweathermapApiKey: apiKey, openweathermapUrl: endpoint }, deps) {
    if (apiKey === null) throw new ConfigError("bad_setting", "Cannot ask OpenWeatherMap without a key");
    return openWeatherMap({ ...deps, apiKey, endpoint });
  },
});

/**
 * OpenWeatherMap's current weather, one call a city. It has no past to give on the free plan.
 *
 * @param options.endpoint scheme and host, with a path before `/data/2.5/weather` if need be
 */
export function openWeatherMap(options: SourceDeps & { apiKey: string; endpoint: string }): Source {
  const { cities, apiKey, clock } = options;
  const endpoint = `${options.endpoint.replace(/\/+$/, "")}/data/2.5/weather`;
  const pollSeconds = Math.ceil(
    Math.max(
      MIN_POLL_SECONDS,
      (cities.length * 60) / (PER_MINUTE * SHARE),
      (cities.length * 86_400) / (PER_DAY * SHARE),
    ),
  );
  const http = new WeatherHttp({
    provider: "OpenWeatherMap",
    limits: [
      { calls: PER_MINUTE, windowMs: 60_000 },
      { calls: PER_DAY, windowMs: DAY_MS },
    ],
    maxWaitMs: pollSeconds * 1000,
    unauthorizedHint:
      "Set OPENWEATHERMAP_API_KEY to a valid key from openweathermap.org; a new key works after up to two hours. " +
      "Or set WEATHER_SOURCE=open-meteo, which needs none.",
    secret: apiKey,
    statusOf,
    clock,
    fetch: options.fetch,
    random: options.random,
  });

  const observe = async (city: City, signal: AbortSignal): Promise<NewRecord> => {
    const call = new URL(endpoint);
    call.searchParams.set("lat", String(city.latitude));
    call.searchParams.set("lon", String(city.longitude));
    call.searchParams.set("units", "metric");
    call.searchParams.set("appid", apiKey);
    const body = await http.getJson(call, signal);
    return checkedRecord("OpenWeatherMap", fieldsOf(body, city), clock.now());
  };

  return {
    name: "openweathermap",
    kind: "observed",
    pollSeconds,
    credit: { text: "Weather data provided by OpenWeather", url: "https://openweathermap.org/" },

    async poll(signal: AbortSignal): Promise<Poll> {
      const records: (NewRecord | undefined)[] = cities.map(() => undefined);
      const failures: Poll["failures"] = [];
      const queue = cities.entries();
      const worker = async () => {
        for (const [index, city] of queue) {
          try {
            records[index] = await observe(city, signal);
          } catch (error) {
            failures.push({ city: city.name, error: errorOf(error) });
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return pollOf(
        records.filter((record) => record !== undefined),
        failures,
      );
    },

    history: () => Promise.resolve({ records: [], failures: [] }),
  };
}

/** The status in the body, a number or its text: behind a proxy a refusal may come with HTTP 200. */
function statusOf(answer: unknown): number | undefined {
  const status = Number(objectOf(answer)?.cod);
  return Number.isInteger(status) && status >= 100 && status < 600 ? status : undefined;
}

/** The record's fields in an answer. What they hold is checked afterwards. @throws SourceError `bad_response` */
function fieldsOf(body: unknown, city: City): Record<string, unknown> {
  const answer = objectOf(body) ?? {};
  const main = partOf(answer, "main", city);
  const wind = objectOf(answer.wind) ?? {};
  const weather = objectOf(Array.isArray(answer.weather) ? answer.weather[0] : undefined) ?? {};
  return {
    timestamp: timestampOfSeconds(answer.dt) ?? answer.dt,
    city: city.name,
    temperature: main.temp,
    humidity: main.humidity,
    pressure: main.sea_level ?? main.pressure, // pressure may be the ground's
    wind_speed: wind.speed,
    rainfall: rainOf(answer, city),
    weather_main: weather.main,
    weather_description: weather.description,
    source: "openweathermap",
    wind_direction: wind.deg,
    wind_gust: wind.gust,
    clouds: objectOf(answer.clouds)?.all,
    visibility: answer.visibility,
  };
}

/** Rain of the last hour: no `rain` means none fell; the total of three hours says nothing about the last one. */
function rainOf(answer: Record<string, unknown>, city: City): unknown {
  return (answer.rain ?? null) === null ? 0 : (partOf(answer, "rain", city)["1h"] ?? null);
}

function partOf(answer: Record<string, unknown>, name: string, city: City): Record<string, unknown> {
  const part = objectOf(answer[name]);
  if (part !== undefined) return part;
  throw new SourceError(
    "bad_response",
    `Cannot read OpenWeatherMap's answer for ${city.name}: ${name} is ${describe(answer[name])}, wanted an object`,
  );
}
