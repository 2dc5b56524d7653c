import { createHash } from "node:crypto";
import type { Table } from "apache-arrow";
import type { Clock } from "../../core/clock.ts";
import { codeOf, messageOf, RequestError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { describe } from "../../core/observation.ts";
import { type Backoff, backoffMs } from "../../core/retry.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { Engine, QueryOptions, Snapshot, SqlView } from "../../spark/engine.ts";
import { overVerdicts } from "../../spark/judging.ts";
import { neededViews } from "../../spark/needed-views.ts";
import { defaultArguments, neededFiles, runJob, type SqlJob } from "../../spark/sql-job.ts";
import type { Lake } from "../lake/lake.ts";
import type { JudgedRows } from "../readers/judged-rows.ts";
import type { CommittedSnapshot } from "../readers/lake-reader.ts";
import { type KeptResult, type Result, Results } from "./results.ts";
import { Runs } from "./runs.ts";
import { type Run, type JobInfo } from "../../core/analytic-job.ts";
import type { BackgroundJob, JobContext } from "../supervisor.ts";

/** A result of before. */
export type PastResult = Pick<Result, "run" | "generated_at" | "table">;

/** The analytic jobs, their runs and their newest results. */
export interface AnalyticsService {
  jobs(): readonly JobInfo[];
  /** Newest first. */
  runs(job?: string): readonly Run[];
  run(id: string): Run | null;
  /**
   * Starts a run, or returns the one that is queued or running already.
   *
   * @throws RequestError `not_found`; `conflict` where this process runs no analytics
   */
  start(job: string): Run;
  /** Cancels a run that has not ended. @throws RequestError `not_found` */
  cancel(id: string): Run;
  /** The newest result, from memory; null before the first. */
  result(job: string): Result | null;
  /**
   * The results of a job that the lake still has, newest first: the newest ten, and of those before what the job's header
   * says.
   *
   * @throws LakeError when the lake cannot be read
   */
  past(job: string): AsyncIterable<PastResult>;
  /** When the schedule runs the job next, ms, or null. */
  nextRun(job: string): number | null;
  /** Calls back after each change of a run or result; returns the way to stop it. */
  onChange(listener: (job: string) => void): () => void;
}

/** What {@link Analytics} works with. */
export interface AnalyticsOptions {
  jobs: readonly SqlJob[];
  engine: Engine;
  /** What jobs may read beside `observations`. */
  views: readonly SqlView[];
  /** The data set's own. */
  lake: Lake;
  /** The rows of a snapshot with their flags. */
  judged: Pick<JudgedRows, "of">;
  /** The committed files of now, and how far the chains they come from have got. */
  snapshot: () => Promise<CommittedSnapshot>;
  clock: Clock;
  logger: Logger;
  /** Cron expression, UTC, of the jobs whose schedule is `default`. */
  cronDefault: string;
  /** A number in [0, 1), for the ids of runs. */
  random?: () => number;
}

interface Job {
  info: JobInfo;
  job: SqlJob;
  /** SHA-256 of the SQL and its arguments, hex. */
  query: string;
  /** When the schedule is due next, ms. */
  due: number | null;
  /** How many runs on end have failed because engine or lake were away. */
  away: number;
  result: KeptResult | null;
}

/** Time between two looks for the first data, ms. */
const FIRST_LOOK_MS = 500;
/** How long data may keep arriving before the first run takes what there is, ms. */
const FIRST_WAIT_MS = 5_000;
/** Longest wait without a look at the wall clock, ms: a timer does not count the time a laptop sleeps. */
const LOOK_MS = 30_000;
/** Wait before a scheduled job runs again that failed because engine or lake were away. */
const AGAIN: Backoff = { baseMs: 2_000, maxMs: 30_000 };
/** Codes of the errors that say so; a lake whose folder is gone has lost a commit it had. */
const AWAY: readonly unknown[] = ["unavailable", "damaged"];
/** Smallest progress that is told. */
const PROGRESS_STEP = 0.01;

/** Runs the analytic jobs, one run at a time, and holds their newest results in memory. */
export class Analytics implements AnalyticsService {
  readonly #options: AnalyticsOptions;
  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #results: Results;
  readonly #runs: Runs;
  readonly #listeners = new Set<(job: string) => void>();
  readonly #random: () => number;
  /** Whether this process does the work, or only shows what another did. */
  #works = false;
  /** The run under way. */
  #current: { id: string; abort: AbortController } | null = null;
  /** Ends the wait for the next run. */
  #wake: () => void = () => {};

  constructor(options: AnalyticsOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#results = new Results(options);
    this.#runs = new Runs((job) => this.#changed(job));
    this.#jobs = new Map(
      options.jobs.map((job) => {
        const { name, title, question, chart, sql } = job;
        const schedule = job.schedule === "default" ? options.cronDefault : job.schedule;
        const query = createHash("sha256")
          .update(JSON.stringify([sql, defaultArguments(job), options.views]))
          .digest("hex");
        const info: JobInfo = { name, title, question, schedule, chart, sql };
        return [
          name,
          { info, job, query, due: nextTime(schedule, options.clock.now()), away: 0, result: null },
        ];
      }),
    );
  }

  jobs(): readonly JobInfo[] {
    return [...this.#jobs.values()].map(({ info }) => info);
  }

  runs(job?: string): readonly Run[] {
    return this.#runs.list(job);
  }

  run(id: string): Run | null {
    return this.#runs.get(id);
  }

  start(job: string): Run {
    const found = this.#find(job);
    if (!this.#works)
      throw new RequestError("conflict", `Cannot run "${job}": this process runs no analytics`);
    return this.#enqueue(found, "request");
  }

  cancel(id: string): Run {
    const run = this.#runs.get(id);
    if (run === null)
      throw new RequestError("not_found", `Cannot cancel the run ${describe(id)}: it is not known`);
    if (run.state === "queued") return this.#end(id, { state: "cancelled" });
    if (this.#current?.id === id) this.#current.abort.abort();
    return run;
  }

  result(job: string): Result | null {
    return this.#jobs.get(job)?.result ?? null;
  }

  past(job: string): AsyncIterable<PastResult> {
    return this.#results.past(job);
  }

  nextRun(job: string): number | null {
    return this.#jobs.get(job)?.due ?? null;
  }

  onChange(listener: (job: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Takes over results that are newer in the lake than in memory: at the start, and in a process that only shows.
   *
   * @throws LakeError when the lake cannot be read
   */
  async load(): Promise<void> {
    for (const job of this.#jobs.values()) {
      const result = await this.#results.latest(job.info.name, job.result);
      if (result === null || result === job.result) continue;
      job.result = result;
      this.#changed(job.info.name);
    }
  }

  /** The work itself, for the supervisor: loads what is kept, then runs what is asked for or due until it is stopped. */
  backgroundJob(): BackgroundJob {
    this.#works = true;
    return { name: "analytics", run: (context) => this.#work(context) };
  }

  async #work({ signal, running, waiting }: JobContext): Promise<void> {
    const { clock } = this.#options;
    await this.load();
    const first = { since: null as number | null, commits: "", done: false };
    for (const job of this.#jobs.values()) job.due = nextTime(job.info.schedule, clock.now());
    while (!signal.aborted) {
      if (!first.done) first.done = await this.#startOutdated(first);
      await this.#enqueueDue();
      const next = this.#runs.next();
      if (next !== undefined) {
        running();
        await this.#execute(next, signal);
        continue;
      }
      waiting(first.done ? "for the next run" : "for the first data");
      await this.#sleep(first.done ? LOOK_MS : FIRST_LOOK_MS, signal);
    }
    for (let run = this.#runs.next(); run !== undefined; run = this.#runs.next()) {
      this.#end(run.id, { state: "cancelled" });
    }
  }

  /**
   * Once there is data, and the first rush of it is over, queues the scheduled jobs whose result is older than the data or
   * answers another query. Returns whether that was done.
   */
  async #startOutdated(first: { since: number | null; commits: string }): Promise<boolean> {
    const { clock, snapshot } = this.#options;
    const now = await snapshot();
    if (rowsOf(now.snapshot) === 0) return false;
    const commits = JSON.stringify(now.commits);
    const outdated = [...this.#jobs.values()].filter(
      (job) => job.info.schedule !== null && !isCurrent(job, now.commits),
    );
    first.since ??= clock.now();
    const settled = first.commits === commits || clock.now() - first.since >= FIRST_WAIT_MS;
    first.commits = commits;
    if (outdated.length > 0 && !settled) return false;
    for (const job of outdated) this.#enqueue(job, "start");
    return true;
  }

  /** Queues what the schedule asks for, but for results that already hold what is committed. */
  async #enqueueDue(): Promise<void> {
    const now = this.#options.clock.now();
    const due = [...this.#jobs.values()].filter((job) => job.due !== null && job.due <= now);
    if (due.length === 0) return;
    const { snapshot, commits } = await this.#options.snapshot();
    for (const job of due) {
      job.due = nextTime(job.info.schedule, now);
      if (rowsOf(snapshot) > 0 && !isCurrent(job, commits)) this.#enqueue(job, "schedule");
    }
  }

  #enqueue(job: Job, trigger: Run["trigger"]): Run {
    const { name } = job.info;
    const active = this.#runs.active(name);
    if (active !== undefined) return active;
    const id = Array.from({ length: 16 }, () => Math.floor(this.#random() * 16).toString(16)).join("");
    const run = this.#runs.add({ id, job: name, trigger, queued_at: this.#now() });
    this.#wake();
    return run;
  }

  /** Runs a job. Whatever fails ends up in the run. */
  async #execute({ id, job: name }: Run, stop: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const job = this.#find(name);
    const abort = new AbortController();
    this.#current = { id, abort };
    this.#runs.set(id, { state: "running", started_at: this.#now() });
    try {
      job.result = await this.#compute(job, id, AbortSignal.any([abort.signal, stop]));
      job.away = 0;
      const { table, duration_ms, rows_read } = job.result;
      this.#end(id, { state: "succeeded", progress: 1, rows: table.numRows });
      logger.info("analytic job done", { job: name, rows: table.numRows, rows_read, ms: duration_ms });
    } catch (error) {
      if (codeOf(error) === "cancelled") {
        this.#end(id, { state: "cancelled" });
        return;
      }
      const code = codeOf(error) ?? null;
      this.#end(id, { state: "failed", error: withoutFolders(messageOf(error)), code });
      job.away = AWAY.includes(code) ? job.away + 1 : 0;
      if (job.away > 0 && job.due !== null) {
        const wait = backoffMs(job.away - 1, AGAIN, this.#random);
        job.due = Math.min(job.due, this.#options.clock.now() + wait);
      }
      logger.error("analytic job failed", {
        job: name,
        run: id,
        code,
        reason: messageOf(error),
      });
    } finally {
      this.#current = null;
    }
  }

  /** Computes a result and keeps it in the lake. */
  async #compute({ info, job, query }: Job, run: string, signal: AbortSignal): Promise<KeptResult> {
    const { clock, engine, snapshot: take } = this.#options;
    const started = clock.now();
    let told = 0;
    const progress = (share: number) => {
      if (share - told < PROGRESS_STEP) return;
      told = share;
      this.#runs.set(run, { progress: share });
    };
    for (let attempt = 1; ; attempt++) {
      const { snapshot, commits, watermark } = await take();
      try {
        const table = await this.#runOver(snapshot, job, { signal, progress });
        const duration_ms = clock.now() - started;
        const rows_read = rowsOf(neededFiles(job, snapshot));
        const generated_at = this.#now();
        const facts = { job: info.name, run, generated_at, engine: engine.name, rows_read, duration_ms };
        return await this.#results.put({ ...facts, commits, watermark, query }, table, job.keeps);
      } catch (error) {
        // A compaction may have replaced a file under the query: the next snapshot has the new one.
        if (attempt > 1 || codeOf(error) !== "unavailable" || signal.aborted) throw error;
      }
    }
  }

  /** Runs a job over a snapshot, and over the flags of its rows where the job asks for them. */
  async #runOver(
    snapshot: Snapshot,
    job: SqlJob,
    options: Pick<QueryOptions, "progress"> & { signal: AbortSignal },
  ): Promise<Table> {
    const { engine, judged } = this.#options;
    const views = overVerdicts(this.#options.views);
    const run = { views, background: true, ...options };
    if (!neededViews(job.sql, views).some(({ name }) => name === "quality"))
      return runJob(engine, job, { snapshot, ...run });
    const dates = neededFiles(job, snapshot).files.map(({ date }) => date);
    const first = dates.reduce((first, date) => (date < first ? date : first), "9999-12-31");
    const files = await judged.of(snapshot, { first, last: "9999-12-31" });
    try {
      return await runJob(engine, job, { snapshot: files.snapshot, judged: files.snapshot, ...run });
    } finally {
      await files.release();
    }
  }

  #end(id: string, changes: Partial<Run>): Run {
    return this.#runs.set(id, { ...changes, finished_at: this.#now() });
  }

  /** Sleeps until a run is queued or due, the signal aborts, or `longest` ms are over. */
  async #sleep(longest: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const dues = [...this.#jobs.values()].flatMap(({ due }) => (due === null ? [] : [due - clock.now()]));
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await clock.sleep(Math.max(0, Math.min(longest, ...dues)), AbortSignal.any([signal, woken.signal]));
    this.#wake = () => {};
  }

  #find(name: string): Job {
    const job = this.#jobs.get(name);
    if (job === undefined) throw new RequestError("not_found", `There is no analytic job ${describe(name)}`);
    return job;
  }

  #changed(job: string): void {
    for (const listener of this.#listeners) listener(job);
  }

  #now(): string {
    return formatTimestamp(this.#options.clock.now());
  }
}

/** When a cron expression is due next, ms, or null. */
function nextTime(schedule: string | null, now: number): number | null {
  return schedule === null ? null : (Bun.cron.parse(schedule, now, { tz: "UTC" })?.getTime() ?? null);
}

/** Whether a job's result answers its query over these commits. */
function isCurrent({ result, query }: Job, commits: Record<string, number>): boolean {
  if (result?.query !== query) return false;
  const partitions = new Set([...Object.keys(commits), ...Object.keys(result.commits)]);
  return [...partitions].every((partition) => commits[partition] === result.commits[partition]);
}

function rowsOf(snapshot: Snapshot): number {
  return snapshot.files.reduce((sum, { rows }) => sum + rows, 0);
}

/** A message without this machine's folders: where the lake lies is nobody's business on a page. */
function withoutFolders(message: string): string {
  return message.replace(/(?:[A-Za-z]:)?(?:[\\/][^\\/\s"'`]+)+[\\/](?=[^\\/\s"'`])/g, "…/");
}
