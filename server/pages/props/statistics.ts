import type { Result } from "../../../jobs/analytics/results.ts";
import type { CityStatistics } from "../../../views/city-facts.ts";
import type { StatisticsProps } from "../../../views/pages/now/statistics.tsx";
import { columnsOf } from "../../answers/result-columns.ts";
import type { Services } from "../../answers/services.ts";

/** Most rows of a table on a page; the API has the rest. */
const ROWS = 100;

/** The newest statistics, the cities in the order of the result. */
export function statisticsOf(services: Services, now: number): StatisticsProps {
  const result = services.analytics.result("city_statistics");
  if (result === null) return { now, result: null };
  const shown = Math.min(result.table.numRows, ROWS);
  const rows = statisticsRows(
    result,
    Array.from({ length: shown }, (_, row) => row),
  );
  return { now, result: { info: result, rows, more: result.table.numRows - shown } };
}

/** Some rows of a result of city_statistics. */
export function statisticsRows({ table }: Result, rows: readonly number[]): CityStatistics[] {
  const read = columnsOf(table);
  return rows.map((i): CityStatistics => ({
    city: read.text("city", i) ?? "",
    n: read.number("n_temperature", i) ?? 0,
    coverage: read.number("coverage", i),
    min: read.number("temperature_min", i),
    p05: read.number("temperature_p05", i),
    median: read.number("temperature_median", i),
    mean: read.number("temperature_mean", i),
    p95: read.number("temperature_p95", i),
    max: read.number("temperature_max", i),
    deviation: read.number("temperature_stddev", i),
    humidity: read.number("humidity_mean", i),
    pressure: read.number("pressure_mean", i),
    wind: read.number("wind_speed_mean", i),
    rain: read.number("rainfall_total", i),
    weather: read.text("weather_dominant", i),
  }));
}
