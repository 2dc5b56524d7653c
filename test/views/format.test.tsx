import { describe, expect, test } from "bun:test";
import {
  formatAge,
  formatCondition,
  formatCount,
  formatDay,
  formatNumber,
  formatSigned,
  formatTime,
} from "../../views/format.ts";

describe("formatNumber()", () => {
  test("gives an en dash for what is missing, never 0", () => {
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(formatNumber(value, 1)).toBe("–");
    }
    expect(formatNumber(0, 1)).toBe("0.0");
  });

  test("has a true minus, and none for what rounds to zero", () => {
    expect(formatNumber(-2.34, 1)).toBe("−2.3");
    expect(formatNumber(-0.04, 1)).toBe("0.0");
  });

  test("groups from five digits on with a thin space", () => {
    expect(formatNumber(1008, 0)).toBe("1008");
    expect(formatNumber(10_704, 0)).toBe("10\u2009704");
    expect(formatNumber(-1_204_118.5, 1)).toBe("−1\u2009204\u2009118.5");
  });
});

test("formatSigned() puts a sign on every difference that is one", () => {
  expect(formatSigned(1.84, 1)).toBe("+1.8");
  expect(formatSigned(-3, 1)).toBe("−3.0");
  expect(formatSigned(0.01, 1)).toBe("0.0");
  expect(formatSigned(null, 1)).toBe("–");
});

test("formatAge() goes from seconds to days", () => {
  const second = 1000;
  const cases: [number, string][] = [
    [-5 * second, "0 s"],
    [59 * second, "59 s"],
    [60 * second, "1 min"],
    [3599 * second, "59 min"],
    [3600 * second, "1 h"],
    [(2 * 3600 + 14 * 60) * second, "2 h 14 min"],
    [48 * 3600 * second, "2 days"],
  ];
  for (const [ms, text] of cases) expect(formatAge(ms)).toBe(text);
});

test("formatTime() and formatDay() speak of UTC in any zone", () => {
  const ms = Date.UTC(2017, 3, 9, 22);
  expect(formatTime(ms)).toBe("Sun 9 Apr 2017, 22:00 UTC");
  expect(formatDay(ms)).toBe("Sun 9");
});

test("formatCount() knows one from many", () => {
  expect(formatCount(1, "city", "cities")).toBe("1 city");
  expect(formatCount(0, "city", "cities")).toBe("0 cities");
});

test("formatCondition() begins with a capital and shows a missing one as a dash", () => {
  expect(formatCondition("light drizzle")).toBe("Light drizzle");
  expect(formatCondition(null)).toBe("–");
});
