import { describe, expect, test } from "bun:test";
import { rowsOf } from "../../../spark/arrow.ts";
import { clustersModel, FEATURES } from "../../../spark/models/clusters.ts";
import { tableOf } from "../../../spark/models/columns.ts";
import { randomFrom } from "../../support/lake-files.ts";

type Features = Partial<Record<(typeof FEATURES)[number], number>>;

/** The model's rows for cities named A, B, … with their features; one that is not told is null. */
async function clusters(
  cities: readonly (Features & { days?: number })[],
): Promise<Record<string, unknown>[]> {
  const double = (name: (typeof FEATURES)[number]) => ({
    type: "double" as const,
    values: Float64Array.from(cities, (city) => city[name] ?? NaN),
  });
  const table = await tableOf({
    city: { type: "text", values: cities.map((_, i) => `City ${String(i).padStart(3, "0")}`) },
    days: { type: "int", values: Int32Array.from(cities, ({ days }) => days ?? 30) },
    ...Object.fromEntries(FEATURES.map((name) => [name, double(name)])),
  });
  return rowsOf(await clustersModel(table));
}

/** Cities around a climate. */
function around(centre: Required<Features>, count: number, seed: number): Features[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () =>
    Object.fromEntries(FEATURES.map((name) => [name, centre[name] * (0.97 + 0.06 * random())])),
  );
}

const climate = (
  temperature_mean: number,
  temperature_spread: number,
  temperature_day_range: number,
  humidity_mean: number,
  wind_speed_mean: number,
  wet_share: number,
) => ({
  temperature_mean,
  temperature_spread,
  temperature_day_range,
  humidity_mean,
  wind_speed_mean,
  wet_share,
});
const DESERT = climate(30, 6, 15, 30, 4, 0.01);
const TROPICS = climate(26, 1, 6, 85, 3, 0.4);
const COAST = climate(10, 5, 5, 80, 7, 0.2);

describe("clustersModel()", () => {
  test("finds the climates, names the coldest first, and shows how their number was chosen", async () => {
    const cities = [...around(DESERT, 6, 1), ...around(COAST, 7, 2), ...around(TROPICS, 5, 3)];
    const found = await clusters(cities);
    const numbers = (count: number, cluster: number) => new Array<number>(count).fill(cluster);
    expect(found.map(({ cluster }) => cluster)).toEqual([
      ...numbers(6, 3),
      ...numbers(7, 1),
      ...numbers(5, 2),
    ]);
    const [first] = found;
    expect(first).toMatchObject({ status: "ok", clusters: 3, structure: "strong", days: 30 });
    const tried = String(first?.tried)
      .split(", ")
      .map((part) => part.split(": ").map(Number));
    expect(tried.map(([k]) => k)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    const best = tried.reduce((a, b) => (b[1]! > a[1]! ? b : a));
    expect(best[0]).toBe(3);
    expect(best[1]).toBeCloseTo(Number(first?.silhouette_mean), 3);
    const mean = found.reduce((sum, { silhouette }) => sum + Number(silhouette), 0) / found.length;
    expect(first?.silhouette_mean).toBeCloseTo(mean, 9);
    expect(first?.temperature_mean).toBe(cities[0]!.temperature_mean!);
    expect(await clusters(cities)).toEqual(found);
  });

  test("of one or two cities, and of equal ones, is one group", async () => {
    for (const cities of [[DESERT], [DESERT, COAST], [COAST, COAST, COAST, COAST]]) {
      for (const one of await clusters(cities)) {
        expect(one).toMatchObject({
          status: "ok",
          cluster: 1,
          clusters: 1,
          silhouette: null,
          silhouette_mean: null,
          structure: "none",
        });
      }
    }
    expect(await clusters([DESERT, COAST])).toHaveLength(2);
    expect(await clusters([])).toEqual([]);
  });

  test("of three cities puts the two that are alike together", async () => {
    const found = await clusters([COAST, DESERT, { ...COAST, temperature_mean: 10.2 }]);
    expect(found.map(({ cluster }) => cluster)).toEqual([1, 2, 1]);
    expect(found[0]).toMatchObject({ clusters: 2, tried: expect.stringMatching(/^2: 0\.\d+$/) });
  });

  test("finds no group in what has no structure", async () => {
    const random = randomFrom(5);
    const noise = Array.from({ length: 60 }, (): Features =>
      Object.fromEntries(FEATURES.map((name) => [name, random()])),
    );
    const found = await clusters(noise);
    expect(new Set(found.map(({ cluster }) => cluster))).toEqual(new Set([1]));
    expect(found[0]).toMatchObject({ clusters: 1, structure: "none", silhouette_mean: null });
    expect(String(found[0]?.tried)).toStartWith("2: 0.");
  });

  test("puts a city with too little data into no group, and lets it move no other", async () => {
    const cities = [...around(DESERT, 4, 1), ...around(COAST, 4, 2)];
    const odd = climate(-80, 50, 90, 1, 60, 1);
    const [short, blind, ...rest] = await clusters([{ ...odd, days: 9 }, { humidity_mean: 50 }, ...cities]);
    const without = await clusters(cities);
    for (const one of [short, blind])
      expect(one).toMatchObject({
        status: "insufficient data",
        cluster: null,
        silhouette: null,
        clusters: 2,
      });
    expect(rest.map(({ cluster }) => cluster)).toEqual(without.map(({ cluster }) => cluster));
    const [only] = await clusters([{ ...COAST, days: 3 }]);
    expect(only).toMatchObject({ status: "insufficient data", cluster: null, clusters: 0 });
  });

  test("leaves out what half of the cities lack, and takes a city without a feature for average in it", async () => {
    const rare = [...around(DESERT, 4, 1), ...around(COAST, 4, 2)].map((one, i) => ({
      ...one,
      wet_share: i < 3 ? i : NaN,
    }));
    expect((await clusters(rare)).map(({ cluster }) => cluster)).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
    const gap = [...around(DESERT, 4, 1), ...around(COAST, 4, 2)].map((one, i) =>
      i === 0 ? { ...one, wet_share: NaN } : one,
    );
    const found = await clusters(gap);
    expect(found.map(({ cluster }) => cluster)).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
    expect(found[0]?.wet_share).toBeNull();
  });
});
