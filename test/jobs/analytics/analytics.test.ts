import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { tableFromArrays, type Table } from "apache-arrow";
import { codeOf, EngineError, LakeError } from "../../../core/errors.ts";
import { silentLogger } from "../../../core/log.ts";
import { Analytics } from "../../../jobs/analytics/analytics.ts";
import type { JudgedRows } from "../../../jobs/readers/judged-rows.ts";
import type { Run } from "../../../core/analytic-job.ts";
import type { Engine, QueryOptions, Snapshot } from "../../../spark/engine.ts";
import { parseSqlJob, type SqlJob } from "../../../spark/sql-job.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryLake } from "../../support/memory-lake.ts";

const NOON = Date.UTC(2026, 0, 31, 12);

/** A job that is due every five minutes, or on demand. */
function job(name: string, schedule = "default"): SqlJob {
  const header = `-- title: ${name}\n-- answers: What?\n-- schedule: ${schedule}\n-- parameter: hours integer 3 Hours\n`;
  return parseSqlJob(`${name}.sql`, `${header}SELECT '${name}' AS name, :hours AS hours`);
}

/** A query under way, which the test ends. */
interface Call {
  sql: string;
  options: QueryOptions;
  succeed(table?: Table): void;
  fail(error: Error): void;
}

/** An engine whose queries take until the test ends them. */
class FakeEngine implements Engine {
  readonly name = "Fake 1";
  readonly calls: Call[] = [];
  #next: (() => void)[] = [];

  query(sql: string, options: QueryOptions): Promise<Table> {
    return new Promise((resolve, reject) => {
      options.signal?.addEventListener("abort", () => reject(new EngineError("cancelled", "cancelled")));
      const succeed = (table = tableFromArrays({ value: [1] })) => resolve(table);
      this.calls.push({ sql, options, succeed, fail: reject });
      for (const wake of this.#next.splice(0)) wake();
    });
  }

  /** The query with this number, from 0, as soon as it is asked. */
  async call(index: number): Promise<Call> {
    for (;;) {
      const call = this.calls[index];
      if (call !== undefined) return call;
      await new Promise<void>((resolve) => this.#next.push(resolve));
    }
  }

  async close(): Promise<void> {}
}

let clock: FakeClock;
let engine: FakeEngine;
let lake: MemoryLake;
let rows: number;
let commits: Record<string, number>;
let stop: AbortController;
let works: Promise<void>[];
let states: string[];
/** Gives the rows of a snapshot their flags. */
let flagsOf: JudgedRows["of"];

beforeEach(() => {
  clock = new FakeClock(NOON);
  engine = new FakeEngine();
  lake = new MemoryLake();
  rows = 10;
  commits = { "0": 5 };
  stop = new AbortController();
  works = [];
  states = [];
  flagsOf = () => Promise.reject(new Error("No flags are wanted here"));
});
afterEach(async () => {
  stop.abort();
  await Promise.allSettled(works);
});

function make(jobs: SqlJob[] = [job("a", "none")]): Analytics {
  return new Analytics({
    jobs,
    engine,
    views: [{ name: "quality", sql: "SELECT * FROM observations" }],
    judged: { of: (snapshot, days) => flagsOf(snapshot, days) },
    lake,
    snapshot: async () => ({
      snapshot: snapshot(),
      commits: { ...commits },
      watermark: "2026-01-31T11:55:00Z",
    }),
    clock,
    logger: silentLogger,
    cronDefault: "*/5 * * * *",
  });
}

function snapshot(): Snapshot {
  if (rows === 0) return { files: [] };
  return {
    files: [
      { location: `/lake/${commits["0"]}.jsonl`, format: "jsonl", date: "2026-01-31", rows, revisions: 0 },
    ],
  };
}

function work(analytics: Analytics): Promise<void> {
  const running = analytics.backgroundJob().run({
    signal: stop.signal,
    running: () => void states.push("running"),
    waiting: (reason) => void states.push(reason),
  });
  works.push(running);
  return running;
}

/** The run with this id, as soon as it is in this state. */
function until(analytics: Analytics, id: string, state: Run["state"]): Promise<Run> {
  return new Promise((resolve) => {
    const look = () => {
      const run = analytics.run(id);
      if (run?.state !== state) return;
      off();
      resolve(run);
    };
    const off = analytics.onChange(look);
    look();
  });
}

describe("Analytics", () => {
  test("runs a job that reads flags over files that have them, and lets go of these whatever becomes of it", async () => {
    const files = { files: [{ ...snapshot().files[0]!, location: "/tmp/judged.parquet" }] };
    const asked: unknown[] = [];
    let released = 0;
    flagsOf = async (all, days) => {
      asked.push([all.files.length, days]);
      return { snapshot: files, release: async () => void released++ };
    };
    const header = "-- title: q\n-- answers: What?\n-- schedule: none\n";
    const analytics = make([parseSqlJob("q.sql", `${header}SELECT * FROM quality`)]);
    void work(analytics);
    const first = analytics.start("q");
    const call = await engine.call(0);
    expect(call.options).toMatchObject({ snapshot: files, judged: files });
    expect(call.options.views?.[0]?.sql).toMatch(/^SELECT timestamp, .* FROM judged$/);
    expect([asked, released]).toEqual([[[1, { first: "2026-01-31", last: "9999-12-31" }]], 0]);
    call.succeed();
    await until(analytics, first.id, "succeeded");
    expect(analytics.result("q")?.rows_read).toBe(10);
    const second = analytics.start("q");
    (await engine.call(1)).fail(new EngineError("bad_query", "no"));
    await until(analytics, second.id, "failed");
    expect(released).toBe(2);
  });

  test("start() queues a run, and its result is kept, served and told", async () => {
    const analytics = make();
    const changes: string[] = [];
    analytics.onChange((name) => changes.push(name));
    void work(analytics);
    const run = analytics.start("a");
    expect(run).toMatchObject({
      job: "a",
      state: "queued",
      trigger: "request",
      queued_at: "2026-01-31T12:00:00Z",
    });
    const call = await engine.call(0);
    expect(call.options.arguments).toEqual({ hours: 3 });
    expect(analytics.run(run.id)?.state).toBe("running");
    call.options.progress?.(0.5);
    expect(analytics.run(run.id)?.progress).toBe(0.5);
    await clock.advance(250);
    call.succeed();
    const done = await until(analytics, run.id, "succeeded");
    expect(done).toMatchObject({
      progress: 1,
      rows: 1,
      error: null,
      finished_at: "2026-01-31T12:00:00.250Z",
    });
    expect(analytics.result("a")).toMatchObject({
      job: "a",
      run: run.id,
      generated_at: "2026-01-31T12:00:00.250Z",
      engine: "Fake 1",
      commits: { "0": 5 },
      watermark: "2026-01-31T11:55:00Z",
      rows_read: 10,
      duration_ms: 250,
    });
    expect(lake.files.has(`results/a/000000001-${run.id}.arrow`)).toBe(true);
    expect(new Set(changes)).toEqual(new Set(["a"]));
    expect(changes.length).toBeGreaterThanOrEqual(4);
  });

  test("past() has the newest ten results of a job, and the older ones that its header keeps", async () => {
    const plain = job("plain", "none");
    const keeping = parseSqlJob("keeping.sql", `-- keeps: every 3rd of 600\n${plain.sql}`);
    const analytics = make([plain, keeping]);
    void work(analytics);
    for (const name of ["plain", "keeping"]) {
      const runs: string[] = [];
      for (let i = 0; i < 17; i++) {
        const { id } = analytics.start(name);
        (await engine.call(engine.calls.length)).succeed();
        await until(analytics, id, "succeeded");
        runs.push(id);
      }
      const kept: number[] = [];
      for await (const { run } of analytics.past(name)) kept.push(runs.indexOf(run) + 1);
      expect(kept).toEqual([17, 16, 15, 14, 13, 12, 11, 10, 9, 8, ...(name === "plain" ? [] : [6, 3])]);
    }
  });

  test("load() takes over the results of an earlier process", async () => {
    const before = make();
    void work(before);
    const { id } = before.start("a");
    (await engine.call(0)).succeed();
    await until(before, id, "succeeded");
    const after = make();
    expect(after.result("a")).toBeNull();
    await after.load();
    expect(after.result("a")?.run).toBe(id);
  });

  test("start() gives back the run that waits or runs, and runs one job at a time in order", async () => {
    const analytics = make([job("a", "none"), job("b", "none")]);
    void work(analytics);
    const a = analytics.start("a");
    const b = analytics.start("b");
    const first = await engine.call(0);
    expect(analytics.start("a").id).toBe(a.id);
    expect(analytics.start("b").id).toBe(b.id);
    expect(analytics.run(b.id)?.state).toBe("queued");
    expect(engine.calls).toHaveLength(1);
    first.succeed();
    (await engine.call(1)).succeed();
    await until(analytics, b.id, "succeeded");
    expect(engine.calls.map(({ sql }) => /'(.)'/.exec(sql)?.[1])).toEqual(["a", "b"]);
    expect(analytics.runs().map(({ id }) => id)).toEqual([b.id, a.id]);
    expect(analytics.runs("a").map(({ id }) => id)).toEqual([a.id]);
    expect(analytics.start("a").id).not.toBe(a.id);
  });

  test("cancel() ends a queued run at once and a running one through the engine", async () => {
    const analytics = make([job("a", "none"), job("b", "none")]);
    void work(analytics);
    const a = analytics.start("a");
    const b = analytics.start("b");
    await engine.call(0);
    expect(analytics.cancel(b.id)).toMatchObject({ state: "cancelled", finished_at: "2026-01-31T12:00:00Z" });
    analytics.cancel(a.id);
    expect(await until(analytics, a.id, "cancelled")).toMatchObject({ error: null, rows: null });
    expect(engine.calls).toHaveLength(1);
    expect(analytics.result("a")).toBeNull();
    expect(analytics.cancel(a.id).state).toBe("cancelled");
  });

  test("refuses jobs and runs it does not know, and runs where this process does not work", async () => {
    const analytics = make();
    const code = (action: () => unknown) => {
      try {
        action();
        return undefined;
      } catch (error) {
        return codeOf(error);
      }
    };
    expect(code(() => analytics.start("a"))).toBe("conflict");
    expect(code(() => analytics.start("x"))).toBe("not_found");
    expect(code(() => analytics.cancel("x"))).toBe("not_found");
    expect([analytics.run("x"), analytics.result("x"), analytics.nextRun("x")]).toEqual([null, null, null]);
  });

  test("a failed run says why without folders of this machine, and the next one runs", async () => {
    const analytics = make();
    void work(analytics);
    const first = analytics.start("a");
    (await engine.call(0)).fail(new EngineError("bad_query", "no column \"x\" in '/home/me/lake/1.jsonl'"));
    const failed = await until(analytics, first.id, "failed");
    expect(failed.error).toBe("no column \"x\" in '…/1.jsonl'");
    const second = analytics.start("a");
    (await engine.call(1)).succeed();
    await until(analytics, second.id, "succeeded");
  });

  test("a run whose file is gone takes a new snapshot and tries once more", async () => {
    const analytics = make();
    void work(analytics);
    const gone = new EngineError("unavailable", "no such file");
    const { id } = analytics.start("a");
    commits = { "0": 5 };
    const first = await engine.call(0);
    commits = { "0": 6 };
    first.fail(gone);
    const second = await engine.call(1);
    expect(second.options.snapshot.files[0]?.location).toBe("/lake/6.jsonl");
    second.succeed();
    await until(analytics, id, "succeeded");
    expect(analytics.result("a")?.commits).toEqual({ "0": 6 });
    const again = analytics.start("a");
    (await engine.call(2)).fail(gone);
    (await engine.call(3)).fail(gone);
    await until(analytics, again.id, "failed");
    expect(engine.calls).toHaveLength(4);
  });

  test("a scheduled job runs again soon when engine or lake were away, else by its schedule", async () => {
    const analytics = make([job("a", "0 0 * * *")]);
    void work(analytics);
    await clock.sleepers();
    const wait = 2_000;
    const { id } = analytics.start("a");
    for (const index of [0, 1])
      (await engine.call(index)).fail(new EngineError("unavailable", "nobody answers"));
    expect(await until(analytics, id, "failed")).toMatchObject({
      error: "nobody answers",
      code: "unavailable",
    });
    await clock.sleepers();
    await clock.advance(wait - 1);
    expect(engine.calls).toHaveLength(2);
    await clock.advance(1);
    const { id: again } = analytics.runs("a")[0]!;
    expect(analytics.run(again)).toMatchObject({ state: "running", trigger: "schedule" });
    (await engine.call(2)).fail(new EngineError("bad_query", "no such column"));
    expect(await until(analytics, again, "failed")).toMatchObject({ code: "bad_query" });
    await clock.sleepers();
    await clock.advance(10 * wait);
    expect(engine.calls).toHaveLength(3);
    expect(analytics.nextRun("a")).toBe(Date.UTC(2026, 1, 1));
  });

  test("a run whose result cannot be kept fails", async () => {
    const analytics = make();
    void work(analytics);
    const { id } = analytics.start("a");
    const call = await engine.call(0);
    lake.fault = () => {
      throw new LakeError("full", "the disk is full");
    };
    call.succeed();
    expect((await until(analytics, id, "failed")).error).toBe("the disk is full");
    expect(analytics.result("a")).toBeNull();
  });

  test("remembers fifty runs of a job", async () => {
    const analytics = make();
    void work(analytics);
    for (let i = 0; i < 53; i++) {
      const { id } = analytics.start("a");
      (await engine.call(i)).succeed();
      await until(analytics, id, "succeeded");
    }
    expect(analytics.runs("a")).toHaveLength(50);
  });

  test("starts the scheduled jobs by itself once the first data has settled", async () => {
    rows = 0;
    const analytics = make([job("a"), job("b", "none")]);
    void work(analytics);
    await clock.sleepers();
    expect(states.at(-1)).toBe("for the first data");
    await clock.advance(2_000);
    rows = 10;
    commits = { "0": 1 };
    await clock.advance(500);
    commits = { "0": 2 };
    await clock.advance(500);
    expect(engine.calls).toHaveLength(0);
    await clock.advance(500);
    const call = await engine.call(0);
    expect(analytics.runs()).toMatchObject([{ job: "a", trigger: "start", state: "running" }]);
    call.succeed();
    await until(analytics, analytics.runs()[0]?.id ?? "", "succeeded");
    await clock.sleepers();
    expect(states.at(-1)).toBe("for the next run");
    expect(engine.calls).toHaveLength(1);
  });

  test("does not wait longer than five seconds for data to settle", async () => {
    const analytics = make([job("a")]);
    void work(analytics);
    for (let i = 0; engine.calls.length === 0; i++) {
      await clock.sleepers();
      expect(i).toBeLessThanOrEqual(10);
      commits = { "0": i + 100 };
      await clock.advance(500);
    }
    expect(clock.now() - NOON).toBe(5_000);
  });

  test("starts nothing by itself when the kept result holds what is committed, unless the query is another", async () => {
    const before = make([job("a")]);
    void work(before);
    await clock.sleepers();
    await clock.advance(500);
    (await engine.call(0)).succeed();
    await until(before, before.runs()[0]?.id ?? "", "succeeded");
    stop.abort();
    await Promise.all(works);

    stop = new AbortController();
    const after = make([job("a")]);
    void work(after);
    await clock.sleepers();
    expect(states.at(-1)).toBe("for the next run");
    expect(after.runs()).toEqual([]);
    stop.abort();
    await Promise.all(works);

    stop = new AbortController();
    const changed = make([{ ...job("a"), sql: "SELECT 2 AS two, :hours AS hours" }]);
    void work(changed);
    await clock.sleepers();
    await clock.advance(500);
    expect((await engine.call(1)).sql).toContain("two");
  });

  test("runs by the schedule in UTC, but not over what the newest result holds already", async () => {
    const analytics = make([job("a"), job("b", "30 12 * * *")]);
    expect(analytics.jobs().map(({ schedule }) => schedule)).toEqual(["*/5 * * * *", "30 12 * * *"]);
    expect(analytics.nextRun("a")).toBe(NOON + 300_000);
    expect(analytics.nextRun("b")).toBe(NOON + 1_800_000);
    void work(analytics);
    await clock.sleepers();
    await clock.advance(500);
    (await engine.call(0)).succeed();
    (await engine.call(1)).succeed();
    await until(analytics, analytics.runs("b")[0]?.id ?? "", "succeeded");
    await clock.sleepers();

    await clock.advance(300_000);
    await clock.sleepers();
    expect(engine.calls).toHaveLength(2);
    expect(analytics.nextRun("a")).toBe(NOON + 600_000);

    commits = { "0": 9 };
    await clock.advance(300_000);
    (await engine.call(2)).succeed();
    expect(analytics.runs()[0]).toMatchObject({
      job: "a",
      trigger: "schedule",
      queued_at: "2026-01-31T12:10:00Z",
    });
  });

  test("a request runs over the same commits again", async () => {
    const analytics = make();
    void work(analytics);
    for (const index of [0, 1]) {
      const { id } = analytics.start("a");
      (await engine.call(index)).succeed();
      await until(analytics, id, "succeeded");
    }
    expect(engine.calls).toHaveLength(2);
  });

  test("stops within its call: the running run and the queued ones are cancelled", async () => {
    const analytics = make([job("a", "none"), job("b", "none")]);
    const done = work(analytics);
    const a = analytics.start("a");
    const b = analytics.start("b");
    await engine.call(0);
    stop.abort();
    await done;
    expect([a, b].map(({ id }) => analytics.run(id)?.state)).toEqual(["cancelled", "cancelled"]);
  });

  test("the job ends with an error when the lake is away at the start, and works when it is run again", async () => {
    lake.fault = () => {
      throw new LakeError("unavailable", "away");
    };
    const analytics = make();
    expect(await work(analytics).then(() => undefined, codeOf)).toBe("unavailable");
    lake.fault = undefined;
    void work(analytics);
    const { id } = analytics.start("a");
    (await engine.call(0)).succeed();
    await until(analytics, id, "succeeded");
  });
});
