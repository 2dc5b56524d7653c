import type { Run } from "../../core/analytic-job.ts";

/** Runs of one job that are remembered. */
const KEPT = 50;

/** The runs of this process, in memory: what waits, what runs, and the newest of what ended. */
export class Runs {
  /** In the order they were queued. A run is replaced when it changes, so what was handed out stays as it was. */
  readonly #runs = new Map<string, Run>();
  readonly #changed: (job: string) => void;

  /** @param changed called after each change with the job's name */
  constructor(changed: (job: string) => void) {
    this.#changed = changed;
  }

  /** Queues a run, and forgets the oldest ended one of its job beyond the bound. */
  add(run: Pick<Run, "id" | "job" | "trigger" | "queued_at">): Run {
    const queued: Run = {
      ...run,
      state: "queued",
      progress: 0,
      started_at: null,
      finished_at: null,
      rows: null,
      error: null,
      code: null,
    };
    this.#runs.set(run.id, queued);
    const ended = [...this.#runs.values()].filter((one) => one.job === run.job && !isActive(one));
    for (const { id } of ended.slice(0, Math.max(0, ended.length + 1 - KEPT))) this.#runs.delete(id);
    this.#changed(run.job);
    return queued;
  }

  /** Changes a run. */
  set(id: string, changes: Partial<Omit<Run, "id" | "job">>): Run {
    const run = this.#runs.get(id);
    if (run === undefined) throw new TypeError(`Cannot change the run "${id}": it is not known`);
    const changed = { ...run, ...changes };
    this.#runs.set(id, changed);
    this.#changed(run.job);
    return changed;
  }

  /** A run, or null when it is not known (any more). */
  get(id: string): Run | null {
    return this.#runs.get(id) ?? null;
  }

  /** The runs of a job or of all, newest first. */
  list(job?: string): Run[] {
    return [...this.#runs.values()].filter((run) => job === undefined || run.job === job).toReversed();
  }

  /** The run of a job that waits or runs; there is at most one. */
  active(job: string): Run | undefined {
    return this.list(job).find(isActive);
  }

  /** The run that has waited longest. */
  next(): Run | undefined {
    return [...this.#runs.values()].find((run) => run.state === "queued");
  }
}

function isActive(run: Run): boolean {
  return run.state === "queued" || run.state === "running";
}
