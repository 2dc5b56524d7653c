import type { Clock } from "../../core/clock.ts";
import { parseTimestamp } from "../../core/time.ts";
import type { History, Series } from "../../core/chart-history.ts";
import { Downsampler } from "./downsample.ts";
import type { RowQuery } from "../../jobs/readers/lake-queries.ts";
import type { Services } from "./services.ts";

/** Largest number of points of a line: a screen shows no more. */
const POINTS = 600;
/** Rows read at a time. */
const PAGE = 5000;
/** The expected interval is the median of this number of past intervals. */
const INTERVALS = 5;
/** A distance of more than this number of expected intervals is a gap. */
const GAP_INTERVALS = 3;

/** The cities and the time window of a chart. */
export interface HistoryQuery {
  cities: readonly string[];
  /** ms since the epoch, inclusive. */
  from: number;
  /** ms since the epoch, exclusive. */
  to: number;
  /** Lower bound for a gap, seconds. */
  staleAfterSeconds: number;
}

/**
 * The temperature of some cities for a chart: downsampled, with a break where a value is missing or two points are more than
 * three expected intervals apart.
 *
 * @throws whatever the lake or the engine throws
 */
export async function readHistory(services: Services, query: HistoryQuery): Promise<History> {
  const series = await Promise.all(query.cities.map((city) => readSeries(services, city, query)));
  return { from: query.from / 1000, to: query.to / 1000, series };
}

async function readSeries(services: Services, city: string, query: HistoryQuery): Promise<Series> {
  const { from, to, staleAfterSeconds } = query;
  const sampler = new Downsampler(from / 1000, to / 1000, POINTS);
  const gaps = new GapFinder(staleAfterSeconds);
  let after: RowQuery["after"] = null;
  for (;;) {
    const page = await services.observations({ city, from, to, limit: PAGE, after });
    for (const { timestamp, temperature, q_time } of page.rows) {
      if (q_time === 4) continue; // nobody can say what it is of
      const t = parseTimestamp(timestamp) / 1000;
      const gap = gaps.before(t);
      if (gap !== undefined) sampler.push(gap, null);
      sampler.push(t, temperature);
    }
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) break;
    after = { timestamp: last.timestamp, city: last.city, source: last.source };
  }
  const points = sampler.points();
  return { city, t: points.map(({ t }) => t), v: points.map(({ v }) => v), gap: gaps.threshold };
}

/** Time for which a result is shared by equal requests, ms. The live stream delivers newer values. */
const SHARED_MS = 2000;

/**
 * Shares the history between requests: equal requests during the read, or shortly after it, get the same result.
 *
 * @param read reads the last `hours` hours of some cities
 */
export function sharedHistory(
  clock: Clock,
  read: (hours: number, cities: readonly string[]) => Promise<History>,
): (hours: number, cities: readonly string[]) => Promise<History> {
  const kept = new Map<string, { until: number; history: Promise<History> }>();
  return (hours, cities) => {
    const wanted = JSON.stringify([hours, ...cities]);
    const now = clock.now();
    for (const [key, { until }] of kept) if (until <= now) kept.delete(key);
    const known = kept.get(wanted);
    if (known !== undefined) return known.history;
    const entry = { until: Infinity, history: read(hours, cities) };
    kept.set(wanted, entry);
    entry.history.then(
      () => (entry.until = clock.now() + SHARED_MS),
      () => kept.delete(wanted), // the waiting requests get the error; the next request tries again
    );
    return entry.history;
  };
}

/** Finds gaps in a stream of points. It learns the expected interval from the last few, because it may change over time. */
export class GapFinder {
  readonly #staleAfter: number;
  #intervals: number[] = [];
  #last: number | undefined;

  /** @param staleAfterSeconds lower bound for a gap */
  constructor(staleAfterSeconds: number) {
    this.#staleAfter = staleAfterSeconds;
  }

  /** Points that are further apart than this are not joined by a line, seconds. */
  get threshold(): number {
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    if (median === undefined) return this.#staleAfter;
    return Math.max(this.#staleAfter, GAP_INTERVALS * median);
  }

  /** Takes the next point. @returns the time of a break before it; undefined if a line joins it to the previous point */
  before(t: number): number | undefined {
    const last = this.#last;
    this.#last = t;
    if (last === undefined || t === last) return undefined;
    const known = this.#intervals.length > 0;
    const threshold = this.threshold;
    this.#intervals = [...this.#intervals.slice(1 - INTERVALS), t - last];
    return known && t - last > threshold ? (last + t) / 2 : undefined;
  }
}
