import { describe, expect, test } from "bun:test";
import { RollingForecast } from "../../../spark/models/rolling-forecast.ts";
import { LEADS } from "../../../spark/models/temperature-forecaster.ts";
import { randomFrom } from "../../support/lake-files.ts";

const FIRST = 480_000;

function weather(hours: number): Float64Array {
  const random = randomFrom(5);
  let departure = 0;
  return Float64Array.from({ length: hours }, (_, hour) => {
    departure = 0.95 * departure + 2 * (random() + random() + random() - 1.5);
    return 10 + 5 * Math.sin((2 * Math.PI * hour) / 24) + departure;
  });
}

describe("RollingForecast", () => {
  test("settles each forecast once, by the hour it was for, and its intervals hold about nine of ten", () => {
    const values = weather(150 * 24);
    const missing = (hour: number) => hour % 50 === 7;
    const issued = new Map<number, Float64Array>();
    const held = new Float64Array(LEADS);
    const given = new Float64Array(LEADS);
    let settled = 0;
    const forecast = new RollingForecast((issue, lead, outcome) => {
      settled++;
      expect(outcome).toBe(values[issue.hour + lead - FIRST]!);
      const temperature = issue.temperature[lead - 1]!;
      expect(temperature).toBe(issued.get(issue.hour)![lead - 1]!);
      const halfWidth = issue.halfWidth[lead - 1]!;
      if (Number.isNaN(halfWidth)) return;
      given[lead - 1]!++;
      if (Math.abs(temperature - outcome) <= halfWidth) held[lead - 1]!++;
    });
    let expected = 0;
    for (let hour = 0; hour < values.length; hour++) {
      if (missing(hour)) continue;
      for (let lead = 1; lead <= LEADS; lead++) if (issued.has(FIRST + hour - lead)) expected++;
      forecast.observe(FIRST + hour, values[hour]!);
      const { latest } = forecast;
      if (latest !== null) issued.set(FIRST + hour, latest.temperature.slice());
      else expect(hour).toBeLessThan(80);
    }
    expect(settled).toBe(expected);
    for (let lead = 1; lead <= LEADS; lead++) {
      expect(given[lead - 1]).toBeGreaterThan(3000);
      expect(held[lead - 1]! / given[lead - 1]!).toBeGreaterThan(0.85);
      expect(held[lead - 1]! / given[lead - 1]!).toBeLessThan(0.95);
      expect(forecast.coverage(lead)).toBeGreaterThan(0.75);
    }
  });

  test("has no forecast before there is history, and none left over from before an outage", () => {
    const values = weather(30 * 24);
    let settled = 0;
    const forecast = new RollingForecast(() => settled++);
    expect(forecast.latest).toBeNull();
    expect(forecast.coverage(1)).toBeNaN();
    for (let hour = 0; hour < values.length; hour++) forecast.observe(FIRST + hour, values[hour]!);
    expect(forecast.latest?.hour).toBe(FIRST + values.length - 1);
    const before = settled;
    // The same places in every ring, 200 · 48 hours later.
    for (let hour = 0; hour < 48; hour++) forecast.observe(FIRST + values.length + 200 * 48 + hour, 10);
    expect(settled).toBe(before);
    expect(forecast.latest).toBeNull();
  });
});
