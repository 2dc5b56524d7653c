import type { Clock } from "../../core/clock.ts";
import { SourceError } from "../../core/errors.ts";

/** At most `calls` in any stretch of `windowMs`. */
export interface CallLimit {
  calls: number;
  windowMs: number;
}

/**
 * The calls a provider allows, in sliding windows. A call takes its place before it is made, so that calls made at the
 * same time cannot exceed a limit together. Kept in memory: a restart begins with an empty window.
 */
export class CallBudget {
  readonly #provider: string;
  readonly #limits: readonly CallLimit[];
  readonly #maxWaitMs: number;
  readonly #clock: Clock;
  /** Calls made and places taken, oldest first. */
  #taken: { at: number; cost: number }[] = [];
  #pausedUntil = 0;

  /** @param options.maxWaitMs a call that would have to wait longer is refused, ms */
  constructor(options: { provider: string; limits: readonly CallLimit[]; maxWaitMs: number; clock: Clock }) {
    this.#provider = options.provider;
    this.#limits = options.limits;
    this.#maxWaitMs = options.maxWaitMs;
    this.#clock = options.clock;
  }

  /** The provider asked for quiet: no call before `untilMs`. */
  pause(untilMs: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, untilMs);
  }

  /**
   * Waits until the call may be made, and counts it. Returns early when `signal` aborts: look at it afterwards.
   *
   * @param cost as how many calls the provider counts it
   * @throws SourceError `rate_limited` when the wait would be too long
   */
  async take(cost: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const now = this.#clock.now();
    // No place reaches further ahead than the longest wait: the clock was set back.
    for (const call of this.#taken) if (call.at > now + this.#maxWaitMs) call.at = now;
    const longest = Math.max(0, ...this.#limits.map((limit) => limit.windowMs));
    const live = this.#taken.findIndex((call) => call.at > now - longest);
    this.#taken = live === -1 ? [] : this.#taken.slice(live);

    const start = Math.max(now, this.#pausedUntil, this.#taken.at(-1)?.at ?? 0);
    const at = Math.max(start, ...this.#limits.map((limit) => this.#earliest(limit, cost, start)));
    if (at - now > this.#maxWaitMs) {
      const wait = Number.isFinite(at) ? ` for another ${Math.ceil((at - now) / 1000)} s` : "";
      throw new SourceError(
        "rate_limited",
        `Cannot call ${this.#provider}: its limit of calls is reached${wait}, wanted at most ${this.#maxWaitMs / 1000} s`,
        { hint: "Collect fewer cities, or set a longer POLL_SECONDS." },
      );
    }
    this.#taken.push({ at, cost });
    if (at > now) await this.#clock.sleep(at - now, signal);
  }

  /** The first time from `start` on at which a call of this cost stays within the limit. */
  #earliest(limit: CallLimit, cost: number, start: number): number {
    if (cost > limit.calls) return Infinity;
    const calls = this.#taken.filter((call) => call.at > start - limit.windowMs);
    let used = calls.reduce((sum, call) => sum + call.cost, 0);
    let at = start;
    for (const call of calls) {
      if (used + cost <= limit.calls) break;
      used -= call.cost;
      at = call.at + limit.windowMs;
    }
    return at;
  }
}
