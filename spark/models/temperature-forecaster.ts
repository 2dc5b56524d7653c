import { DecayingLeastSquares } from "./least-squares.ts";

/** Number of leads, hours: leads 1 to 48 are forecast. */
export const LEADS = 48;

/** The method a forecast was made with. */
export type ForecastMethod = "harmonics + AR" | "damped anomaly";

const DAY = 24;
/** Half-life of a day's weight in the usual value of an hour of the day, days. */
const USUAL_HALF_LIFE = 7;
/** Least weight of every hour of the day before anything is forecast: about three days of observations. */
const USUAL_MIN = 2;
/** Share of the last anomaly that is left after one hour. */
const DAMPING = 0.98;
/** Number of harmonics of the daily cycle: periods of 24, 12, 8 and 6 hours. */
const HARMONICS = 4;
/** Lags of the regression, hours: the last three hours, and the same hours of the day before. */
const LAGS = [1, 2, 3, 23, 24, 25] as const;
const REACH = Math.max(...LAGS);
const CYCLE = 1 + 2 * HARMONICS;
const COLUMNS = CYCLE + LAGS.length;
/** Half-life of an hour's weight in the regression, days. */
const FIT_HALF_LIFE = 10;
const FIT_DECAY = 0.5 ** (1 / (FIT_HALF_LIFE * DAY));
/** Least weight of the regression's rows before it is used: that of 14 complete days. */
const FIT_MIN = (1 - FIT_DECAY ** (14 * DAY)) / (1 - FIT_DECAY);
/** Longest gap that is filled by linear interpolation, hours: synoptic reports come every six hours. */
const FILL_MAX = 6;
/** Largest difference between regression and damped anomaly, °C: it bounds a regression that diverges. */
const DEPARTURE_MAX = 15;

/** The regressors that depend on the hour of the day only: 1, then cosine and sine of each harmonic. */
const CYCLES: readonly Float64Array[] = Array.from({ length: DAY }, (_, hour) => {
  const columns = new Float64Array(CYCLE).fill(1);
  for (let k = 1; k <= HARMONICS; k++) {
    const angle = (2 * Math.PI * k * hour) / DAY;
    columns[2 * k - 1] = Math.cos(angle);
    columns[2 * k] = Math.sin(angle);
  }
  return columns;
});

/**
 * Forecasts the temperature of one place from its past, hour by hour (docs/forecast.md has the formulas). Two forecasts
 * are made and mixed; the weight of the second grows linearly from 0 to 1 over the leads:
 *
 * - harmonics + AR: regression on the daily cycle and on {@link LAGS}, iterated hour by hour;
 * - damped anomaly: the usual value of the hour, plus the last anomaly, which decays by {@link DAMPING} an hour.
 *
 * Where the first has too little to go by, the second stands alone. Only what was observed until then is used. The work of
 * an hour does not depend on how many came before.
 */
export class TemperatureForecaster {
  /** The newest hour, in hours since the epoch; NaN before the first. */
  #hour = NaN;
  /** The first temperature. It is subtracted from all, because the equations are better conditioned near 0. */
  #base = 0;
  /** The last REACH hours, oldest first, then room for the forecast; NaN where an hour is missing. */
  readonly #path = new Float64Array(REACH + LEADS).fill(NaN);
  /** Number of consecutive observed hours up to the newest. */
  #unbroken = 0;
  /** Number of consecutive hours up to the newest that are observed or filled. */
  #known = 0;
  /** For each hour of the day (UTC): weighted sum, sum of weights, and the day to which both were decayed. */
  readonly #usualSum = new Float64Array(DAY);
  readonly #usualWeight = new Float64Array(DAY);
  readonly #usualDay = new Float64Array(DAY);
  readonly #fit = new DecayingLeastSquares(COLUMNS);
  readonly #row = new Float64Array(COLUMNS);
  readonly #coefficients = new Float64Array(COLUMNS);

  /**
   * Takes the next observed hour.
   *
   * @param hour whole hours since the epoch, later than the one before
   * @param temperature °C
   */
  observe(hour: number, temperature: number): void {
    if (Number.isNaN(this.#hour)) {
      this.#base = temperature;
      this.#hour = hour - 1;
      this.#usualDay.fill(Math.floor(hour / DAY));
    }
    const value = temperature - this.#base;
    const before = this.#path[REACH - 1]!;
    const gap = hour - this.#hour;
    if (gap > 1 && gap <= FILL_MAX) {
      for (let i = 1; i < gap; i++) this.#step(before + ((value - before) * i) / gap, false);
    } else if (gap > 1) {
      this.#path.fill(NaN, 0, REACH);
      this.#fit.decay(FIT_DECAY ** (gap - 1));
      this.#hour = hour - 1;
      this.#unbroken = 0;
      this.#known = 0;
    }
    this.#step(value, true);
  }

  /**
   * Forecasts the hours after the newest.
   *
   * @param into receives one temperature for each lead, °C; unchanged if nothing can be forecast
   * @returns the method, or null with too little history
   */
  forecast(into: Float64Array): ForecastMethod | null {
    const now = hourOfDay(this.#hour);
    for (let hour = 0; hour < DAY; hour++) if (!(this.#usualWeightOf(hour) >= USUAL_MIN)) return null;
    let anomaly = this.#path[REACH - 1]! - this.#usualOf(now);
    for (let lead = 1; lead <= LEADS; lead++) {
      anomaly *= DAMPING;
      into[lead - 1] = this.#usualOf((now + lead) % DAY) + anomaly;
    }
    const fitted = this.#known >= REACH && this.#fit.weight >= FIT_MIN;
    if (fitted) this.#mix(now, into);
    for (let i = 0; i < LEADS; i++) into[i]! += this.#base;
    return fitted ? "harmonics + AR" : "damped anomaly";
  }

  /** Mixes the regression's forecast into that of the damped anomaly. */
  #mix(now: number, into: Float64Array): void {
    const path = this.#path;
    const coefficients = this.#coefficients;
    this.#fit.solve(coefficients);
    for (let lead = 1; lead <= LEADS; lead++) {
      const at = REACH + lead - 1;
      const cycle = CYCLES[(now + lead) % DAY]!;
      let value = 0;
      for (let i = 0; i < CYCLE; i++) value += coefficients[i]! * cycle[i]!;
      for (let i = 0; i < LAGS.length; i++) value += coefficients[CYCLE + i]! * path[at - LAGS[i]!]!;
      const damped = into[lead - 1]!;
      value = Math.min(Math.max(value, damped - DEPARTURE_MAX), damped + DEPARTURE_MAX);
      path[at] = value;
      into[lead - 1] = value + (lead / LEADS) * (damped - value);
    }
  }

  /** Advances by one hour. @param observed false for an interpolated value */
  #step(value: number, observed: boolean): void {
    const path = this.#path;
    this.#hour++;
    const now = hourOfDay(this.#hour);
    this.#fit.decay(FIT_DECAY);
    // Filled hours lie on a straight line to this value. A regression on them would learn the interpolation.
    if (observed && this.#unbroken >= 3 && this.#known >= REACH) {
      const row = this.#row;
      row.set(CYCLES[now]!);
      for (let i = 0; i < LAGS.length; i++) row[CYCLE + i] = path[REACH - LAGS[i]!]!;
      this.#fit.add(row, value);
    }
    const weight = this.#usualWeightOf(now);
    this.#usualSum[now] = this.#usualOf(now) * weight + value;
    this.#usualWeight[now] = weight + 1;
    this.#usualDay[now] = Math.floor(this.#hour / DAY);
    path.copyWithin(0, 1, REACH);
    path[REACH - 1] = value;
    this.#known++;
    this.#unbroken = observed ? this.#unbroken + 1 : 0;
  }

  /** The present weight of an hour of the day. It decays with the days since that hour was last observed. */
  #usualWeightOf(hour: number): number {
    const days = Math.floor(this.#hour / DAY) - this.#usualDay[hour]!;
    return this.#usualWeight[hour]! * 0.5 ** (days / USUAL_HALF_LIFE);
  }

  /** The usual value (weighted mean) of an hour of the day; 0 if it was never observed. */
  #usualOf(hour: number): number {
    const weight = this.#usualWeight[hour]!;
    return weight === 0 ? 0 : this.#usualSum[hour]! / weight;
  }
}

/** The hour of the day in UTC. */
function hourOfDay(hour: number): number {
  return ((hour % DAY) + DAY) % DAY;
}
