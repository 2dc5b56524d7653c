import type { Subscription } from "./log.ts";

/**
 * The readers of one log in this process. Each runs its step again and again while there is more, and sleeps until it is
 * woken: by an append here at once, by one elsewhere within the poll interval.
 */
export class Followers {
  readonly #changed: () => boolean;
  readonly #pollMs: number;
  readonly #all = new Set<{ wake: () => void; stop: () => Promise<void> }>();
  #timer: ReturnType<typeof setInterval> | undefined;
  #wakes = 0;

  /**
   * @param changed whether something was added from outside since the last call
   * @param pollMs how often to ask, ms
   */
  constructor(changed: () => boolean, pollMs: number) {
    this.#changed = changed;
    this.#pollMs = pollMs;
  }

  /**
   * Starts a reader. It first runs in a later turn of the event loop, and yields to it after every step.
   *
   * @param step does a part of the work and says whether there may be more; what it throws ends the reader
   */
  follow(step: () => boolean | Promise<boolean>): Subscription {
    let stopped = false;
    let wake: (() => void) | undefined;
    const run = async () => {
      for (;;) {
        await new Promise<void>((done) => setImmediate(done));
        if (stopped) return;
        const seen = this.#wakes;
        if (await step()) continue;
        // What was added while the step returned must not be slept over.
        if (!stopped && seen === this.#wakes) await new Promise<void>((done) => (wake = done));
      }
    };
    const done = run().finally(() => {
      this.#all.delete(follower);
      if (this.#all.size === 0) clearInterval(this.#timer);
    });
    const ended = done.catch(() => {}); // the owner sees it through `done`; here it must not end the process
    const stop = () => {
      stopped = true;
      wake?.();
      return ended;
    };
    const follower = { wake: () => wake?.(), stop };
    this.#all.add(follower);
    if (this.#all.size === 1) this.#timer = setInterval(() => this.#poll(), this.#pollMs);
    return { done, stop };
  }

  /** Wakes every reader. They run after the caller's turn, so they cost it nothing. */
  wake(): void {
    this.#wakes++;
    for (const follower of this.#all) follower.wake();
  }

  /** Stops every reader and waits for the step under way of each. */
  async stop(): Promise<void> {
    await Promise.all([...this.#all].map((follower) => follower.stop()));
  }

  #poll(): void {
    let changed = true;
    try {
      changed = this.#changed();
    } catch {
      // The readers run into the same error and end with it.
    }
    if (changed) this.wake();
  }
}
