import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { openMeteo } from "../../../jobs/sources/open-meteo.ts";
import { syntheticCities } from "../../../jobs/sources/simulator.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const NOON = Date.UTC(2026, 0, 31, 12) / 1000;
const cities = DEFAULT_CITIES.slice(0, 3);

/** A place of an answer in the provider's form. */
const place = (temperature: unknown, changes: Record<string, unknown> = {}) => ({
  latitude: 51.5,
  longitude: 0,
  utc_offset_seconds: 0,
  current: {
    time: NOON,
    interval: 900,
    temperature_2m: temperature,
    relative_humidity_2m: 81,
    pressure_msl: 1019.2,
    wind_speed_10m: 4.31,
    weather_code: 61,
    wind_direction_10m: 263,
    wind_gusts_10m: 9.4,
    dew_point_2m: 5.1,
    cloud_cover: 100,
    ...changes,
  },
  minutely_15: {
    time: [NOON - 3600, NOON - 2700, NOON - 1800, NOON - 900, NOON, NOON + 900],
    rain: [9, 0.1, 0.2, 0, 0.4, 9],
  },
});

const sourceOf = (endpoint: string, list = cities, clock: JumpingClock | FakeClock = new JumpingClock()) =>
  openMeteo({ cities: list, endpoint, clock, random: () => 0 });

const fields = (value: string | undefined) => JSON.parse(value ?? "null") as Record<string, unknown>;

describe("openMeteo().poll()", () => {
  test("asks for all cities with one call and matches the answers by their order", async () => {
    await using server = serveProvider(() => Response.json([place(1.5), place(2.5), place(3.5)]));
    const { records, failures } = await sourceOf(server.endpoint).poll(never);
    expect(failures).toEqual([]);
    expect(server.calls).toHaveLength(1);
    expect(records.map((record) => [record.key, fields(record.value).temperature])).toEqual([
      ["New York", 1.5],
      ["London", 2.5],
      ["Tokyo", 3.5],
    ]);
    const query = server.calls[0]?.searchParams;
    expect(server.calls[0]?.pathname).toBe("/v1/forecast");
    expect(query?.get("latitude")).toBe("40.7128,51.5074,35.6762");
    expect(query?.get("longitude")).toBe("-74.006,-0.1278,139.6503");
    expect(query?.get("wind_speed_unit")).toBe("ms");
    expect(query?.get("timeformat")).toBe("unixtime");
    expect(query?.get("current")).toContain("pressure_msl");
  });

  test("one city is answered by an object; its record is in canonical form", async () => {
    await using server = serveProvider(() => Response.json(place(6.4)));
    const { records } = await sourceOf(server.endpoint, cities.slice(1, 2)).poll(never);
    expect(records).toEqual([
      {
        key: "London",
        value:
          '{"timestamp":"2026-01-31T12:00:00Z","city":"London","temperature":6.4,"humidity":81,"pressure":1019.2,' +
          '"wind_speed":4.31,"rainfall":0.7,"weather_main":"Rain","weather_description":"light rain",' +
          '"source":"open-meteo","wind_direction":263,"wind_gust":9.4,"dew_point":5.1,"clouds":100}',
      },
    ]);
  });

  test("the rain of the hour is the sum of its four quarters, and null where one is missing", async () => {
    const quarters = (rain: unknown[]) => ({
      ...place(1),
      minutely_15: { time: place(1).minutely_15.time, rain },
    });
    await using server = serveProvider(() =>
      Response.json([
        quarters([9, 0, 0, 0, 0, 9]),
        quarters([9, 0.1, null, 0, 0.4, 9]),
        { ...place(1), minutely_15: undefined },
      ]),
    );
    const { records } = await sourceOf(server.endpoint).poll(never);
    expect(records.map((record) => fields(record.value).rainfall)).toEqual([0, null, null]);
  });

  test("null is missing, and an unknown code no condition", async () => {
    await using server = serveProvider(() =>
      Response.json(place(null, { wind_gusts_10m: null, weather_code: 1234 })),
    );
    const { records } = await sourceOf(server.endpoint, cities.slice(0, 1)).poll(never);
    const value = fields(records[0]?.value);
    expect(value.temperature).toBeNull();
    expect(value.weather_main).toBeNull();
    expect("wind_gust" in value).toBe(false);
  });

  test("an odd place fails its city only, and an odd value loses itself alone", async () => {
    await using server = serveProvider(() => Response.json([place("warm"), { nothing: 1 }, place(3)]));
    const { records, failures } = await sourceOf(server.endpoint).poll(never);
    expect(records.map((record) => record.key)).toEqual(["New York", "Tokyo"]);
    expect(fields(records[0]!.value)).toMatchObject({
      temperature: null,
      impossible: '{"temperature":"warm"}',
    });
    expect(failures.map(({ city, error }) => [city, error.message])).toEqual([
      ["London", "Cannot read Open-Meteo's answer for London: current is missing, wanted an object"],
    ]);
  });

  test("an answer for another number of places is none: nobody can tell whose it is", async () => {
    await using server = serveProvider(() => Response.json([place(1), place(2)]));
    const error = await rejection(sourceOf(server.endpoint).poll(never));
    expect(error.code).toBe("bad_response");
    expect(error.message).toContain("got 2 places, wanted 3");
  });

  test("many cities are asked for in calls of 100; a call that fails does not hold up the others", async () => {
    await using server = serveProvider((url) => {
      const count = url.searchParams.get("latitude")?.split(",").length ?? 0;
      if (count === 50) return Response.json({ error: true, reason: "Out of luck" }, { status: 400 });
      return Response.json(Array.from({ length: count }, (_, index) => place(index / 10)));
    });
    const { records, failures } = await sourceOf(server.endpoint, syntheticCities(250)).poll(never);
    expect(server.calls).toHaveLength(3);
    expect(records).toHaveLength(200);
    expect(fields(records[199]?.value)).toMatchObject({ city: "Station 0200", temperature: 9.9 });
    expect(failures).toHaveLength(50);
    expect(failures[0]?.error.message).toContain("answered 400 (Out of luck)");
  });

  test("keeps to the plan's limits, in which each place counts: 600 a minute", async () => {
    await using server = serveProvider((url) =>
      Response.json((url.searchParams.get("latitude") ?? "").split(",").map(() => place(1))),
    );
    const clock = new JumpingClock();
    await sourceOf(server.endpoint, syntheticCities(700), clock).poll(never);
    expect(server.calls).toHaveLength(7);
    expect(clock.jumps).toEqual([60_000]);
  });

  test("tries again when its limit per minute is exceeded", async () => {
    await using server = serveProvider((_, call) =>
      call === 1
        ? Response.json({ error: true, reason: "Minutely API request limit exceeded." }, { status: 429 })
        : Response.json([place(1), place(2), place(3)]),
    );
    expect((await sourceOf(server.endpoint).poll(never)).records).toHaveLength(3);
  });
});

describe("openMeteo().history()", () => {
  /** Hourly values from `first` on: the hour's number is its temperature. */
  const hourly = (first: number, count: number, changes: Record<string, unknown> = {}) => {
    const list = (value: (index: number) => unknown) =>
      Array.from({ length: count }, (_, index) => value(index));
    return {
      hourly: {
        time: list((index) => first + index * 3600),
        temperature_2m: list((index) => index),
        relative_humidity_2m: list(() => 50),
        pressure_msl: list(() => 1000),
        wind_speed_10m: list(() => 2),
        rain: list((index) => index / 10),
        weather_code: list(() => 3),
        wind_direction_10m: list(() => 90),
        wind_gusts_10m: list(() => 3),
        dew_point_2m: list(() => 0),
        cloud_cover: list(() => 70),
        ...changes,
      },
    };
  };

  test("brings the hours up to now, oldest first, and no forecast", async () => {
    await using server = serveProvider(() =>
      Response.json([hourly(NOON - 3 * 3600, 6), hourly(NOON - 3 * 3600, 6)]),
    );
    const clock = new JumpingClock((NOON + 1800) * 1000);
    const { records, failures } = await sourceOf(server.endpoint, cities.slice(0, 2), clock).history(
      3,
      never,
    );
    expect(failures).toEqual([]);
    expect(records.map((record) => record.value.slice(0, 50))).toEqual([
      '{"timestamp":"2026-01-31T10:00:00Z","city":"London',
      '{"timestamp":"2026-01-31T10:00:00Z","city":"New Yo',
      '{"timestamp":"2026-01-31T11:00:00Z","city":"London',
      '{"timestamp":"2026-01-31T11:00:00Z","city":"New Yo',
      '{"timestamp":"2026-01-31T12:00:00Z","city":"London',
      '{"timestamp":"2026-01-31T12:00:00Z","city":"New Yo',
    ]);
    expect(fields(records[4]?.value)).toEqual({
      timestamp: "2026-01-31T12:00:00Z",
      city: "London",
      temperature: 3,
      humidity: 50,
      pressure: 1000,
      wind_speed: 2,
      rainfall: 0.3,
      weather_main: "Clouds",
      weather_description: "overcast",
      source: "open-meteo",
      wind_direction: 90,
      wind_gust: 3,
      dew_point: 0,
      clouds: 70,
    });
    const query = server.calls[0]?.searchParams;
    expect(query?.get("past_hours")).toBe("3");
    expect(query?.get("hourly")?.split(",")).toHaveLength(10);
    expect(query?.get("wind_speed_unit")).toBe("ms");
  });

  test("hours of which nothing is known are left out, an odd value loses itself alone", async () => {
    const nothing = Object.fromEntries(
      Object.keys(hourly(0, 0).hourly)
        .filter((name) => name !== "time")
        .map((name) => [name, [null, null]]),
    );
    await using server = serveProvider(() =>
      Response.json([
        hourly(NOON - 3600, 2, nothing),
        hourly(NOON - 3600, 2, { temperature_2m: ["x", 1] }),
        hourly(NOON - 3600, 2, { rain: undefined }),
      ]),
    );
    const { records, failures } = await sourceOf(server.endpoint).history(48, never);
    expect(records.filter(({ key }) => key === "Tokyo").map(({ value }) => fields(value).rainfall)).toEqual([
      null,
      null,
    ]);
    const london = records.filter(({ key }) => key === "London").map(({ value }) => fields(value));
    expect(london.map(({ temperature, impossible }) => temperature ?? impossible)).toEqual([
      '{"temperature":"x"}',
      1,
    ]);
    expect(failures).toEqual([]);
  });
});

describe("openMeteo().probe()", () => {
  test("is null when it answers, after one call for one place", async () => {
    await using server = serveProvider(() => Response.json(place(1)));
    expect(await sourceOf(server.endpoint).probe(never)).toBeNull();
    expect(server.calls.map((url) => url.searchParams.get("latitude"))).toEqual(["40.7128"]);
  });

  test("says why it does not answer, after one try", async () => {
    await using server = serveProvider(() => new Response("", { status: 503 }));
    expect(await sourceOf(server.endpoint).probe(never)).toContain("answered 503");
    expect(server.calls).toHaveLength(1);
  });

  test("waits for three seconds at most", async () => {
    await using server = serveProvider(() => new Promise<Response>(() => {}));
    const clock = new FakeClock();
    const result = sourceOf(server.endpoint, cities, clock).probe(never);
    await server.arrived(1);
    await clock.advance(3000);
    expect(await result).toContain("no answer within 3 s");
  });
});

describe("openMeteo()", () => {
  test.each([
    [5, 300],
    [31, 300],
    [100, 960],
  ])("polls %d cities every %d s, as the limit per day allows", (count, seconds) => {
    expect(sourceOf("http://x", syntheticCities(count)).pollSeconds).toBe(seconds);
  });

  test("names its credit", () => {
    const { name, kind, credit } = sourceOf("http://x");
    expect([name, kind, credit?.text]).toEqual(["open-meteo", "observed", "Weather data by Open-Meteo.com"]);
  });
});
