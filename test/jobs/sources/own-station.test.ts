import { describe, expect, test } from "bun:test";
import { RequestError } from "../../../core/errors.ts";
import type { Station } from "../../../core/station.ts";
import { observationOfPush, readPush } from "../../../jobs/sources/own-station.ts";

const NOW = Date.UTC(2026, 0, 31, 12, 0, 7, 250);
const station: Station = {
  id: "garden",
  city: "London",
  periods: [{ from: "2026-01-01T00:00:00Z", latitude: 51.5, longitude: -0.1, elevation: null, sensor: null }],
};

/** What consoles send: the parameter lists of the two protocols, and what comes beside them. */
const WUNDERGROUND =
  "ID=garden&PASSWORD=k3y&action=updateraw&dateutc=2026-01-31+11%3A59%3A58&tempf=46.4&humidity=81&dewptf=40.8" +
  "&baromin=29.92&windspeedmph=5.6&windgustmph=11.2&winddir=263&rainin=0.04&dailyrainin=0.31" +
  "&softwaretype=vws%20versionxx&indoortempf=71.7&indoorhumidity=62&realtime=1&rtfreq2.5";
const ECOWITT =
  "PASSKEY=0123456789ABCDEF0123456789ABCDEF&stationtype=EasyWeatherV1.5.7&runtime=1&dateutc=2026-01-31+11:59:58" +
  "&tempinf=72.5&humidityin=57&baromrelin=30.124&baromabsin=29.761&tempf=48.0&humidity=97&winddir=341" +
  "&winddir_avg10m=342&windspeedmph=1.8&windspdmph_avg10m=2.5&windgustmph=2.5&maxdailygust=13.0&rainratein=0.024" +
  "&eventrainin=0.106&hourlyrainin=0.016&dailyrainin=0.106&weeklyrainin=0.106&solarradiation=0.00&uv=0&temp1f=73.9";

const push = (text: string) => readPush(new URLSearchParams(text), NOW);
const observed = (text: string) => {
  const read = push(text);
  return observationOfPush(read, station, read.hourlyRain, NOW);
};

describe("readPush()", () => {
  test("reads the metric names of consoles; what is indoors, absolute or a rate is not read", () => {
    const { numbers, hourlyRain, dailyRain } = readPush(
      new URLSearchParams(
        "dateutc=now&tempc=8.1&humidity=81&baromrelhpa=1013.2&windspeedkmh=7.2&windgustkmh=14.4&winddir=240&dewptc=4.4" +
          "&hourlyrainmm=0.5&dailyrainmm=3.2&tempinc=21.5&baromabshpa=998&rainratemm=6",
      ),
      Date.UTC(2026, 0, 31, 12),
    );
    expect(numbers).toMatchObject({
      temperature: 8.1,
      humidity: 81,
      pressure: 1013.2,
      wind_speed: 2,
      wind_gust: 4,
      wind_direction: 240,
      dew_point: 4.4,
    });
    expect([hourlyRain, dailyRain]).toEqual([0.5, 3.2]);
  });

  test("reads a push of the Weather Underground protocol", () => {
    expect(observed(WUNDERGROUND)).toEqual({
      timestamp: "2026-01-31T11:59:58Z",
      city: "London",
      temperature: 8,
      humidity: 81,
      pressure: 1013.21,
      wind_speed: 2.5,
      rainfall: 1.016,
      weather_main: null,
      weather_description: null,
      source: "station:garden",
      wind_direction: 263,
      wind_gust: 5.01,
      dew_point: 4.89,
    });
    expect(push(WUNDERGROUND).dailyRain).toBe(7.874);
  });

  test("reads a push of the Ecowitt protocol: the pressure is that of the sea level", () => {
    expect(observed(ECOWITT)).toEqual({
      timestamp: "2026-01-31T11:59:58Z",
      city: "London",
      temperature: 8.89,
      humidity: 97,
      pressure: 1020.12,
      wind_speed: 0.8,
      rainfall: 0.406,
      weather_main: null,
      weather_description: null,
      source: "station:garden",
      wind_direction: 341,
      wind_gust: 1.12,
    });
    expect(push(ECOWITT).dailyRain).toBe(2.692);
  });

  test.each<[string, string, object]>([
    ["now is the second at which it came", "dateutc=now&tempf=32", { ms: Date.UTC(2026, 0, 31, 12, 0, 7) }],
    [
      "a time may be written with T and Z",
      "dateutc=2026-01-31T11:00:00Z&tempf=32",
      { ms: Date.UTC(2026, 0, 31, 11) },
    ],
    [
      "gauges without moving parts have names of their own",
      "dateutc=now&tempf=32&hrain_piezo=0.1&drain_piezo=0.2",
      { hourlyRain: 2.54, dailyRain: 5.08 },
    ],
    [
      "without a rain of the hour there may be one of the day",
      "dateutc=now&dailyrainin=0.5",
      { hourlyRain: null, dailyRain: 12.7 },
    ],
  ])("%s", (_, text, wanted) => {
    expect(push(text)).toMatchObject(wanted);
  });

  test("an empty parameter and -9999 are missing, not 0", () => {
    const { numbers, hourlyRain } = push(
      "dateutc=now&tempf=50&humidity=&windspeedmph=-9999&baromin=-9999.0&rainin=",
    );
    expect(numbers).toMatchObject({ temperature: 10, humidity: null, wind_speed: null, pressure: null });
    expect(hourlyRain).toBeNull();
  });

  test.each<[string, string, Record<string, string>]>([
    ["humidity=255", 'humidity is "255", wanted humidity as a number from 0 to 110 %', { humidity: "255" }],
    ["humidity=-999", 'humidity is "-999", wanted humidity as', { humidity: "-999" }],
    ["humidity=--", 'humidity is "--", wanted humidity as a number from 0', { humidity: "--" }],
    ["humidity=NaN", 'humidity is "NaN", wanted', { humidity: "NaN" }],
    ["humidity=0x20", 'humidity is "0x20", wanted', { humidity: "0x20" }],
    ["baromin=0", 'baromin is "0", wanted pressure as a number from 300 to 1200 hPa', { pressure: "0" }],
    ["winddir=400", 'winddir is "400", wanted wind_direction as', { wind_direction: "400" }],
    ["windgustmph=-3", 'windgustmph is "-3", wanted wind_gust as', { wind_gust: "-1.34" }],
    ["dewptf=1e999", 'dewptf is "1e999", wanted dew_point as', { dew_point: "Infinity" }],
    ["rainin=-1", 'rainin is "-1", wanted rainfall as', { rainfall: "-25.4" }],
    ["dailyrainin=--", 'dailyrainin is "--", wanted rainfall as', { rainfall: "--" }],
  ])("keeps %s as impossible, tells it, and keeps the others", (broken, reason, impossible) => {
    const read = push(`dateutc=now&tempf=50&windspeedmph=10&${broken}`);
    expect(read.leftOut).toEqual([expect.stringContaining(reason)]);
    const { temperature, wind_speed, ...others } = observationOfPush(read, station, read.hourlyRain, NOW);
    expect([temperature, wind_speed]).toEqual([10, 4.47]);
    expect(Object.values(others).filter((value) => typeof value === "number")).toEqual([]);
    expect(JSON.parse(others.impossible ?? "null")).toEqual(impossible);
  });

  test("a push whose only value is impossible is an observation too", () => {
    expect(observed("dateutc=now&tempf=warm")).toMatchObject({
      temperature: null,
      impossible: '{"temperature":"warm"}',
    });
  });

  test("of two parameters for one value a broken one gives way to a good one, and is told", () => {
    const { numbers, leftOut } = push("dateutc=now&baromin=0&baromrelin=29.92");
    expect(numbers.pressure).toBe(1013.21);
    expect(leftOut).toEqual([expect.stringContaining('baromin is "0"')]);
  });

  test.each([
    ["tempf=50", "The parameter dateutc is missing, wanted now or YYYY-MM-DD HH:MM:SS in UTC"],
    ["tempf=50&dateutc=yesterday", 'The parameter dateutc is "yesterday", wanted now or'],
    ["tempf=50&dateutc=2026-02-30+11:00:00", 'The parameter dateutc is "2026-02-30 11:00:00"'],
    ["dateutc=now", "The push has no measurement, wanted tempf, humidity or the like"],
    ["dateutc=now&tempf=-9999", "The push has no measurement"],
    ["dateutc=2026-02-02+11:00:00&tempf=50", "more than a day in the future"],
    ["dateutc=1899-01-01+00:00:00&tempf=50", "wanted 1900 or later"],
  ])("refuses %s", (text, message) => {
    expect(() => observed(text)).toThrow(RequestError);
    expect(() => observed(text)).toThrow(message);
  });
});
