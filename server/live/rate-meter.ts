import type { Rate } from "../answers/services.ts";

/** The longest time over which a rate is measured, ms. */
export const RATE_WINDOW_MS = 300_000;
/** A shorter time says nothing, ms. */
const LEAST_MS = 5_000;
/** A counter is noted no more often, ms, so that what is told of it stands still for a while. */
const EVERY_MS = 5_000;

/** Measures how fast a counter rises, over the last five minutes or since it was first seen. */
export class RateMeter {
  #samples: { at: number; count: number }[] = [];

  /**
   * Notes where the counter stands. One that went back counts from there.
   *
   * @param at ms since the epoch
   * @param count null where it is not known now
   */
  note(at: number, count: number | null): void {
    if (count === null) return;
    const last = this.#samples.at(-1);
    if (last !== undefined && (count < last.count || at < last.at)) this.#samples = [];
    else if (last !== undefined && at - last.at < EVERY_MS) return;
    this.#samples.push({ at, count });
    while ((this.#samples[1]?.at ?? Infinity) <= at - RATE_WINDOW_MS) this.#samples.shift();
  }

  /** The rate, or null while it was not seen for long enough. */
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
