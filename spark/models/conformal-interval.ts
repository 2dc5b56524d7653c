/** Nominal coverage: the share of outcomes that should lie inside the interval. */
export const INTERVAL_SHARE = 0.9;
/** The interval is computed from the errors of this many past hours: 28 days. */
const WINDOW = 28 * 24;
/** Fewest errors for an interval: a quantile of fewer values would not be reliable. */
const ERRORS_MIN = 7 * 24;
/** Errors are counted in a histogram with bins of 0.01 °C up to 40.95 °C. A larger error counts as 40.95 °C. */
const STEPS_PER_DEGREE = 100;
const SIZES = 4096;
/** Marks an hour without an error. */
const NONE = 0xffff;

/**
 * The half-width of a forecast's prediction interval, computed from its past errors. It is the smallest half-width, to
 * 0.01 °C, that covers ⌈(n + 1) · 0.9⌉ of the n absolute errors of the last 28 days (split conformal prediction; Vovk,
 * Gammerman & Shafer, Algorithmic Learning in a Random World, 2005; Lei et al., JASA 113, 2018). The errors are out of
 * sample: each forecast was made before its outcome was known. No distribution is assumed.
 *
 * It also measures the coverage: the share of the intervals issued in these 28 days that contained the outcome.
 */
export class ConformalInterval {
  /** Histogram: the number of errors of each size. */
  readonly #counts = new Uint16Array(SIZES);
  /** Errors in the window. */
  #errors = 0;
  /** The bin of the last quantile, and the number of errors in it and below it. */
  #size = 0;
  #upToSize = 0;
  /** The size of each hour's error, at the hour modulo the window. */
  readonly #sizes = new Uint16Array(WINDOW).fill(NONE);
  /** Whether that hour's interval contained the outcome: 1 or 0; -1 if no interval was issued. */
  readonly #held = new Int8Array(WINDOW).fill(-1);
  #hour = NaN;
  #given = 0;
  #holding = 0;

  /**
   * Adds the error of a forecast whose outcome is known now.
   *
   * @param hour valid time of the forecast, whole hours since the epoch, later than the one before
   * @param error forecast minus outcome, °C
   * @param halfWidth what {@link halfWidth} was when the forecast was made
   */
  learn(hour: number, error: number, halfWidth: number): void {
    const from = Number.isNaN(this.#hour) ? hour : Math.max(this.#hour + 1, hour - WINDOW + 1);
    for (let passed = from; passed <= hour; passed++) this.#forget(slotOf(passed));
    this.#hour = hour;
    const slot = slotOf(hour);
    const size = Math.min(Math.ceil(Math.abs(error) * STEPS_PER_DEGREE), SIZES - 1);
    this.#sizes[slot] = size;
    this.#counts[size]! += 1;
    this.#errors++;
    if (size <= this.#size) this.#upToSize++;
    if (Number.isNaN(halfWidth)) return;
    const held = Math.abs(error) <= halfWidth ? 1 : 0;
    this.#held[slot] = held;
    this.#given++;
    this.#holding += held;
  }

  /** °C; NaN while too few errors are known. */
  get halfWidth(): number {
    if (this.#errors < ERRORS_MIN) return NaN;
    const wanted = Math.ceil((this.#errors + 1) * INTERVAL_SHARE);
    const counts = this.#counts;
    // Search from the last quantile: it moves little from hour to hour.
    while (this.#upToSize < wanted) this.#upToSize += counts[++this.#size]!;
    while (this.#upToSize - counts[this.#size]! >= wanted) this.#upToSize -= counts[this.#size--]!;
    return this.#size / STEPS_PER_DEGREE;
  }

  /** Share of the intervals in the window that contained the outcome; NaN if none was issued. */
  get coverage(): number {
    return this.#given === 0 ? NaN : this.#holding / this.#given;
  }

  #forget(slot: number): void {
    const size = this.#sizes[slot]!;
    if (size === NONE) return;
    this.#sizes[slot] = NONE;
    this.#counts[size]! -= 1;
    this.#errors--;
    if (size <= this.#size) this.#upToSize--;
    const held = this.#held[slot]!;
    if (held === -1) return;
    this.#held[slot] = -1;
    this.#given--;
    this.#holding -= held;
  }
}

function slotOf(hour: number): number {
  return ((hour % WINDOW) + WINDOW) % WINDOW;
}
