import { describe, expect, test } from "bun:test";
import { Downsampler, type Point } from "../../../server/answers/downsample.ts";

/** Pushes a day at one point a second, of a fixed pattern of ups and downs. */
function dayOf(sampler: Downsampler): Point[] {
  const points: Point[] = [];
  let state = 7;
  for (let t = 0; t < 86_400; t++) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    points.push({ t, v: state % 1000 });
  }
  (points[40_000] as Point).v = -5000;
  (points[40_001] as Point).v = 5000;
  for (const { t, v } of points) sampler.push(t, v);
  return points;
}

describe("Downsampler", () => {
  test("keeps the extremes of a long series in at most the points asked for", () => {
    const sampler = new Downsampler(0, 86_400, 600);
    dayOf(sampler);
    const kept = sampler.points();
    expect(kept.length).toBeLessThanOrEqual(600);
    expect(kept.length).toBeGreaterThan(300);
    expect(kept).toContainEqual({ t: 40_000, v: -5000 });
    expect(kept).toContainEqual({ t: 40_001, v: 5000 });
  });

  test("keeps lowest and highest of every bucket", () => {
    const sampler = new Downsampler(0, 86_400, 25);
    const all = dayOf(sampler);
    const kept = sampler.points();
    const width = 86_400 / 8;
    for (let bucket = 0; bucket < 8; bucket++) {
      const inside = ({ t }: Point) => Math.floor(t / width) === bucket;
      const values = (points: Point[]) => points.filter(inside).map(({ v }) => v ?? Number.NaN);
      expect(Math.min(...values(kept))).toBe(Math.min(...values(all)));
      expect(Math.max(...values(kept))).toBe(Math.max(...values(all)));
    }
  });

  test("gives points in the order of time, the newest always among them", () => {
    const sampler = new Downsampler(0, 100, 7);
    for (const [t, v] of [
      [0, 5],
      [10, 9],
      [20, 1],
      [30, 5],
      [99, 4],
      [99.5, 9],
      [99.9, 6],
    ] as const) {
      sampler.push(t, v);
    }
    const times = sampler.points().map(({ t }) => t);
    expect(times).toEqual([10, 20, 99, 99.5, 99.9]);
  });

  test("keeps a break between the points beside it", () => {
    const sampler = new Downsampler(0, 100, 10);
    sampler.push(1, 5);
    sampler.push(50, null);
    sampler.push(90, 6);
    expect(sampler.points()).toEqual([
      { t: 1, v: 5 },
      { t: 50, v: null },
      { t: 90, v: 6 },
    ]);
  });

  test("is empty for no points and takes all of a few", () => {
    expect(new Downsampler(0, 100, 600).points()).toEqual([]);
    const sampler = new Downsampler(0, 86_400, 600);
    for (let t = 0; t < 86_400; t += 600) sampler.push(t, t / 600);
    expect(sampler.points()).toHaveLength(144);
  });
});
