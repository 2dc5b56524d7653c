import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { City } from "../../core/city.ts";
import { syntheticCities } from "../../jobs/sources/simulator.ts";
import { textTable } from "../../server/commands/command.ts";
import { rowsOf } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import type { Argument, Snapshot } from "../../spark/engine.ts";
import { defaultArguments, neededFiles, readSqlJobs, type SqlJob } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import { writeDays } from "./lake-days.ts";
import { type BenchOptions, shown, times, withFolder } from "./measure.ts";

/** What `analytics-child.ts` and `polars/jobs.py` are told, in a file. */
export interface JobTask {
  job: string;
  arguments: Record<string, Argument>;
  /** What the job needs of the lake. */
  snapshot: Snapshot;
  /** The snapshot's Parquet files. */
  files: string[];
  cities: readonly City[];
  /** The rows of the view of that name. */
  thresholds: readonly Record<string, unknown>[];
  threads: number;
  /** Where the engine's result is written, and read for comparison. */
  result: string;
}

/** What a run took. */
export interface JobReport {
  seconds: number;
  /** Seconds of the job's model, which comes after its SELECT. */
  model: number;
  /** CPU seconds of the whole process. */
  cpu: number;
  /** Most memory of the whole process, bytes. */
  peak: number;
  /** Rows of the result. */
  rows: number;
}

/** What polars took. */
interface PolarsReport extends Omit<JobReport, "model"> {
  /** The largest relative difference of numbers between the two results, or what else differs. */
  difference: number | string;
}

const THREADS = 2;
/** Zones with summer time in different months, and one that is half an hour off. */
const ZONES = [
  "America/New_York",
  "Europe/London",
  "Asia/Kolkata",
  "Australia/Sydney",
  "Asia/Tokyo",
  "America/Los_Angeles",
  "Europe/Berlin",
  "America/Santiago",
];
/** As many faults as real stations have, so that quality control has something to find. */
const FAULTS = { spike: 0.0005, stuck: 0.001, gap: 0.002 };
const SCRIPT = join(import.meta.dir, "polars/jobs.py");
/** Results that differ by less are equal: sums are added in another order. */
const ROUNDING = 1e-6;

/**
 * Every analytic job over a year of a network on the embedded engine, quality control included, and beside it the same
 * question answered with polars (of PyPI, in the Python of `ISOBAR_PYTHON`) from the same files. Each run is a process of
 * its own; the results are compared.
 */
export async function benchAnalytics({ quick, print }: BenchOptions): Promise<void> {
  const cities = syntheticCities(quick ? 100 : 1000).map((city, i) => ({
    ...city,
    zone: ZONES[i % ZONES.length]!,
  }));
  const days = quick ? 60 : 365;
  const python = await pythonWithPolars();
  if (python === null)
    print("Without polars: ISOBAR_PYTHON is not set, or has no polars (pip install polars)\n");
  const known = await Bun.file(SCRIPT).text();
  await withFolder(async (folder) => {
    const options = { cities, from: Date.UTC(2025, 0, 1), days, faults: FAULTS };
    const { snapshot, judging } = await writeDays(folder, options);
    const thresholds = await thresholdsOf(join(folder, "thresholds"));
    const table: string[][] = [];
    for (const [index, { job, given, variant }] of variantsOf(await readSqlJobs()).entries()) {
      const place = join(folder, `job-${index}`);
      await mkdir(place);
      const needed = neededFiles(job, snapshot, given);
      const task: JobTask = {
        job: job.name,
        arguments: given,
        snapshot: needed,
        files: needed.files.map(({ location }) => location),
        cities,
        thresholds,
        threads: THREADS,
        result: join(place, "result.arrow"),
      };
      const file = join(place, "task.json");
      await writeFile(file, JSON.stringify(task));
      const own = await reportOf<JobReport>(process.execPath, [
        join(import.meta.dir, "analytics-child.ts"),
        file,
      ]);
      const hasTwin = python !== null && known.includes(`\ndef ${job.name}():`);
      const other = hasTwin ? await reportOf<PolarsReport>(python, [SCRIPT, file]) : null;
      const read = needed.files.reduce((sum, { rows }) => sum + rows, 0);
      const line = [`${job.name} ${variant}`.trim(), shown(read), ...lineOf(own, other)];
      process.stderr.write(`${line.join("  ")}\n`); // it takes long: who waits sees it go on
      table.push(line);
    }
    const rows = snapshot.files.reduce((sum, one) => sum + one.rows, 0);
    print(
      `Analytic jobs over ${shown(rows)} rows (${cities.length} cities, ${days} days, a Parquet file a day), DuckDB with ${THREADS} threads and ` +
        `1 GB beside polars with ${THREADS} threads, both from the kept flags; to judge all days took ${shown(judging)} s\n`,
    );
    print(textTable(HEAD, table));
    print("");
  });
}

const HEAD = [
  "job",
  "rows read",
  "rows found",
  "DuckDB s",
  "CPU s",
  "peak MB",
  "model s",
  "polars s",
  "CPU s",
  "peak MB",
  "DuckDB to polars",
  "results",
];

function lineOf(own: JobReport, other: PolarsReport | null): string[] {
  const line = [
    shown(own.rows),
    shown(own.seconds),
    shown(own.cpu),
    shown(own.peak / 1e6),
    own.model === 0 ? "" : shown(own.model),
  ];
  if (other === null) return [...line, "–", "–", "–", "–", "–"];
  const { difference } = other;
  return [
    ...line,
    shown(other.seconds),
    shown(other.cpu),
    shown(other.peak / 1e6),
    times(own.seconds, other.seconds),
    typeof difference === "string"
      ? difference
      : difference < ROUNDING
        ? "equal"
        : `differ by ${shown(difference)}`,
  ];
}

/** Each job as it is scheduled, and those that look back some hours or days over everything as well. */
function variantsOf(
  jobs: readonly SqlJob[],
): { job: SqlJob; given: Record<string, Argument>; variant: string }[] {
  return jobs.flatMap((job) => {
    const given = defaultArguments(job);
    const back = job.parameters.find(({ name }) => name === "hours" || name === "days");
    if (back === undefined) return [{ job, given, variant: "" }];
    return [
      { job, given, variant: `${String(back.value)} ${back.name}` },
      { job, given: { ...given, [back.name]: null }, variant: "all" },
    ];
  });
}

async function thresholdsOf(folder: string): Promise<Record<string, unknown>[]> {
  const engine = await openDuckDb({ tempFolder: folder });
  try {
    const columns = ["shown", "alert", "severe", "samples", "floor"].map(
      (name) => `cast(${name} AS double) AS ${name}`,
    );
    const sql = `SELECT kind, ${columns.join(", ")} FROM thresholds`;
    return rowsOf(
      await engine.query(sql, { snapshot: { files: [] }, views: await analysisViews({ cities: [] }) }),
    );
  } finally {
    await engine.close();
  }
}

/** The Python of the tests, where it has polars. */
async function pythonWithPolars(): Promise<string | null> {
  const python = process.env.ISOBAR_PYTHON ?? "";
  if (python === "") return null;
  const child = Bun.spawn([python, "-c", "import polars"], { stdout: "ignore", stderr: "ignore" });
  return (await child.exited) === 0 ? python : null;
}

/** Runs a program to its end and reads the JSON it prints. @throws Error when it fails */
async function reportOf<T>(program: string, args: readonly string[]): Promise<T> {
  const child = Bun.spawn([program, ...args], {
    env: { ...process.env, POLARS_MAX_THREADS: String(THREADS) },
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(child.stdout).text();
  const code = await child.exited;
  if (code !== 0) throw new Error(`Cannot measure: ${args.join(" ")} ended with ${code}`);
  return JSON.parse(output) as T;
}
