import { describe, expect, test } from "bun:test";
import { DecayingLeastSquares } from "../../../spark/models/least-squares.ts";
import { randomFrom } from "../../support/lake-files.ts";

function solved(fit: DecayingLeastSquares, size: number): number[] {
  const into = new Float64Array(size);
  fit.solve(into);
  return [...into];
}

describe("DecayingLeastSquares", () => {
  test("finds the coefficients that made the rows", () => {
    const random = randomFrom(1);
    const fit = new DecayingLeastSquares(3);
    for (let i = 0; i < 50; i++) {
      const x = Float64Array.of(1, 10 * random(), 10 * random());
      fit.decay(0.9);
      fit.add(x, 2 - 3 * x[1]! + 0.5 * x[2]!);
    }
    const found = solved(fit, 3);
    for (const [i, want] of [2, -3, 0.5].entries()) expect(found[i]).toBeCloseTo(want, 4);
  });

  test("decay() makes old rows count less: the weighted line by its closed formula", () => {
    const random = randomFrom(2);
    const points = Array.from({ length: 40 }, (_, i) => [i, 3 * random()] as const);
    const fit = new DecayingLeastSquares(2);
    for (const [x, y] of points) {
      fit.decay(0.95);
      fit.add(Float64Array.of(1, x), y);
    }
    const weights = points.map((_, i) => 0.95 ** (points.length - 1 - i));
    const total = weights.reduce((sum, w) => sum + w, 0);
    const mean = (of: (x: number, y: number) => number) =>
      points.reduce((sum, [x, y], i) => sum + weights[i]! * of(x, y), 0) / total;
    const [mx, my] = [mean((x) => x), mean((_, y) => y)];
    const slope = mean((x, y) => (x - mx) * (y - my)) / mean((x) => (x - mx) ** 2);
    const found = solved(fit, 2);
    expect(found[1]).toBeCloseTo(slope, 5);
    expect(found[0]).toBeCloseTo(my - slope * mx, 5);
    expect(fit.weight).toBeCloseTo(total, 9);
  });

  test("columns that rows do not tell apart share the coefficient, one that is always 0 gets 0", () => {
    const fit = new DecayingLeastSquares(3);
    for (let i = 1; i <= 20; i++) fit.add(Float64Array.of(i, i, 0), 4 * i);
    const [one = NaN, other = NaN, none] = solved(fit, 3);
    expect(one + other).toBeCloseTo(4, 5);
    expect(Math.abs(one)).toBeLessThan(5);
    expect(none).toBe(0);
  });

  test("without a row every coefficient is 0", () => {
    expect(solved(new DecayingLeastSquares(4), 4)).toEqual([0, 0, 0, 0]);
  });
});
