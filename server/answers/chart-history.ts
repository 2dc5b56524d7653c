import type { Clock } from "../../core/clock.ts";
import { parseTimestamp } from "../../core/time.ts";
import type { History, Series } from "../../views/series.ts";
import { Downsampler } from "./downsample.ts";
import type { ObservationQuery, Services } from "./services.ts";

/** Most points of a line: a screen shows no more. */
const POINTS = 600;
/** Rows read at a time. */
const PAGE = 5000;
/** The expected interval is the median of so many past ones. */
const INTERVALS = 5;
/** Longer than this many expected intervals is a gap. */
const GAP_INTERVALS = 3;

/** Which part of the past a chart shows. */
export interface HistoryQuery {
  cities: readonly string[];
  /** ms since the epoch, inclusive. */
  from: number;
  /** ms since the epoch, exclusive. */
  to: number;
  /** A shorter distance than this is no gap, seconds. */
  staleAfterSeconds: number;
}

/**
 * The temperature of some cities as a chart draws it: thinned, with a break where two points are further apart than
 * three expected intervals or a value is missing.
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
  let after: ObservationQuery["after"] = null;
  for (;;) {
    const page = await services.observations({ city, from, to, limit: PAGE, after });
    for (const { timestamp, temperature } of page.rows) {
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

/** How long a reading serves others who want the same, ms: the live stream tells what is newer. */
const SHARED_MS = 2000;

/**
 * Reads the past for many: who asks while it is being read, or shortly after, gets the same reading.
 *
 * @param read reads the past `hours` hours of some cities
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
      () => kept.delete(wanted), // whoever asked is told; the next one tries anew
    );
    return entry.history;
  };
}

/** Finds gaps while points pass. The interval is learnt from the last few, because a source may report hourly at first. */
export class GapFinder {
  readonly #staleAfter: number;
  #intervals: number[] = [];
  #last: number | undefined;

  /** @param staleAfterSeconds a shorter distance than this is no gap */
  constructor(staleAfterSeconds: number) {
    this.#staleAfter = staleAfterSeconds;
  }

  /** Points further apart than this are not joined, seconds. */
  get threshold(): number {
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1];
    if (median === undefined) return this.#staleAfter;
    return Math.max(this.#staleAfter, GAP_INTERVALS * median);
  }

  /** Takes the next point; says where the break before it is, or undefined when it joins the one before. */
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
