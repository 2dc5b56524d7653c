/** A pool of things that one caller uses at a time. They are made on demand, reused, and limited in number. */
export class Pool<T> {
  readonly #make: (signal: AbortSignal) => Promise<T>;
  readonly #most: number;
  readonly #idle: T[] = [];
  readonly #waiting: (() => void)[] = [];
  #count = 0;

  /** @param most limit of the number in existence; a caller beyond it waits */
  constructor(most: number, make: (signal: AbortSignal) => Promise<T>) {
    this.#most = most;
    this.#make = make;
  }

  /**
   * Takes one for exclusive use, until it is given back or dropped.
   *
   * @throws the signal's reason if it aborts during the wait; whatever `make` throws
   */
  async take(signal: AbortSignal): Promise<T> {
    for (;;) {
      if (signal.aborted) {
        // This caller may have been woken and then aborted: pass the wake-up on to the next.
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

  /** Reports that a taken one is broken and will not be given back. */
  drop(): void {
    this.#count--;
    this.#waiting.shift()?.();
  }

  /** Removes and returns all that are idle. */
  drain(): T[] {
    const idle = this.#idle.splice(0);
    this.#count -= idle.length;
    return idle;
  }

  /** Resolves when one was given back or dropped, or when the signal aborts. */
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
