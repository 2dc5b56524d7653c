import { HOUR_MS } from "../core/time.ts";
import type { PlotTick } from "./plot.ts";
import type { ZoneTime } from "./zone-time.ts";

/** Steps between labels, hours: up to how many hours of a window each serves. */
const STEPS = [
  { upTo: 1.5, hours: 1 / 6 },
  { upTo: 5, hours: 1 / 2 },
  { upTo: 14, hours: 1 },
  { upTo: 40, hours: 3 },
  { upTo: 80, hours: 6 },
  { upTo: 100, hours: 12 },
  { upTo: 24 * 12, hours: 24 },
  { upTo: 24 * 24, hours: 48 },
  { upTo: 24 * 40, hours: 96 },
  { upTo: Infinity, hours: 24 * 7 },
];
/** Clocks of all zones show full hours at a multiple of this, and round minutes at one of the other. */
const QUARTER_MS = HOUR_MS / 4;
const MINUTES_MS = 5 * 60_000;

/**
 * Labels for a window of time: full hours of the zone's own clocks, or round minutes of a short one, and the day where a
 * day begins. Every second one is minor.
 *
 * @param from ms since the epoch
 * @param to ms since the epoch
 * @param unit what one of the plot's x is, ms: 1000 where it is drawn in seconds
 */
export function timeTicks(from: number, to: number, time: ZoneTime, unit = 1): PlotTick[] {
  const step = STEPS.find(({ upTo }) => (to - from) / HOUR_MS <= upTo)?.hours ?? 24;
  const ticks: PlotTick[] = [];
  if (step < 1) {
    for (let ms = Math.ceil(from / MINUTES_MS) * MINUTES_MS; ms <= to; ms += MINUTES_MS) {
      const clock = time.clock(ms);
      if (Number(clock.slice(3)) % (step * 60) !== 0) continue;
      ticks.push({
        x: ms / unit,
        label: clock === "00:00" ? time.day(ms) : clock,
        minor: ticks.length % 2 === 1,
      });
    }
    return ticks;
  }
  let days = 0;
  for (let ms = Math.ceil(from / QUARTER_MS) * QUARTER_MS; ms <= to;) {
    const clock = time.clock(ms);
    if (!clock.endsWith(":00")) {
      ms += QUARTER_MS;
      continue;
    }
    const hour = Number(clock.slice(0, 2));
    const isDay = hour === 0;
    if (step >= 24 ? isDay && days++ % (step / 24) === 0 : hour % step === 0) {
      ticks.push({ x: ms / unit, label: isDay ? time.day(ms) : clock, minor: ticks.length % 2 === 1 });
    }
    ms += HOUR_MS;
  }
  return ticks;
}
