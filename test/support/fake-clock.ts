import type { Clock } from "../../core/clock.ts";

/** A clock that moves only when a test says so. */
export class FakeClock implements Clock {
  #now: number;
  #sleepers: { at: number; wake: () => void }[] = [];
  #waiting: { count: number; resolve: () => void }[] = [];

  /** @param now ms since the epoch */
  constructor(now: number = Date.UTC(2026, 0, 31, 12)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper = { at: this.#now + ms, wake: () => resolve() };
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((s) => s !== sleeper);
        resolve();
      });
      this.#sleepers.push(sleeper);
      this.#waiting = this.#waiting.filter((w) => {
        if (this.#sleepers.length < w.count) return true;
        w.resolve();
        return false;
      });
    });
  }

  /** How long the earliest sleeper still sleeps, ms; undefined when nobody sleeps. */
  get nextWakeMs(): number | undefined {
    if (this.#sleepers.length === 0) return undefined;
    return Math.min(...this.#sleepers.map((s) => s.at)) - this.#now;
  }

  /** Resolves as soon as `count` sleepers wait. */
  sleepers(count = 1): Promise<void> {
    if (this.#sleepers.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Moves time on, waking sleepers in order, and lets what they do run until it waits for something else. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#sleepers.filter((s) => s.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#now = Math.max(this.#now, due.at);
      this.#sleepers = this.#sleepers.filter((s) => s !== due);
      due.wake();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#now = end;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
