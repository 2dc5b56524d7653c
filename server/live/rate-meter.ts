import type { Rate } from "../../core/pipeline-status.ts";

/** Longest window of a rate, ms. */
export const RATE_WINDOW_MS = 300_000;
/** Shortest window of a rate, ms: a shorter one is too noisy. */
const LEAST_MS = 5_000;
/** Shortest time between two samples, ms, so that the displayed rate is steady. */
const EVERY_MS = 5_000;

/** Measures the rate of a counter over the last five minutes, or since its first sample. */
export class RateMeter {
  #samples: { at: number; count: number }[] = [];

  /**
   * Adds a sample of the counter. A counter that went back starts again.
   *
   * @param at ms since the epoch
   * @param count null if it is unknown now
   */
  note(at: number, count: number | null): void {
    if (count === null) return;
    const last = this.#samples.at(-1);
    if (last !== undefined && (count < last.count || at < last.at)) this.#samples = [];
    else if (last !== undefined && at - last.at < EVERY_MS) return;
    this.#samples.push({ at, count });
    while ((this.#samples[1]?.at ?? Infinity) <= at - RATE_WINDOW_MS) this.#samples.shift();
  }

  /** The rate; null while the window is too short. */
  get rate(): Rate | null {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || last.at - first.at < LEAST_MS) return null;
    const seconds = (last.at - first.at) / 1000;
    return {
      per_second: Number(((last.count - first.count) / seconds).toPrecision(3)),
      seconds: Math.round(seconds),
    };
  }
}
