/** What is to be said of a file at the end of its import: how often something was, and where first. */
export class Notes {
  readonly #notes = new Map<string, { count: number; first: string }>();

  /** Adds an occurrence. @param what a sentence that is the same for all of its kind; @param where such as a time and a city */
  add(what: string, where: string): void {
    const note = this.#notes.get(what);
    if (note === undefined) this.#notes.set(what, { count: 1, first: where });
    else note.count++;
  }

  /** A line for each kind, the most frequent first: `12 times no report …, first: 2026-01-31T06:00:00Z Bern`. */
  lines(): string[] {
    return [...this.#notes]
      .toSorted(([, a], [, b]) => b.count - a.count)
      .map(([what, { count, first }]) => `${count} × ${what}, first: ${first}`);
  }
}
