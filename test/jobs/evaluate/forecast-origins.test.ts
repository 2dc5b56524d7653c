import { describe, expect, test } from "bun:test";
import { hoursByCity, scoreCity, scoresOf } from "../../../jobs/evaluate/forecast-origins.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { tableOf } from "../../../spark/models/columns.ts";

const FIRST = 480_000;
const HISTORY = 58 * 24;

/** A wave, and each day 1 °C warmer. */
const values = Float64Array.from(
  { length: HISTORY + 100 },
  (_, hour) => 5 * Math.sin(hour) + Math.floor(hour / 24),
);

describe("hoursByCity()", () => {
  test("puts each city's rows into hours, NaN where one is missing", async () => {
    const rows = await tableOf({
      city: { type: "text", values: ["A", "A", "B"] },
      hour: { type: "timestamp", values: Float64Array.of(5, 7, 6).map((hour) => hour * HOUR_MS) },
      temperature: { type: "double", values: Float64Array.of(1, 3, 2) },
    });
    const found = hoursByCity(rows).map(({ city, first, values }) => ({ city, first, values: [...values] }));
    expect(found).toEqual([
      { city: "A", first: 5, values: [1, NaN, 3] },
      { city: "B", first: 6, values: [2] },
    ]);
  });
});

describe("scoreCity()", () => {
  test("counts every hour with 58 days of history, each lead whose outcome is there, and the references", () => {
    const origins: number[] = [];
    const scored = scoreCity({ city: "A", first: FIRST, values }, ({ hour }) => origins.push(hour));
    expect(scored).toMatchObject({ city: "A", origins: 100, unpaired: 0 });
    expect(origins).toEqual(Array.from({ length: 100 }, (_, i) => FIRST + HISTORY + i));
    const scores = scoresOf([scored, scored]);
    expect(scores.length).toBe(48);
    for (const [i, { n, naive, persistence, mae, mase }] of scores.entries()) {
      const lead = i + 1;
      expect(n).toBe(2 * (100 - lead));
      let [naiveSum, persistenceSum, scale] = [0, 0, 0];
      for (let hour = HISTORY; hour + lead < values.length; hour++) {
        const outcome = values[hour + lead]!;
        naiveSum += Math.abs(values[hour + lead - (lead <= 24 ? 24 : 48)]! - outcome);
        persistenceSum += Math.abs(values[hour]! - outcome);
        let unit = 0;
        for (let back = 0; back < 720; back++)
          unit += Math.abs(values[hour - back]! - values[hour - back - 24]!) / 720;
        scale += unit;
      }
      expect(naive).toBeCloseTo(naiveSum / (100 - lead), 9);
      expect(persistence).toBeCloseTo(persistenceSum / (100 - lead), 9);
      // The unit changes little over the days, so the mean of ratios is near the ratio of means.
      expect(mase / (mae / (scale / (100 - lead)))).toBeCloseTo(1, 1);
    }
  });

  test("leaves out what a missing hour leaves without a reference or an outcome", () => {
    const gap = values.slice();
    gap[HISTORY + 50] = NaN;
    const whole = scoreCity({ city: "A", first: FIRST, values });
    const scored = scoreCity({ city: "A", first: FIRST, values: gap });
    expect(scored.origins).toBe(99);
    // Lead 1: the hour as an origin, as an outcome, and as yesterday of another.
    expect(scoresOf([whole])[0]!.n - scoresOf([scored])[0]!.n).toBe(3);
    expect(scored.unpaired).toBeGreaterThan(0);
  });
});
