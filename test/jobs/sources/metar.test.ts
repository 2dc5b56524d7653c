import { describe, expect, test } from "bun:test";
import { DEFAULT_CITIES, parseCities } from "../../../core/city.ts";
import { metar } from "../../../jobs/sources/metar.ts";
import { conditionOfMetar, skyOfMetar } from "../../../jobs/sources/metar-weather.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const NOON = Date.UTC(2026, 0, 31, 12) / 1000;

/** A report in the provider's form. */
const report = (icaoId: string, changes: Record<string, unknown> = {}) => ({
  icaoId,
  receiptTime: "2026-01-31T11:55:04.123Z",
  obsTime: NOON - 540,
  reportTime: "2026-01-31T12:00:00.000Z",
  temp: 5,
  dewp: 3,
  wdir: 240,
  wspd: 12,
  visib: "6+",
  altim: 1009,
  slp: null,
  wxString: null,
  metarType: "METAR",
  rawOb: `METAR ${icaoId} 311151Z 24012KT 9999 BKN018 05/03 Q1009`,
  lat: 51.48,
  lon: -0.45,
  elev: 26,
  name: "An airport",
  cover: "BKN",
  clouds: [
    { cover: "FEW", base: 900 },
    { cover: "BKN", base: 1800 },
  ],
  fltCat: "MVFR",
  ...changes,
});
const all = () => ["KNYC", "EGLL", "RJTT", "YSSY", "OMDB"].map((id) => report(id, { name: `Airport ${id}` }));

const sourceOf = (endpoint: string, cities = DEFAULT_CITIES, clock = new JumpingClock(NOON * 1000)) =>
  metar({ cities, endpoint, clock, random: () => 0 });
const fields = (value: string | undefined) => JSON.parse(value ?? "null") as Record<string, unknown>;

/** What becomes of one report. */
async function taken(changes: Record<string, unknown>): Promise<Record<string, unknown>> {
  await using server = serveProvider(() => Response.json([report("EGLL", changes)]));
  const { records } = await sourceOf(server.endpoint, DEFAULT_CITIES.slice(1, 2)).poll(never);
  return fields(records[0]?.value);
}

describe("metar().poll()", () => {
  test("asks for the stations of all cities with one request, and matches the reports by their id", async () => {
    const agents: (string | null)[] = [];
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        agents.push(request.headers.get("user-agent"));
        const url = new URL(request.url);
        expect(url.pathname).toBe("/api/data/metar");
        expect(url.searchParams.get("ids")).toBe("KNYC,EGLL,RJTT,YSSY,OMDB");
        expect(url.searchParams.get("format")).toBe("json");
        return Response.json(all().toReversed());
      },
    });
    try {
      const { records, failures } = await sourceOf(`http://127.0.0.1:${server.port}/`).poll(never);
      expect(failures).toEqual([]);
      expect(records.map(({ key }) => key).sort()).toEqual(DEFAULT_CITIES.map(({ name }) => name).sort());
      expect(agents).toEqual(["isobar"]);
    } finally {
      await server.stop(true);
    }
  });

  test("a report becomes a record: the time observed, knots, humidity of T and Td, the sky", async () => {
    expect(await taken({})).toEqual({
      timestamp: "2026-01-31T11:51:00Z", // not the rounded reportTime
      city: "London",
      temperature: 5,
      humidity: 87,
      pressure: 1009,
      wind_speed: 6.17,
      rainfall: null,
      weather_main: "Clouds",
      weather_description: "broken clouds",
      source: "metar",
      wind_direction: 240,
      dew_point: 3,
      clouds: 75,
      visibility: 9656,
    });
  });

  test.each([
    ["variable wind has no direction", { wdir: "VRB" }, { wind_direction: undefined, wind_speed: 6.17 }],
    ["a calm has none either", { wdir: 0, wspd: 0 }, { wind_direction: undefined, wind_speed: 0 }],
    ["gusts are knots too", { wgst: 25 }, { wind_gust: 12.86 }],
    ["10+ is ten miles or more", { visib: "10+" }, { visibility: 16093 }],
    ["a visibility below a mile is a number", { visib: 0.5 }, { visibility: 805 }],
    ["the pressure is that of the sea level", { slp: 1010.3, altim: 1012.9 }, { pressure: 1010.3 }],
    ["without it, the altimeter setting", { slp: null, altim: 1012.9 }, { pressure: 1012.9 }],
    [
      "without a dew point there is no humidity",
      { dewp: null },
      { humidity: null, dew_point: undefined, temperature: 5 },
    ],
    ["of saturated air it is 100 %", { temp: 3, dewp: 3 }, { humidity: 100 }],
    ["weather comes before the sky", { wxString: "-SHRA BR" }, { weather_main: "Rain", clouds: 75 }],
    [
      "no significant clouds do not say how much is covered",
      { clouds: [], cover: "CAVOK", wxString: undefined },
      { weather_main: "Clear", clouds: undefined },
    ],
    ["rain is that of the hour, inches", { precip: 0.12 }, { rainfall: 3.05 }],
    [
      "an automated station that measures rain and names none had none",
      { rawOb: "METAR KNYC 311151Z AUTO 10SM CLR 05/03 A2980 RMK AO2 SLP090" },
      { rainfall: 0 },
    ],
    [
      "not when its gauge is away",
      { rawOb: "METAR KNYC 311151Z AUTO 10SM CLR 05/03 A2980 RMK AO2 SLP090 PNO $" },
      { rainfall: null },
    ],
    [
      "a special report's rain is not that of an hour",
      { metarType: "SPECI", precip: 0.12 },
      { rainfall: null },
    ],
  ])("%s", async (_, changes, wanted) => {
    const record = await taken(changes);
    for (const [name, value] of Object.entries(wanted)) expect([name, record[name]]).toEqual([name, value]);
  });

  const first = report("EGLL", { temp: 12.2, rawOb: "METAR EGLL 311151Z 24012KT RMK COR 1150" });
  const later = { temp: 10.6, receiptTime: "2026-01-31T11:58:00.000Z" };
  test.each([
    ["by COR", report("EGLL", { ...later, rawOb: "METAR EGLL 311151Z COR 24012KT" }), true],
    [
      "by COR before the station",
      report("EGLL", { ...later, rawOb: "METAR COR EGLL 311151Z 24012KT" }),
      true,
    ],
    ["by CCA", report("EGLL", { ...later, rawOb: "METAR EGLL 311151Z CCA 24012KT" }), true],
    [
      "by COR received first",
      report("EGLL", { ...later, receiptTime: "2026-01-31T11:50:00Z", rawOb: "EGLL COR" }),
      true,
    ],
    ["by COR without a receipt", report("EGLL", { temp: 10.6, receiptTime: null, rawOb: "EGLL COR" }), true],
    ["by a later receipt", report("EGLL", later), undefined],
    [
      "by a later receipt written without a zone",
      report("EGLL", { ...later, receiptTime: "2026-01-31 11:58:00" }),
      undefined,
    ],
  ])("of two reports of one time the corrected one stands: %s", async (_, corrected, correction) => {
    for (const answer of [
      [first, corrected],
      [corrected, first],
    ]) {
      await using server = serveProvider(() => Response.json(answer));
      const { records } = await sourceOf(server.endpoint, DEFAULT_CITIES.slice(1, 2)).poll(never);
      expect(records.map(({ value }) => fields(value))).toEqual([
        expect.objectContaining({ timestamp: "2026-01-31T11:51:00Z", temperature: 10.6 }),
      ]);
      expect(fields(records[0]?.value).correction).toBe(correction);
    }
  });

  test("a later report keeps what it does not say, a corrected one does not", async () => {
    const of = async (rawOb: string) => {
      const second = report("EGLL", { ...later, temp: null, rawOb });
      await using server = serveProvider(() => Response.json([second, first]));
      const { records } = await sourceOf(server.endpoint, DEFAULT_CITIES.slice(1, 2)).poll(never);
      return records.map(({ value }) => fields(value).temperature);
    };
    expect(await of("METAR EGLL 311151Z 24012KT")).toEqual([12.2]);
    expect(await of("METAR EGLL 311151Z COR 24012KT")).toEqual([null]);
  });

  test("cities of one station share its report; a city without one is left out", async () => {
    const cities = parseCities(
      ["Slough", "Windsor", "Nowhere"].map((name, index) => ({
        name,
        latitude: 51,
        longitude: index,
        zone: "Europe/London",
        metar: index === 2 ? null : "EGLL",
      })),
    );
    await using server = serveProvider(() => Response.json([report("EGLL")]));
    const { records, failures } = await sourceOf(server.endpoint, cities).poll(never);
    expect(server.calls[0]?.searchParams.get("ids")).toBe("EGLL");
    expect(records.map(({ key }) => key).sort()).toEqual(["Slough", "Windsor"]);
    expect(failures).toEqual([]);
  });

  test("a station without a report fails its city only, and an odd value loses itself alone", async () => {
    await using server = serveProvider(() =>
      Response.json([report("KNYC"), report("EGLL", { temp: "mild" }), null, report("ZZZZ")]),
    );
    const { records, failures } = await sourceOf(server.endpoint, DEFAULT_CITIES.slice(0, 3)).poll(never);
    expect(records.map(({ key }) => key)).toEqual(["London", "New York"]);
    expect(JSON.parse(records[0]!.value)).toMatchObject({ impossible: '{"temperature":"mild"}' });
    expect(failures.map(({ city, error }) => [city, error.message])).toEqual([
      ["Tokyo", "There is no METAR report of RJTT"],
    ]);
  });

  test("NIL is no observation and no failure", async () => {
    const missing = ["temp", "dewp", "wdir", "wspd", "visib", "altim", "slp", "cover"];
    const nil = Object.fromEntries(missing.map((name) => [name, null]));
    await using server = serveProvider(() =>
      Response.json([
        report("EGLL", { ...nil, clouds: [], rawOb: "METAR EGLL 311151Z NIL" }),
        report("KNYC"),
      ]),
    );
    const { records, failures } = await sourceOf(server.endpoint, DEFAULT_CITIES.slice(0, 2)).poll(never);
    expect(records.map(({ key }) => key)).toEqual(["New York"]);
    expect(failures).toEqual([]);
  });

  test("no content is no report of anybody; what is no array is no answer", async () => {
    await using server = serveProvider((_, call) =>
      call === 1 ? new Response(null, { status: 204 }) : Response.json({ status: "error" }),
    );
    const source = sourceOf(server.endpoint);
    expect((await rejection(source.poll(never))).code).toBe("not_found");
    expect((await rejection(source.poll(never))).message).toContain("wanted an array");
  });

  test("asks at most once a minute, also when it tries again", async () => {
    const clock = new JumpingClock(NOON * 1000);
    const asked: number[] = [];
    await using server = serveProvider((_, call) => {
      asked.push(clock.now());
      return call < 3 ? new Response("", { status: 502 }) : Response.json(all());
    });
    const source = sourceOf(server.endpoint, DEFAULT_CITIES, clock);
    await source.poll(never);
    await source.poll(never);
    expect(asked).toHaveLength(4);
    for (const [index, at] of asked.entries())
      if (index > 0) expect(at - asked[index - 1]!).toBeGreaterThanOrEqual(60_000);
  });
});

describe("metar()", () => {
  test("names itself, and how often it reports", () => {
    const { name, kind, pollSeconds, reportSeconds } = sourceOf("http://x");
    expect([name, kind, pollSeconds, reportSeconds]).toEqual(["metar", "observed", 300, 3600]);
  });

  test("history() asks for as many hours as fit into an answer, and sorts the reports by time", async () => {
    await using server = serveProvider(() =>
      Response.json([1, 3, 2].map((hours) => report("EGLL", { obsTime: NOON - hours * 3600 }))),
    );
    const { records } = await sourceOf(server.endpoint, DEFAULT_CITIES).history(48, never);
    expect(server.calls[0]?.searchParams.get("hours")).toBe("32");
    expect(records.map(({ value }) => fields(value).timestamp)).toEqual([
      "2026-01-31T09:00:00Z",
      "2026-01-31T10:00:00Z",
      "2026-01-31T11:00:00Z",
    ]);
  });
});

describe("conditionOfMetar()", () => {
  test.each([
    ["-RA", "Rain", "light rain"],
    ["RA BR", "Rain", "rain"],
    ["BR RA", "Rain", "rain"],
    ["+SHRA", "Rain", "heavy rain showers"],
    ["-DZ", "Drizzle", "light drizzle"],
    ["FZDZ", "Drizzle", "freezing drizzle"],
    ["-SN", "Snow", "light snow"],
    ["RASN", "Snow", "snow and rain"],
    ["BLSN", "Snow", "blowing snow"],
    ["GS", "Snow", "small hail"],
    ["TS", "Thunderstorm", "thunderstorm"],
    ["+TSRA FG", "Thunderstorm", "thunderstorm with heavy rain"],
    ["+FC TSRA", "Tornado", "heavy funnel cloud"],
    ["FG", "Fog", "fog"],
    ["MIFG", "Fog", "shallow fog"],
    ["BR", "Mist", "mist"],
    ["HZ", "Haze", "haze"],
    ["FU", "Smoke", "smoke"],
    ["BLDU", "Dust", "blowing dust"],
    ["SS", "Sand", "sand storm"],
    ["VA", "Ash", "volcanic ash"],
    ["SQ", "Squall", "squalls"],
  ])("%s is %s: %s", (text, main, description) => {
    expect(conditionOfMetar(text)).toEqual({ main, description });
  });

  test.each(["", "VCSH", "VCTS", "//", "SH", "NSW", "nonsense"])("%p says nothing", (text) => {
    expect(conditionOfMetar(text)).toBeNull();
  });
});

test("skyOfMetar() takes the thickest layer; an unknown one says nothing", () => {
  expect(skyOfMetar(["FEW", "OVC", "SCT"])).toEqual({
    condition: { main: "Clouds", description: "overcast clouds" },
    clouds: 100,
  });
  expect(skyOfMetar(["CLR"])?.clouds).toBe(0);
  expect(skyOfMetar(["///", undefined])).toBeNull();
});
