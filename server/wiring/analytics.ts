import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import type { DatasetKind } from "../../core/dataset-kind.ts";
import type { Logger } from "../../core/log.ts";
import type { Judgement } from "../../core/quality.ts";
import { Analytics } from "../../jobs/analytics/analytics.ts";
import { Judge } from "../../jobs/analytics/judge.ts";
import { KeptViews } from "../../jobs/analytics/kept-views.ts";
import { JudgedRows } from "../../jobs/readers/judged-rows.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { SqlView } from "../../spark/engine.ts";
import type { Judging } from "../../spark/judging.ts";
import { readSqlJobs } from "../../spark/sql-job.ts";
import type { Config } from "../config/config.ts";
import type { Ports } from "./ports.ts";

/** Time between two looks for results that another process made, ms. */
const RESULTS_MS = 2_000;

/** The analytic jobs of a data set with their results, and the views that read the newest of these. */
export async function openAnalytics(
  { engine, reads, judgedPlace, lake, tempFolder }: Ports,
  config: Config,
  deps: { views: readonly SqlView[]; judging: Judging; reader: LakeReader; clock: Clock; logger: Logger },
): Promise<{ analytics: Analytics; judged: JudgedRows; keptViews: KeptViews }> {
  const { views, judging, reader, clock, logger } = deps;
  const judged = new JudgedRows({ engine: reads, judging, place: judgedPlace });
  const jobs = await readSqlJobs();
  const analytics = new Analytics({
    jobs,
    engine,
    views,
    lake,
    snapshot: () => reader.snapshot(),
    judged,
    clock,
    logger,
    cronDefault: config.analyticsCron,
  });
  const keptViews = new KeptViews({
    views,
    result: (job) => (jobs.some(({ name }) => name === job) ? analytics.result(job) : undefined),
    folder: join(tempFolder, "kept"),
  });
  return { analytics, judged, keptViews };
}

/** The job that shows the results of the process that runs the analytics. */
export function resultsJob(analytics: Analytics, clock: Clock): BackgroundJob {
  return {
    name: "results",
    async run({ signal, running }) {
      while (!signal.aborted) {
        await analytics.load();
        running();
        await clock.sleep(RESULTS_MS, signal);
      }
    },
  };
}

/**
 * The live judge of a data set.
 *
 * @param deps.kind of the data set. A recording's own time stands for now in it, in any other it is the clock's
 */
export function openJudge(
  { reads, tempFolder }: Ports,
  deps: {
    kind: DatasetKind;
    keptViews: KeptViews;
    reader: LakeReader;
    clock: Clock;
    logger: Logger;
    publish: (judgements: readonly Judgement[]) => void;
  },
): Judge {
  const { kind, keptViews, reader, clock, logger, publish } = deps;
  const isLive = kind !== "replayed";
  return new Judge({
    reader,
    engine: reads,
    views: () => keptViews.list(),
    isLive,
    folder: join(tempFolder, "judge"),
    clock,
    logger,
    publish,
  });
}
