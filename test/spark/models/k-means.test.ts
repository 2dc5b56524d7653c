import { describe, expect, test } from "bun:test";
import { codeOf } from "../../../core/errors.ts";
import { kMeans, silhouettes } from "../../../spark/models/k-means.ts";
import { randomFrom } from "../../support/lake-files.ts";

/** Points of as many dimensions as asked for, evenly spread over 0 to 1. */
function scattered(count: number, dimensions: number, seed: number): Float64Array[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => Float64Array.from({ length: dimensions }, random));
}

const distance = (a: Float64Array, b: Float64Array) => Math.hypot(...a.map((value, i) => value - b[i]!));

/** Sum of squared distances to the own mean. */
function inertiaOf(points: readonly Float64Array[], groups: ArrayLike<number>, k: number): number {
  let sum = 0;
  for (let group = 0; group < k; group++) {
    const own = points.filter((_, i) => groups[i] === group);
    const mean = points[0]!.map(
      (_, axis) => own.reduce((total, point) => total + point[axis]!, 0) / own.length,
    );
    for (const point of own) sum += distance(point, mean) ** 2;
  }
  return sum;
}

describe("kMeans()", () => {
  test("finds the best of all divisions of a few points", async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const points = scattered(8, 2, seed);
      for (const k of [2, 3]) {
        let least = Infinity;
        for (let code = 0; code < k ** points.length; code++) {
          const groups = points.map((_, i) => Math.floor(code / k ** i) % k);
          if (new Set(groups).size === k) least = Math.min(least, inertiaOf(points, groups, k));
        }
        const found = await kMeans(points, k);
        expect(found.inertia).toBeCloseTo(least, 12);
        expect(inertiaOf(points, found.groups, k)).toBeCloseTo(least, 12);
      }
    }
  });

  test("gives the same groups for the same points", async () => {
    const points = scattered(200, 5, 9);
    expect(await kMeans(points, 6)).toEqual(await kMeans(points, 6));
  });

  test("makes as many groups as there are distinct points", async () => {
    const points = [0, 0, 0, 1, 1, 5].map((value) => Float64Array.of(value));
    const found = await kMeans(points, 3);
    expect(found.inertia).toBe(0);
    expect(new Set(found.groups).size).toBe(3);
  });

  test("stops when its signal aborts, and lets others run before that", async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 0);
    const running = kMeans(scattered(5000, 6, 1), 8, stop.signal);
    expect(await running.then(() => undefined, codeOf)).toBe("cancelled");
  });
});

describe("silhouettes()", () => {
  test("equals the definition, point by point", async () => {
    const points = scattered(40, 3, 3);
    const divisions = [await kMeans(points, 2), await kMeans(points, 5)];
    const found = await silhouettes(points, divisions);
    for (const [i, { groups, centres }] of divisions.entries()) {
      const wanted = points.map((point, index) => {
        const meanTo = (group: number) => {
          const others = points.filter((_, other) => groups[other] === group && other !== index);
          return others.reduce((sum, other) => sum + distance(point, other), 0) / others.length;
        };
        const a = meanTo(groups[index]!);
        const b = Math.min(
          ...centres.flatMap((_, group) => (group === groups[index] ? [] : [meanTo(group)])),
        );
        return Number.isNaN(a) ? 0 : (b - a) / Math.max(a, b);
      });
      expect(found[i]).toHaveLength(points.length);
      for (const [index, value] of wanted.entries()) expect(found[i]![index]).toBeCloseTo(value, 12);
    }
  });

  test("of the only point of a group is 0, of far groups near 1", async () => {
    const points = [0, 0.1, 0.2, 100].map((value) => Float64Array.of(value));
    const [found] = await silhouettes(points, [await kMeans(points, 2)]);
    expect(found![3]).toBe(0);
    expect(found![0]).toBeGreaterThan(0.99);
  });

  test("stops when its signal aborts", async () => {
    const points = scattered(5000, 6, 1);
    const division = { groups: new Int32Array(5000), centres: [points[0]!], inertia: 0 };
    const stop = AbortSignal.abort();
    expect(await silhouettes(points, [division], stop).then(() => undefined, codeOf)).toBe("cancelled");
  });
});
