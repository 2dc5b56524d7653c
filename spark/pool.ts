/** Things that one caller uses at a time: made when needed, kept for the next, at most so many. */
export class Pool<T> {
  readonly #make: (signal: AbortSignal) => Promise<T>;
  readonly #most: number;
  readonly #idle: T[] = [];
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  /** @param most how many there are at the same time; who wants more waits */
  constructor(most: number, make: (signal: AbortSignal) => Promise<T>) {
    this.#most = most;
    this.#make = make;
  }

  /**
   * One for the caller alone, until it is given back or dropped.
   *
   * @throws the signal's reason when it aborts before there is one; what making one throws
   */
  async take(signal: AbortSignal): Promise<T> {
    for (;;) {
      if (signal.aborted) {
        // It may have been woken for one that it does not take now.
        this.#waiting.shift()?.();
        throw signal.reason;
      }
      const item = this.#idle.pop();
      if (item !== undefined) return item;
      if (this.#count < this.#most) {
        this.#count++;
        try {
          return await this.#make(signal);
        } catch (error) {
          this.drop();
          throw error;
        }
      }
      await this.#woken(signal);
    }
  }

  /** Gives one back. */
  give(item: T): void {
    this.#idle.push(item);
    this.#waiting.shift()?.();
  }

  /** Says that one that was taken is of no use any more. */
  drop(): void {
    this.#count--;
    this.#waiting.shift()?.();
  }

  /** Takes all that nobody uses out of it. */
  drain(): T[] {
    const idle = this.#idle.splice(0);
    this.#count -= idle.length;
    return idle;
  }

  /** Resolves when one was given back or dropped, or the signal aborts. */
  #woken(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal.removeEventListener("abort", wake);
        const index = this.#waiting.indexOf(wake);
        if (index >= 0) this.#waiting.splice(index, 1);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
