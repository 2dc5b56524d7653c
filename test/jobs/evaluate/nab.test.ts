import { describe, expect, test } from "bun:test";
import { nabScore } from "../../../jobs/evaluate/nab.ts";

const WINDOWS = [[1000, 1099] as const];
const alarmsAt = (...rows: number[]) => {
  const alarms = Array.from({ length: 3000 }, () => false);
  for (const row of rows) alarms[row] = true;
  return alarms;
};
const sigmoid = (x: number) => 2 / (1 + Math.exp(5 * x)) - 1;

describe("nabScore()", () => {
  test("is 1 for a hit on a window's first row, less for a later one, and the best of several counts", () => {
    expect(nabScore(alarmsAt(1000), WINDOWS)).toBe(1);
    expect(nabScore(alarmsAt(1050), WINDOWS)).toBeCloseTo(sigmoid(-0.5) / sigmoid(-1), 12);
    expect(nabScore(alarmsAt(1050, 1099), WINDOWS)).toBe(nabScore(alarmsAt(1050), WINDOWS));
  });

  test("is −1 for a window without a hit", () => {
    expect(nabScore(alarmsAt(), WINDOWS)).toBe(-1);
    expect(nabScore(alarmsAt(), [...WINDOWS, [2000, 2010]])).toBe(-2);
  });

  test("takes 0.11 for a false positive before every window and far behind one, less close behind it", () => {
    expect(nabScore(alarmsAt(900, 1000), WINDOWS)).toBeCloseTo(1 - 0.11, 12);
    expect(nabScore(alarmsAt(1000, 1500), WINDOWS)).toBeCloseTo(1 - 0.11, 12);
    // 10 rows behind a window that is 100 rows wide.
    expect(nabScore(alarmsAt(1000, 1109), WINDOWS)).toBeCloseTo(1 + 0.11 * sigmoid(10 / 99), 12);
  });

  test("ignores the rows it learns from: 15 %, at most 750", () => {
    expect(nabScore(alarmsAt(449, 1000), WINDOWS)).toBe(1);
    expect(nabScore(alarmsAt(450, 1000), WINDOWS)).toBeCloseTo(0.89, 12);
    const long = Array.from({ length: 10_000 }, (_, row) => row === 749 || row === 1000);
    expect(nabScore(long, WINDOWS)).toBe(1);
  });
});
