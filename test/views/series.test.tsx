import { describe, expect, test } from "bun:test";
import { lineOf, SPARK } from "../../views/line.ts";
import {
  addPoint,
  breaksOf,
  dropBefore,
  freshOf,
  lastOf,
  rangeOf,
  trendOf,
  valueAt,
} from "../../views/series.ts";
import { type Series } from "../../core/chart-history.ts";

const series = (t: number[], v: (number | null)[], gap = 100): Series => ({ city: "London", t, v, gap });

describe("addPoint()", () => {
  test("replaces a point of the same time, never doubles it", () => {
    const line = series([10, 20], [1, 2]);
    addPoint(line, 20, 3);
    addPoint(line, 10, 5);
    expect(line).toMatchObject({ t: [10, 20], v: [5, 3] });
  });

  test("puts a late point in its place", () => {
    const line = series([10, 30], [1, 3]);
    addPoint(line, 20, 2);
    addPoint(line, 5, 0);
    expect(line).toMatchObject({ t: [5, 10, 20, 30], v: [0, 1, 2, 3] });
  });

  test("breaks the line only where the new point is further away than the gap", () => {
    const line = series([0], [1]);
    addPoint(line, 100, 2);
    addPoint(line, 201, 3);
    expect(line).toMatchObject({ t: [0, 100, 150.5, 201], v: [1, 2, null, 3] });
  });

  test("takes a missing value as a break", () => {
    const line = series([0], [1]);
    addPoint(line, 50, null);
    expect(lastOf(line)).toEqual({ t: 0, v: 1 });
  });
});

test("dropBefore() drops what is older", () => {
  const line = series([1, 2, 3], [1, 2, 3]);
  dropBefore(line, 2);
  expect(line).toMatchObject({ t: [2, 3], v: [2, 3] });
});

test("freshOf() does not give an old value for a new one", () => {
  const line = series([1000], [7]);
  expect(freshOf(line, 1000)).toBe(7);
  expect(freshOf(line, 1001)).toBeNull();
});

test("valueAt() takes the nearest point within the gap, and nothing inside a break", () => {
  const line = series([0, 60, 500, 940, 1000], [1, 2, null, 3, 4]);
  expect(valueAt(line, 20)).toBe(1);
  expect(valueAt(line, 40)).toBe(2);
  expect(valueAt(line, 480)).toBeNull();
  expect(valueAt(line, 300)).toBeNull();
  expect(valueAt(line, 1099)).toBe(4);
  expect(valueAt(line, 1101)).toBeNull();
  expect(valueAt(series([], []), 0)).toBeNull();
});

describe("trendOf()", () => {
  const hour = 3600;
  test("compares with three hours before", () => {
    expect(trendOf(series([0, hour, 3 * hour], [5, 9, 7.5]))).toEqual({ delta: 2.5, direction: "up" });
    expect(trendOf(series([0, 3 * hour], [5, 4]))).toEqual({ delta: -1, direction: "down" });
    expect(trendOf(series([0, 3 * hour], [5, 5.4]))?.direction).toBe("flat");
  });

  test("is none where the value three hours before is missing", () => {
    expect(trendOf(series([2 * hour, 3 * hour], [5, 7]))).toBeNull();
    expect(trendOf(series([0, 3 * hour], [null, 7]))).toBeNull();
    expect(trendOf(series([], []))).toBeNull();
  });
});

test("rangeOf() and breaksOf() leave breaks out of the values", () => {
  const line = series([0, 10, 20, 30, 40], [-4, null, null, 6, null]);
  expect(rangeOf([line])).toEqual({ min: -4, max: 6 });
  expect(rangeOf([series([1], [null])])).toBeUndefined();
  expect(breaksOf(line)).toEqual([{ from: 0, to: 30 }]);
});

describe("lineOf()", () => {
  test("lifts the pen at a break", () => {
    const { d } = lineOf(series([0, 10, 20, 30, 40], [0, 1, null, 1, 0]), 0, 40, SPARK);
    expect(d.match(/M/g)).toHaveLength(2);
    expect(d.match(/L/g)).toHaveLength(2);
  });

  test("ends where the data ends, not at the right edge", () => {
    const { end } = lineOf(series([0, 20], [0, 1]), 0, 40, SPARK);
    expect(end?.x).toBe(60);
  });

  test("draws nothing for no data", () => {
    expect(lineOf(series([], []), 0, 40, SPARK)).toEqual({ d: "", end: null });
    expect(lineOf(series([1], [null]), 0, 40, SPARK)).toEqual({ d: "", end: null });
  });

  test("keeps the ends of each stretch however long the series is", () => {
    const t = Array.from({ length: 1000 }, (_, i) => i);
    const v = t.map((i) => (i === 500 ? null : i));
    const { d, end } = lineOf(series(t, v), 0, 999, { width: 999, height: 10, pad: 0 }, undefined, 10);
    expect(d).toContain("L499 ");
    expect(d).toContain("M501 ");
    expect(end?.x).toBe(999);
    expect(d.match(/[ML]/g)?.length).toBeLessThan(20);
  });
});
