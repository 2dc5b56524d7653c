import { describe, expect, test } from "bun:test";
import {
  canonicalJson,
  describe as describeValue,
  identityOf,
  joinObservations,
  observationOfRow,
  parseObservation,
  type Observation,
} from "../../core/observation.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const GOOD = {
  timestamp: "2026-01-31T06:00:00Z",
  city: "London",
  temperature: 4.2,
  humidity: 81,
  pressure: 1012.5,
  wind_speed: 3,
  rainfall: 0,
  weather_main: "Clouds",
  weather_description: "overcast clouds",
  source: "test",
};

function parsed(input: unknown): Observation {
  const result = parseObservation(input, NOW);
  if (!result.ok) throw new Error(result.reason);
  return result.observation;
}

function reason(input: unknown): string {
  const result = parseObservation(input, NOW);
  return result.ok ? "accepted" : result.reason;
}

describe("parseObservation()", () => {
  test("puts fields in the record's order, times in UTC, and absent numbers to null", () => {
    const observation = parsed({
      source: "test",
      city: "London",
      timestamp: "2026-01-31T07:00:00+01:00",
      humidity: 81,
    });
    expect(Object.keys(observation)).toEqual(Object.keys(GOOD));
    expect(observation).toEqual({
      ...GOOD,
      temperature: null,
      pressure: null,
      wind_speed: null,
      rainfall: null,
      weather_main: null,
      weather_description: null,
    });
  });

  test("keeps optional fields where they are there, in one order", () => {
    const one = parsed({ ...GOOD, visibility: 9000, wind_direction: 250, wind_gust: null });
    const two = parsed({ wind_direction: 250, ...GOOD, visibility: 9000 });
    expect(canonicalJson(one)).toBe(canonicalJson(two));
    expect(one).toEqual({ ...GOOD, wind_direction: 250, visibility: 9000 });
  });

  test.each(["  London", "London\u00a0", "\u200bLondon"])(
    "puts the city %j into its normal form, so that both are one observation",
    (city) => {
      expect(canonicalJson(parsed({ ...GOOD, city }))).toBe(canonicalJson(parsed(GOOD)));
    },
  );

  test("names a blank city as it came", () => {
    expect(reason({ ...GOOD, city: "  " })).toBe('city is "  ", wanted a name');
  });

  test("takes −0 for 0, so that both are one value", () => {
    expect(canonicalJson(parsed({ ...GOOD, rainfall: -0 }))).toBe(canonicalJson(parsed(GOOD)));
  });

  test("names the field, its value and what was wanted", () => {
    expect(reason({ ...GOOD, timestamp: "yesterday" })).toBe(
      'timestamp is "yesterday", wanted ISO 8601 with a zone',
    );
    const { city: _, ...cityless } = GOOD;
    expect(reason(cityless)).toBe("city is missing, wanted a name");
  });

  test.each([
    ["null", null],
    ["an array", [GOOD]],
    ["text", "London"],
    ["year 1", { ...GOOD, timestamp: "0001-01-01T00:00:00Z" }],
    ["year 9999", { ...GOOD, timestamp: "9999-12-31T23:59:59Z" }],
    ["more than a day ahead", { ...GOOD, timestamp: "2026-02-01T12:00:01Z" }],
    ["an empty city", { ...GOOD, city: "" }],
    ["a blank city", { ...GOOD, city: " \u3000 " }],
    ["a city with a line feed", { ...GOOD, city: "Lon\ndon" }],
    ["a city with NUL", { ...GOOD, city: "Lon\u0000don" }],
    ["half a surrogate pair", { ...GOOD, city: "Lon\ud800don" }],
    ["a city of 201 characters", { ...GOOD, city: "x".repeat(201) }],
    ["no source", { ...GOOD, source: undefined }],
    ["an unknown field", { ...GOOD, colour: "blue" }],
  ])("refuses %s", (_, input) => {
    expect(parseObservation(input, NOW).ok).toBe(false);
  });

  test("keeps a value that is unlikely but possible: judging it is quality control's work", () => {
    expect(parsed({ ...GOOD, wind_speed: 468.5 }).wind_speed).toBe(468.5); // 1048 mph, as an airport once reported
    expect(parsed({ ...GOOD, pressure: 821 }).pressure).toBe(821);
  });
});

describe("parseObservation() of impossible values", () => {
  test.each<[string, string, unknown, string]>([
    ["NaN", "temperature", NaN, "NaN"],
    ["infinity", "pressure", Infinity, "Infinity"],
    ["too cold", "temperature", -101, "-101"],
    ["negative rain", "rainfall", -0.1, "-0.1"],
    ["humidity as text", "humidity", "81", "81"],
    ["a number as condition", "weather_main", 3, "3"],
    ["a wind from 361°", "wind_direction", 361, "361"],
    ["an object", "clouds", { all: 3 }, "an object"],
    [
      "a long text with control characters",
      "dew_point",
      `\u0000${"x".repeat(90)}`,
      `\ufffd${"x".repeat(39)}`,
    ],
  ])("keeps %s as it came, and its field is missing", (_, name, value, kept) => {
    const observation = parsed({ ...GOOD, [name]: value });
    const { impossible, ...rest } = observation;
    expect(JSON.parse(impossible!)).toEqual({ [name]: kept });
    const { [name as keyof typeof GOOD]: __, ...others } = GOOD;
    expect(rest as object).toEqual(name in GOOD ? { ...others, [name]: null } : others);
    expect(parsed(observation)).toEqual(observation);
  });

  test("a record with nothing else is one: only an identity and a time are needed", () => {
    const { timestamp, city, source } = GOOD;
    expect(parsed({ timestamp, city, source, humidity: 255 }).impossible).toBe('{"humidity":"255"}');
  });

  test("a good value is not impossible, whatever the record says", () => {
    expect(parsed({ ...GOOD, impossible: '{"humidity":"255"}' })).toEqual(GOOD as unknown as Observation);
  });

  test.each([
    "x",
    "[]",
    "null",
    '{"colour":"blue"}',
    '{"humidity":255}',
    `{"humidity":"${"9".repeat(41)}"}`,
    3,
  ])("refuses %j in their place", (impossible) => {
    expect(reason({ ...GOOD, impossible })).toStartWith(
      "impossible is not as expected, wanted a JSON object",
    );
  });

  test("joined, an impossible value replaces none, and a good one replaces it", () => {
    const broken = parsed({ ...GOOD, humidity: 255 });
    expect(joinObservations(parsed(GOOD), broken)).toEqual(parsed(GOOD));
    expect(joinObservations(broken, parsed(GOOD))).toEqual(parsed(GOOD));
    const both = joinObservations(broken, parsed({ ...GOOD, humidity: 254, clouds: -1 }));
    expect(both.impossible).toBe('{"humidity":"254","clouds":"-1"}');
  });
});

describe("parseObservation() of a record without values", () => {
  const where = { timestamp: GOOD.timestamp, city: "London", source: "test" };
  const NONE = "no value: every variable is missing, and so are the words for the weather";

  test("refuses it, also as a correction, and tells the reason", () => {
    expect(reason(where)).toBe(NONE);
    expect(reason({ ...where, temperature: null, clouds: null, weather_main: null })).toBe(NONE);
    expect(reason({ ...where, correction: true })).toBe(NONE);
  });

  test.each(["rainfall", "visibility"])("takes it with %s 0 alone: that is a value", (name) => {
    expect(parsed({ ...where, [name]: 0 })).toMatchObject({ [name]: 0, temperature: null });
  });

  test("takes it with words for the weather alone", () => {
    expect(parsed({ ...where, weather_main: "Fog" }).weather_main).toBe("Fog");
  });
});

test("parseObservation() takes a correction, which is no field of the observation, and refuses what is none", () => {
  expect(parseObservation({ ...GOOD, correction: true }, NOW)).toEqual({
    ok: true,
    observation: parsed(GOOD),
    correction: true,
  });
  expect(parseObservation({ ...GOOD, correction: false }, NOW)).toEqual({
    ok: true,
    observation: parsed(GOOD),
  });
  expect(canonicalJson(parsed({ ...GOOD, correction: true }))).toBe(canonicalJson(parsed(GOOD)));
  expect(reason({ ...GOOD, correction: "yes" })).toBe('correction is "yes", wanted true or false');
  expect(reason({ ...GOOD, correction: null })).toBe("correction is null, wanted true or false");
});

test("joinObservations() takes each value of the later one, and the one before where it has none", () => {
  const before = parsed({ ...GOOD, wind_direction: 250, wind_gust: 9, rainfall: 1.2 });
  const later = parsed({
    timestamp: GOOD.timestamp,
    city: "London",
    source: "test",
    wind_speed: 4.1,
    wind_gust: 0,
    rainfall: 0,
    visibility: 9000,
  });
  const joined = joinObservations(before, later);
  const wanted = { ...GOOD, wind_speed: 4.1, wind_direction: 250, wind_gust: 0, visibility: 9000 };
  expect(canonicalJson(joined)).toBe(canonicalJson(parsed(wanted)));
  expect(joinObservations(joined, later)).toEqual(joined);
});

test("identityOf() tells observations of other sources, cities and times apart", () => {
  const all = [
    GOOD,
    { ...GOOD, source: "other" },
    { ...GOOD, city: "Paris" },
    { ...GOOD, timestamp: "2026-01-31T07:00:00Z" },
  ];
  expect(new Set(all.map((input) => identityOf(parsed(input)))).size).toBe(4);
  expect(identityOf(parsed({ ...GOOD, temperature: 5 }))).toBe(identityOf(parsed(GOOD)));
});

test("observationOfRow() gives back exactly the observation that was stored", () => {
  const observation = parsed({ ...GOOD, wind_direction: 10 });
  const row = { ...observation, log_offset: 7, ingested_at: "2026-01-31T06:00:01Z" };
  expect(canonicalJson(observationOfRow(row))).toBe(canonicalJson(observation));
});

test("describe() cuts long values and quotes text", () => {
  expect(describeValue("a")).toBe('"a"');
  expect(describeValue(undefined)).toBe("missing");
  expect(describeValue("x".repeat(10_000_000)).length).toBeLessThan(100);
});
