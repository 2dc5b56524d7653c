import { describe, expect, test } from "bun:test";
import { ScoreSum } from "../../../jobs/evaluate/forecast-scores.ts";

describe("ScoreSum", () => {
  test("scores by the formulas", () => {
    const sum = new ScoreSum();
    // Outcome 10: forecast 11 with the interval 9 to 13; forecast 7 with the interval 6 to 8.
    sum.add({ error: 1, halfWidth: 2, persistenceError: -4, naiveError: 2, scale: 2 });
    sum.add({ error: -3, halfWidth: 1, persistenceError: 2, naiveError: -4, scale: 4 });
    const { pinball, ...scores } = sum.scores;
    expect(scores).toEqual({
      n: 2,
      mae: 2,
      rmse: Math.sqrt(5),
      bias: -1,
      mase: (0.5 + 0.75) / 2,
      persistence: 3,
      naive: 3,
      coverage: 0.5,
      width: 3,
    });
    // Ends 9 and 13 of the outcome 10: 0.05 · 1 and 0.05 · 3; ends 6 and 8: 0.05 · 4 and 0.95 · 2.
    expect(pinball).toBeCloseTo((0.05 + 0.15 + 0.2 + 1.9) / 4, 12);
  });

  test("merge() is the sum of both", () => {
    const [one, other, both] = [new ScoreSum(), new ScoreSum(), new ScoreSum()];
    const outcome = { error: 1, halfWidth: 2, persistenceError: -4, naiveError: 2, scale: 2 };
    for (const error of [1, 2, 3]) {
      (error < 3 ? one : other).add({ ...outcome, error });
      both.add({ ...outcome, error });
    }
    one.merge(other);
    expect(one.scores).toEqual(both.scores);
  });
});
