import { randomFrom } from "../../core/random.ts";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";

/** Points of equal length: what is clustered. */
export type Points = readonly Float64Array[];

/** A partition of points into groups. */
export interface Clustering {
  /** The group of each point, from 0. */
  groups: Int32Array;
  /** The mean of each group's points. */
  centres: Float64Array[];
  /** Sum of the squared distances of all points to the centre of their group. */
  inertia: number;
}

/** Random starts for each number of groups; the one with the least inertia is used. */
const STARTS = 16;

/** Upper limit for the iterations of Lloyd's algorithm; it converges much earlier. */
const ITERATIONS = 100;

/** Distances computed before it yields to the event loop: a few ms. */
const DISTANCES_PER_TURN = 200_000;

/**
 * Divides points into `k` groups: Lloyd's k-means from k-means++ seeds (Arthur and Vassilvitskii 2007), the best of 16
 * starts. It is deterministic: the same points in the same order give the same groups.
 *
 * @param k at most the number of distinct points
 * @throws EngineError `cancelled` after `signal` aborts
 */
export async function kMeans(points: Points, k: number, signal?: AbortSignal): Promise<Clustering> {
  const random = randomFrom(k);
  let best: Clustering | null = null;
  let distances = 0;
  for (let start = 0; start < STARTS; start++) {
    let found = assign(points, seeds(points, k, random));
    for (let i = 0; i < ITERATIONS; i++) {
      distances += points.length * k;
      if (distances > DISTANCES_PER_TURN) {
        await yieldToEventLoop(signal);
        distances = 0;
      }
      const next = assign(points, centresOf(points, found, k));
      const isSame = next.groups.every((group, point) => group === found.groups[point]);
      found = next;
      if (isSame) break;
    }
    if (best === null || found.inertia < best.inertia) best = found;
  }
  return best!;
}

/**
 * The silhouette of each point (Rousseeuw 1987) for several clusterings at once: (b − a) / max(a, b). Here a is the mean
 * distance to the other points of its own group, and b the mean distance to the points of the nearest other group. The only
 * point of a group has 0.
 *
 * @returns one array of silhouettes for each clustering
 * @throws EngineError `cancelled` after `signal` aborts
 */
export async function silhouettes(
  points: Points,
  divisions: readonly Clustering[],
  signal?: AbortSignal,
): Promise<Float64Array[]> {
  const found = divisions.map(() => new Float64Array(points.length));
  const sizes = divisions.map(({ groups, centres }) => {
    const size = new Float64Array(centres.length);
    for (const group of groups) size[group]!++;
    return size;
  });
  const sums = sizes.map((size) => new Float64Array(size.length));
  let distances = 0;
  for (const [index, point] of points.entries()) {
    for (const sum of sums) sum.fill(0);
    for (const [other, its] of points.entries()) {
      const distance = Math.sqrt(squaredDistance(point, its));
      for (const [i, { groups }] of divisions.entries()) sums[i]![groups[other]!]! += distance;
    }
    for (const [i, { groups }] of divisions.entries()) {
      found[i]![index] = silhouette(groups[index]!, sums[i]!, sizes[i]!);
    }
    distances += points.length;
    if (distances > DISTANCES_PER_TURN) {
      await yieldToEventLoop(signal);
      distances = 0;
    }
  }
  return found;
}

function silhouette(own: number, sums: Float64Array, sizes: Float64Array): number {
  if (sizes[own] === 1) return 0;
  const inside = sums[own]! / (sizes[own]! - 1);
  let outside = Infinity;
  for (const [group, sum] of sums.entries()) {
    if (group !== own && sizes[group]! > 0) outside = Math.min(outside, sum / sizes[group]!);
  }
  const larger = Math.max(inside, outside);
  return larger === 0 || outside === Infinity ? 0 : (outside - inside) / larger;
}

/** k-means++: each next seed is drawn with a probability proportional to the squared distance to the nearest seed. */
function seeds(points: Points, k: number, random: () => number): Float64Array[] {
  const chosen = [points[Math.floor(random() * points.length)]!];
  const nearest = Float64Array.from(points, (point) => squaredDistance(point, chosen[0]!));
  while (chosen.length < k) {
    let left = random() * nearest.reduce((sum, value) => sum + value, 0);
    let next = -1;
    for (const [point, distance] of nearest.entries()) {
      if (distance === 0) continue;
      next = point;
      left -= distance;
      if (left <= 0) break;
    }
    const seed = points[next]!;
    chosen.push(seed);
    for (const [point, distance] of nearest.entries()) {
      nearest[point] = Math.min(distance, squaredDistance(points[point]!, seed));
    }
  }
  return chosen;
}

/** Assigns each point to its nearest centre. Tie-break: the first centre. */
function assign(points: Points, centres: Float64Array[]): Clustering {
  const groups = new Int32Array(points.length);
  let inertia = 0;
  for (const [index, point] of points.entries()) {
    let least = Infinity;
    for (const [group, centre] of centres.entries()) {
      const distance = squaredDistance(point, centre);
      if (distance >= least) continue;
      least = distance;
      groups[index] = group;
    }
    inertia += least;
  }
  return { groups, centres, inertia };
}

/** The means of the groups. An empty group takes the point that is farthest from its centre. */
function centresOf(points: Points, { groups, centres }: Clustering, k: number): Float64Array[] {
  const length = points[0]!.length;
  const sums = Array.from({ length: k }, () => new Float64Array(length));
  const sizes = new Float64Array(k);
  for (const [index, point] of points.entries()) {
    const group = groups[index]!;
    sizes[group]!++;
    for (let i = 0; i < length; i++) sums[group]![i]! += point[i]!;
  }
  return sums.map((sum, group) => {
    if (sizes[group] !== 0) return sum.map((value) => value / sizes[group]!);
    let farthest = 0;
    let most = -1;
    for (const [index, point] of points.entries()) {
      const distance = squaredDistance(point, centres[groups[index]!]!);
      if (distance > most) [farthest, most] = [index, distance];
    }
    return points[farthest]!;
  });
}

function squaredDistance(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum;
}
