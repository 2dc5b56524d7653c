/** A forecast whose interval missed what came, °C; times are ms. */
export interface MissedForecast {
  city: string;
  issued: number;
  /** Hours ahead. */
  lead: number;
  time: number;
  value: number;
  lower: number;
  upper: number;
  observed: number;
}

/** Verification: past forecasts compared with the observations of their hours. */
export interface ForecastVerification {
  /** Forecast hours that have been observed, and those of them inside their interval. */
  n: number;
  within: number;
  /** The hour of the oldest of the forecasts, ms; null without any. */
  since: number | null;
  /** From how many hours was forecast. */
  issues: number;
  /** By hours ahead: mean absolute error and mean error, °C; null without any. */
  leads: { from: number; to: number; n: number; within: number; error: number | null; bias: number | null }[];
  /** The newest misses. */
  misses: MissedForecast[];
}
