import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";

/** Part of the remaining time that answers under way get; the rest is for the jobs. */
const ANSWERS_SHARE = 0.25;

/** What is to be done when the program stops, in reverse order of the start, and how much time there is. */
export class Shutdown {
  /** Names of the jobs that had not stopped in time. The steps add to it. */
  readonly late: string[] = [];
  readonly #steps: (() => unknown)[] = [];
  readonly #limitMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #stopBy = Infinity;

  /** @param limitMs longest time for all steps together, ms */
  constructor(limitMs: number, deps: { clock: Clock; logger: Logger }) {
    this.#limitMs = limitMs;
    this.#clock = deps.clock;
    this.#logger = deps.logger;
  }

  /** Adds a step that runs before those added earlier. */
  defer(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** How much time is left for the jobs, ms. */
  jobsMs(): number {
    return Math.max(0, this.#stopBy - this.#clock.now());
  }

  /** How long answers under way may take, ms. */
  answersMs(): number {
    return this.jobsMs() * ANSWERS_SHARE;
  }

  /** Takes the steps, one after the other, each once. One that fails is logged, and the next are taken all the same. */
  async run(): Promise<void> {
    this.#stopBy = this.#clock.now() + this.#limitMs;
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        this.#logger.error("Something did not stop as it should", { error: messageOf(error) });
      }
    }
  }
}
