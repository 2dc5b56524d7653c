import type { Payload } from "../../http/payload.ts";

/** An answer that is there as a whole, and the headers of its own. */
export interface RowAnswer {
  payload: Payload;
  headers: Record<string, string>;
}

/** Most bytes of answers that are kept, without what is compressed of them. */
const KEPT_BYTES = 64_000_000;

interface Kept {
  /** What the answer was made of. */
  mark: string;
  answer: Promise<RowAnswer>;
  bytes: number;
  /** Requests that wait for it. */
  waiting: number;
  /** Cuts the reading off. */
  stop: AbortController;
}

/**
 * Answers about rows of the lake, kept as bytes while nothing they were made of has changed. Requests for the same share one reading;
 * it is cut off when the last of them has left.
 */
export class RowAnswers {
  /** What was used last comes last. */
  readonly #kept = new Map<string, Kept>();

  /**
   * The answer to a question, made by `make` where there is none.
   *
   * @param question what was asked for, and in which format
   * @param mark what the answer is made of: another mark, another answer
   * @param signal aborts when the request is over
   * @throws what `make` throws
   */
  async of(
    question: string,
    mark: string,
    signal: AbortSignal,
    make: (signal: AbortSignal) => Promise<RowAnswer>,
  ): Promise<RowAnswer> {
    let kept = this.#kept.get(question);
    if (kept === undefined || kept.mark !== mark || kept.stop.signal.aborted)
      kept = this.#make(question, mark, make);
    this.#kept.delete(question);
    this.#kept.set(question, kept);
    const one = kept;
    one.waiting++;
    const left = Promise.withResolvers<never>();
    const leave = () => left.reject(signal.reason);
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    try {
      return await Promise.race([one.answer, left.promise]);
    } finally {
      signal.removeEventListener("abort", leave);
      one.waiting--;
      if (one.waiting === 0 && one.bytes === 0) one.stop.abort();
    }
  }

  #make(question: string, mark: string, make: (signal: AbortSignal) => Promise<RowAnswer>): Kept {
    const stop = new AbortController();
    const answer = make(stop.signal);
    const kept: Kept = { mark, answer, bytes: 0, waiting: 0, stop };
    answer.then(
      ({ payload }) => {
        kept.bytes = payload.size;
        this.#trim();
      },
      () => {
        if (this.#kept.get(question) === kept) this.#kept.delete(question);
      },
    );
    return kept;
  }

  /** Lets go of the answers that were used longest ago. */
  #trim(): void {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.bytes;
    for (const [question, kept] of this.#kept) {
      if (bytes <= KEPT_BYTES) return;
      bytes -= kept.bytes;
      this.#kept.delete(question);
    }
  }
}
