import type { ForecastVerification } from "../../../core/forecast-verification.ts";
import type { CityForecast } from "../../../views/city-facts.ts";
import type { ForecastPageProps } from "../../../views/pages/forecast/forecast.tsx";
import type { Units } from "../../../views/units.ts";
import { forecastCities } from "../../answers/forecast-verification.ts";
import { FORECAST_NEEDS, forecastWait } from "../../answers/forecast-wait.ts";
import { columnsOf, rowsOfCity } from "../../answers/result-columns.ts";
import type { Services } from "../../answers/services.ts";

/** The newest forecast of each city of the page. */
export function forecastPageOf(
  services: Services,
  now: number,
  units: Units,
  verification: ForecastVerification | null | "failed",
): ForecastPageProps {
  const cities = forecastCities(services).map(({ name, slug, zone }) => ({
    name,
    slug,
    zone,
    forecast: cityForecast(services, name, now),
  }));
  // The one that has waited longest has the first forecast.
  const [first] = cities.flatMap(({ forecast }) => forecast?.waits ?? []).sort((a, b) => b.hours - a.hours);
  return {
    now,
    units,
    info: services.analytics.result("forecast"),
    cities,
    wait: first?.why ?? FORECAST_NEEDS,
    needs: FORECAST_NEEDS,
    more: services.cities().length - cities.length,
    verification,
  };
}

/**
 * The newest forecast of a city; null before the first result, or where it has none.
 *
 * @param now ms: of a city without a forecast it says when it comes
 */
export function cityForecast(services: Services, city: string, now: number): CityForecast | null {
  const result = services.analytics.result("forecast");
  if (result === null) return null;
  const read = columnsOf(result.table);
  const rows = rowsOfCity(result.table, city).sort(
    (a, b) => (read.number("lead", a) ?? 0) - (read.number("lead", b) ?? 0),
  );
  const [first] = rows;
  if (first === undefined) return null;
  const status = read.text("status", first) ?? "";
  const ok = status === "ok";
  const issued = read.number("issued_at", first) ?? 0;
  const comesBy = services.about.kind === "replayed" ? null : now;
  const waits = (hours: number) => ({
    hours,
    why: forecastWait({ status, n: hours, issued }, comesBy),
  });
  return {
    info: result,
    issued,
    ok,
    waits: ok ? null : waits(read.number("n", first) ?? 0),
    points: rows.flatMap((row) => {
      const time = read.number("timestamp", row);
      const value = read.number("temperature", row);
      if (time === null) return [];
      return [{ time, value, lower: read.number("lower", row), upper: read.number("upper", row) }];
    }),
  };
}
