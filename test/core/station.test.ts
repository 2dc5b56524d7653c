import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES, parseCities } from "../../core/city.ts";
import { parseStations, stationSource } from "../../core/station.ts";

const HASH = "a".repeat(64);
const garden = {
  id: "garden",
  city: "London",
  key_sha256: HASH,
  periods: [{ from: "2026-01-31", latitude: 51.5, longitude: -0.1, elevation: 24, sensor: "WS90" }],
};
const changed = (changes: object) => [{ ...garden, ...changes }];
const period = (changes: object) => changed({ periods: [{ ...garden.periods[0], ...changes }] });

describe("parseStations()", () => {
  test("reads stations; what is not known of a period is null, and a station that does not push has no key", () => {
    const moved = { from: "2026-03-01T14:00:00+02:00", latitude: 51.6, longitude: -0.2 };
    const quiet = { id: "Roof_1", city: "Bern", periods: [moved] };
    expect(parseStations([{ ...garden, periods: [...garden.periods, moved] }, quiet])).toEqual([
      {
        id: "garden",
        city: "London",
        keySha256: HASH,
        periods: [
          { from: "2026-01-31T00:00:00Z", latitude: 51.5, longitude: -0.1, elevation: 24, sensor: "WS90" },
          { from: "2026-03-01T12:00:00Z", latitude: 51.6, longitude: -0.2, elevation: null, sensor: null },
        ],
      },
      {
        id: "Roof_1",
        city: "Bern",
        keySha256: null,
        periods: [
          { from: "2026-03-01T12:00:00Z", latitude: 51.6, longitude: -0.2, elevation: null, sensor: null },
        ],
      },
    ]);
    expect(parseStations([])).toEqual([]);
  });

  test.each([
    [{}, "wanted a JSON array of stations"],
    [["x"], 'station 1 is "x", wanted an object'],
    [changed({ id: "my garden" }), 'station 1: id is "my garden", wanted 1 to 40 letters, digits, _ and -'],
    [[garden, { ...garden, id: "GARDEN" }], "station 2 (GARDEN): the id is taken by another station"],
    [changed({ city: " " }), 'station 1 (garden): city is " ", wanted a name'],
    [[garden, { ...garden, id: "roof" }], "station 2 (roof): another station has the same key"],
    [changed({ periods: [] }), "station 1 (garden): periods is [], wanted an array of at least one"],
    [changed({ periods: [null] }), "station 1 (garden), period 1 is null, wanted an object"],
    [period({ from: "31.1.2026" }), 'from is "31.1.2026", wanted a date such as 2026-01-31'],
    [period({ from: "2026-01-31T06:00" }), "or ISO 8601 with a zone"],
    [period({ latitude: 91 }), "station 1 (garden), period 1: latitude is 91, wanted −90 to 90"],
    [period({ longitude: "1" }), 'longitude is "1", wanted −180 to 180'],
    [period({ elevation: 9001 }), "elevation is 9001, wanted metres from −500 to 9000 or null"],
    [period({ sensor: "" }), 'sensor is "", wanted up to 100 characters or null'],
    [
      changed({ periods: [garden.periods[0], garden.periods[0]] }),
      'period 2: from is "2026-01-31", wanted later than the period before',
    ],
  ])("refuses %j", (input, message) => {
    expect(() => parseStations(input)).toThrow(message);
  });

  test("never shows what stands where a key's hash should: it may be the key", () => {
    expect(() => parseStations(changed({ key_sha256: "hunter22" }))).toThrow(
      new TypeError("station 1 (garden): key_sha256 is no SHA-256 in lower-case hex"),
    );
  });

  test("puts the city's name into its normal form", () => {
    expect(parseStations(changed({ city: " Zu\u0308rich  West" }))[0]?.city).toBe("Zürich West");
  });

  test("stationSource() is the source of its observations", () => {
    expect(stationSource("garden")).toBe("station:garden");
  });
});

describe("parseCities()", () => {
  const oslo = { name: "Oslo", latitude: 59.9, longitude: 10.7, zone: "Europe/Oslo" };

  test("elevation and metar may be left out", () => {
    expect(parseCities([oslo])).toEqual([{ ...oslo, slug: "oslo", elevation: null, metar: null }]);
    expect(parseCities([{ ...oslo, elevation: 23.5, metar: "ENGM" }])[0]).toMatchObject({
      elevation: 23.5,
      metar: "ENGM",
    });
  });

  test.each([
    [{ elevation: "23" }, 'city 1 (Oslo): elevation is "23", wanted metres from −500 to 9000 or null'],
    [{ metar: "engm" }, 'city 1 (Oslo): metar is "engm", wanted an ICAO id such as EGLL or null'],
    [{ metar: "ENGMX" }, "metar"],
    [{ name: " \u3000" }, 'city 1: name is " \u3000", wanted a name'],
    [{ name: "Os\tlo" }, 'city 1: name is "Os\\tlo", wanted a name'],
    [{ lat: 59.9 }, 'city 1 (Oslo): field "lat" is not known, wanted name, latitude, longitude, zone,'],
    [
      { slug: "capital" },
      'city 1 (Oslo): slug is "capital", wanted none or oslo, which follows from the name',
    ],
  ])("refuses %j", (changes, message) => {
    expect(() => parseCities([{ ...oslo, ...changes }])).toThrow(message);
  });

  test("takes two cities with names in a script of their own, and two that differ in a hyphen", () => {
    const named = ["東京", "大阪", "Saint-Denis", "Saint Denis"].map((name) => ({ ...oslo, name }));
    const cities = parseCities(named);
    expect(cities.map(({ name }) => name)).toEqual(["東京", "大阪", "Saint-Denis", "Saint Denis"]);
    expect(new Set(cities.map(({ slug }) => slug)).size).toBe(4);
  });

  test("puts names into their normal form, and refuses two that differ in case only", () => {
    const names = parseCities(["  Saint   Louis\u00a0", "Zu\u0308rich"].map((name) => ({ ...oslo, name })));
    expect(names.map(({ name }) => name)).toEqual(["Saint Louis", "Zürich"]);
    expect(() => parseCities([oslo, { ...oslo, name: "OSLO " }])).toThrow(
      "city 2 (OSLO): the name is taken by another city, in any case",
    );
  });

  test("takes the default cities, each with its height and its airport", () => {
    expect(parseCities(DEFAULT_CITIES)).toEqual([...DEFAULT_CITIES]);
    expect(DEFAULT_CITIES.map(({ metar }) => metar)).toEqual(["KNYC", "EGLL", "RJTT", "YSSY", "OMDB"]);
  });
});
