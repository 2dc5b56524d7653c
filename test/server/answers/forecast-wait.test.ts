import { describe, expect, test } from "bun:test";
import { HOUR_MS } from "../../../core/time.ts";
import { FORECAST_HOURS, forecastWait } from "../../../server/answers/forecast-wait.ts";
import { RollingForecast } from "../../../spark/models/rolling-forecast.ts";
import { NOW } from "../../support/fake-services.ts";

test("FORECAST_HOURS is when the model gives its first forecast with an interval", () => {
  for (const start of [0, 7, 23]) {
    const forecast = new RollingForecast();
    let hours = 0;
    while (!(forecast.latest !== null && forecast.latest.halfWidth[0]! >= 0) && hours < 1_000) {
      forecast.observe(start + hours, 10 + 5 * Math.sin(hours / 4));
      hours++;
    }
    expect([start, hours]).toEqual([start, FORECAST_HOURS]);
  }
});

describe("forecastWait()", () => {
  const needs = "It needs 240 hours with a report, which is ten days.";
  const young = { status: "insufficient data", n: 48, issued: NOW };

  test("says what is there and when the forecast comes", () => {
    expect(forecastWait(young, NOW)).toBe(
      `${needs} There are 48: it comes about 8 Feb if every hour has one.`,
    );
    // A city that was away for two days has waited in vain.
    expect(forecastWait({ ...young, issued: NOW - 48 * HOUR_MS }, NOW)).toContain("about 8 Feb");
  });

  test("promises nothing at the end of a recording, of a city that fell silent, or where gaps are in the way", () => {
    expect(forecastWait(young, null)).toBe(`${needs} There are 48.`);
    expect(forecastWait({ ...young, status: "silent" }, NOW)).toStartWith("Its newest report is too old");
    expect(forecastWait({ ...young, n: 300 }, NOW)).toBe(
      `${needs} Too many of them lie apart or have a gap before them.`,
    );
  });
});
