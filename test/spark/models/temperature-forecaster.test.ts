import { describe, expect, test } from "bun:test";
import { LEADS, TemperatureForecaster } from "../../../spark/models/temperature-forecaster.ts";
import { randomFrom } from "../../support/lake-files.ts";

const DAY = 24;
/** A day of 24 hours that a few harmonics describe, °C. */
const cycle = (hour: number) =>
  15 + 6 * Math.sin((2 * Math.PI * hour) / DAY) + 2 * Math.cos((4 * Math.PI * hour) / DAY);

/** The cycle and a departure from it that fades by a tenth an hour while noise renews it. */
function weather(hours: number, seed = 1): Float64Array {
  const random = randomFrom(seed);
  let departure = 0;
  return Float64Array.from({ length: hours }, (_, hour) => {
    departure = 0.9 * departure + (random() + random() + random() - 1.5);
    return cycle(hour) + departure;
  });
}

function observe(values: ArrayLike<number>, first = 480_000, skip = (_hour: number) => false) {
  const forecaster = new TemperatureForecaster();
  for (let hour = 0; hour < values.length; hour++) {
    if (!skip(hour)) forecaster.observe(first + hour, values[hour]!);
  }
  return forecaster;
}

function forecastOf(forecaster: TemperatureForecaster) {
  const temperatures = new Float64Array(LEADS);
  const method = forecaster.forecast(temperatures);
  return { method, temperatures };
}

const meanError = (found: Float64Array, wanted: (lead: number) => number) =>
  found.reduce((sum, value, i) => sum + Math.abs(value - wanted(i + 1)), 0) / found.length;

describe("TemperatureForecaster", () => {
  test("forecasts nothing before every hour was seen on three days, damped anomaly for 14 days, then both", () => {
    const forecaster = new TemperatureForecaster();
    expect(forecastOf(forecaster).method).toBeNull();
    const methods = [...weather(20 * DAY)].map((value, hour) => {
      forecaster.observe(480_000 + hour, value);
      return forecastOf(forecaster).method;
    });
    expect(methods.indexOf("damped anomaly")).toBe(3 * DAY - 1);
    // 25 hours have no row: the lags reach back beyond the first. What fades of the first days puts it off a little more.
    const first = methods.indexOf("harmonics + AR");
    expect(first).toBeGreaterThanOrEqual(14 * DAY + 25);
    expect(first).toBeLessThan(17 * DAY);
    expect(new Set(methods.slice(first))).toEqual(new Set(["harmonics + AR"]));
  });

  test("continues a daily cycle", () => {
    const hours = 40 * DAY + 5;
    const { method, temperatures } = forecastOf(
      observe(Float64Array.from({ length: hours }, (_, i) => cycle(i))),
    );
    expect(method).toBe("harmonics + AR");
    expect(meanError(temperatures, (lead) => cycle(hours - 1 + lead))).toBeLessThan(1e-3);
  });

  test("lets an anomaly decay as before", () => {
    const values = weather(60 * DAY);
    let [sum, n] = [0, 0];
    for (let end = 50 * DAY; end < 60 * DAY; end += 7) {
      const { temperatures } = forecastOf(observe(values.subarray(0, end)));
      const departure = values[end - 1]! - cycle(end - 1);
      for (let lead = 1; lead <= 6; lead++, n++) {
        sum += Math.abs(temperatures[lead - 1]! - (cycle(end - 1 + lead) + departure * 0.9 ** lead));
      }
    }
    // The best forecast there is departs by what the noise of 50 days leaves unknown: its standard deviation is 0.5.
    expect(sum / n).toBeLessThan(0.25);
  });

  test("does not depend on where the zero of the scale is, nor on the year", () => {
    const values = weather(45 * DAY);
    const { temperatures } = forecastOf(observe(values));
    const kelvin = forecastOf(observe(values.map((value) => value + 273.15))).temperatures;
    const long = forecastOf(observe(values, -480_000)).temperatures;
    for (let i = 0; i < LEADS; i++) {
      expect(kelvin[i]! - 273.15).toBeCloseTo(temperatures[i]!, 6);
      expect(long[i]).toBeCloseTo(temperatures[i]!, 6);
    }
  });

  test("fills up to five missing hours on a line, and goes on with the regression", () => {
    const values = weather(45 * DAY);
    const end = values.length;
    const with5 = forecastOf(observe(values, 480_000, (hour) => hour >= end - 12 && hour < end - 7));
    expect(with5.method).toBe("harmonics + AR");
    expect(meanError(with5.temperatures, (lead) => cycle(end - 1 + lead))).toBeLessThan(2.5);
    const with6 = forecastOf(observe(values, 480_000, (hour) => hour >= end - 13 && hour < end - 7));
    expect(with6.method).toBe("damped anomaly");
  });

  test("does not learn the line that fills a gap: reports every three hours give a damped anomaly of every hour", () => {
    const hours = 45 * DAY + 1;
    const values = Float64Array.from({ length: hours }, (_, hour) => cycle(hour));
    const { method, temperatures } = forecastOf(observe(values, 480_000, (hour) => hour % 3 !== 0));
    expect(method).toBe("damped anomaly");
    expect(meanError(temperatures, (lead) => cycle(hours - 1 + lead))).toBeLessThan(0.5);
  });

  test("after an outage of days it is the damped anomaly until a day and an hour are known again", () => {
    const values = weather(60 * DAY);
    const forecaster = observe(values.subarray(0, 45 * DAY));
    const methods: (string | null)[] = [];
    for (let hour = 50 * DAY; hour < 52 * DAY; hour++) {
      forecaster.observe(480_000 + hour, values[hour]!);
      methods.push(forecastOf(forecaster).method);
    }
    expect(methods.indexOf("harmonics + AR")).toBe(24);
    expect(new Set(methods.slice(0, 24))).toEqual(new Set(["damped anomaly"]));
  });

  test("after an outage of months it begins anew", () => {
    const values = weather(10 * DAY);
    const forecaster = observe(weather(45 * DAY));
    const methods = [...values].map((value, hour) => {
      forecaster.observe(480_000 + 200 * DAY + hour, value);
      return forecastOf(forecaster).method;
    });
    expect(methods.indexOf("damped anomaly")).toBe(3 * DAY - 1);
    expect(methods).not.toContain("harmonics + AR");
  });

  test("bounds a fit that diverges, and stays finite on a constant", () => {
    const growing = Float64Array.from({ length: 40 * DAY }, (_, hour) => 1.02 ** hour / 1e6);
    const { temperatures } = forecastOf(observe(growing));
    const newest = growing.at(-1)!;
    for (const temperature of temperatures) expect(Math.abs(temperature)).toBeLessThan(newest + 15);
    const constant = forecastOf(observe(new Float64Array(40 * DAY).fill(7)));
    expect(constant.method).toBe("harmonics + AR");
    expect(meanError(constant.temperatures, () => 7)).toBe(0);
  });
});
