import { ConformalInterval } from "./conformal-interval.ts";
import { type ForecastMethod, LEADS, TemperatureForecaster } from "./temperature-forecaster.ts";

/** The forecasts made at one hour. */
export interface Issue {
  /** Time of the newest observation used, whole hours since the epoch. */
  hour: number;
  method: ForecastMethod;
  /** Forecast for each lead, °C. */
  temperature: Float64Array;
  /** Half-width of the interval of each lead, °C; NaN where too few past errors are known. */
  halfWidth: Float64Array;
}

/** Called for each forecast once its outcome is observed. It is at index lead − 1 of the issue. */
export type Settled = (issue: Issue, lead: number, outcome: number) => void;

/**
 * Forecasts one place at every observed hour and verifies its earlier forecasts on the way. The interval of a forecast is
 * computed only from errors that were known at the hour of its issue.
 */
export class RollingForecast {
  readonly #forecaster = new TemperatureForecaster();
  readonly #intervals = Array.from({ length: LEADS }, () => new ConformalInterval());
  /** Ring buffer of the last issues: index is the hour modulo the length. */
  readonly #issues: (Issue | null)[] = new Array<Issue | null>(LEADS).fill(null);
  readonly #settled: Settled | undefined;
  #latest: Issue | null = null;

  constructor(settled?: Settled) {
    this.#settled = settled;
  }

  /**
   * Takes the next observed hour and forecasts the hours after it.
   *
   * @param hour whole hours since the epoch, later than the one before
   * @param temperature °C
   */
  observe(hour: number, temperature: number): void {
    for (let lead = 1; lead <= LEADS; lead++) {
      const issue = this.#issues[slotOf(hour - lead)];
      if (issue?.hour !== hour - lead) continue;
      const error = issue.temperature[lead - 1]! - temperature;
      this.#intervals[lead - 1]!.learn(hour, error, issue.halfWidth[lead - 1]!);
      this.#settled?.(issue, lead, temperature);
    }
    this.#forecaster.observe(hour, temperature);
    const slot = slotOf(hour);
    const issue = (this.#issues[slot] ??= {
      hour,
      method: "damped anomaly",
      temperature: new Float64Array(LEADS),
      halfWidth: new Float64Array(LEADS),
    });
    const method = this.#forecaster.forecast(issue.temperature);
    issue.hour = method === null ? NaN : hour;
    this.#latest = method === null ? null : issue;
    if (method === null) return;
    issue.method = method;
    for (let i = 0; i < LEADS; i++) issue.halfWidth[i] = this.#intervals[i]!.halfWidth;
  }

  /** The forecasts of the newest hour, valid until the next call of `observe`; null with too little history. */
  get latest(): Issue | null {
    return this.#latest;
  }

  /** Share of a lead's intervals that contained the outcome, over the last 28 days; NaN if none was issued. */
  coverage(lead: number): number {
    return this.#intervals[lead - 1]!.coverage;
  }
}

function slotOf(hour: number): number {
  return ((hour % LEADS) + LEADS) % LEADS;
}
