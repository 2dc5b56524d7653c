import { DecayingLeastSquares } from "./least-squares.ts";

/** Hours ahead that are forecast: leads 1 to this. */
export const LEADS = 48;

/** How a forecast was made. */
export type ForecastMethod = "harmonics + AR" | "damped anomaly";

const DAY = 24;
/** Days after which a day counts half in what is usual for an hour. */
const USUAL_HALF_LIFE = 7;
/** What each hour of the day must weigh before anything is forecast: it was seen on three days. */
const USUAL_MIN = 2;
/** Share of the last departure from the usual that is left after an hour. */
const DAMPING = 0.98;
/** Harmonics of the day: periods of 24, 12, 8 and 6 hours. */
const HARMONICS = 4;
/** Hours back that the next hour is regressed on: what just happened, and the same hours of yesterday. */
const LAGS = [1, 2, 3, 23, 24, 25] as const;
const REACH = Math.max(...LAGS);
const CYCLE = 1 + 2 * HARMONICS;
const COLUMNS = CYCLE + LAGS.length;
/** Days after which an hour counts half in the regression. */
const FIT_HALF_LIFE = 10;
const FIT_DECAY = 0.5 ** (1 / (FIT_HALF_LIFE * DAY));
/** What the rows of the regression must weigh before it is used: as much as the last 14 days, all hours there. */
const FIT_MIN = (1 - FIT_DECAY ** (14 * DAY)) / (1 - FIT_DECAY);
/** Longest step between two observations whose missing hours are filled on a straight line, hours: synoptic reports. */
const FILL_MAX = 6;
/** The regression may depart from the damped anomaly by this, °C: a fit that would run away is held. */
const DEPARTURE_MAX = 15;

/** The columns of a row that depend on the hour of the day alone: 1, then cosine and sine of each harmonic. */
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
 * are made and mixed, the second with a share that grows evenly from 0 to 1 over the leads:
 *
 * - harmonics + AR: the hour regressed on the daily cycle and on {@link LAGS}, iterated;
 * - damped anomaly: what is usual at that hour, and what is left of the last departure from it.
 *
 * Where the first has too little to go by, the second stands alone. Only what was observed until then is used. The work of
 * an hour does not depend on how many came before.
 */
export class TemperatureForecaster {
  /** The newest hour, in hours since the epoch; NaN before the first. */
  #hour = NaN;
  /** Subtracted from every temperature: the first. The equations are better conditioned near 0. */
  #base = 0;
  /** The last REACH hours, oldest first, then room for the forecast; NaN where an hour is missing. */
  readonly #path = new Float64Array(REACH + LEADS).fill(NaN);
  /** How many hours up to the newest were observed without a gap. */
  #unbroken = 0;
  /** How many hours up to the newest are known, observed or filled. */
  #known = 0;
  /** Of each hour of the day (UTC): weighted sum, sum of weights, and the day they were brought up to. */
  readonly #usualSum = new Float64Array(DAY);
  readonly #usualWeight = new Float64Array(DAY);
  readonly #usualDay = new Float64Array(DAY);
  readonly #fit = new DecayingLeastSquares(COLUMNS);
  readonly #row = new Float64Array(COLUMNS);
  readonly #coefficients = new Float64Array(COLUMNS);

  /**
   * Takes the next hour that was observed.
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
   * @param into one temperature a lead, °C; not touched where nothing can be forecast
   * @returns how, or null with too little history
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

  /** Goes on by an hour. @param observed false for a value that was filled in */
  #step(value: number, observed: boolean): void {
    const path = this.#path;
    this.#hour++;
    const now = hourOfDay(this.#hour);
    this.#fit.decay(FIT_DECAY);
    // A filled hour lies on a line to this very value: regressing on it would find the line, not the weather.
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

  /** What an hour of the day weighs now. It fades with the days since it was last seen. */
  #usualWeightOf(hour: number): number {
    const days = Math.floor(this.#hour / DAY) - this.#usualDay[hour]!;
    return this.#usualWeight[hour]! * 0.5 ** (days / USUAL_HALF_LIFE);
  }

  /** The mean of an hour of the day, 0 where it was never seen. */
  #usualOf(hour: number): number {
    const weight = this.#usualWeight[hour]!;
    return weight === 0 ? 0 : this.#usualSum[hour]! / weight;
  }
}

/** The hour of the day in UTC. */
function hourOfDay(hour: number): number {
  return ((hour % DAY) + DAY) % DAY;
}
