import type { Series } from "../core/chart-history.ts";

/** Where a line is drawn, in units of its SVG. */
export interface Box {
  width: number;
  height: number;
  /** Room left at each edge. */
  pad: number;
}

/** A sparkline's box. */
export const SPARK: Box = { width: 120, height: 36, pad: 4 };

/** Most points of a line: more would not be seen and would weigh on the page. */
const POINTS = 64;
/** A smaller range than this is noise and is not blown up, in the variable's unit. */
const SMALLEST_RANGE = 1;

/** An SVG path and where it ends. */
export interface Line {
  d: string;
  end: { x: number; y: number } | null;
}

/**
 * Draws a series as an SVG path: breaks are breaks, and time runs from `from` to `to`, so that a line that ended early
 * ends early.
 *
 * @param from seconds since the epoch, at the left edge
 * @param to seconds since the epoch, at the right edge
 * @param range of the values; by default the series' own
 * @param most about how many points are drawn: the ends of each stretch, and of the rest every nth
 */
export function lineOf(
  series: Series,
  from: number,
  to: number,
  box: Box,
  range?: { min: number; max: number },
  most: number = POINTS,
): Line {
  const values = series.v.filter((v) => v !== null);
  const min = range?.min ?? Math.min(...values);
  const max = range?.max ?? Math.max(...values);
  const room = Math.max(max - min, SMALLEST_RANGE);
  const middle = (min + max) / 2;
  const x = (t: number) => round(box.pad + ((t - from) / Math.max(1, to - from)) * (box.width - 2 * box.pad));
  const y = (v: number) => round(box.height / 2 - ((v - middle) / room) * (box.height - 2 * box.pad));
  const step = Math.max(1, Math.ceil(series.t.length / most));
  let d = "";
  let pen = false;
  let end: Line["end"] = null;
  const last = series.v.findLastIndex((v) => v !== null);
  series.t.forEach((t, i) => {
    const v = series.v[i] ?? null;
    if (v === null || t < from) {
      pen = false;
      return;
    }
    const edge = i === last || series.v[i + 1] === null;
    if (pen && i % step !== 0 && !edge) return;
    const point = { x: x(t), y: y(v) };
    // A lone point gets a line of no length, which a round cap makes a dot.
    d += pen ? `L${point.x} ${point.y}` : `M${point.x} ${point.y}h0`;
    pen = true;
    end = point;
  });
  return { d, end };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
