import {
  type Table,
  TimestampMicrosecond,
  Utf8,
  Table as ArrowTable,
  tableToIPC,
  vectorFromArray,
} from "apache-arrow";
import { DEFAULT_CITIES, type Place } from "../../core/city.ts";
import { RequestError } from "../../core/errors.ts";
import type { PostedAnswer, PostedLine } from "../../jobs/posted-lines.ts";
import type { DayFile, LakeDay } from "../../jobs/readers/lake-days.ts";
import type { Observation, Row } from "../../core/observation.ts";
import { FLAG_COLUMNS, type Flags } from "../../core/quality.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { AnalyticsService } from "../../jobs/analytics/analytics.ts";
import type { JobInfo, Run } from "../../core/analytic-job.ts";
import type { Arrivals, ArrivalsQuery } from "../../jobs/readers/lake-arrivals.ts";
import type { RowQuery } from "../../jobs/readers/lake-queries.ts";
import type { RejectedRecord } from "../../core/rejected-record.ts";
import type { Result } from "../../jobs/analytics/results.ts";
import type { CurrentObservation, ObservationPage, Services } from "../../server/answers/services.ts";
import type { About } from "../../core/about.ts";
import type { PipelineStatus } from "../../core/pipeline-status.ts";
import type { ObservationKey } from "../../jobs/readers/provenance.ts";
import type { Why } from "../../server/answers/origin.ts";

/** The time at which the fake world stands: `FakeClock`'s default. */
export const NOW = Date.UTC(2026, 0, 31, 12);

/** An observation of London, changed as wanted. */
export function observation(changes: Partial<Observation> = {}): Observation {
  return {
    timestamp: "2026-01-31T11:50:00Z",
    city: "London",
    temperature: 7.5,
    humidity: 81,
    pressure: 1012.4,
    wind_speed: 4.1,
    rainfall: 0,
    weather_main: "Clouds",
    weather_description: "broken clouds",
    source: "simulator",
    ...changes,
  };
}

/** A row of the lake, changed as wanted. */
export function row(offset: number, changes: Partial<Observation> = {}): Row {
  const made = observation(changes);
  return { ...made, log_offset: offset, ingested_at: made.timestamp };
}

/** Where a row comes from, and that one job used it and one did not. */
export function why(newest: Row, ...older: Row[]): Why {
  const stored = (one: Row) => ({
    row: one,
    topic: "weather",
    partition: 0,
    file: {
      path: `observations/date=2026-01-31/hour=11/weather+0+${one.log_offset}.jsonl`,
      rows: 1,
      bytes: 360,
      sha256: "0".repeat(64),
      first: one.log_offset,
      last: one.log_offset,
      judged: null,
    },
    commit: {
      sequence: 3,
      path: "commits/weather/0/000000000003.json",
      kind: "batch" as const,
      at: one.ingested_at,
    },
    retractedBy: null,
    retraction: null,
  });
  const { run, generated_at } = result("anomalies");
  return {
    newest: stored(newest),
    others: older.map(stored),
    results: [
      { job: "anomalies", run, generated_at, used: true },
      { job: "records", run, generated_at, used: false },
    ],
  };
}

/** A result of a job, with a table of some cities and the kinds of values a result can have. */
export function result(job: string, changes: Partial<Result> = {}): Result {
  const table = changes.table ?? statisticsTable();
  return {
    job,
    run: "run-1",
    generated_at: "2026-01-31T11:55:00Z",
    engine: "DuckDB 1.5.6",
    commits: { "0": 42 },
    watermark: "2026-01-31T11:50:00Z",
    rows_read: 1234,
    duration_ms: 17,
    arrow: tableToIPC(table, "stream"),
    ...changes,
    table,
  };
}

/** Two rows of London around one of Tokyo: text, 64-bit integers, doubles, times, null and not-a-number. */
export function statisticsTable(): Table {
  return new ArrowTable({
    city: vectorFromArray(["London", "Tokyo", "London"], new Utf8()),
    n: vectorFromArray([288n, 12n, 0n]),
    temperature_mean: vectorFromArray([7.25, Number.NaN, null]),
    until: vectorFromArray([NOW, NOW + 500, null], new TimestampMicrosecond("UTC")),
  });
}

/** Flags of an observation that passed every test. */
export const GOOD = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, 1])) as Flags;

/** Services over data that a test can see and change. */
export class FakeServices implements Services {
  about: About = {
    version: "0.1.0",
    dataset: "simulated",
    kind: "simulated",
    source: { name: "simulator", reason: "no other source answered", credit: null },
    log: "sqlite",
    lake: "local folder",
    engine: "DuckDB 1.5.6",
    staleAfterSeconds: 1800,
  };
  cityList: Place[] = [...DEFAULT_CITIES];
  currentList: CurrentObservation[] = [
    { observation: observation(), offset: 7, receivedMs: NOW - 599_000, judgement: null },
    {
      observation: observation({ city: "Tokyo", timestamp: "2026-01-31T09:00:00Z", temperature: null }),
      offset: 3,
      receivedMs: NOW - 10_799_000,
      judgement: null,
    },
  ];
  /** Rows of the lake, in the order of the answer; all of them are good but for {@link FakeServices.flags}. */
  rows: Row[] = [];
  /** The flags of a row that are not good. */
  flags: (row: Row) => Partial<Flags> = () => ({});
  /** What answers about rows are made of; null: they are made anew each time. */
  mark: string | null = null;
  /** The last question about observations. */
  asked: RowQuery | null = null;
  /** What was taken in. */
  ingested: string[] = [];
  /** Newest first. */
  rejectedList: RejectedRecord[] = [];
  /** Thrown by whatever reads or writes, when set. */
  failure: Error | null = null;
  status: PipelineStatus = {
    stages: [
      { name: "source", by: "simulator", watermark: "2026-01-31T11:50:00Z", behind: null, trouble: null },
      { name: "log", by: "sqlite", watermark: "2026-01-31T11:50:00Z", behind: 0, trouble: null },
      { name: "lake", by: "local folder", watermark: "2026-01-31T11:50:00Z", behind: 0, trouble: null },
      { name: "result", by: "DuckDB 1.5.6", watermark: "2026-01-31T11:50:00Z", behind: null, trouble: null },
      { name: "screen", by: "SSE", watermark: "2026-01-31T11:50:00Z", behind: null, trouble: null },
    ],
    jobs: [
      { name: "producer", state: "running", since: "2026-01-31T11:00:00Z", restarts: 0, reason: null },
      { name: "consumer", state: "running", since: "2026-01-31T11:00:00Z", restarts: 0, reason: null },
    ],
    partitions: [
      {
        partition: 0,
        low: 0,
        high: 8,
        next: 8,
        sequence: 3,
        rows: 8,
        duplicates: 0,
        rejected: 0,
        files: 2,
        bytes: 2048,
      },
    ],
    rates: { log: { per_second: 0.5, seconds: 300 }, lake: { per_second: 0.48, seconds: 42 } },
    proof: null,
    live: { clients: 0, dropped: 0 },
  };
  readonly analytics = new FakeAnalytics();

  cities(): readonly Place[] {
    return this.cityList;
  }

  current(): readonly CurrentObservation[] {
    return this.currentList;
  }

  observations(query: RowQuery): Promise<ObservationPage> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.asked = query;
    const { city, from, to, after, limit } = query;
    const key = (one: { timestamp: string; city: string; source: string }) =>
      `${one.timestamp}\u0000${one.city}\u0000${one.source}`;
    const found = this.rows.filter((one) => {
      const ms = Date.parse(one.timestamp);
      return (
        ms >= from &&
        ms < to &&
        (city === null || one.city === city) &&
        (after === null || key(one) > key(after))
      );
    });
    const rows = found.slice(0, limit).map((one) => ({ ...one, ...GOOD, ...this.flags(one) }));
    return Promise.resolve({ rows, more: found.length > limit });
  }

  rowsMark(): Promise<string | null> {
    return Promise.resolve(this.mark);
  }

  /** Partition 0 holds `rows`, by their offsets. */
  arrivals({ since, city, limit }: ArrivalsQuery): Promise<Arrivals> {
    if (this.failure !== null) return Promise.reject(this.failure);
    const end = Math.max(-1, ...this.rows.map(({ log_offset }) => log_offset)) + 1;
    const begin = since === "now" ? end : (since.get(0) ?? 0);
    const found = this.rows.filter((one) => one.log_offset >= begin && (city === null || one.city === city));
    const rows = found.slice(0, limit);
    const more = found.length > limit;
    return Promise.resolve({ rows, more, next: new Map([[0, more ? rows.at(-1)!.log_offset + 1 : end]]) });
  }

  /** What is told of any observation. */
  whyList: Why[] = [];
  /** The days with their files. */
  dayList: (LakeDay & { file: DayFile })[] = [];

  why(_key: ObservationKey): Promise<Why[]> {
    return this.failure !== null ? Promise.reject(this.failure) : Promise.resolve(this.whyList);
  }

  readonly days = {
    list: () => Promise.resolve(this.dayList),
    find: (date: string) => Promise.resolve(this.dayList.find((day) => day.date === date) ?? null),
    read: (date: string): Promise<DayFile> => {
      const day = this.dayList.find((one) => one.date === date);
      return day === undefined ? Promise.reject(new TypeError(`no ${date}`)) : Promise.resolve(day.file);
    },
  };

  pipeline(): PipelineStatus {
    return this.status;
  }

  rejected(limit: number): Promise<RejectedRecord[]> {
    if (this.failure !== null) return Promise.reject(this.failure);
    return Promise.resolve(this.rejectedList.slice(0, limit));
  }

  ingest(lines: readonly PostedLine[], _options: { history: boolean }): Promise<PostedAnswer> {
    if (this.failure !== null) return Promise.reject(this.failure);
    this.ingested.push(...lines.map(({ text }) => text));
    return Promise.resolve({ appended: lines.length, rejected: 0, reasons: [] });
  }
}

/** Analytic jobs that run when a test says so. */
export class FakeAnalytics implements AnalyticsService {
  jobList: JobInfo[] = ["anomalies", "city_statistics", "hourly_trends", "wind_rose"].map((name) => ({
    name,
    title: name.replaceAll("_", " "),
    question: "What is it like?",
    schedule: name === "wind_rose" ? null : "*/5 * * * *",
    chart: null,
    sql: "SELECT 1",
  }));
  /** Newest first. */
  runList: Run[] = [];
  results = new Map<string, Result>();
  /** What the lake has of all jobs, newest first. */
  pastResults: Result[] = [];
  /** Thrown where the past is read, when set. */
  pastFailure: Error | null = null;
  readonly #listeners = new Set<(job: string) => void>();

  jobs(): readonly JobInfo[] {
    return this.jobList;
  }

  runs(job?: string): readonly Run[] {
    return this.runList.filter((one) => job === undefined || one.job === job);
  }

  run(id: string): Run | null {
    return this.runList.find((one) => one.id === id) ?? null;
  }

  start(job: string): Run {
    const run: Run = {
      id: `run-${this.runList.length + 1}`,
      job,
      state: "queued",
      trigger: "request",
      progress: 0,
      queued_at: formatTimestamp(NOW),
      started_at: null,
      finished_at: null,
      rows: null,
      error: null,
      code: null,
    };
    this.runList.unshift(run);
    this.changed(job);
    return run;
  }

  cancel(id: string): Run {
    const run = this.run(id);
    if (run === null) throw new RequestError("not_found", `There is no run ${id}`);
    run.state = "cancelled";
    this.changed(run.job);
    return run;
  }

  result(job: string): Result | null {
    return this.results.get(job) ?? null;
  }

  async *past(job: string): AsyncGenerator<Result> {
    if (this.pastFailure !== null) throw this.pastFailure;
    for (const one of this.pastResults) if (one.job === job) yield one;
  }

  nextRun(job: string): number | null {
    return this.jobList.find(({ name }) => name === job)?.schedule == null ? null : NOW + 300_000;
  }

  onChange(listener: (job: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Keeps a result and tells who listens. */
  finish(made: Result): void {
    this.results.set(made.job, made);
    this.changed(made.job);
  }

  /** Tells who listens. */
  changed(job: string): void {
    for (const listener of this.#listeners) listener(job);
  }
}
