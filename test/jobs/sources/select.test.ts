import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { ConfigError } from "../../../core/errors.ts";
import { chooseSource } from "../../../jobs/sources/select.ts";
import { SOURCES } from "../../../jobs/sources/sources.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const settings = {
  weatherSource: "auto",
  openweathermapApiKey: null,
  openweathermapUrl: "http://127.0.0.1:1",
  metarUrl: "http://127.0.0.1:1",
  openMeteoUrl: "http://127.0.0.1:1",
  simulatorSeed: 1,
};
const deps = {
  cities: DEFAULT_CITIES,
  clock: new JumpingClock(),
  observedData: async () => false,
  signal: never,
};
const answering = () => serveProvider(() => Response.json({ current: { temperature_2m: 1 } }));
const failing = () => serveProvider(() => new Response("", { status: 503 }));

describe("chooseSource() auto", () => {
  test("takes OpenWeatherMap when a key is set, and asks nobody", async () => {
    await using server = answering();
    const choice = await chooseSource(
      SOURCES,
      { ...settings, openweathermapApiKey: "k3y", openMeteoUrl: server.endpoint },
      deps,
    );
    expect([choice.source?.name, choice.reason]).toEqual([
      "openweathermap",
      "A key for OpenWeatherMap is set.",
    ]);
    expect(server.calls).toHaveLength(0);
  });

  test("takes Open-Meteo when it answers", async () => {
    await using server = answering();
    const choice = await chooseSource(SOURCES, { ...settings, openMeteoUrl: server.endpoint }, deps);
    expect([choice.source?.name, choice.reason]).toEqual([
      "open-meteo",
      "No OpenWeatherMap key is set, and Open-Meteo answers.",
    ]);
    expect(server.calls).toHaveLength(1);
  });

  test("takes the simulator when Open-Meteo does not answer, and says why", async () => {
    await using server = failing();
    const choice = await chooseSource(SOURCES, { ...settings, openMeteoUrl: server.endpoint }, deps);
    expect(choice.source?.name).toBe("simulator");
    expect(choice.reason).toStartWith(
      "No OpenWeatherMap key is set, and Open-Meteo does not answer, so the weather is simulated.",
    );
    expect(choice.reason).toContain("answered 503");
    expect(server.calls).toHaveLength(1);
  });

  test("stays with Open-Meteo where observed data lies, though it does not answer", async () => {
    await using server = failing();
    const choice = await chooseSource(
      SOURCES,
      { ...settings, openMeteoUrl: server.endpoint },
      { ...deps, observedData: async () => true },
    );
    expect([choice.source?.name, choice.source?.kind]).toEqual(["open-meteo", "observed"]);
    expect(choice.reason).toContain("observed data is here already");
  });
});

describe("chooseSource()", () => {
  test.each(["open-meteo", "simulator"] as const)(
    "takes %s when it is asked for, and asks nobody",
    async (name) => {
      await using server = failing();
      const choice = await chooseSource(
        SOURCES,
        { ...settings, weatherSource: name, openMeteoUrl: server.endpoint },
        deps,
      );
      expect(choice.source?.name).toBe(name);
      expect(choice.reason).toStartWith("WEATHER_SOURCE asks for");
      expect(server.calls).toHaveLength(0);
    },
  );

  test("takes OpenWeatherMap when it is asked for with a key", async () => {
    const choice = await chooseSource(
      SOURCES,
      { ...settings, weatherSource: "openweathermap", openweathermapApiKey: "k3y" },
      deps,
    );
    expect(choice.source?.name).toBe("openweathermap");
  });

  test("refuses OpenWeatherMap without a key", async () => {
    const error = await rejection(
      chooseSource(SOURCES, { ...settings, weatherSource: "openweathermap" }, deps),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain("OPENWEATHERMAP_API_KEY");
  });

  test("takes METAR for the cities that have a station, and refuses it where none has", async () => {
    const cities = [...DEFAULT_CITIES, { ...DEFAULT_CITIES[0]!, name: "Nowhere", metar: null }];
    const choice = await chooseSource(SOURCES, { ...settings, weatherSource: "metar" }, { ...deps, cities });
    expect([choice.source?.name, choice.reason]).toEqual([
      "metar",
      "WEATHER_SOURCE asks for METAR reports: 5 of 6 cities have a station.",
    ]);
    const none = { ...deps, cities: cities.slice(5) };
    const error = await rejection(chooseSource(SOURCES, { ...settings, weatherSource: "metar" }, none));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe("WEATHER_SOURCE is metar, wanted a city with a METAR station too");
  });

  test("none is no source", async () => {
    expect(await chooseSource(SOURCES, { ...settings, weatherSource: "none" }, deps)).toEqual({
      source: null,
      reason: "WEATHER_SOURCE is none: nothing is polled.",
    });
  });
});
