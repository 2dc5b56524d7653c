import type { Table } from "apache-arrow";
import { type ModelColumn, tableOf } from "./columns.ts";
import { type Clustering, kMeans, type Points, silhouettes } from "./k-means.ts";

/** The features that describe a climate: columns of the SELECT. */
export const FEATURES = [
  "temperature_mean",
  "temperature_spread",
  "temperature_day_range",
  "humidity_mean",
  "wind_speed_mean",
  "wet_share",
] as const;

/** A city with fewer days of data than this is in no group. */
const DAYS_MIN = 10;
/** The largest number of groups that is tried. */
const CLUSTERS_MAX = 8;
/** A mean silhouette up to this is no structure, to .5 a weak one, to .7 a reasonable one (Kaufman and Rousseeuw 1990). */
const STRUCTURE = [
  [0.25, "none"],
  [0.5, "weak"],
  [0.7, "reasonable"],
  [Infinity, "strong"],
] as const;

/** A city with enough data. */
interface EligibleCity {
  row: number;
  features: Float64Array;
}

/**
 * Groups cities by k-means on standardised features. The number of groups is the one from 2 to 8 with the largest mean
 * silhouette; one group where no number shows a structure, as with fewer than three cities.
 *
 * A feature is used if at least half of the cities have it and its values differ. A city that lacks it gets the mean.
 *
 * @param rows `city`, `days`, and a column for each of {@link FEATURES}: one row a city, sorted by city
 * @returns a row a city, in the same order. Groups are numbered from 1 on, the coldest first. `status` is `ok` or `insufficient
 *   data`: less than ten days, or no temperature; such a city is in no group
 * @throws EngineError `cancelled` after `signal` aborts
 */
export async function clustersModel(rows: Table, signal?: AbortSignal): Promise<Table> {
  const length = rows.numRows;
  const column = (name: string) =>
    Float64Array.from({ length }, (_, row) => {
      const value: unknown = rows.getChild(name)?.get(row);
      return value === null || value === undefined ? NaN : Number(value);
    });
  const days = column("days");
  const features = FEATURES.map(column);
  const temperature = features[0]!;
  const placed: EligibleCity[] = [];
  for (let row = 0; row < length; row++) {
    if (!(days[row]! >= DAYS_MIN) || Number.isNaN(temperature[row])) continue;
    placed.push({ row, features: Float64Array.from(features, (values) => values[row]!) });
  }
  const division = await divide(standardised(placed), signal);
  const order = byWarmth(division.clustering, placed);

  // Whole numbers as doubles, so that NaN can stand for a city in no group.
  const cluster = new Float64Array(length).fill(NaN);
  const silhouette = new Float64Array(length).fill(NaN);
  const status = new Array<string>(length).fill("insufficient data");
  for (const [index, { row }] of placed.entries()) {
    cluster[row] = order[division.clustering.groups[index]!]!;
    silhouette[row] = division.silhouettes[index]!;
    status[row] = "ok";
  }
  const text = (values: (string | null)[]): ModelColumn => ({ type: "text", values });
  const double = (values: Float64Array): ModelColumn => ({ type: "double", values });
  const columns: Record<string, ModelColumn> = {
    city: text(Array.from({ length }, (_, row) => String(rows.getChild("city")?.get(row)))),
    status: text(status),
    cluster: double(cluster),
    silhouette: double(silhouette),
    clusters: { type: "int", values: new Int32Array(length).fill(division.clustering.centres.length) },
    silhouette_mean: double(new Float64Array(length).fill(division.mean)),
    structure: text(new Array<string>(length).fill(structureOf(division.mean))),
    tried: text(new Array<string>(length).fill(division.tried)),
    days: { type: "int", values: Int32Array.from(days) },
    ...Object.fromEntries(FEATURES.map((name, i) => [name, double(features[i]!)])),
  };
  return tableOf(columns, signal);
}

/** The clustering that is shown, and how its number of groups was chosen. */
interface ChosenClustering {
  clustering: Clustering;
  /** One for each point; NaN if there is one group only. */
  silhouettes: Float64Array;
  /** Mean silhouette; NaN if there is one group only. */
  mean: number;
  /** The mean silhouette for each number of groups that was tried: `2: 0.41, 3: 0.52`. */
  tried: string;
}

async function divide(points: Points, signal?: AbortSignal): Promise<ChosenClustering> {
  const distinct = new Set(points.map((point) => point.join())).size;
  const most = Math.min(CLUSTERS_MAX, points.length - 1, distinct);
  const divisions: Clustering[] = [];
  for (let k = 2; k <= most; k++) divisions.push(await kMeans(points, k, signal));
  const found = await silhouettes(points, divisions, signal);
  const means = found.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length);
  const best = means.indexOf(Math.max(...means));
  const tried = means.map((mean, i) => `${i + 2}: ${mean.toFixed(3)}`).join(", ");
  if (best < 0 || structureOf(means[best]!) === "none") {
    const groups = new Int32Array(points.length);
    const one = { groups, centres: points.length === 0 ? [] : [points[0]!], inertia: NaN };
    return { clustering: one, silhouettes: new Float64Array(points.length).fill(NaN), mean: NaN, tried };
  }
  return { clustering: divisions[best]!, silhouettes: found[best]!, mean: means[best]!, tried };
}

/** The features that are used, each with mean 0 and standard deviation 1; 0 where a value is missing. */
function standardised(placed: readonly EligibleCity[]): Points {
  const columns: Float64Array[] = [];
  for (let i = 0; i < FEATURES.length; i++) {
    const values = Float64Array.from(placed, ({ features }) => features[i]!);
    const known = values.filter((value) => !Number.isNaN(value));
    if (2 * known.length < placed.length) continue;
    const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
    const spread = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length);
    // A spread as small as rounding errors means that all values are equal.
    if (!(spread > 1e-9 * Math.max(1, Math.abs(mean)))) continue;
    columns.push(values.map((value) => (Number.isNaN(value) ? 0 : (value - mean) / spread)));
  }
  return placed.map((_, index) => Float64Array.from(columns, (values) => values[index]!));
}

/** The number of each group, from 1 on, the one with the coldest cities first. */
function byWarmth({ groups, centres }: Clustering, placed: readonly EligibleCity[]): number[] {
  const means = centres.map((_, group) => {
    const own = placed.filter((_city, index) => groups[index] === group);
    return own.reduce((sum, { features }) => sum + features[0]!, 0) / own.length;
  });
  const coldestFirst = [...means.keys()].sort((a, b) => means[a]! - means[b]!);
  return [...means.keys()].map((group) => coldestFirst.indexOf(group) + 1);
}

/** The structure that a mean silhouette stands for. NaN (nothing could be compared) is `none`. */
function structureOf(silhouette: number): string {
  return STRUCTURE.find(([limit]) => silhouette <= limit)?.[1] ?? "none";
}
