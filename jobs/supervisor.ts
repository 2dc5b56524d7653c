import type { Clock } from "../core/clock.ts";
import { codeOf, IsobarError, messageOf } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { JobStatus } from "../core/pipeline-status.ts";
import { backoffMs, type Backoff } from "../core/retry.ts";
import { formatTimestamp } from "../core/time.ts";

/** The interface between a background job and its supervisor. */
export interface JobContext {
  /** Aborts when the job is to stop: it finishes what it has begun, and its `run` resolves. */
  signal: AbortSignal;
  /** The job reports that it works. Without this call it stays `starting`. */
  running(): void;
  /** The job reports that it cannot work now and retries by itself; `reason` is for people. */
  waiting(reason: string): void;
}

/** Work that runs as long as the process. */
export interface BackgroundJob {
  /** Unique in the process, lower case. */
  readonly name: string;
  /** Works until the signal aborts. If it resolves or rejects before, it is restarted. */
  run(context: JobContext): Promise<void>;
}

/** After a run of at least this time, ms, the backoff starts again at its first step. */
const WELL_MS = 60_000;
/** Error codes that need a person. The job is restarted at the longest interval. */
const LASTING = new Set(["damaged", "newer_format", "mismatch", "retention"]);

interface Entry {
  job: BackgroundJob;
  status: JobStatus;
  /** Whether the last failure needs a person. */
  lasting: boolean;
  /** Resolves when the job has stopped; undefined before the start. */
  ended: Promise<void> | undefined;
}

/**
 * Runs the background jobs of the process. Each job has a state, is restarted with exponential backoff when it ends, and is
 * stopped within a deadline. An error of a job never leaves the supervisor.
 */
export class Supervisor {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #backoff: Backoff;
  readonly #random: () => number;
  readonly #entries = new Map<string, Entry>();
  readonly #abort = new AbortController();
  #started = false;

  /**
   * @param options.backoff delay of a restart, ms. Default: 1 s to 60 s
   * @param options.random a number in [0, 1), for the jitter
   */
  constructor(options: { clock: Clock; logger: Logger; backoff?: Backoff; random?: () => number }) {
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#backoff = options.backoff ?? { baseMs: 1_000, maxMs: 60_000 };
    this.#random = options.random ?? Math.random;
  }

  /**
   * Adds a job. After {@link Supervisor.start} it runs at once.
   *
   * @throws {TypeError} when a job of that name exists
   */
  add(job: BackgroundJob): void {
    if (this.#entries.has(job.name))
      throw new TypeError(`Cannot add the job "${job.name}": it is there already`);
    const since = formatTimestamp(this.#clock.now());
    const entry: Entry = {
      job,
      status: { name: job.name, state: "starting", since, restarts: 0, reason: null },
      lasting: false,
      ended: undefined,
    };
    this.#entries.set(job.name, entry);
    if (this.#started) entry.ended = this.#keepRunning(entry);
  }

  /** Starts all jobs. A second call does nothing. */
  start(): void {
    if (this.#started) return;
    this.#started = true;
    for (const entry of this.#entries.values()) entry.ended = this.#keepRunning(entry);
  }

  /**
   * Asks every job to stop and waits for them.
   *
   * @param deadlineMs longest wait, ms
   * @returns the names of the jobs that had not stopped by then
   */
  async stop(deadlineMs: number): Promise<{ late: string[] }> {
    this.#abort.abort();
    const late = new Set<string>();
    const ended = [...this.#entries.values()].map(async (entry) => {
      if (entry.ended === undefined) return this.#set(entry, "stopped", null);
      late.add(entry.job.name);
      await entry.ended;
      late.delete(entry.job.name);
    });
    const deadline = new AbortController();
    await Promise.race([Promise.all(ended), this.#clock.sleep(deadlineMs, deadline.signal)]);
    deadline.abort();
    for (const name of late)
      this.#logger.error("A job did not stop in time", { job: name, deadline_ms: deadlineMs });
    return { late: [...late] };
  }

  /** The state of each job, in the order in which they were added. */
  status(): JobStatus[] {
    return [...this.#entries.values()].map(({ status }) => ({ ...status }));
  }

  async #keepRunning(entry: Entry): Promise<void> {
    const { signal } = this.#abort;
    let failures = 0;
    while (!signal.aborted) {
      const began = this.#clock.now();
      const failure = await this.#runOnce(entry, signal);
      if (signal.aborted) break;
      if (this.#clock.now() - began >= WELL_MS) failures = 0;
      const lasting = (entry.lasting = LASTING.has(codeOf(failure?.error) ?? ""));
      const wait = lasting ? this.#backoff.maxMs : backoffMs(failures, this.#backoff, this.#random);
      failures++;
      if (failure === null) {
        this.#set(entry, "waiting", "It ended by itself and is run again");
        this.#logger.warn("A job ended by itself and is run again", { job: entry.job.name, wait_ms: wait });
      } else {
        const reason = reasonFor(failure.error);
        this.#set(entry, "failed", reason);
        const code = codeOf(failure.error);
        this.#logger.error("A job failed and is run again", {
          job: entry.job.name,
          code,
          error: logged(failure.error),
          wait_ms: wait,
        });
      }
      await this.#clock.sleep(wait, signal);
      if (!signal.aborted) entry.status.restarts++;
    }
    this.#set(entry, "stopped", entry.status.state === "failed" ? entry.status.reason : null);
  }

  /** Runs the job to its end; null when it resolved. */
  async #runOnce(entry: Entry, signal: AbortSignal): Promise<{ error: unknown } | null> {
    this.#set(entry, "starting", null);
    let over = false; // ignore state reports of a run that has ended
    try {
      await entry.job.run({
        signal,
        running: () => void (over || this.#set(entry, "running", null)),
        waiting: (reason) => void (over || this.#set(entry, "waiting", reason)),
      });
      return null;
    } catch (error) {
      // After an abort an AbortError is expected.
      if (signal.aborted && !isAbort(error, signal)) {
        const reason = reasonFor(error);
        this.#set(entry, "failed", reason);
        this.#logger.error("A job failed while it stopped", {
          job: entry.job.name,
          code: codeOf(error),
          error: logged(error),
        });
      }
      return { error };
    } finally {
      over = true;
    }
  }

  /** Whether a job's last failure needs a person. */
  needsPerson(name: string): boolean {
    return this.#entries.get(name)?.lasting ?? false;
  }

  #set(entry: Entry, state: JobStatus["state"], reason: string | null): void {
    const { status } = entry;
    if (status.state === state && status.reason === reason) return;
    if (status.state !== state) status.since = formatTimestamp(this.#clock.now());
    status.state = state;
    status.reason = reason;
  }
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return (
    error === signal.reason ||
    codeOf(error) === "cancelled" || // the error code of the ports for an abort
    (error instanceof Error && error.name === "AbortError")
  );
}

/** The reason shown to people. Our own errors are written for them. Any other is a bug, whose text goes only to the log. */
function reasonFor(error: unknown): string {
  return error instanceof IsobarError ? error.message : "an unexpected error, which was logged";
}

/** The text for the log; for a bug with the stack. */
function logged(error: unknown): string {
  return error instanceof IsobarError || !(error instanceof Error)
    ? messageOf(error)
    : (error.stack ?? error.message);
}
