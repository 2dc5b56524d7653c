import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { DAY_MS } from "../../../core/time.ts";
import { openMeteoArchive } from "../../../jobs/sources/open-meteo-archive.ts";
import { syntheticCities } from "../../../jobs/sources/simulator.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const DAY = Date.UTC(2025, 11, 1);
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
  "rain",
];

/** What the archive answers for a place: every hour of the days asked for; of those from `until` on it knows nothing yet. */
function place(url: URL, until = Infinity): Record<string, unknown> {
  const from = Date.parse(`${url.searchParams.get("start_date")}T00:00:00Z`);
  const to = Date.parse(`${url.searchParams.get("end_date")}T00:00:00Z`) + DAY_MS;
  const times = Array.from({ length: (to - from) / 3_600_000 }, (_, hour) => from + hour * 3_600_000);
  const hourly: Record<string, unknown[]> = { time: times.map((ms) => ms / 1000) };
  for (const [index, name] of VARIABLES.entries())
    hourly[name] = times.map((ms) => (ms < until ? (name === "pressure_msl" ? 1010 : index) : null));
  return { latitude: 51.5, longitude: 0, hourly };
}
const places = (url: URL, until?: number) =>
  (url.searchParams.get("latitude") ?? "").split(",").map(() => place(url, until));
const archiveOf = (endpoint: string, clock = new JumpingClock()) =>
  openMeteoArchive({ endpoint, clock, random: () => 0 });

describe("openMeteoArchive().fetch()", () => {
  test("asks for whole days of some places with one call, and gives their hours in the order of time", async () => {
    await using server = serveProvider((url) => Response.json(places(url)));
    const cities = DEFAULT_CITIES.slice(0, 2);
    const { records, failures } = await archiveOf(server.endpoint).fetch(
      cities,
      DAY,
      DAY + 2 * DAY_MS,
      never,
    );
    expect(failures).toEqual([]);
    expect(server.calls).toHaveLength(1);
    const query = server.calls[0]?.searchParams;
    expect(server.calls[0]?.pathname).toBe("/v1/archive");
    expect([query?.get("start_date"), query?.get("end_date")]).toEqual(["2025-12-01", "2025-12-02"]);
    expect(query?.get("hourly")?.split(",")).toEqual(VARIABLES);
    expect(query?.get("wind_speed_unit")).toBe("ms");
    expect(records).toHaveLength(2 * 48);
    expect(records[0]?.value.slice(0, 55)).toBe('{"timestamp":"2025-12-01T00:00:00Z","city":"London","te');
    expect(records[2]?.value.slice(0, 35)).toBe('{"timestamp":"2025-12-01T01:00:00Z"');
    expect(records.at(-1)?.value).toBe(
      '{"timestamp":"2025-12-02T23:00:00Z","city":"New York","temperature":0,"humidity":1,"pressure":1010,' +
        '"wind_speed":3,"rainfall":9,"weather_main":"Smoke","weather_description":"smoke",' +
        '"source":"open-meteo-archive","wind_direction":5,"wind_gust":6,"dew_point":7,"clouds":8}',
    );
  });

  test("leaves out hours that it does not have yet", async () => {
    await using server = serveProvider((url) => Response.json(place(url, DAY + 3 * 3_600_000)));
    const archive = archiveOf(server.endpoint);
    const { records } = await archive.fetch(DEFAULT_CITIES.slice(0, 1), DAY, DAY + DAY_MS, never);
    expect(records).toHaveLength(3);
  });

  test("waits for its share of the calls: 60 a minute, 400 an hour, 900 a day", async () => {
    await using server = serveProvider((url) => Response.json(places(url)));
    const clock = new JumpingClock();
    const begun = clock.now();
    const archive = archiveOf(server.endpoint, clock);
    const twenty = syntheticCities(20);
    const passed: number[] = [];
    for (let call = 0; call < 46; call++) {
      await archive.fetch(twenty, DAY, DAY + DAY_MS, never);
      passed.push(clock.now() - begun);
    }
    expect(passed.slice(0, 4)).toEqual([0, 0, 0, 60_000]);
    expect(passed[20]).toBe(3_600_000);
    expect(passed[44]).toBeLessThan(DAY_MS);
    expect(passed[45]).toBe(DAY_MS);
  });

  test("an archive that is away is tried again, and then said", async () => {
    await using server = serveProvider(() => new Response("", { status: 503 }));
    const archive = archiveOf(server.endpoint);
    const error = await rejection(archive.fetch(DEFAULT_CITIES.slice(0, 1), DAY, DAY + DAY_MS, never));
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain("/v1/archive: Open-Meteo's archive answered 503, wanted 200");
    expect(server.calls).toHaveLength(4);
  });
});
