import { describe, expect, test } from "bun:test";
import { CommitError, EngineError, LogError } from "../../core/errors.ts";
import { createLogger, silentLogger } from "../../core/log.ts";
import { formatTimestamp } from "../../core/time.ts";
import { Supervisor, type BackgroundJob, type JobContext } from "../../jobs/supervisor.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** A job whose runs the test begins and ends. */
class TestJob implements BackgroundJob {
  readonly runs: { context: JobContext; resolve: () => void; reject: (error: unknown) => void }[] = [];
  constructor(readonly name: string) {}
  run(context: JobContext): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.runs.push({ context, resolve, reject });
    return promise;
  }
  get last() {
    return this.runs.at(-1)!;
  }
}

/** A job that works until it is asked to stop. */
function steady(name: string): BackgroundJob {
  return {
    name,
    run: ({ signal, running }) => {
      running();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  };
}

/** Lets everything run that waits for nothing but its turn. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp(options: { random?: () => number } = {}) {
  const clock = new FakeClock();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "debug",
    format: "json",
    write: (line) => lines.push(JSON.parse(line)),
    now: () => clock.now(),
  });
  const supervisor = new Supervisor({ clock, logger, random: options.random ?? (() => 1) });
  return { clock, lines, supervisor };
}

/** What people are told of a bug: its own text is for the log. */
const UNEXPECTED = "an unexpected error, which was logged";

describe("Supervisor", () => {
  test("shows what a job says of itself, with the time since", async () => {
    const { clock, supervisor } = setUp();
    const job = new TestJob("consumer");
    supervisor.add(job);
    const added = formatTimestamp(clock.now());
    expect(job.runs).toHaveLength(0);
    expect(supervisor.status()).toEqual([
      { name: "consumer", state: "starting", since: added, restarts: 0, reason: null },
    ]);
    supervisor.start();
    supervisor.start();
    expect(job.runs).toHaveLength(1);
    await clock.advance(5_000);
    job.last.context.waiting("the log is away");
    const waiting = formatTimestamp(clock.now());
    await clock.advance(1_000);
    job.last.context.waiting("the log is still away");
    expect(supervisor.status()).toEqual([
      { name: "consumer", state: "waiting", since: waiting, restarts: 0, reason: "the log is still away" },
    ]);
    job.last.context.running();
    expect(supervisor.status()[0]).toMatchObject({
      state: "running",
      since: formatTimestamp(clock.now()),
      reason: null,
    });
  });

  test("restarts a failed job with exponential backoff from 1 s to 60 s", async () => {
    const { clock, lines, supervisor } = setUp();
    const job = new TestJob("consumer");
    supervisor.add(job);
    supervisor.start();
    const waits: number[] = [];
    for (let i = 1; i <= 8; i++) {
      job.last.context.running();
      job.last.reject(new LogError("unavailable", `no answer ${i}`));
      await settle();
      expect(supervisor.status()[0]).toMatchObject({
        state: "failed",
        reason: `no answer ${i}`,
        restarts: i - 1,
      });
      waits.push(clock.nextWakeMs!);
      await clock.advance(clock.nextWakeMs! - 1);
      expect(job.runs).toHaveLength(i);
      await clock.advance(1);
      expect(job.runs).toHaveLength(i + 1);
      expect(supervisor.status()[0]).toMatchObject({ state: "starting", reason: null, restarts: i });
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
    expect(lines).toHaveLength(8);
    expect(supervisor.needsPerson("consumer")).toBe(false);
    expect(lines[0]).toMatchObject({
      level: "error",
      job: "consumer",
      code: "unavailable",
      error: "no answer 1",
    });
  });

  test("adds jitter to the backoff", async () => {
    const { clock, supervisor } = setUp({ random: () => 0.5 });
    const job = new TestJob("consumer");
    supervisor.add(job);
    supervisor.start();
    job.last.reject(new Error("one"));
    await settle();
    await clock.advance(1_000);
    job.last.reject(new Error("two"));
    await settle();
    expect(clock.nextWakeMs).toBe(1_500);
  });

  test("begins with short waits again after a job ran for a minute", async () => {
    const { clock, supervisor } = setUp();
    const job = new TestJob("consumer");
    supervisor.add(job);
    supervisor.start();
    for (const [ranMs, waitMs] of [
      [0, 1_000],
      [59_999, 2_000],
      [60_000, 1_000],
      [0, 2_000],
    ] as const) {
      await clock.advance(ranMs);
      job.last.reject(new Error("again"));
      await settle();
      expect(clock.nextWakeMs).toBe(waitMs);
      await clock.advance(waitMs);
    }
  });

  test("retries a failure that needs a person at the longest interval, with its reason", async () => {
    for (const code of ["damaged", "newer_format", "mismatch", "retention"] as const) {
      const { clock, supervisor } = setUp();
      const job = new TestJob("consumer");
      supervisor.add(job);
      supervisor.start();
      job.last.reject(new CommitError(code, "Cannot read the commit 7"));
      await settle();
      expect(supervisor.status()[0]).toMatchObject({ state: "failed", reason: "Cannot read the commit 7" });
      expect(supervisor.needsPerson("consumer")).toBe(true);
      expect(clock.nextWakeMs).toBe(60_000);
      await clock.advance(60_000);
      expect(job.runs).toHaveLength(2);
    }
  });

  test("runs a job again that ended without being asked to", async () => {
    const { clock, lines, supervisor } = setUp();
    const job = new TestJob("judge");
    supervisor.add(job);
    supervisor.start();
    job.last.resolve();
    await settle();
    expect(supervisor.status()[0]).toMatchObject({ state: "waiting", restarts: 0 });
    expect(supervisor.status()[0]?.reason).toContain("ended by itself");
    expect(lines).toMatchObject([{ level: "warn", job: "judge" }]);
    await clock.advance(1_000);
    expect(job.runs).toHaveLength(2);
  });

  test("survives an exception thrown at once, and whatever is thrown", async () => {
    const { supervisor } = setUp();
    const throws = (name: string, what: unknown): BackgroundJob => ({
      name,
      run: () => {
        throw what;
      },
    });
    supervisor.add(throws("one", new TypeError("x is undefined")));
    supervisor.add(throws("two", "just text"));
    supervisor.add(throws("three", undefined));
    supervisor.add(steady("four"));
    supervisor.start();
    await settle();
    expect(supervisor.status()).toMatchObject([
      { name: "one", state: "failed", reason: UNEXPECTED },
      { name: "two", state: "failed", reason: UNEXPECTED },
      { name: "three", state: "failed", reason: UNEXPECTED },
      { name: "four", state: "running", reason: null },
    ]);
    expect(await supervisor.stop(1_000)).toEqual({ late: [] });
  });

  test("ignores state reports of a run that has ended", async () => {
    const { clock, supervisor } = setUp();
    const job = new TestJob("consumer");
    supervisor.add(job);
    supervisor.start();
    const old = job.last.context;
    job.last.reject(new Error("gone"));
    await settle();
    old.running();
    expect(supervisor.status()[0]?.state).toBe("failed");
    await clock.advance(1_000);
    old.waiting("for nothing");
    expect(supervisor.status()[0]?.state).toBe("starting");
  });

  test("stop() asks every job and waits for them, without a timer left behind", async () => {
    const { clock, supervisor } = setUp();
    const slow = new TestJob("slow");
    const failed = new TestJob("failed");
    supervisor.add(steady("quick"));
    supervisor.add(slow);
    supervisor.add(failed);
    supervisor.start();
    failed.last.reject(new Error("broken"));
    await settle();
    const stopped = supervisor.stop(10_000);
    expect(slow.last.context.signal.aborted).toBe(true);
    await clock.advance(9_000);
    slow.last.resolve();
    expect(await stopped).toEqual({ late: [] });
    expect(clock.nextWakeMs).toBeUndefined();
    expect(supervisor.status()).toMatchObject([
      { name: "quick", state: "stopped", reason: null },
      { name: "slow", state: "stopped", reason: null },
      { name: "failed", state: "stopped", reason: UNEXPECTED },
    ]);
    expect(failed.runs).toHaveLength(1);
  });

  test("stop() names the jobs that are late", async () => {
    const { clock, lines, supervisor } = setUp();
    supervisor.add(steady("quick"));
    supervisor.add(new TestJob("stuck"));
    supervisor.start();
    const stopped = supervisor.stop(10_000);
    await settle();
    await clock.advance(10_000);
    expect(await stopped).toEqual({ late: ["stuck"] });
    expect(lines).toMatchObject([{ level: "error", job: "stuck", deadline_ms: 10_000 }]);
  });

  test("a failure while stopping is logged and shown, an abort is not one", async () => {
    const { lines, supervisor } = setUp();
    const flushing = new TestJob("flushing");
    const aborting = new TestJob("aborting");
    supervisor.add(flushing);
    supervisor.add(aborting);
    supervisor.start();
    const stopped = supervisor.stop(10_000);
    flushing.last.reject(new LogError("full", "Cannot append"));
    aborting.last.reject(aborting.last.context.signal.reason);
    expect(await stopped).toEqual({ late: [] });
    expect(lines).toMatchObject([{ level: "error", job: "flushing", code: "full", error: "Cannot append" }]);
    expect(lines).toHaveLength(1);
    expect(supervisor.status()).toMatchObject([
      { state: "stopped", reason: "Cannot append" },
      { state: "stopped", reason: null },
    ]);
  });

  test("work that a port says was cancelled by the stop is no failure", async () => {
    const { lines, supervisor } = setUp();
    const compacting = new TestJob("compacting");
    supervisor.add(compacting);
    supervisor.start();
    const stopped = supervisor.stop(10_000);
    compacting.last.reject(new EngineError("cancelled", "The query was cancelled"));
    expect(await stopped).toEqual({ late: [] });
    expect(lines).toEqual([]);
    expect(supervisor.status()).toMatchObject([{ state: "stopped", reason: null }]);
  });

  test("stop() before start() runs nothing", async () => {
    const supervisor = new Supervisor({ clock: new FakeClock(), logger: silentLogger });
    const job = new TestJob("consumer");
    supervisor.add(job);
    expect(await supervisor.stop(1_000)).toEqual({ late: [] });
    supervisor.start();
    expect(job.runs).toHaveLength(0);
    expect(supervisor.status()[0]?.state).toBe("stopped");
  });

  test("add() after start() runs the job at once, and refuses a name twice", () => {
    const { supervisor } = setUp();
    supervisor.start();
    const job = new TestJob("late");
    supervisor.add(job);
    expect(job.runs).toHaveLength(1);
    expect(() => supervisor.add(new TestJob("late"))).toThrow(
      new TypeError('Cannot add the job "late": it is there already'),
    );
  });
});
