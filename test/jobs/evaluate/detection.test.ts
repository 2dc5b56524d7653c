import { describe, expect, test } from "bun:test";
import { HOUR_MS } from "../../../core/time.ts";
import { falseAlarms, recallOf, thresholdFor } from "../../../jobs/evaluate/detection.ts";
import { type JudgedSeries, type Score, SCORES } from "../../../jobs/evaluate/judged-series.ts";

/** A series of 30 days with some scores of the kind `step`. */
function series(city: string, scores: Readonly<Record<number, number>>): JudgedSeries {
  const times = Float64Array.from({ length: 720 }, (_, i) => i * HOUR_MS);
  const step = Float64Array.from(times, (_, i) => scores[i] ?? 0);
  const all = Object.fromEntries(
    SCORES.map((name) => [name, name === "step" ? step : new Float64Array(720)]),
  );
  return { city, times, scores: all as Record<Score, Float64Array> };
}

const A = series("A", { 5: 3, 6: 4, 9: 3, 100: NaN });
const B = series("B", { 700: 9 });
const from = (threshold: number) => (one: JudgedSeries, i: number) => one.scores.step[i]! >= threshold;

test("falseAlarms() counts reports that alarm, and those in a row as one that is raised", () => {
  expect(falseAlarms([A], from(3))).toEqual({ reports: 3, raised: 2 });
  expect(falseAlarms([A, B], from(3))).toEqual({ reports: 2, raised: 1.5 });
});

describe("thresholdFor()", () => {
  const of = (reports: number) => thresholdFor([A, B], (one, i) => one.scores.step[i]!, reports);
  test("is the smallest at which no more alarm than are allowed", () => {
    expect(of(1)).toBe(4); // two of 60 days: 9 and 4
    expect(of(0.5)).toBe(9);
    expect(of(2)).toBe(3);
  });
  test("is stricter where equal scores would exceed what is allowed", () => {
    expect(of(1.5)).toBe(4); // three are allowed, and with the two of 3 there would be four
  });
  test("is out of reach where nothing is allowed", () => {
    expect(of(0)).toBe(Infinity);
  });
});

test("recallOf() counts a fault as found by an alarm within it, whatever alarms beside it", () => {
  const fault = { name: "", kind: "offset", by: 1, hours: 1 } as const;
  const at = (city: string, first: number, last: number) => ({
    fault,
    city,
    from: first * HOUR_MS,
    to: last * HOUR_MS,
  });
  const faults = [at("A", 6, 7), at("A", 7, 8), at("B", 699, 700), at("C", 1, 2)];
  expect(recallOf([A, B], faults, from(3))).toEqual({ share: 2 / 3, faults: 3 });
});
