/** A point of a line: seconds since the epoch, or any other number; null for a break. */
export interface PlotPoint {
  x: number;
  y: number | null;
}

/** A point with bounds around it. */
export interface BandPoint {
  x: number;
  low: number | null;
  high: number | null;
}

/** Where values lie in a plot. */
export interface PlotScale {
  min: number;
  max: number;
}

/** Width of the inner drawing; it is stretched to the room there is. */
export const PLOT_WIDTH = 1000;

/** About how many lines a plot's height carries. */
const TICKS = 5;

/**
 * Round values on a scale, about five of them: 1, 2 or 5 times a power of ten apart.
 *
 * @param most about how many
 */
export function ticksOf({ min, max }: PlotScale, most: number = TICKS): number[] {
  const rough = (max - min) / Math.max(1, most - 1);
  if (!(rough > 0)) return [min];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) ticks.push(i * step || 0); // and no −0
  return ticks;
}

/** Decimals that tell the ticks apart. */
export function digitsOf(ticks: readonly number[]): number {
  const step = ticks.length < 2 ? 1 : (ticks[1] as number) - (ticks[0] as number);
  return Math.max(0, Math.min(4, -Math.floor(Math.log10(step) + 1e-9)));
}

/**
 * The scale of values: from the lowest to the highest with a little room, never narrower than `least`.
 *
 * @param values null counts for nothing; without any value the scale is 0 to `least`
 * @param least smallest width, in the values' unit: a smaller range is noise and is not blown up
 */
export function plotScale(values: Iterable<number | null>, least: number): PlotScale {
  let min = Infinity;
  let max = -Infinity;
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return { min: 0, max: least };
  const width = Math.max(max - min, least);
  const middle = (min + max) / 2;
  return { min: middle - width * 0.55, max: middle + width * 0.55 };
}

/** Draws in a box of {@link PLOT_WIDTH} by `height`. */
export class Plotter {
  readonly #x: PlotScale;
  readonly #y: PlotScale;
  readonly #height: number;

  constructor(x: PlotScale, y: PlotScale, height: number) {
    this.#x = x;
    this.#y = y;
    this.#height = height;
  }

  /** Where an x lies, in the box's units. */
  x(value: number): number {
    return round(this.share(value) * PLOT_WIDTH);
  }

  /** Where an x lies, as a share of the width. */
  share(value: number): number {
    return (value - this.#x.min) / Math.max(1e-12, this.#x.max - this.#x.min);
  }

  /** Where an x lies, as an attribute: `12.3%`. */
  percent(value: number): string {
    return `${Math.round(this.share(value) * 10_000) / 100}%`;
  }

  /** Where a y lies, from the top. */
  y(value: number): number {
    return round(this.#height - ((value - this.#y.min) / (this.#y.max - this.#y.min)) * this.#height);
  }

  /** A line; nothing is drawn across a break, and a lone point is a dot under a round cap. */
  line(points: readonly PlotPoint[]): string {
    let d = "";
    let pen = false;
    for (const { x, y } of points) {
      if (y === null) {
        pen = false;
        continue;
      }
      d += pen ? `L${this.x(x)} ${this.y(y)}` : `M${this.x(x)} ${this.y(y)}h0`;
      pen = true;
    }
    return d;
  }

  /** The area between bounds, a piece for each stretch that has both. */
  band(points: readonly BandPoint[]): string {
    let d = "";
    let stretch: { x: number; low: number; high: number }[] = [];
    const close = () => {
      const first = stretch[0];
      if (first !== undefined && stretch.length > 1) {
        const upper = stretch.map(({ x, high }) => `${this.x(x)} ${this.y(high)}`).join("L");
        const lower = stretch.map(({ x, low }) => `${this.x(x)} ${this.y(low)}`).toReversed();
        d += `M${upper}L${lower.join("L")}Z`;
      }
      stretch = [];
    };
    for (const { x, low, high } of points) {
      if (low === null || high === null) close();
      else stretch.push({ x, low, high });
    }
    close();
    return d;
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** A label below a plot. */
export interface PlotTick {
  x: number;
  label: string;
  /** Left out where there is little room. */
  minor?: boolean;
}
