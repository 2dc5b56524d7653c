import { HOUR_MS } from "../../core/time.ts";
import { formatDate, formatNumber } from "../../views/format.ts";

/**
 * Hours with a report that it takes to the first forecast with an interval: three of each hour of the day, then the errors of
 * a week of forecasts (docs/forecast.md).
 */
export const FORECAST_HOURS = 240;

/** What it needs, whoever waits for it. */
export const FORECAST_NEEDS = `It needs ${FORECAST_HOURS} hours with a report, which is ten days.`;

/** What a result of `forecast` says of a city without one. */
export interface Waiting {
  /** `insufficient data` or `silent`. */
  status: string;
  /** Hours with a report it had, and the time of the newest, ms. */
  n: number;
  issued: number;
}

/**
 * Why a city has no forecast, and when it comes: sentences.
 *
 * @param now what counts as now, ms; null where nothing more comes, as at the end of a recording
 */
export function forecastWait({ status, n, issued }: Waiting, now: number | null): string {
  if (status === "silent") return "Its newest report is too old: a forecast goes on from there for 48 hours.";
  if (n >= FORECAST_HOURS) return `${FORECAST_NEEDS} Too many of them lie apart or have a gap before them.`;
  const has = `${FORECAST_NEEDS} There are ${formatNumber(n, 0)}`;
  if (now === null) return `${has}.`;
  const comes = formatDate(Math.max(issued, now) + (FORECAST_HOURS - n) * HOUR_MS);
  return `${has}: it comes about ${comes} if every hour has one.`;
}
