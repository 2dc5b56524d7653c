import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { Table } from "apache-arrow";
import { LakeError } from "../../../core/errors.ts";
import { silentLogger } from "../../../core/log.ts";
import type { Row } from "../../../core/observation.ts";
import type { Judgement } from "../../../core/quality.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { Judge } from "../../../jobs/analytics/judge.ts";
import { KeptViews } from "../../../jobs/analytics/kept-views.ts";
import { openDuckDb } from "../../../spark/duckdb.ts";
import type { Engine, SnapshotFile, SqlView } from "../../../spark/engine.ts";
import { readSqlJobs, runJob } from "../../../spark/sql-job.ts";
import { analysisViews } from "../../../spark/views.ts";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { LakeFolder, row } from "../../support/lake-files.ts";
import { randomFrom } from "../../../core/random.ts";

const NOW = Date.UTC(2026, 0, 31, 12);
const DAYS = 40;

let folder: LakeFolder;
let engine: Engine;
let views: SqlView[];
/** What the job `baseline` says of the past days. */
let baseline: Table;
let past: Row[];

/** An hourly report of London with the daily course of the season, `hours` before now. */
function report(hours: number, changed: Partial<Row> = {}): Row {
  const ms = NOW - hours * HOUR_MS;
  return row({
    city: "London",
    source: "a",
    timestamp: formatTimestamp(ms),
    ingested_at: formatTimestamp(ms + 1_000),
    temperature: usual(hours),
    humidity: 70 + (hours % 7),
    pressure: 1010 + (hours % 5) / 2,
    log_offset: 10_000 - hours,
    ...changed,
  });
}

const noise = randomFrom(3);
const noises = Array.from({ length: DAYS * 24 + 1 }, () => noise() - 0.5);
function usual(hours: number): number {
  const ofDay = new Date(NOW - hours * HOUR_MS).getUTCHours();
  return (
    Math.round((8 + 3 * Math.sin(((ofDay - 9) / 12) * Math.PI) + (noises[Math.max(0, hours)] ?? 0)) * 100) /
    100
  );
}

beforeAll(async () => {
  folder = await LakeFolder.make();
  engine = await openDuckDb({ tempFolder: join(folder.path, "duckdb"), threads: 2 });
  views = await analysisViews({ cities: DEFAULT_CITIES });
  past = Array.from({ length: DAYS * 24 }, (_, i) => report(DAYS * 24 - i));
  const job = (await readSqlJobs()).find(({ name }) => name === "baseline")!;
  baseline = await runJob(engine, job, { snapshot: await folder.snapshot(past), views });
});
afterAll(async () => {
  await engine.close();
  await folder.remove();
});

let clock: FakeClock;
/** Committed files, or why the lake is away. */
let committed: SnapshotFile[] | LakeError;
let published: Judgement[][];
let stop: AbortController;
let onPublish: () => void;
beforeEach(async () => {
  clock = new FakeClock(NOW);
  committed = (await folder.snapshot(past.slice(-30))).files as SnapshotFile[];
  published = [];
  stop = new AbortController();
  onPublish = () => {};
});
afterEach(() => stop.abort());

function judge({ kept = true, isLive = true } = {}): Judge {
  const keptViews = new KeptViews({
    views,
    result: (job) => (job !== "baseline" ? undefined : kept ? { run: "1", table: baseline } : null),
    folder: join(folder.path, "duckdb", "kept"),
  });
  const made = new Judge({
    reader: {
      snapshot: async () => {
        if (committed instanceof Error) throw committed;
        return { snapshot: { files: committed }, commits: {}, watermark: null };
      },
    },
    engine,
    views: () => keptViews.list(),
    isLive,
    folder: join(folder.path, "duckdb", "judge"),
    clock,
    logger: silentLogger,
    publish: (judgements) => {
      published.push([...judgements]);
      onPublish();
    },
  });
  opened.push(made);
  return made;
}

/** Judges that are to be closed. */
const opened: Judge[] = [];
afterAll(async () => {
  for (const one of opened) await one.close();
});

/** What a judge says of rows that arrive, by hours before now. */
async function judged(rows: readonly Row[], options?: Parameters<typeof judge>[0]) {
  const one = judge(options);
  one.take(rows);
  return one.judge(rows);
}
const kinds = (judgement: Judgement | undefined) => judgement?.anomalies.map(({ kind }) => kind).sort();

describe("Judge.judge()", () => {
  test("gives flags and what is usual for the hour, and judges the report before again", async () => {
    const found = await judged([report(0)]);
    expect(found.map(({ timestamp }) => timestamp)).toEqual(["2026-01-31T11:00:00Z", "2026-01-31T12:00:00Z"]);
    const newest = found[1]!;
    expect(newest).toMatchObject({ city: "London", source: "a", log_offset: 10_000, anomalies: [] });
    expect(newest.flags).toMatchObject({ flag: 1, q_gross: 1, temperature_flag: 1 });
    expect(newest.usual).toMatchObject({ status: "normal" });
    expect(newest.usual!.expected).toBeCloseTo(8 + 3 * Math.sin((3 / 12) * Math.PI), 0);
    expect(newest.usual!.lower!).toBeLessThan(newest.usual!.expected!);
  });

  test("says nothing of what is usual by a past that is too short to judge by", async () => {
    const [, newest] = await judged([report(0)], { kept: false });
    expect(newest!.usual).toMatchObject({
      expected: null,
      lower: null,
      upper: null,
      score: null,
      status: "insufficient data",
    });
  });

  test("flags a value that cannot be, and keeps it", async () => {
    const [, newest] = await judged([report(0, { temperature: 71 })]);
    expect(newest!.flags).toMatchObject({ flag: 4, q_gross: 4, temperature_flag: 4, humidity_flag: 1 });
  });

  test("calls a value unusual at once, and a spike once the next report has come", async () => {
    const one = judge();
    const spike = report(1, { temperature: usual(1) + 9 });
    committed = (await folder.snapshot(past.slice(-30, -1))).files as SnapshotFile[];
    one.take([spike]);
    const [, before] = await one.judge([spike]);
    expect(kinds(before)).toEqual(["step", "unusual"]);
    const next = report(0);
    one.take([next]);
    const [spiked, back] = await one.judge([next]);
    expect(kinds(spiked)).toEqual(["spike", "unusual"]);
    expect(spiked!.anomalies[0]).toMatchObject({ variable: "temperature", observed: spike.temperature });
    expect(kinds(back)).toEqual([]);
  });

  test("forgets what was retracted: the report before is what a new one is compared with", async () => {
    const one = judge();
    committed = (await folder.snapshot(past.slice(-30, -1))).files as SnapshotFile[];
    const wrong = report(1, { temperature: usual(1) + 9, log_offset: 20_000 });
    one.take([wrong]);
    one.withdraw(({ source, log_offset }) => source === "a" && log_offset === 20_000);
    const next = report(0);
    one.take([next]);
    const found = await one.judge([next]);
    expect(found.map(({ log_offset }) => log_offset)).not.toContain(20_000);
    expect(found.map(kinds)).toEqual([[], []]);
  });

  test("sees the newest revision, committed or not", async () => {
    const revised = report(1, { temperature: usual(1) + 9, log_offset: 20_000 });
    const [only] = (await judged([revised])).filter(({ timestamp }) => timestamp === revised.timestamp);
    expect(only!.log_offset).toBe(20_000);
    expect(kinds(only)).toContain("unusual");
  });

  test("says insufficient data without a baseline, never normal", async () => {
    const [, newest] = await judged([report(0)], { kept: false });
    expect(newest!.usual).toMatchObject({ status: "insufficient data" });
    expect(newest!.anomalies).toEqual([]);
  });

  test("leaves out what is older than the past it looks at, and judges what comes late within it", async () => {
    const found = await judged([report(0), report(900), report(5, { source: "b" })]);
    expect(found.map(({ timestamp, source }) => [timestamp, source])).toEqual([
      ["2026-01-31T11:00:00Z", "a"],
      ["2026-01-31T12:00:00Z", "a"],
      ["2026-01-31T07:00:00Z", "b"],
    ]);
  });

  test("judges what has arrived while the lake is away", async () => {
    committed = new LakeError("unavailable", "Cannot reach the lake");
    const found = await judged([report(1), report(0)]);
    expect(found.map(({ usual }) => usual?.status)).toEqual(["normal", "normal"]);
  });

  test("of many cities at once judges each", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => report(0, { city: `City ${i}` }));
    expect((await judged(rows)).length).toBe(60);
  });
});

describe("Judge.backgroundJob()", () => {
  test("publishes the judgements of what is taken, and goes on after a failure", async () => {
    const one = judge();
    const next = () => new Promise<void>((resolve) => (onPublish = resolve));
    const run = () => one.backgroundJob().run({ signal: stop.signal, running: () => {}, waiting: () => {} });
    const there = committed;
    committed = [
      {
        location: join(folder.path, "gone.jsonl"),
        format: "jsonl",
        date: "2026-01-31",
        rows: 1,
        revisions: 0,
      },
    ];
    let running = run();
    one.take([report(0)]);
    await expect(running).rejects.toMatchObject({ code: "unavailable" });
    committed = there;
    let came = next();
    running = run();
    await came;
    expect(published.at(-1)!.map(({ timestamp }) => timestamp)).toEqual([
      "2026-01-31T11:00:00Z",
      "2026-01-31T12:00:00Z",
    ]);
    came = next();
    one.take([report(-1)]);
    await came;
    expect(published.at(-1)!.map(({ timestamp }) => timestamp)).toContain("2026-01-31T13:00:00Z");
    stop.abort();
    await running;
  });

  test("tells once when a station falls silent by the clock, and not of a recording", async () => {
    for (const isLive of [true, false]) {
      published = [];
      const one = judge({ isLive });
      const stopped = new AbortController();
      const running = one
        .backgroundJob()
        .run({ signal: stopped.signal, running: () => {}, waiting: () => {} });
      await clock.sleepers(1);
      const came = new Promise<void>((resolve) => (onPublish = resolve));
      await clock.advance(4 * HOUR_MS);
      await clock.sleepers(1); // the first look began a minute after the start
      await clock.advance(60_000);
      if (isLive) {
        await came;
        expect(published).toHaveLength(1);
        expect(published[0]!.map(({ timestamp }) => timestamp)).toEqual(["2026-01-31T11:00:00Z"]);
        expect(published[0]![0]!.anomalies).toMatchObject([
          { kind: "silent", status: "anomaly", expected: 60 },
        ]);
        expect(await one.silent()).toEqual([]);
      }
      stopped.abort();
      await running;
      if (!isLive) expect(published).toEqual([]);
    }
  });
});
