import uPlot from "uplot";
import { formatClock, formatDay, formatNumber } from "../format.ts";
import { describeRange } from "../describe.ts";
import { freshOf, rangeOf, valueAt } from "../series.ts";
import { type History } from "../../core/chart-history.ts";
import { paintEnd, paintGaps, type Palette, readPalette } from "./chart-paint.ts";
import { dataNow, STALE_MS } from "./clock.ts";
import { onHistory, pastOf } from "./history.ts";

const HOUR_S = 3600;
const DAY_S = 86_400;
/** uPlot's NULL_EXPAND: a break extends to the neighbouring points of its own line, past points of the other lines. */
const BREAK_TO_NEIGHBOURS = 2;
/** Interval at which the right edge (now) moves if nothing arrives, ms. */
const MOVE_MS = 30_000;

/** The chart of the cities' temperatures: one line each, one of them in focus. It replaces the server's SVG chart. */
class IsoChart extends HTMLElement {
  #plot: uPlot | undefined;
  #palette: Palette | undefined;
  #focus = "";
  #peek: string | undefined;
  #frame = 0;
  #leaving = new AbortController();
  #stops: (() => void)[] = [];

  connectedCallback(): void {
    this.#leaving = new AbortController();
    const { signal } = this.#leaving;
    for (const button of this.#buttons()) {
      const city = button.dataset.focus ?? "";
      if (button.getAttribute("aria-pressed") === "true") this.#focus = city;
      button.addEventListener("click", () => this.#bringForward(city), { signal });
      button.addEventListener("pointerenter", () => this.#show(city), { signal });
      button.addEventListener("pointerleave", () => this.#show(undefined), { signal });
    }
    const size = new ResizeObserver(() => this.#plot?.setSize(this.#box()));
    size.observe(this);
    const repaint = () => this.#draw();
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, { signal });
    const move = setInterval(() => this.#changed(), MOVE_MS);
    this.#stops = [
      onHistory(() => this.#changed()),
      () => size.disconnect(),
      () => theme.disconnect(),
      () => clearInterval(move),
    ];
  }

  disconnectedCallback(): void {
    this.#leaving.abort();
    for (const stop of this.#stops) stop();
    cancelAnimationFrame(this.#frame);
    this.#plot?.destroy();
    this.#plot = undefined;
  }

  #buttons(): NodeListOf<HTMLButtonElement> {
    return (this.closest("figure") ?? this).querySelectorAll<HTMLButtonElement>("[data-focus]");
  }

  #box(): { width: number; height: number } {
    return { width: Math.floor(this.clientWidth), height: Math.floor(this.clientHeight) };
  }

  #bringForward(city: string): void {
    this.#focus = city;
    this.#peek = undefined;
    for (const button of this.#buttons()) {
      button.setAttribute("aria-pressed", String(button.dataset.focus === city));
    }
    this.#draw();
  }

  #show(city: string | undefined): void {
    if (this.#peek === city) return;
    this.#peek = city;
    this.#draw();
  }

  /** Debounces the drawing: at most once a frame. */
  #changed(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      const past = pastOf();
      if (past === undefined) return;
      if (this.#plot === undefined) return this.#draw();
      this.#plot.setData(this.#columns(past));
      this.#legend(undefined);
    });
  }

  /** The lines in drawing order: the one in focus last, so that it is on top. */
  #lines(past: History): { index: number; focus: boolean }[] {
    const wanted = this.#peek ?? this.#focus;
    const at = Math.max(
      0,
      past.series.findIndex(({ city }) => city === wanted),
    );
    const others = past.series
      .map((_, index) => ({ index, focus: false }))
      .filter(({ index }) => index !== at);
    return past.series.length === 0 ? [] : [...others, { index: at, focus: true }];
  }

  /** One column of times for all lines. Where a line has no point at a time it continues; where it has null it breaks. */
  #columns(past: History): uPlot.AlignedData {
    const tables = this.#lines(past).map(({ index }): uPlot.AlignedData => {
      const { t, v } = past.series[index] ?? { t: [], v: [] };
      return [t, v];
    });
    return uPlot.join(
      tables,
      tables.map(() => [0, BREAK_TO_NEIGHBOURS]),
    );
  }

  #draw(): void {
    const past = pastOf();
    if (past === undefined || past.series.length === 0) return;
    const palette = (this.#palette = readPalette(this, past.series.length));
    const lines = this.#lines(past);
    const narrow = this.clientWidth < 520;
    const axis: uPlot.Axis = {
      stroke: palette.muted,
      font: "12px system-ui, sans-serif",
      ticks: { show: false },
      border: { show: false },
      grid: { stroke: palette.grid, width: 1 },
    };
    this.#plot?.destroy();
    this.replaceChildren();
    this.#plot = new uPlot(
      {
        ...this.#box(),
        padding: [8, narrow ? 6 : 10, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { time: true, range: () => windowOf() },
          y: { range: () => room() },
        },
        series: [
          {},
          ...lines.map(({ index, focus }): uPlot.Series => ({
            stroke: palette.cities[index] ?? palette.ink,
            width: focus ? 2.25 : 1.25,
            alpha: focus || lines.length === 1 ? 1 : 0.7,
            // Beyond four lines a dash distinguishes them without colour vision.
            ...(index < 4 ? {} : { dash: [6, 3] }),
            points: { show: false },
            spanGaps: false,
          })),
        ],
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 30,
            gap: 8,
            splits: () => hoursOf(windowOf(), narrow ? 6 : 3, narrow ? 0.06 : 0.03),
            values: (_, at) => at.map((t) => (t % DAY_S === 0 ? formatDay(t * 1000) : formatClock(t * 1000))),
          },
          {
            ...axis,
            size: 38,
            gap: 6,
            space: 44,
            // Without a value the scale has no meaning: no labels.
            values: (_, at) =>
              rangeOf(pastOf()?.series ?? []) === undefined
                ? at.map(() => "")
                : at.map((v) => formatNumber(v, at.every(Number.isInteger) ? 0 : 1)),
          },
        ],
        hooks: {
          drawAxes: [(plot) => this.#inFocus((series) => paintGaps(plot, series, palette))],
          draw: [
            (plot) =>
              this.#inFocus((series, color) => {
                const now = freshOf(series, staleBefore());
                if (now !== null) paintEnd(plot, series, color);
              }),
          ],
          setCursor: [
            ({ cursor, data }) => this.#legend(cursor.idx == null ? undefined : data[0]?.[cursor.idx]),
          ],
        },
      },
      this.#columns(past),
      this,
    );
    this.#legend(undefined);
  }

  #inFocus(paint: (series: History["series"][number], color: string) => void): void {
    const past = pastOf();
    const index = past === undefined ? undefined : this.#lines(past).at(-1)?.index;
    const series = index === undefined ? undefined : past?.series[index];
    if (series !== undefined && index !== undefined) paint(series, this.#palette?.cities[index] ?? "");
  }

  /** Writes the legend's values: those under the cursor, else the newest. */
  #legend(at: number | undefined): void {
    const past = pastOf();
    if (past === undefined) return;
    for (const button of this.#buttons()) {
      const series = past.series.find(({ city }) => city === button.dataset.focus);
      const output = button.querySelector("output");
      if (series === undefined || output === null) continue;
      const text = formatNumber(at === undefined ? freshOf(series, staleBefore()) : valueAt(series, at), 1);
      if (output.textContent !== text) output.textContent = text;
    }
    const range = (this.closest("figure") ?? this).querySelector("[data-part=range]");
    if (range !== null) range.textContent = describeRange(rangeOf(past.series));
  }
}

/** Seconds since the epoch before which a value is stale. */
function staleBefore(): number {
  return (dataNow() - STALE_MS) / 1000;
}

/** The window shown, seconds: it ends now, or at the newest observation if that is later. */
function windowOf(): [number, number] {
  const past = pastOf();
  if (past === undefined) return [0, 1];
  const to = Math.max(past.to, dataNow() / 1000);
  return [to - (past.to - past.from), to];
}

/** The range of the value axis, with a margin at both ends. */
function room(): [number, number] {
  const range = rangeOf(pastOf()?.series ?? []);
  if (range === undefined) return [0, 1];
  const margin = Math.max((range.max - range.min) * 0.06, 0.5);
  return [range.min - margin, range.max + margin];
}

/** Full UTC hours in a window that are multiples of `step`. The last part `without` is left out: a label has no room there. */
function hoursOf([from, end]: [number, number], step: number, without: number): number[] {
  const hours: number[] = [];
  const to = end - (end - from) * without;
  for (let t = Math.ceil(from / (step * HOUR_S)) * step * HOUR_S; t <= to; t += step * HOUR_S) hours.push(t);
  return hours;
}

customElements.define("iso-chart", IsoChart);
