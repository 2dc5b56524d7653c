import type { Place } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { HOUR_MS, parseTimestamp } from "../../core/time.ts";
import type { ForecastVerification, MissedForecast } from "../../core/forecast-verification.ts";
import type { RowQuery } from "../../jobs/readers/lake-queries.ts";
import type { Result } from "../../jobs/analytics/results.ts";
import type { Services } from "./services.ts";
import { pageClock } from "./page-clock.ts";
import { columnsOf } from "./result-columns.ts";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";

/** Groups of leads that are verified together, hours. */
const LEADS = [
  { from: 1, to: 6 },
  { from: 7, to: 12 },
  { from: 13, to: 24 },
  { from: 25, to: 48 },
] as const;

/** Largest number of cities whose forecasts are shown and verified. */
const CITIES = 50;

/** Number of largest misses that are shown. */
const MISSES = 8;

/** Rows read at a time. */
const PAGE = 5_000;

/** Minutes before a full hour from which on an observation belongs to it: from 15 minutes before to less than 45 after. */
const BEFORE_MINUTES = 15;

/** One hour of one forecast, °C; times are ms. */
interface Forecast {
  source: string;
  issued: number;
  lead: number;
  time: number;
  value: number;
  lower: number;
  upper: number;
}

/**
 * Verifies the past forecasts in the lake against the observations made since. It chooses the value of an hour in the same
 * way as the forecast does (`spark/forecast.sql`): the observation of the same source that is nearest to the full hour,
 * without values that failed quality control. If several runs forecast from the same hour, only the newest is verified.
 *
 * @param cities names of the cities to verify
 * @param until later hours cannot be observed yet, ms
 * @throws whatever the lake or the engine throws
 */
export async function verifyForecasts(
  services: Services,
  cities: readonly string[],
  until: number,
): Promise<ForecastVerification> {
  const past = await pastForecasts(services, new Set(cities), until);
  const leads = LEADS.map(({ from, to }) => ({ from, to, n: 0, within: 0, error: 0, bias: 0 }));
  const misses: MissedForecast[] = [];
  const issues = new Set<number>();
  for (const [city, forecasts] of past) {
    const seen = await observedHours(services, city, forecasts);
    for (const one of forecasts) {
      const observed = seen.get(hourKey(one.source, one.time));
      const bucket = leads.find(({ from, to }) => one.lead >= from && one.lead <= to);
      if (observed === undefined || bucket === undefined) continue;
      issues.add(one.issued);
      bucket.n++;
      bucket.error += Math.abs(one.value - observed);
      bucket.bias += one.value - observed;
      if (observed >= one.lower && observed <= one.upper) bucket.within++;
      else misses.push({ city, ...one, observed });
    }
  }
  const sum = (pick: (lead: (typeof leads)[number]) => number) =>
    leads.reduce((total, lead) => total + pick(lead), 0);
  return {
    n: sum(({ n }) => n),
    within: sum(({ within }) => within),
    since: issues.size === 0 ? null : issues.values().reduce((a, b) => Math.min(a, b)),
    issues: issues.size,
    leads: leads.map(({ from, to, n, within, error, bias }) => ({
      from,
      to,
      n,
      within,
      error: n === 0 ? null : error / n,
      bias: n === 0 ? null : bias / n,
    })),
    misses: misses.sort((a, b) => b.time - a.time || a.lead - b.lead).slice(0, MISSES),
  };
}

/** Cities whose forecasts are shown and verified: the first of the configuration. */
export function forecastCities(services: Services): readonly Place[] {
  return services.cities().slice(0, CITIES);
}

/** Cache of the verifications, by the newest forecast. */
const verifications = new WeakMap<Result, Promise<ForecastVerification>>();

/**
 * The verification of past forecasts, computed once for each new forecast and shared by all requests; null before the first
 * forecast.
 *
 * @throws whatever the lake or the engine throws; the next request tries again
 */
export async function forecastVerification(
  services: Services,
  clock: Clock,
): Promise<ForecastVerification | null> {
  const newest = services.analytics.result("forecast");
  if (newest === null) return null;
  const known = verifications.get(newest);
  if (known !== undefined) return known;
  const cities = forecastCities(services).map(({ name }) => name);
  const made = verifyForecasts(services, cities, pageClock(services, clock.now()));
  verifications.set(newest, made);
  made.catch(() => verifications.delete(newest)); // the waiting requests get the error
  return made;
}

/** The past forecasts for hours that are over, by city. */
async function pastForecasts(
  services: Services,
  cities: ReadonlySet<string>,
  until: number,
): Promise<Map<string, Forecast[]>> {
  const found = new Map<string, Forecast[]>();
  /** The run that is verified, by city and hour of issue. */
  const counted = new Map<string, string>();
  for await (const { run, table } of services.analytics.past("forecast")) {
    await yieldToEventLoop();
    const read = columnsOf(table);
    for (let row = 0; row < table.numRows; row++) {
      const time = read.number("timestamp", row);
      if (time === null || time > until || read.text("status", row) !== "ok") continue;
      const city = read.text("city", row) ?? "";
      const issued = read.number("issued_at", row);
      if (!cities.has(city) || issued === null) continue;
      const key = `${issued} ${city}`;
      if ((counted.get(key) ?? run) !== run) continue;
      counted.set(key, run);
      const value = read.number("temperature", row);
      const [lower, upper] = [read.number("lower", row), read.number("upper", row)];
      if (value === null || lower === null || upper === null) continue;
      const one = {
        source: read.text("source", row) ?? "",
        issued,
        lead: read.number("lead", row) ?? 0,
        time,
        value,
        lower,
        upper,
      };
      const known = found.get(city);
      if (known === undefined) found.set(city, [one]);
      else known.push(one);
    }
  }
  return found;
}

/** The observed temperature by source and full hour, over the hours of some forecasts. */
async function observedHours(
  services: Services,
  city: string,
  forecasts: readonly Forecast[],
): Promise<Map<string, number>> {
  const times = forecasts.map(({ time }) => time);
  const from = times.reduce((a, b) => Math.min(a, b)) - BEFORE_MINUTES * 60_000;
  const to = times.reduce((a, b) => Math.max(a, b)) + HOUR_MS - BEFORE_MINUTES * 60_000;
  const nearest = new Map<string, { off: number; temperature: number }>();
  let after: RowQuery["after"] = null;
  for (;;) {
    const page = await services.observations({ city, from, to, limit: PAGE, after });
    for (const { source, timestamp, temperature, temperature_flag } of page.rows) {
      if (temperature === null || temperature_flag === 4) continue;
      const ms = parseTimestamp(timestamp);
      const hour = Math.floor((ms + BEFORE_MINUTES * 60_000) / HOUR_MS) * HOUR_MS;
      const key = hourKey(source, hour);
      const off = Math.abs(ms - hour);
      if (off < (nearest.get(key)?.off ?? Infinity)) nearest.set(key, { off, temperature });
    }
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) break;
    after = { timestamp: last.timestamp, city: last.city, source: last.source };
  }
  return new Map(nearest.entries().map(([key, { temperature }]) => [key, temperature]));
}

function hourKey(source: string, hour: number): string {
  return `${hour} ${source}`;
}
