/** A point of a series: time in seconds since the epoch, and a value or null for a break. */
export interface Point {
  t: number;
  v: number | null;
}

interface Bucket {
  min: Point & { v: number };
  max: Point & { v: number };
}

/** Points kept for each bucket: minimum, maximum and a break. */
const PER_BUCKET = 3;

/**
 * Downsamples a series as a stream. The window is divided into equal buckets; each keeps its minimum, its maximum and its
 * first break, so that no extreme and no gap is lost. The newest point is always kept. The memory does not depend on the
 * length of the series.
 */
export class Downsampler {
  readonly #from: number;
  readonly #width: number;
  readonly #values: (Bucket | undefined)[];
  readonly #breaks: (number | undefined)[];
  #newest: Point | undefined;

  /**
   * @param from start of the window, seconds since the epoch
   * @param to end of the window
   * @param most largest number of points in the output, at least 4
   */
  constructor(from: number, to: number, most: number) {
    const buckets = Math.floor((most - 1) / PER_BUCKET);
    this.#from = from;
    this.#width = Math.max(1e-9, (to - from) / buckets);
    this.#values = new Array<Bucket | undefined>(buckets);
    this.#breaks = new Array<number | undefined>(buckets);
  }

  /** Takes the next point. A point outside the window goes into the nearest bucket. */
  push(t: number, v: number | null): void {
    const last = this.#values.length - 1;
    const at = Math.min(last, Math.max(0, Math.floor((t - this.#from) / this.#width)));
    if (v === null) {
      this.#breaks[at] ??= t;
      return;
    }
    const point = { t, v };
    this.#newest = point;
    const bucket = this.#values[at];
    if (bucket === undefined) {
      this.#values[at] = { min: point, max: point };
      return;
    }
    if (v < bucket.min.v) bucket.min = point;
    if (v > bucket.max.v) bucket.max = point;
  }

  /** The kept points, in time order. */
  points(): Point[] {
    const points: Point[] = [];
    for (let i = 0; i < this.#values.length; i++) {
      const bucket = this.#values[i];
      const kept: Point[] = bucket === undefined ? [] : [bucket.min];
      if (bucket !== undefined && bucket.max !== bucket.min) kept.push(bucket.max);
      const gap = this.#breaks[i];
      if (gap !== undefined) kept.push({ t: gap, v: null });
      points.push(...kept.sort((a, b) => a.t - b.t));
    }
    const newest = this.#newest;
    if (newest !== undefined && !points.includes(newest)) {
      points.push(newest);
      points.sort((a, b) => a.t - b.t);
    }
    return points;
  }
}
