import type { Place } from "../../../core/city.ts";
import { codeOf, messageOf } from "../../../core/errors.ts";
import { HOUR_MS, parseTimestamp } from "../../../core/time.ts";
import type {
  CityDay,
  CityHistoryProps,
  CityPageProps,
  CityRecord,
  HistoryRange,
} from "../../../views/pages/city/city-props.ts";
import type { BandPoint, PlotPoint } from "../../../views/plot.ts";
import type { Units } from "../../../views/units.ts";
import type { TimeWindow } from "../../../views/zoom.ts";
import { anomaliesOf } from "./anomalies.ts";
import { cityNowOf } from "./city-now.ts";
import { cityForecast } from "./forecast.ts";
import { statisticsRows } from "./statistics.ts";
import { FORECAST_NEEDS } from "../../answers/forecast-wait.ts";
import { foundAnomalies } from "../../answers/judged-reports.ts";
import { pageClock } from "../../answers/page-clock.ts";
import type { Result } from "../../../jobs/analytics/results.ts";
import type { CurrentObservation, Services } from "../../answers/services.ts";
import { readCityHistory } from "./city-history.ts";
import { columnsOf, rowsOfCity } from "../../answers/result-columns.ts";
import { USUAL_DAYS } from "../../answers/usual-days.ts";
import type { PagesOptions } from "../frame/page.tsx";

/** Days in the table by day, anomalies in the list, and marks in the chart. */
const DAYS = 14;
const ANOMALIES = 8;
const MARKS = 200;

/** What a reader asked for. */
export interface CityQuery {
  range: HistoryRange;
  /** A part of the past, ms, instead of the whole range. */
  zoom: TimeWindow | null;
  compare: Place | null;
  units: Units;
  /** Slugs. */
  favourites: readonly string[];
}

/** What a city's page shows at once. */
export function cityPageOf(
  { services, clock }: PagesOptions,
  place: Place,
  { range, zoom, compare, units, favourites }: CityQuery,
): CityPageProps {
  const now = clock.now();
  const asOf = pageClock(services, now);
  const { name, slug, latitude, longitude, zone } = place;
  const forecast = cityForecast(services, name, now);
  const latest = Math.max(asOf, forecast?.ok === true ? (forecast.points.at(-1)?.time ?? 0) : 0);
  const window = zoom ?? {
    from: asOf - range.hours * HOUR_MS,
    to: Math.min(latest, asOf + range.forecastHours * HOUR_MS),
  };
  const entry = services.current().find(({ observation }) => observation.city === name);
  const current = cityNowOf(services, place, asOf);
  return {
    place: { name, slug, latitude, longitude, zone },
    asOf,
    now,
    units,
    range,
    window: { ...window, latest, zoomed: zoom !== null },
    current,
    feels: feelsLike(services, name, current.observation?.timestamp ?? null),
    flag: entry?.judgement?.flags.flag ?? null,
    usual: usualOf(services, entry, name, asOf),
    band: usualBand(services, name, window.from, Math.min(window.to, asOf)),
    compare: compare === null ? null : { name: compare.name, slug: compare.slug },
    isFavourite: favourites.includes(slug),
    others: services.cities().filter((one) => one.slug !== slug),
    anomalies: anomaliesOf(services, asOf, now, { city: name, most: ANOMALIES }),
    marks: marksOf(services, name, window),
    forecast,
    forecastNeeds: FORECAST_NEEDS,
    days: ofResult(services, "daily_summary", (result) => daysOf(result, name)),
    statistics: statisticsOfCity(services, name),
    records: ofResult(services, "records", (result) => recordsOf(result, name)),
  };
}

/**
 * Adds the history over the window of {@link cityPageOf}. A lake that cannot be read leaves it out, and the log says why.
 */
export async function withHistory(
  { services, logger }: PagesOptions,
  props: CityPageProps,
): Promise<CityHistoryProps> {
  const { asOf, window, compare, place } = props;
  const read = async (city: string) => {
    const { from } = window;
    try {
      // The end is exclusive, and the newest observation of a recording stands on it.
      const to = window.to >= asOf ? asOf + 1 : window.to;
      return await readCityHistory(services, { city, from, to: Math.max(from + 1, to) });
    } catch (error) {
      logger.error(`Cannot show the history of ${city}: ${messageOf(error)}`, { code: codeOf(error) });
      return null;
    }
  };
  const [history, other] = await Promise.all([
    read(place.name),
    compare === null ? null : read(compare.name),
  ]);
  return { ...props, history, compared: temperatureOf(other) };
}

/** What was unusual in a window, newest first. */
function marksOf(services: Services, city: string, { from, to }: TimeWindow): CityPageProps["marks"] {
  const result = services.analytics.result("anomalies");
  if (result === null) return [];
  return foundAnomalies(result)
    .filter((one) => one.city === city && one.time >= from && one.time <= to)
    .slice(0, MARKS);
}

function temperatureOf(history: Awaited<ReturnType<typeof readCityHistory>> | null): PlotPoint[] {
  return history?.lines.find(({ variable }) => variable === "temperature")?.points ?? [];
}

/** The heat index or wind chill of the newest observation they are computed of, or its temperature where neither applies. */
function feelsLike(services: Services, city: string, timestamp: string | null): CityPageProps["feels"] {
  const result = services.analytics.result("derived_values");
  if (result === null || timestamp === null) return null;
  const read = columnsOf(result.table);
  const at = (row: number) => read.number("timestamp", row) ?? -Infinity;
  const [row] = rowsOfCity(result.table, city).sort((a, b) => at(b) - at(a));
  if (row === undefined || parseTimestamp(timestamp) - at(row) > HOUR_MS) return null;
  const value =
    read.number("heat_index", row) ?? read.number("wind_chill", row) ?? read.number("temperature", row);
  return { value, time: at(row) };
}

/**
 * What is usual for the newest report by its judgement, and by the baseline in force where it was not judged; null
 * where the past is too short to say.
 */
function usualOf(
  services: Services,
  entry: CurrentObservation | undefined,
  city: string,
  ms: number,
): CityPageProps["usual"] {
  const judged = entry?.judgement?.usual ?? null;
  if (judged !== null && judged.status !== "insufficient data") return judged;
  const result = services.analytics.result("baseline");
  if (result === null) return null;
  const read = columnsOf(result.table);
  const hour = new Date(ms).getUTCHours();
  const row = rowsOfCity(result.table, city).find((one) => read.number("hour_of_day", one) === hour);
  if (row === undefined || (read.number("days", row) ?? 0) < USUAL_DAYS) return null;
  const number = (name: string) => read.number(name, row);
  return { expected: number("median"), lower: number("lower"), upper: number("upper") };
}

/** What is usual at each full hour of a window and the two around it, by the baseline in force; nothing of hours whose past is too short. */
function usualBand(services: Services, city: string, from: number, to: number): BandPoint[] {
  const result = services.analytics.result("baseline");
  if (result === null) return [];
  const read = columnsOf(result.table);
  const hours = new Map<number, { low: number | null; high: number | null }>();
  for (const row of rowsOfCity(result.table, city)) {
    const hour = read.number("hour_of_day", row);
    if (hour === null || hours.has(hour) || (read.number("days", row) ?? 0) < USUAL_DAYS) continue;
    hours.set(hour, { low: read.number("lower", row), high: read.number("upper", row) });
  }
  if (hours.size === 0) return [];
  const points: BandPoint[] = [];
  // One beyond each edge, so that the band reaches it.
  for (let ms = Math.floor(from / HOUR_MS) * HOUR_MS; ms < to + HOUR_MS; ms += HOUR_MS) {
    const bounds = hours.get((ms / HOUR_MS) % 24);
    points.push({ x: ms / 1000, low: bounds?.low ?? null, high: bounds?.high ?? null });
  }
  return points;
}

function ofResult<T>(services: Services, job: string, rows: (result: Result) => T[]) {
  const result = services.analytics.result(job);
  return result === null ? null : { info: result, rows: rows(result) };
}

function daysOf({ table }: Result, city: string): CityDay[] {
  const read = columnsOf(table);
  return rowsOfCity(table, city)
    .map((row) => ({
      date: read.number("date", row) ?? 0,
      n: read.number("n", row) ?? 0,
      coverage: read.number("coverage", row),
      min: read.number("temperature_min", row),
      mean: read.number("temperature_mean", row),
      max: read.number("temperature_max", row),
      humidity: read.number("humidity_mean", row),
      windMax: read.number("wind_speed_max", row),
      rain: read.number("rainfall_total", row),
    }))
    .sort((a, b) => b.date - a.date)
    .slice(0, DAYS);
}

function recordsOf({ table }: Result, city: string): CityRecord[] {
  const read = columnsOf(table);
  return rowsOfCity(table, city).map((row) => ({
    record: read.text("record", row) ?? "",
    value: read.number("value", row),
    time: read.number("timestamp", row) ?? 0,
    isSuspect: read.flag("is_suspect", row),
    n: read.number("n", row) ?? 0,
  }));
}

function statisticsOfCity(services: Services, city: string): CityPageProps["statistics"] {
  const result = services.analytics.result("city_statistics");
  if (result === null) return null;
  return { info: result, row: statisticsRows(result, rowsOfCity(result.table, city))[0] ?? null };
}
