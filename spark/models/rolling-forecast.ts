import { ConformalInterval } from "./conformal-interval.ts";
import { type ForecastMethod, LEADS, TemperatureForecaster } from "./temperature-forecaster.ts";

/** The forecasts made at one hour. */
export interface Issue {
  /** The newest observation they know of, whole hours since the epoch. */
  hour: number;
  method: ForecastMethod;
  /** One a lead, °C. */
  temperature: Float64Array;
  /** Half of each one's interval, °C; NaN where too few past errors are known. */
  halfWidth: Float64Array;
}

/** Told of each forecast whose outcome has become known: lead − 1 is its place in the issue. */
export type Settled = (issue: Issue, lead: number, outcome: number) => void;

/**
 * Forecasts one place at every hour that was observed, and learns from how the forecasts before turned out: what it
 * says of an hour's interval it knew at that hour.
 */
export class RollingForecast {
  readonly #forecaster = new TemperatureForecaster();
  readonly #intervals = Array.from({ length: LEADS }, () => new ConformalInterval());
  /** The issues of the last hours, at their hour modulo the length. */
  readonly #issues: (Issue | null)[] = new Array<Issue | null>(LEADS).fill(null);
  readonly #settled: Settled | undefined;
  #latest: Issue | null = null;

  constructor(settled?: Settled) {
    this.#settled = settled;
  }

  /**
   * Takes the next hour that was observed, and forecasts those after it.
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

  /** What was forecast at the newest hour, until the next is taken; null with too little history. */
  get latest(): Issue | null {
    return this.#latest;
  }

  /** The share of a lead's intervals given that held, over the last 28 days; NaN where there was none. */
  coverage(lead: number): number {
    return this.#intervals[lead - 1]!.coverage;
  }
}

function slotOf(hour: number): number {
  return ((hour % LEADS) + LEADS) % LEADS;
}
