import { describe, expect, test } from "bun:test";
import { ConformalInterval } from "../../../spark/models/conformal-interval.ts";
import { randomFrom } from "../../support/lake-files.ts";

const WINDOW = 672;

describe("ConformalInterval", () => {
  test("is the ⌈(n + 1) · 0.9⌉-th size of the errors of 28 days, to 0.01 °C, from 168 errors on", () => {
    const random = randomFrom(3);
    const interval = new ConformalInterval();
    const past: { hour: number; error: number; held: boolean | null }[] = [];
    let compared = 0;
    for (let hour = 1000; hour < 4000; hour++) {
      // Hours that are missing, and twice a gap: of 300 hours, and of more than the window.
      if (random() < 0.2 || (hour > 1900 && hour < 2200) || (hour > 2500 && hour < 3200)) continue;
      const scale = hour < 3500 ? 2 : 6;
      const error = scale * (random() + random() + random() - 1.5);
      const { halfWidth } = interval;
      const window = past.filter((one) => one.hour > past.at(-1)!.hour - WINDOW);
      const sizes = window.map((one) => Math.ceil(Math.abs(one.error) * 100)).sort((a, b) => a - b);
      if (sizes.length < 168) expect(halfWidth).toBeNaN();
      else {
        expect(halfWidth).toBeCloseTo(sizes[Math.ceil((sizes.length + 1) * 0.9) - 1]! / 100, 12);
        compared++;
      }
      const given = window.filter(({ held }) => held !== null);
      if (given.length === 0) expect(interval.coverage).toBeNaN();
      else expect(interval.coverage).toBe(given.filter(({ held }) => held).length / given.length);
      interval.learn(hour, error, halfWidth);
      past.push({
        hour,
        error,
        held: Number.isNaN(halfWidth) ? null : Math.abs(error) <= halfWidth,
      });
    }
    expect(compared).toBeGreaterThan(1000);
  });

  test("counts an error beyond the histogram as the largest size", () => {
    const interval = new ConformalInterval();
    for (let hour = 0; hour < 200; hour++) interval.learn(hour, -1e6, NaN);
    expect(interval.halfWidth).toBe(40.95);
  });
});
