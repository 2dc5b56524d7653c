import { dirname } from "node:path";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { sweep } from "../../jobs/commits/sweep.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import type { Log, LogRecord } from "../../jobs/log/log.ts";
import { verifyPartition } from "../../jobs/verify.ts";
import { FLAG_COLUMNS } from "../../core/quality.ts";
import { standingRows } from "../../jobs/readers/lake-reader.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { WritingEngine } from "../../spark/engine.ts";
import { isJudgedBy } from "../../spark/judging.ts";
import { JUDGING } from "../support/judging.ts";
import { inParallel } from "../../jobs/lake/parallel.ts";
import type { Told } from "./points.ts";
import { run } from "./run.ts";
import { compare, contentOf, newestOf, type Files } from "../support/truth.ts";
import { NOW, type Workload } from "./workload.ts";

/** A log of one partition and a lake, as a process that was killed left them. */
export interface Remains {
  openLog(): Promise<Log>;
  /** @param laterMs opens it that long after now */
  openLake(laterMs: number): Promise<Lake>;
  /** Reads the lake. */
  engine: WritingEngine;
  /** The lake by code of the tests' own. */
  files: Files;
  /** Path of every file below the lake's root, temporary ones too. */
  everyFile(): Promise<string[]>;
}

/**
 * Lets the program recover, while the producer sends again what was not acknowledged, and looks at everything it left:
 * every acknowledged record must be in the log, and the lake must hold the log, as multisets.
 *
 * @param acknowledged calls of `append` that were acknowledged
 * @returns what readers see in the end, and what is wrong
 */
export async function recover(
  remains: Remains,
  workload: Workload,
  acknowledged: number,
): Promise<{ newest: string[]; problems: string[] }> {
  const { engine, files } = remains;
  const problems: string[] = [];
  const log = await remains.openLog();
  try {
    // What was acknowledged is in the log, in order; of the call under way all or nothing.
    const held = (await recordsOf(log)).map((record) => record.value);
    const sent = workload.chunks.slice(0, acknowledged).flat();
    const under = workload.chunks.slice(0, acknowledged + 1).flat();
    const expected = held.length > sent.length ? under : sent;
    if (JSON.stringify(held) !== JSON.stringify(expected))
      problems.push(`${sent.length} records were acknowledged, the log holds ${held.length}`);

    await run({
      log,
      lake: await remains.openLake(0),
      workload,
      from: acknowledged,
      engine: async () => engine,
      step: () => {},
      acknowledged: () => {},
    });

    problems.push(...(await wrongFlags(await remains.openLake(0), log.topic, engine)));

    const records = await recordsOf(log);
    const content = await contentOf(files, log.topic);
    const end = (await log.bounds(0)).high;
    if (content.next !== end) problems.push(`the lake ends at offset ${content.next}, the log at ${end}`);
    problems.push(...compare(records, workload.meaningOf, content));

    // Two days on, temporaries are old, and a sweep of every folder leaves nothing but what is committed.
    const lake = await remains.openLake(2 * 86_400_000);
    const proof = await verifyPartition(lake, log, engine, 0);
    problems.push(...proof.problems);
    const chain = { lake, topic: log.topic, partition: 0, newId: () => "final", now: () => NOW };
    const folders = new Set((await remains.everyFile()).map((path) => dirname(path)));
    const data = [...folders].filter((path) => /^(observations|rejected)/.test(path));
    const { state } = await sweep(chain, data, 0, await fold(lake, log.topic, 0));
    await makeCheckpoint(chain, state, new Set(state.removed.keys()));
    const after = await contentOf(files, log.topic);
    problems.push(...compare(records, workload.meaningOf, after));
    const kept = new Set([
      ...after.paths,
      `commits/${log.topic}/partitions.json`,
      `commits/${log.topic}/0/${String(state.sequence).padStart(12, "0")}.json`,
    ]);
    for (const path of await remains.everyFile()) if (!kept.has(path)) problems.push(`${path} is left over`);
    return { newest: newestOf(after), problems };
  } finally {
    await log.close();
  }
}

/**
 * Kills a process at each of its points, and lets the program recover from each.
 *
 * @param options.newest what readers see in the end when nothing is killed
 * @returns what is wrong
 */
export async function walk(
  points: readonly string[],
  options: {
    atOnce: number;
    workload: Workload;
    newest: readonly string[];
    kill: (point: string) => Promise<Told>;
    remains: (point: string) => Remains | Promise<Remains>;
    /** Removes what is left of it. */
    remove: (point: string) => Promise<void>;
  },
): Promise<string[]> {
  const failures: string[] = [];
  await inParallel(points, options.atOnce, async (point) => {
    const { killed, errors, acknowledged } = await options.kill(point);
    if (!killed) failures.push(`${point}: it was not killed: ${errors}`);
    try {
      const { newest, problems } = await recover(
        await options.remains(point),
        options.workload,
        acknowledged,
      );
      for (const problem of problems) failures.push(`${point}: ${problem}`);
      if (JSON.stringify(newest) !== JSON.stringify(options.newest))
        failures.push(`${point}: readers see other values`);
    } catch (error) {
      failures.push(`${point}: ${String(error)}`);
    }
    await options.remove(point);
  });
  return failures;
}

async function recordsOf(log: Log): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  const { low, high } = await log.bounds(0);
  for (let next = low; next < high; next = records.at(-1)!.offset + 1) {
    const some = await log.read(0, next, high - next);
    if (some.length === 0) break;
    records.push(...some);
  }
  return records;
}

/** Days whose kept flags are not those that are computed over the whole of history. */
async function wrongFlags(lake: Lake, topic: string, engine: WritingEngine): Promise<string[]> {
  const { live, retractions } = await fold(lake, topic, 0);
  const files = [...live.values()].map((file) => standingRows(lake, file, retractions));
  const judged = files.filter(({ judged: version }) => isJudgedBy(version, JUDGING.version));
  const days = judged.map(({ date }) => `TIMESTAMP '${date} 00:00:00+00:00'`).join(", ");
  if (judged.length === 0) return ["no day is judged"];
  const flags = (view: string) => `SELECT city, timestamp, log_offset, ${FLAG_COLUMNS.join(", ")} FROM ${view}
    WHERE date_trunc('day', timestamp) IN (${days}) ORDER BY city, timestamp`;
  const kept = await engine.query(flags("judged"), { snapshot: { files: [] }, judged: { files: judged } });
  const wanted = await engine.query(flags("quality"), { snapshot: { files }, views: JUDGING.views });
  return JSON.stringify(rowsOf(kept)) === JSON.stringify(rowsOf(wanted)) ? [] : ["kept flags are wrong"];
}
