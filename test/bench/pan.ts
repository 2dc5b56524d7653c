import { join } from "node:path";
import type { Browser } from "playwright-core";
import { percentile, withFolder } from "./measure.ts";

const VIEWS = join(import.meta.dir, "../../views/islands");
/** Points of the chart: one a minute. */
export const POINTS = 100_000;
/** Frames it is panned for: five seconds at 60 a second. */
const FRAMES = 300;
/** Share of the points in view while it is panned. */
const IN_VIEW = 0.5;

/** How a chart moves. */
export interface Panned {
  framesPerSecond: number;
  /** ms from one frame to the next that 95 of 100 do not exceed. */
  p95: number;
  /** ms of the script in each frame, the middle one: with the rest of a frame the browser paints. */
  script: number;
}

/** Pans a chart of {@link POINTS} points, with gaps, in a bare page: uPlot and the paint of the pages' islands. */
export function pan(browser: Browser): Promise<Panned> {
  return withFolder(async (folder) => {
    const entry = join(folder, "entry.ts");
    await Bun.write(
      entry,
      `import uPlot from ${JSON.stringify(Bun.resolveSync("uplot", import.meta.dir))};
       import { paintEnd, paintGaps, readPalette } from ${JSON.stringify(join(VIEWS, "chart-paint.ts"))};
       Object.assign(globalThis, { uPlot, paintEnd, paintGaps, readPalette });`,
    );
    const built = await Bun.build({ entrypoints: [entry], target: "browser", minify: true });
    const script = (await built.outputs[0]?.text()) ?? "";
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    try {
      await page.setContent(`<!doctype html><div id="chart"></div>`);
      await page.addScriptTag({ content: script });
      const { times, scripts } = await page.evaluate<{ times: number[]; scripts: number[] }>(PAN);
      const steps = times.slice(1).map((at, index) => at - times[index]!);
      const total = times.at(-1)! - times[0]!;
      return {
        framesPerSecond: (steps.length * 1000) / total,
        p95: percentile(steps, 0.95),
        script: percentile(scripts, 0.5),
      };
    } finally {
      await page.close();
    }
  });
}

/** Runs in the page. Every thousandth point is a break, so that there are gaps to hatch. */
const PAN = `new Promise((resolve) => {
  const n = ${POINTS};
  const t = Array.from({ length: n }, (_, i) => i * 60);
  const v = t.map((_, i) => (i % 1000 === 0 ? null : 10 + 8 * Math.sin(i / 230) + Math.sin(i * 1.7)));
  const series = { city: "London", t, v, gap: 180 };
  const root = document.getElementById("chart");
  const palette = { ...readPalette(root, 1), hatch: "#ccc", background: "#fff", muted: "#555" };
  const width = n * 60 * ${IN_VIEW};
  let from = 0;
  const plot = new uPlot({
    width: 1200, height: 400, legend: { show: false }, cursor: { show: false },
    scales: { x: { time: true, range: () => [from, from + width] }, y: { range: () => [0, 20] } },
    series: [{}, { stroke: "#036", width: 2, points: { show: false } }],
    hooks: { drawAxes: [(one) => paintGaps(one, series, palette)], draw: [(one) => paintEnd(one, series, "#036")] },
  }, [t, v], root);
  const times = [];
  const scripts = [];
  const frame = (at) => {
    times.push(at);
    if (times.length > ${FRAMES}) return resolve({ times, scripts });
    const started = performance.now();
    from = (n * 60 - width) * (times.length / ${FRAMES});
    plot.setScale("x", { min: from, max: from + width });
    // uPlot draws in a microtask: by now it has.
    Promise.resolve().then(() => scripts.push(performance.now() - started));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})`;
