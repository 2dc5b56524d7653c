// One analytic job on the embedded engine, in a process of its own. Argument: a JobTask as JSON; prints a JobReport.
import { writeFile } from "node:fs/promises";
import { performance } from "node:perf_hooks";
import { tableToBytes } from "../../spark/arrow.ts";
import { openDuckDb } from "../../spark/duckdb.ts";
import { overVerdicts } from "../../spark/judging.ts";
import { readSqlJobs } from "../../spark/sql-job.ts";
import { analysisViews } from "../../spark/views.ts";
import type { JobReport, JobTask } from "./analytics.ts";

const task = JSON.parse(await Bun.file(process.argv[2] ?? "").text()) as JobTask;
const job = (await readSqlJobs()).find(({ name }) => name === task.job);
if (job === undefined) throw new Error(`Cannot measure: there is no job ${task.job}`);
const engine = await openDuckDb({ tempFolder: `${task.result}.duckdb`, threads: task.threads });
const views = overVerdicts(await analysisViews({ cities: task.cities }));
const options = {
  snapshot: task.snapshot,
  judged: task.snapshot,
  views,
  arguments: task.arguments,
  background: true,
};
const started = performance.now();
const table = await engine.query(job.sql, options);
const seconds = (performance.now() - started) / 1000;
// A model is the same whatever the engine, and the other side has none.
await job.model?.(table);
const model = job.model === null ? 0 : (performance.now() - started) / 1000 - seconds;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
await writeFile(task.result, tableToBytes(table, "file"));
await engine.close();
const report: JobReport = {
  seconds,
  model,
  cpu: (userCPUTime + systemCPUTime) / 1e6,
  peak: maxRSS * (process.platform === "darwin" ? 1 : 1024),
  rows: table.numRows,
};
process.stdout.write(JSON.stringify(report));
process.exit(0);
