import { HOUR_MS } from "../../../core/time.ts";
import {
  type CityTrend,
  TREND_RANGES,
  TREND_VARIABLES,
  type TrendsPageProps,
} from "../../../views/pages/trends/trends.tsx";
import type { PlotPoint } from "../../../views/plot.ts";
import type { Units } from "../../../views/units.ts";
import { zoneTime } from "../../../views/zone-time.ts";
import type { Services } from "../../answers/services.ts";
import { columnsOf } from "../../answers/result-columns.ts";

/** Most cities of the page; the API has the rest. */
const CITIES = 50;

/** How each city went from hour to hour, by the newest result. */
export function trendsPageOf(
  services: Services,
  now: number,
  units: Units,
  { variable, range }: Pick<TrendsPageProps, "variable" | "range">,
): TrendsPageProps {
  const result = services.analytics.result("hourly_trends");
  if (result === null) return { now, units, variable, range, result: null };
  const read = columnsOf(result.table);
  const column = `${TREND_VARIABLES[variable]}_mean`;
  const hours = new Map<string, PlotPoint[]>();
  let to = -Infinity;
  for (let row = 0; row < result.table.numRows; row++) {
    const x = read.number("hour", row);
    const city = read.text("city", row);
    if (x === null || city === null) continue;
    to = Math.max(to, x);
    const points = hours.get(city) ?? [];
    points.push({ x, y: read.number(column, row) });
    hours.set(city, points);
  }
  if (to === -Infinity) to = now;
  const from = to - (TREND_RANGES[range] - 1) * HOUR_MS;
  const cities = services
    .cities()
    .filter(({ name }) => hours.has(name))
    .slice(0, CITIES)
    .map(({ name, slug, zone }): CityTrend => {
      const own = (hours.get(name) ?? []).filter(({ x }) => x >= from).sort((a, b) => a.x - b.x);
      const shown = zoneTime(units.time === "city" ? zone : null);
      return { name, slug, zone, points: wholeHours(own), byHour: byHour(own, shown.hour) };
    });
  return { now, units, variable, range, result: { info: result, from, to, cities } };
}

/** The hours with a break where one is missing. */
function wholeHours(points: readonly PlotPoint[]): PlotPoint[] {
  return points.flatMap((point, i) => {
    const before = points[i - 1];
    const gap = before !== undefined && point.x - before.x > HOUR_MS;
    return gap ? [{ x: before.x + HOUR_MS, y: null }, point] : [point];
  });
}

/** The mean of each hour of the day; null for an hour without a value. */
function byHour(points: readonly PlotPoint[], hourOf: (ms: number) => number): (number | null)[] {
  const sums = Array.from({ length: 24 }, () => ({ sum: 0, n: 0 }));
  for (const { x, y } of points) {
    const cell = sums[hourOf(x)];
    if (y === null || cell === undefined) continue;
    cell.sum += y;
    cell.n++;
  }
  return sums.map(({ sum, n }) => (n === 0 ? null : sum / n));
}
