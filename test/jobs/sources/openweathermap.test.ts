import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { openWeatherMap } from "../../../jobs/sources/openweathermap.ts";
import { syntheticCities } from "../../../jobs/sources/simulator.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const [newYork, london, tokyo] = DEFAULT_CITIES as [
  (typeof DEFAULT_CITIES)[0],
  (typeof DEFAULT_CITIES)[0],
  (typeof DEFAULT_CITIES)[0],
];

/** An answer in the provider's form. */
const body = (changes: Record<string, unknown> = {}) => ({
  coord: { lon: 139.69, lat: 35.69 },
  weather: [
    { id: 500, main: "Rain", description: "light rain", icon: "10d" },
    { id: 701, main: "Mist", description: "mist", icon: "50d" },
  ],
  base: "stations",
  main: { temp: 17.62, pressure: 1011, humidity: 85 },
  visibility: 7000,
  wind: { speed: 0.45, deg: 116, gust: 1.34 },
  rain: { "1h": 0.12 },
  clouds: { all: 75 },
  dt: 1621386365,
  sys: { country: "JP" },
  timezone: 32400,
  id: 1850144,
  name: "Globe",
  cod: 200,
  ...changes,
});

const sourceOf = (endpoint: string, cities = [tokyo], clock = new JumpingClock()) =>
  openWeatherMap({ cities, apiKey: "k3y", endpoint, clock, random: () => 0 });

/** The fields that come of an answer with changes. */
async function observed(changes: Record<string, unknown>): Promise<Record<string, unknown>> {
  await using server = serveProvider(() => Response.json(body(changes)));
  const { records } = await sourceOf(server.endpoint).poll(never);
  return JSON.parse(records[0]?.value ?? "null") as Record<string, unknown>;
}

describe("openWeatherMap().poll()", () => {
  test("asks by coordinates in metric units and makes a record in canonical form", async () => {
    await using server = serveProvider(() => Response.json(body()));
    const poll = await sourceOf(`${server.endpoint}/`).poll(never);
    expect(poll).toEqual({
      records: [
        {
          key: "Tokyo",
          value:
            '{"timestamp":"2021-05-19T01:06:05Z","city":"Tokyo","temperature":17.62,"humidity":85,"pressure":1011,' +
            '"wind_speed":0.45,"rainfall":0.12,"weather_main":"Rain","weather_description":"light rain",' +
            '"source":"openweathermap","wind_direction":116,"wind_gust":1.34,"clouds":75,"visibility":7000}',
        },
      ],
      failures: [],
    });
    const [url] = server.calls;
    expect(url?.pathname).toBe("/data/2.5/weather");
    expect(Object.fromEntries(url?.searchParams ?? [])).toEqual({
      lat: "35.6762",
      lon: "139.6503",
      units: "metric",
      appid: "k3y",
    });
  });

  test.each<[string, unknown, number | null]>([
    ["no rain is 0 mm", undefined, 0],
    ["null is no rain", null, 0],
    ["both totals: that of 1 h", { "1h": 0.5, "3h": 2.5 }, 0.5],
    ["the total of 3 h alone says nothing about the hour", { "3h": 2.5 }, null],
  ])("rain: %s", async (_, rain, expected) => {
    expect((await observed({ rain })).rainfall).toBe(expected);
  });

  test("prefers the pressure at sea level", async () => {
    const main = { temp: 10, humidity: 50, pressure: 840.5, sea_level: 1018.25, grnd_level: 840.5 };
    expect((await observed({ main })).pressure).toBe(1018.25);
  });

  test("leaves out what is absent, and missing measures are null", async () => {
    const value = await observed({
      main: { temp: 10 },
      wind: undefined,
      visibility: undefined,
      clouds: undefined,
      weather: [],
    });
    expect(value).toEqual({
      timestamp: "2021-05-19T01:06:05Z",
      city: "Tokyo",
      temperature: 10,
      humidity: null,
      pressure: null,
      wind_speed: null,
      rainfall: 0.12,
      weather_main: null,
      weather_description: null,
      source: "openweathermap",
    });
  });

  test("takes fractions where others send whole numbers", async () => {
    const value = await observed({ wind: { speed: 3, deg: 116.5 }, main: { temp: 1, pressure: 1011.3 } });
    expect(value.wind_direction).toBe(116.5);
    expect(value.pressure).toBe(1011.3);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["no main", { main: undefined }, "main is missing"],
    ["main is null", { main: null }, "main is null"],
    ["no dt", { dt: undefined }, "timestamp is missing"],
    ["dt as text", { dt: "1621386365" }, "timestamp is"],
    ["dt beyond all time", { dt: 1e300 }, "timestamp is 1e+300"],
    ["dt in the future", { dt: 4102444800 }, "more than a day in the future"],
    ["rain as a number", { rain: 3 }, "rain is 3"],
  ])("an odd answer fails its city only: %s", async (_, changes, reason) => {
    await using server = serveProvider((url) =>
      Response.json(url.searchParams.get("lat") === String(london.latitude) ? body(changes) : body()),
    );
    const { records, failures } = await sourceOf(server.endpoint, [newYork, london, tokyo]).poll(never);
    expect(records.map((record) => record.key)).toEqual(["New York", "Tokyo"]);
    expect(failures.map((failure) => failure.city)).toEqual(["London"]);
    expect(failures[0]?.error).toMatchObject({ code: "bad_response" });
    expect(failures[0]?.error.message).toContain("London");
    expect(failures[0]?.error.message).toContain(reason);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ["a number that is text", { main: { temp: "17.6" } }, '{"temperature":"17.6"}'],
    ["kelvin", { main: { temp: 290.77 } }, '{"temperature":"290.77"}'],
    ["rain as text", { rain: { "1h": "3" } }, '{"rainfall":"3"}'],
    ["a gust below 0", { wind: { speed: 1, gust: -2 } }, '{"wind_gust":"-2"}'],
    ["a broken humidity", { main: { temp: 5, humidity: 255 } }, '{"humidity":"255"}'],
  ])("an odd value loses itself alone: %s", async (_, changes, impossible) => {
    await using server = serveProvider(() => Response.json(body(changes)));
    const { records, failures } = await sourceOf(server.endpoint, [london]).poll(never);
    const stored = JSON.parse(records[0]!.value) as Record<string, unknown>;
    expect(stored.impossible).toBe(impossible);
    for (const name of Object.keys(JSON.parse(impossible) as object)) expect(stored[name] ?? null).toBeNull();
    expect(Object.values(stored).filter((value) => typeof value === "number").length).toBeGreaterThan(0);
    expect(failures).toEqual([]);
  });

  test("a city that is not found, or not answered, does not hold up the others", async () => {
    await using server = serveProvider((url) => {
      const latitude = url.searchParams.get("lat");
      if (latitude === String(newYork.latitude))
        return Response.json({ cod: "404", message: "city not found" }, { status: 404 });
      if (latitude === String(london.latitude)) return new Response("<html>", { status: 500 });
      return Response.json(body());
    });
    const { records, failures } = await sourceOf(server.endpoint, [newYork, london, tokyo]).poll(never);
    expect(records.map((record) => record.key)).toEqual(["Tokyo"]);
    expect(new Map(failures.map(({ city, error }) => [city, (error as { code?: string }).code]))).toEqual(
      new Map([
        ["New York", "not_found"],
        ["London", "unavailable"],
      ]),
    );
  });

  test("throws unauthorized with what to do when the key is refused everywhere", async () => {
    await using server = serveProvider(() =>
      Response.json({ cod: 401, message: "Invalid API key k3y." }, { status: 401 }),
    );
    const error = await rejection(sourceOf(server.endpoint, [newYork, london, tokyo]).poll(never));
    expect(error.code).toBe("unauthorized");
    expect(error.hint).toContain("OPENWEATHERMAP_API_KEY");
    expect(Bun.inspect(error)).not.toContain("k3y");
    expect(server.calls).toHaveLength(3);
  });

  test("says what is refused in the body of an answer of 200", async () => {
    await using server = serveProvider(() => Response.json({ cod: 401, message: "Invalid API key k3y." }));
    const error = await rejection(sourceOf(server.endpoint).poll(never));
    expect(error).toMatchObject({ code: "unauthorized" });
    expect(error.message).toContain("OpenWeatherMap answered 401 (Invalid API key");
  });

  test("asks a few cities at once, each once, and keeps their order", async () => {
    const cities = syntheticCities(20);
    let open = 0;
    let most = 0;
    const gate = Promise.withResolvers<void>();
    await using server = serveProvider(async (_, call) => {
      most = Math.max(most, ++open);
      if (call === 4) gate.resolve();
      await gate.promise;
      open--;
      return Response.json(body());
    });
    const { records } = await sourceOf(server.endpoint, cities).poll(never);
    expect(records.map((record) => record.key)).toEqual(cities.map((city) => city.name));
    expect(server.calls).toHaveLength(20);
    expect(most).toBe(4);
  });

  test("makes at most 60 calls in any minute", async () => {
    await using server = serveProvider(() => Response.json(body()));
    const clock = new JumpingClock();
    const source = sourceOf(server.endpoint, syntheticCities(50), clock);
    await source.poll(never);
    expect(clock.jumps).toEqual([]);
    await source.poll(never);
    expect(server.calls).toHaveLength(100);
    expect(clock.jumps).toEqual([60_000]);
  });
});

describe("openWeatherMap()", () => {
  test.each([
    [1, 60],
    [5, 60],
    [20, 60],
    [50, 150],
    [1000, 3000],
  ])("polls %d cities as often as the plan allows: every %d s", (count, seconds) => {
    expect(sourceOf("http://x", syntheticCities(count)).pollSeconds).toBe(seconds);
  });

  test("has no history, and names its credit", async () => {
    const source = sourceOf("http://x");
    expect(await source.history(48, never)).toEqual({ records: [], failures: [] });
    expect([source.name, source.kind]).toEqual(["openweathermap", "observed"]);
    expect(source.credit?.text).toContain("OpenWeather");
  });
});
