import type uPlot from "uplot";
import { formatAge } from "../format.ts";
import { breaksOf, lastOf } from "../series.ts";
import { type Series } from "../../core/chart-history.ts";

/** Colours of a chart for the current theme. */
export interface Palette {
  background: string;
  ink: string;
  muted: string;
  grid: string;
  hatch: string;
  cities: string[];
}

const NAMES = {
  background: "--bg",
  ink: "--ink",
  muted: "--muted",
  grid: "--grid",
  hatch: "--hatch",
} as const;

/**
 * Reads the palette from the page's CSS variables.
 *
 * @param probe an element whose colour may be set: a token may be `light-dark()`, which only the browser can resolve
 * @param cities how many cities have a colour
 */
export function readPalette(probe: HTMLElement, cities: number): Palette {
  const before = probe.style.color;
  const read = (token: string) => {
    probe.style.color = `var(${token})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    ...(Object.fromEntries(Object.entries(NAMES).map(([name, token]) => [name, read(token)])) as Omit<
      Palette,
      "cities"
    >),
    cities: Array.from({ length: cities }, (_, i) => read(`--c${i + 1}`)),
  };
  probe.style.color = before;
  return palette;
}

/** Distance of the hatching lines, and the narrowest gap with room for its label, CSS pixels. */
const HATCH = 7;
const LABEL = 84;

/** Hatches the gaps of a series, under the lines, and labels them with their length if there is room. */
export function paintGaps(plot: uPlot, series: Series, palette: Palette): void {
  const { ctx, bbox } = plot;
  const px = devicePixelRatio;
  for (const gap of breaksOf(series)) {
    const left = Math.max(bbox.left, plot.valToPos(gap.from, "x", true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(gap.to, "x", true));
    if (right - left < 2 * px) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, right - left, bbox.height);
    ctx.clip();
    ctx.strokeStyle = palette.hatch;
    ctx.lineWidth = px;
    ctx.beginPath();
    for (let x = left - bbox.height; x < right; x += HATCH * px) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    if (right - left > LABEL * px) {
      const middle = (left + right) / 2;
      const text = `no data ${formatAge((gap.to - gap.from) * 1000)}`;
      ctx.font = `${11 * px}px system-ui, sans-serif`;
      ctx.textAlign = "center";
      const width = ctx.measureText(text).width + 8 * px;
      ctx.fillStyle = palette.background;
      ctx.fillRect(middle - width / 2, bbox.top + 3 * px, width, 16 * px);
      ctx.fillStyle = palette.muted;
      ctx.fillText(text, middle, bbox.top + 15 * px);
    }
    ctx.restore();
  }
}

/** A dot on the newest value of a series. */
export function paintEnd(plot: uPlot, series: Series, color: string): void {
  const last = lastOf(series);
  if (last === undefined) return;
  const { ctx } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.arc(plot.valToPos(last.t, "x", true), plot.valToPos(last.v, "y", true), 3.6 * devicePixelRatio, 0, 7);
  ctx.fillStyle = color;
  ctx.fill();
  ctx.restore();
}
