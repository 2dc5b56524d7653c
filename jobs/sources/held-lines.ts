/** Lines that wait at most. What is not settled by then is settled by what is known: a file may be larger than the memory. */
const HELD_MAX = 100_000;

/** Lines in the file's order, of which some wait for later ones: what comes after a line that waits, waits too. */
export class HeldLines<T> {
  #lines: T[] = [];
  /** Lines at the beginning that were taken out already. */
  #taken = 0;
  readonly #open = new Set<T>();

  /** Adds a line. @param isSettled whether it needs no later line */
  add(line: T, isSettled: boolean): void {
    this.#lines.push(line);
    if (!isSettled) this.#open.add(line);
  }

  /** Says that a line need not wait any longer. */
  settle(line: T): void {
    this.#open.delete(line);
  }

  /** The first line, when it waits and too many others behind it. */
  overdue(): T | undefined {
    const first = this.#lines[this.#taken];
    const isMany = this.#lines.length - this.#taken > HELD_MAX;
    return isMany && first !== undefined && this.#open.has(first) ? first : undefined;
  }

  /** Takes the lines out that wait for nothing. */
  take(): T[] {
    const begin = this.#taken;
    while (this.#taken < this.#lines.length && !this.#open.has(this.#lines[this.#taken]!)) this.#taken++;
    const lines = this.#lines.slice(begin, this.#taken);
    if (this.#taken * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#taken);
      this.#taken = 0;
    }
    return lines;
  }
}
