import { describe, expect, test } from "bun:test";
import { digitsOf, plotScale, Plotter, ticksOf } from "../../views/plot.ts";
import { timeTicks } from "../../views/time-ticks.ts";
import { DEFAULT_UNITS, readUnits, scalesOf, writeUnits } from "../../views/units.ts";
import { zoneTime } from "../../views/zone-time.ts";

test("ticksOf() gives round values inside the scale", () => {
  expect(ticksOf({ min: -3.2, max: 17.9 })).toEqual([0, 10]);
  expect(ticksOf({ min: 29.7, max: 30.4 }).map((tick) => tick.toFixed(1))).toEqual([
    "29.8",
    "30.0",
    "30.2",
    "30.4",
  ]);
  expect(digitsOf(ticksOf({ min: 29.7, max: 30.4 }))).toBe(1);
  expect(ticksOf({ min: 4, max: 4 })).toEqual([4]);
});

test("plotScale() leaves room, keeps a smallest range, and stands without a value", () => {
  expect(plotScale([1, null, 3], 1)).toEqual({ min: 0.8999999999999999, max: 3.1 });
  expect(plotScale([5, 5], 4).max).toBeCloseTo(7.2);
  expect(plotScale([null], 4)).toEqual({ min: 0, max: 4 });
});

describe("Plotter", () => {
  const plotter = new Plotter({ min: 0, max: 10 }, { min: 0, max: 10 }, 100);

  test("draws nothing across a break", () => {
    const points = [
      { x: 0, y: 0 },
      { x: 2, y: 5 },
      { x: 4, y: null },
      { x: 10, y: 10 },
    ];
    expect(plotter.line(points)).toBe("M0 100h0L200 50M1000 0h0");
  });

  test("closes a band over each stretch that has both bounds", () => {
    const points = [
      { x: 0, low: 0, high: 2 },
      { x: 5, low: 1, high: 3 },
      { x: 6, low: null, high: 3 },
      { x: 7, low: 1, high: 3 },
    ];
    expect(plotter.band(points)).toBe("M0 80L500 70L500 90L0 100Z");
  });
});

test("timeTicks() stands on full hours and days of the zone's own clocks", () => {
  const day = Date.UTC(2026, 0, 31);
  const kolkata = timeTicks(day, day + 24 * 3_600_000, zoneTime("Asia/Kolkata"));
  expect(kolkata.map(({ label }) => label)).toContain("06:00");
  expect(kolkata[0]?.x).toBe(day + 0.5 * 3_600_000);
  const month = timeTicks(day, day + 30 * 24 * 3_600_000, zoneTime(null));
  expect(month.every(({ x }) => x % (24 * 3_600_000) === 0)).toBe(true);
  expect(month.length).toBeLessThan(10);
});

describe("scalesOf()", () => {
  test("converts values with and differences without the zero point, and keeps what is missing missing", () => {
    const {
      temperature,
      pressure,
      wind_speed: wind,
      rainfall: rain,
    } = scalesOf(readUnits("F.mph.inHg.in.city"));
    expect([temperature.text(0), temperature.signed(10), temperature.text(null)]).toEqual([
      "32.0",
      "+18.0",
      "–",
    ]);
    expect(pressure.text(1013.25)).toBe("29.92");
    expect(wind.text(10)).toBe("22");
    expect(rain.text(25.4)).toBe("1.00");
    expect(scalesOf(readUnits("C.kmh")).wind_speed.text(10)).toBe("36");
  });

  test("takes what is not known for the default, and reads what it wrote", () => {
    for (const text of [null, "", "x.y.z", "__proto__.constructor"])
      expect(readUnits(text)).toEqual(DEFAULT_UNITS);
    const units = readUnits("F.kmh.inHg.in.city");
    expect(readUnits(writeUnits(units))).toEqual(units);
  });
});
