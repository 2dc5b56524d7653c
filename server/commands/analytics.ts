import { resolve } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { codeOf, ConfigError, IsobarError, messageOf } from "../../core/errors.ts";
import { Analytics } from "../../jobs/analytics/analytics.ts";
import { JudgedRows } from "../../jobs/readers/judged-rows.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { judgingBy } from "../../spark/judging.ts";
import { holderOf } from "../../jobs/role-lock.ts";
import type { Run } from "../../core/analytic-job.ts";
import { readSqlJobs, type SqlJob } from "../../spark/sql-job.ts";
import { findDataset } from "../wiring/dataset-choice.ts";
import { datasetLake } from "../wiring/lakes.ts";
import { openPorts } from "../wiring/ports.ts";
import { lockRoles } from "../wiring/role-locks.ts";
import { placeViews } from "../config/place-views.ts";
import { type CommandContext, runCommand, textTable } from "./command.ts";
import { datasetNamed } from "./replay.ts";

const USAGE = `Runs analytic jobs now, over what is committed, and keeps their results as the scheduled ones are kept.

  bun run analytics [JOB] [--dataset NAME]

  JOB             the name of a file in spark/, without .sql (default: every one)
  --dataset NAME  the data set (default: DATASET, else "observed" or "simulated", whichever is there)

The engine is Spark where SPARK_REMOTE is set, else DuckDB. A server that runs the jobs of this data folder is asked to do it.

Exit: 0 every job succeeded, 1 one did not, 2 a wrong call or setting.`;

/** Time between two looks at a run of the server, ms. */
const LOOK_MS = 200;

if (import.meta.main) {
  await runCommand(USAGE, { dataset: { type: "string" } }, async (context) => {
    const { config, words } = context;
    const jobs = await readSqlJobs();
    const [word] = words;
    const chosen = word === undefined ? jobs : jobs.filter(({ name }) => name === word);
    if (chosen.length === 0 || words.length > 1) {
      const names = jobs.map(({ name }) => name).join(", ");
      throw new ConfigError(
        "bad_setting",
        `Cannot run "${words.join(" ")}": wanted one of ${names}\n\n${USAGE}`,
      );
    }
    const dataset = await datasetOf(context);
    const holder = await holderOf(resolve(config.dataDir), dataset, "analytics");
    const runs =
      holder?.url == null
        ? await runHere(context, dataset, jobs, chosen)
        : await runThere(context, holder.url, chosen);
    const where = holder?.url == null ? "" : `, by the server at ${holder.url}`;
    process.stdout.write(`Analytic jobs over the data set "${dataset}"${where}\n${describeRuns(runs)}\n`);
    return runs.every(({ state }) => state === "succeeded") ? 0 : 1;
  });
}

async function datasetOf({ config, logger, options }: CommandContext): Promise<string> {
  const named = options.dataset === undefined ? config.dataset : datasetNamed(options.dataset);
  const found = await findDataset(config, named, { clock: systemClock, logger });
  if (found !== null) return found.dataset;
  throw new ConfigError(
    "bad_setting",
    `Cannot run analytic jobs: there is no data set "${named ?? "observed"}"`,
    {
      hint: "`bun run lake:init` makes one.",
    },
  );
}

/** Runs jobs in this process. */
async function runHere(
  { config, logger, signal }: CommandContext,
  dataset: string,
  jobs: readonly SqlJob[],
  chosen: readonly SqlJob[],
): Promise<Run[]> {
  const deps = { clock: systemClock, logger };
  const place = datasetLake(config, dataset, deps);
  const lock = await lockRoles(config, dataset, place, ["analytics"]);
  try {
    const ports = await openPorts(config, dataset, deps, { lake: await place.open() });
    try {
      const { lake, log, engine, reads, judgedPlace } = ports;
      const reader = new LakeReader(lake, log.topic, () => systemClock.now());
      const views = await placeViews(config);
      const analytics = new Analytics({
        jobs,
        engine,
        views,
        judged: new JudgedRows({ engine: reads, judging: judgingBy(views), place: judgedPlace }),
        lake,
        snapshot: () => reader.snapshot(),
        clock: systemClock,
        logger,
        cronDefault: config.analyticsCron,
      });
      return await runAll(analytics, chosen, signal);
    } finally {
      await ports.close();
    }
  } finally {
    lock.release();
  }
}

/** Runs jobs and waits for their end. What the schedule asks for in the meantime is left to the scheduled process. */
async function runAll(analytics: Analytics, chosen: readonly SqlJob[], signal: AbortSignal): Promise<Run[]> {
  const work = analytics.backgroundJob();
  const ids = chosen.map(({ name }) => analytics.start(name).id);
  const runs = () => ids.flatMap((id) => analytics.run(id) ?? []);
  const done = new AbortController();
  const stopWatching = analytics.onChange(() => {
    if (runs().every(isOver)) done.abort();
  });
  try {
    const until = AbortSignal.any([done.signal, signal]);
    await work.run({ signal: until, running: () => {}, waiting: () => {} });
  } finally {
    stopWatching();
  }
  return runs();
}

/** Has a server run jobs, and waits for their end. */
async function runThere({ signal }: CommandContext, url: string, chosen: readonly SqlJob[]): Promise<Run[]> {
  let runs: Run[] = [];
  for (const { name } of chosen) runs.push(await ask(url, `/api/v1/jobs/${name}/runs`, signal, "POST"));
  while (!runs.every(isOver)) {
    await systemClock.sleep(LOOK_MS, signal);
    runs = await Promise.all(
      runs.map((run) => (isOver(run) ? run : ask(url, `/api/v1/runs/${run.id}`, signal))),
    );
  }
  return runs;
}

async function ask(url: string, path: string, signal: AbortSignal, method = "GET"): Promise<Run> {
  let answer: { run: Run } | { error: { message: string } };
  try {
    const response = await fetch(new URL(path, url), { method, signal });
    answer = (await response.json()) as typeof answer;
  } catch (error) {
    const why = signal.aborted ? "stopped" : `it does not answer (${codeOf(error) ?? messageOf(error)})`;
    throw new IsobarError("refused", `Cannot run jobs through the server at ${url}: ${why}`, {
      cause: error,
    });
  }
  if ("run" in answer) return answer.run;
  throw new IsobarError(
    "refused",
    `Cannot run jobs through the server at ${url}: it answered: ${answer.error.message}`,
  );
}

function isOver({ state }: Run): boolean {
  return state !== "queued" && state !== "running";
}

/** The table that `analytics` prints. */
export function describeRuns(runs: readonly Run[]): string {
  const table = textTable(
    ["job", "state", "rows", "seconds"],
    runs.map(({ job, state, rows, started_at, finished_at }) => [
      job,
      state,
      rows ?? "–",
      started_at === null || finished_at === null
        ? "–"
        : ((Date.parse(finished_at) - Date.parse(started_at)) / 1000).toFixed(1),
    ]),
  );
  return [table, ...runs.flatMap(({ job, error }) => (error === null ? [] : `${job}: ${error}`))].join("\n");
}
