import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { ConfigError } from "../../core/errors.ts";
import type { Fetch } from "./http.ts";
import { metar } from "./metar.ts";
import { openMeteo } from "./open-meteo.ts";
import { openWeatherMap } from "./openweathermap.ts";
import { simulator } from "./simulator.ts";
import type { Source } from "./source.ts";

/** The settings a source is chosen by, as the program's config has them. */
export interface SourceSettings {
  readonly weatherSource: "auto" | "openweathermap" | "open-meteo" | "metar" | "simulator" | "none";
  /** Null when there is no key. */
  readonly openweathermapApiKey: string | null;
  /** Where the providers answer, without the path of the call. */
  readonly openweathermapUrl: string;
  readonly openMeteoUrl: string;
  readonly metarUrl: string;
  readonly simulatorSeed: number;
}

/** The source chosen (null: none is polled), and why, in a sentence for the log and the page. */
export interface Choice {
  source: Source | null;
  reason: string;
}

/**
 * Chooses the weather source, once, at the start. `auto` means: OpenWeatherMap when a key is set; else Open-Meteo when it
 * answers; else the simulator, but Open-Meteo all the same where observed data lies already, so that the two never take
 * turns in what one looks at.
 *
 * @param deps.observedData whether the data set of observed data holds something; asked only where it matters
 * @throws ConfigError when OpenWeatherMap is asked for without a key, METAR for cities without a station
 */
export async function chooseSource(
  settings: SourceSettings,
  deps: {
    cities: readonly City[];
    clock: Clock;
    observedData: () => Promise<boolean>;
    signal: AbortSignal;
    fetch?: Fetch;
    random?: () => number;
  },
): Promise<Choice> {
  const { cities, clock, fetch, random } = deps;
  const key = settings.openweathermapApiKey;
  const keyed = (apiKey: string) =>
    openWeatherMap({ cities, apiKey, endpoint: settings.openweathermapUrl, clock, fetch, random });
  const keyless = openMeteo({ cities, endpoint: settings.openMeteoUrl, clock, fetch, random });
  const simulated = simulator({ cities, seed: settings.simulatorSeed, clock });

  switch (settings.weatherSource) {
    case "openweathermap":
      if (key === null || key === "")
        throw new ConfigError(
          "bad_setting",
          "WEATHER_SOURCE is openweathermap, wanted OPENWEATHERMAP_API_KEY too",
          {
            hint: "Set OPENWEATHERMAP_API_KEY, or WEATHER_SOURCE=open-meteo, which needs no key.",
          },
        );
      return { source: keyed(key), reason: "WEATHER_SOURCE asks for OpenWeatherMap." };
    case "open-meteo":
      return { source: keyless, reason: "WEATHER_SOURCE asks for Open-Meteo." };
    case "metar": {
      const stations = cities.filter((city) => (city.metar ?? null) !== null).length;
      if (stations === 0)
        throw new ConfigError(
          "bad_setting",
          "WEATHER_SOURCE is metar, wanted a city with a METAR station too",
          { hint: 'Give cities in CITIES_FILE an ICAO id, such as "metar": "EGLL".' },
        );
      return {
        source: metar({ cities, endpoint: settings.metarUrl, clock, fetch, random }),
        reason: `WEATHER_SOURCE asks for METAR reports: ${stations} of ${cities.length} cities have a station.`,
      };
    }
    case "simulator":
      return { source: simulated, reason: "WEATHER_SOURCE asks for the simulator." };
    case "none":
      return { source: null, reason: "WEATHER_SOURCE is none: nothing is polled." };
    case "auto": {
      if (key !== null && key !== "") return { source: keyed(key), reason: "An OpenWeatherMap key is set." };
      const failure = await keyless.probe(deps.signal);
      if (failure === null)
        return { source: keyless, reason: "No OpenWeatherMap key is set, and Open-Meteo answers." };
      if (await deps.observedData())
        return {
          source: keyless,
          reason: `Open-Meteo does not answer yet and is asked again, because observed data is here already. ${failure}.`,
        };
      return {
        source: simulated,
        reason: `No OpenWeatherMap key is set, and Open-Meteo does not answer, so the weather is simulated. ${failure}.`,
      };
    }
  }
}
