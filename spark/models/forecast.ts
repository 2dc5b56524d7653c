import type { Table, Vector } from "apache-arrow";
import { HOUR_MS } from "../../core/time.ts";
import { tableOf } from "./columns.ts";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";
import { type Issue, RollingForecast } from "./rolling-forecast.ts";
import { LEADS } from "./temperature-forecaster.ts";

/** Observed hours processed before it yields to the event loop: about 3 ms. */
const HOURS_PER_TURN = 512;

/** Cities whose result rows are written before it yields to the event loop. */
const CITIES_PER_TURN = 50;
const DAY = 24;

/** What is known of one city after its last hour. */
interface Outlook {
  city: string;
  /** Source of the newest observation. */
  source: string;
  /** Time of the newest observation, whole hours since the epoch. */
  hour: number;
  /** Hours of history. */
  n: number;
  /** Hours of history that come from another source than `source`. */
  nOther: number;
  /** Temperatures of the last hours, °C, the newest last; NaN where an hour is missing. */
  recent: Float64Array;
  issue: Issue | null;
  coverage: Float64Array;
}

/**
 * Forecasts the temperature of each city for the 48 hours after its newest observation (docs/forecast.md).
 *
 * @param rows `city`, `source`, `hour` (a point in time), `temperature` (°C): one row a city and hour, sorted by them;
 *   the first hours of a city may be of another source than the rest
 * @returns 48 rows a city, sorted by city and lead. `status` is `ok`, `insufficient data` (no forecast with an interval), or
 *   `silent` (the city's newest observation is so old that its forecast would end before the other cities' newest one)
 * @throws EngineError `cancelled` after `signal` aborts
 */
export async function forecastModel(rows: Table, signal?: AbortSignal): Promise<Table> {
  return resultOf(await outlooksOf(rows, signal), signal);
}

/** Runs the forecaster over the rows, city by city, and yields to the event loop from time to time. */
async function outlooksOf(rows: Table, signal?: AbortSignal): Promise<Outlook[]> {
  const outlooks: Outlook[] = [];
  const [cities, sources, hours, temperatures] = ["city", "source", "hour", "temperature"].map(
    (name) => rows.getChild(name) as Vector,
  ) as [Vector, Vector, Vector, Vector];
  const hourAt = (row: number): number => Math.round(Number(hours.get(row)) / HOUR_MS);
  for (let start = 0; start < rows.numRows;) {
    const city = String(cities.get(start));
    const forecast = new RollingForecast();
    let end = start;
    for (; end < rows.numRows && cities.get(end) === city; end++) {
      if (end % HOURS_PER_TURN === 0) await yieldToEventLoop(signal);
      forecast.observe(hourAt(end), Number(temperatures.get(end)));
    }
    const hour = hourAt(end - 1);
    const source = String(sources.get(end - 1));
    let nOther = 0;
    while (sources.get(start + nOther) !== source) nOther++;
    const recent = new Float64Array(LEADS).fill(NaN);
    for (let row = end - 1; row >= start && hourAt(row) > hour - LEADS; row--) {
      recent[LEADS - 1 - (hour - hourAt(row))] = Number(temperatures.get(row));
    }
    outlooks.push({
      city,
      source,
      hour,
      n: end - start,
      nOther,
      recent,
      issue: forecast.latest,
      coverage: Float64Array.from({ length: LEADS }, (_, i) => forecast.coverage(i + 1)),
    });
    start = end;
  }
  return outlooks;
}

async function resultOf(outlooks: readonly Outlook[], signal?: AbortSignal): Promise<Table> {
  const length = outlooks.length * LEADS;
  const doubles = () => new Float64Array(length).fill(NaN);
  const texts = () => new Array<string | null>(length).fill(null);
  const [city, source, method, status] = [texts(), texts(), texts(), texts()];
  const [issuedAt, timestamp] = [doubles(), doubles()];
  const [temperature, lower, upper, coverage] = [doubles(), doubles(), doubles(), doubles()];
  const [persistence, seasonalNaive] = [doubles(), doubles()];
  const [lead, n, nOther] = [new Int32Array(length), new Int32Array(length), new Int32Array(length)];
  const newest = outlooks.reduce((hour, one) => Math.max(hour, one.hour), -Infinity);
  for (const [index, outlook] of outlooks.entries()) {
    if (index % CITIES_PER_TURN === 0) await yieldToEventLoop(signal);
    const silent = outlook.hour + LEADS < newest;
    for (let i = 0; i < LEADS; i++) {
      const row = index * LEADS + i;
      city[row] = outlook.city;
      source[row] = outlook.source;
      issuedAt[row] = outlook.hour * HOUR_MS;
      lead[row] = i + 1;
      timestamp[row] = (outlook.hour + i + 1) * HOUR_MS;
      n[row] = outlook.n;
      nOther[row] = outlook.nOther;
      coverage[row] = outlook.coverage[i]!;
      status[row] = silent ? "silent" : "insufficient data";
      if (silent) continue;
      persistence[row] = outlook.recent[LEADS - 1]!;
      // Seasonal naive forecast: the value observed 24 hours before, or 48 hours for leads over 24.
      seasonalNaive[row] = outlook.recent[LEADS + i - DAY * Math.ceil((i + 1) / DAY)]!;
      const { issue } = outlook;
      const halfWidth = issue?.halfWidth[i] ?? NaN;
      if (issue === null || Number.isNaN(halfWidth)) continue;
      status[row] = "ok";
      method[row] = issue.method;
      temperature[row] = issue.temperature[i]!;
      lower[row] = issue.temperature[i]! - halfWidth;
      upper[row] = issue.temperature[i]! + halfWidth;
    }
  }
  return tableOf(
    {
      city: { type: "text", values: city },
      source: { type: "text", values: source },
      issued_at: { type: "timestamp", values: issuedAt },
      lead: { type: "int", values: lead },
      timestamp: { type: "timestamp", values: timestamp },
      temperature: { type: "double", values: temperature },
      lower: { type: "double", values: lower },
      upper: { type: "double", values: upper },
      persistence: { type: "double", values: persistence },
      seasonal_naive: { type: "double", values: seasonalNaive },
      method: { type: "text", values: method },
      n: { type: "int", values: n },
      n_other: { type: "int", values: nOther },
      coverage: { type: "double", values: coverage },
      status: { type: "text", values: status },
    },
    signal,
  );
}
