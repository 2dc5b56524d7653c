import { DAY_MS, formatTimestamp } from "../core/time.ts";

/** A stretch of time, ms since the epoch. */
export interface TimeWindow {
  from: number;
  to: number;
}

/** The shortest stretch a chart is zoomed to, ms. */
export const SHORTEST_MS = 10 * 60_000;
/** The longest one, ms: a page reads every observation of it. */
export const LONGEST_MS = 100 * DAY_MS;

/** A step zooms by this factor, and moves by this share of what is shown. */
const STEP = { factor: 2, share: 0.5 };

/** Steps that stand as buttons beside a chart. */
export const ZOOM_STEPS = ["earlier", "later", "in", "out"] as const;

/** One of {@link ZOOM_STEPS}. */
export type ZoomStep = (typeof ZOOM_STEPS)[number];

/**
 * A window made wider or narrower, within the bounds of {@link SHORTEST_MS} and {@link LONGEST_MS}.
 *
 * @param factor above 1 shows more time, below 1 less
 * @param at where in the window the time stays in place, as a share of it
 */
export function zoomed({ from, to }: TimeWindow, factor: number, at = 0.5): TimeWindow {
  const width = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (to - from) * factor));
  const fixed = from + (to - from) * at;
  return { from: fixed - width * at, to: fixed + width * (1 - at) };
}

/** A window moved by a share of its width: later where it is above 0. */
export function panned({ from, to }: TimeWindow, share: number): TimeWindow {
  const by = (to - from) * share;
  return { from: from + by, to: to + by };
}

/** A window that ends no later than `latest`, as wide as before, on full seconds as it stands in an address. */
export function bounded({ from, to }: TimeWindow, latest: number): TimeWindow {
  const back = Math.max(0, to - latest);
  return { from: second(from - back), to: second(to - back) };
}

/** What a step leads to. Where it leads nowhere the window comes back as it was, on full seconds. */
export function stepped(step: ZoomStep, window: TimeWindow, latest: number): TimeWindow {
  switch (step) {
    case "earlier":
      return bounded(panned(window, -STEP.share), latest);
    case "later":
      return bounded(panned(window, STEP.share), latest);
    case "in":
      return bounded(zoomed(window, 1 / STEP.factor), latest);
    case "out":
      return bounded(zoomed(window, STEP.factor), latest);
  }
}

/** Whether two windows are the same to the second. */
export function sameWindow(a: TimeWindow, b: TimeWindow): boolean {
  return second(a.from) === second(b.from) && second(a.to) === second(b.to);
}

/** A window as the parameters of an address. */
export function windowParameters({ from, to }: TimeWindow): { from: string; to: string } {
  return { from: formatTimestamp(second(from)), to: formatTimestamp(second(to)) };
}

function second(ms: number): number {
  return Math.round(ms / 1000) * 1000;
}
