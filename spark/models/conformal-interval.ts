/** Share of the errors an interval is to hold. */
export const INTERVAL_SHARE = 0.9;
/** Hours of past errors an interval is made of: 28 days. */
const WINDOW = 28 * 24;
/** Errors that must be known before there is an interval: a quantile of fewer would be a guess. */
const ERRORS_MIN = 7 * 24;
/** Errors are counted by size, in steps of 0.01 °C up to 40.95 °C: what is beyond counts as that. */
const STEPS_PER_DEGREE = 100;
const SIZES = 4096;
/** In place of a size: there is none. */
const NONE = 0xffff;

/**
 * The half-width of a forecast's interval, from the sizes of its past errors: the smallest, to 0.01 °C, that held
 * ⌈(n + 1) · 0.9⌉ of the n errors of the last 28 days (split conformal prediction; Vovk, Gammerman & Shafer, Algorithmic
 * Learning in a Random World, 2005; Lei et al., JASA 113, 2018). The errors are of forecasts that did not know the outcome,
 * so no distribution is assumed. Beside it, how many of the intervals given in that time held.
 */
export class ConformalInterval {
  /** How many errors there are of each size. */
  readonly #counts = new Uint16Array(SIZES);
  /** Errors in the window. */
  #errors = 0;
  /** A size near the quantile, and how many errors are no larger. */
  #size = 0;
  #upToSize = 0;
  /** The size of each hour's error, at the hour modulo the window. */
  readonly #sizes = new Uint16Array(WINDOW).fill(NONE);
  /** Whether that hour's interval held: 1 or 0, and -1 where none was given. */
  readonly #held = new Int8Array(WINDOW).fill(-1);
  #hour = NaN;
  #given = 0;
  #holding = 0;

  /**
   * Takes the error of a forecast whose outcome is known now.
   *
   * @param hour when it was valid, whole hours since the epoch, later than the one before
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
    // From where it was the last time: it moves by little.
    while (this.#upToSize < wanted) this.#upToSize += counts[++this.#size]!;
    while (this.#upToSize - counts[this.#size]! >= wanted) this.#upToSize -= counts[this.#size--]!;
    return this.#size / STEPS_PER_DEGREE;
  }

  /** The share of the intervals given whose outcome is known and in the window that held; NaN where there was none. */
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
