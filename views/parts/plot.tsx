import { attribute } from "../attribute.ts";
import { formatNumber } from "../format.ts";
import {
  type BandPoint,
  digitsOf,
  PLOT_WIDTH,
  type PlotPoint,
  plotScale,
  Plotter,
  type PlotTick,
  ticksOf,
} from "../plot.ts";

/** A line of a plot. */
export interface PlotLine {
  points: readonly PlotPoint[];
  /** Class of its look: `s1` to `s8` for a city's colour, with `forecast` for what is to come. */
  look: string;
}

/** A chart drawn by the server: no script, no style attribute, the same in print. */
export interface PlotProps {
  /** What is seen, in a sentence. */
  label: string;
  /** The window, in the unit of the points' x. */
  from: number;
  to: number;
  /** Height of the drawing, px. */
  height: number;
  /** Smallest range of the values. */
  least: number;
  lines: readonly PlotLine[];
  bands?: readonly { points: readonly BandPoint[]; look: string }[];
  /** Points that are marked by a ring, each with what it says when it is pointed at. */
  marks?: readonly { x: number; y: number; title: string }[];
  /** Stretches without data. */
  gaps?: readonly { from: number; to: number }[];
  ticks: readonly PlotTick[];
  /** Where the present lies, or null where that has no meaning. */
  now?: number | null;
  /** Bounds that the values have by nature, such as 0 to 100. */
  floor?: number;
  ceiling?: number;
}

/** Room for the names below. */
const FOOT = 22;

/** Lines, bands and marks over time. */
export function Plot(props: PlotProps): JSX.Element {
  const { from, to, height, lines, bands = [], marks = [], gaps = [], ticks, now = null } = props;
  const natural = plotScale(valuesOf(props), props.least);
  const scale = {
    min: Math.max(natural.min, props.floor ?? -Infinity),
    max: Math.min(natural.max, props.ceiling ?? Infinity),
  };
  const plot = new Plotter({ min: from, max: to }, scale, height);
  const levels = ticksOf(scale, Math.max(3, Math.round(height / 44)));
  const digits = digitsOf(levels);
  const foot = ticks.length === 0 ? 6 : FOOT;
  return (
    <div class="plot" role="img" aria-label={attribute(props.label)}>
      <svg class="plot-y" width="44" height={height + foot} aria-hidden="true">
        {levels.map((level) => (
          <text x="36" y={plot.y(level) + 4} text-anchor="end" safe>
            {formatNumber(level, digits)}
          </text>
        ))}
      </svg>
      <svg class="plot-xy" width="100%" height={height + foot} aria-hidden="true">
        {gaps.map((gap) => (
          <rect
            class="gap"
            x={plot.percent(Math.max(from, gap.from))}
            y="0"
            width={`${Math.max(0, Math.round((plot.share(Math.min(to, gap.to)) - plot.share(Math.max(from, gap.from))) * 10_000) / 100)}%`}
            height={height}
          />
        ))}
        {levels.map((level) => (
          <line class="grid" x1="0" x2="100%" y1={plot.y(level)} y2={plot.y(level)} />
        ))}
        <svg viewBox={`0 0 ${PLOT_WIDTH} ${height}`} preserveAspectRatio="none" width="100%" height={height}>
          {bands.map(({ points, look }) => (
            <path class={`band ${attribute(look)}`} d={plot.band(points)} />
          ))}
          {lines.map(({ points, look }) => (
            <path class={`line ${attribute(look)}`} d={plot.line(points)} />
          ))}
        </svg>
        {marks.map(({ x, y, title }) => (
          <circle class="mark-ring" cx={plot.percent(x)} cy={plot.y(y)} r="3.75">
            <title safe>{title}</title>
          </circle>
        ))}
        {now === null || now <= from || now >= to ? (
          ""
        ) : (
          <>
            <line class="now" x1={plot.percent(now)} x2={plot.percent(now)} y1="0" y2={height} />
            <svg x={plot.percent(now)} overflow="visible">
              <text x="5" y="11">
                now
              </text>
            </svg>
          </>
        )}
        {ticks.map(({ x, label, minor }) => (
          <text
            class={minor === true ? "minor" : undefined}
            x={plot.percent(x)}
            y={height + 17}
            text-anchor={anchorOf(plot.share(x))}
            safe
          >
            {label}
          </text>
        ))}
      </svg>
    </div>
  );
}

function* valuesOf({ lines, bands = [] }: PlotProps): Generator<number | null> {
  for (const { points } of lines) for (const { y } of points) yield y;
  for (const { points } of bands) {
    for (const { low, high } of points) {
      yield low;
      yield high;
    }
  }
}

/** A name at an edge grows inwards. */
function anchorOf(share: number): "start" | "middle" | "end" {
  return share < 0.02 ? "start" : share > 0.98 ? "end" : "middle";
}
