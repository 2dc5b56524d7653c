import { sha256Hex } from "../core/checksum.ts";
import type { Clock } from "../core/clock.ts";
import { codeOf, CommitError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { JudgingInput, WritingEngine, RowsFile } from "../spark/engine.ts";
import { LATER_COLUMNS, unknownColumns } from "../spark/file-columns.ts";
import { type Judging, judgingMark, LEVEL_PAST_MS } from "../spark/judging.ts";
import { commitCompaction } from "./commits/compaction.ts";
import { makeCheckpoint } from "./commits/checkpoint.ts";
import type { FileInfo } from "./commits/entry.ts";
import { fold, type ChainState, type LiveFile } from "./commits/fold.ts";
import { filesWithin, spanOf, type TimeSpan, windowOf } from "./commits/judged-window.ts";
import { dataFileName, offsetsOf } from "./commits/names.ts";
import { sweep } from "./commits/sweep.ts";
import type { Chain } from "./commits/writer.ts";
import { type CompactionPlan, type CompactionRules, groupsOf, planCompactions } from "./compaction-plan.ts";
import { snapshotFile, standingRows } from "./readers/lake-reader.ts";
import type { Lake } from "./lake/lake.ts";
import type { Log } from "./log/log.ts";
import type { BackgroundJob } from "./supervisor.ts";

/** How long a reader may go on reading a file that was replaced, ms. */
export const GRACE_MS = 600_000;
/** Time between two looks at the lake, ms. */
const INTERVAL_MS = 30_000;

/** What writes compacted files. */
export type Compacting = Pick<WritingEngine, "compact" | "judge">;

/** What {@link compactPartition} did. */
export interface CompactionReport {
  compacted: number;
  /** Of them those whose flags were computed. */
  judged: number;
  deleted: number;
}

/**
 * Compacts what is due in a partition, and deletes what nobody needs any more.
 *
 * @param known an earlier fold of the chain, brought up to date in place
 * @returns the newest fold, and what was done
 * @throws CommitError `damaged` when an input is not what its commit says: it is then left as it is
 */
export async function compactPartition(
  chain: Chain,
  { engine, judging }: { engine: Compacting; judging: Judging },
  options: CompactionRules & {
    graceMs: number;
    signal?: AbortSignal;
    known?: ChainState;
    /** Called after each group of compactions. */
    progress?: (report: CompactionReport) => void;
  },
): Promise<{ state: ChainState; report: CompactionReport }> {
  const report: CompactionReport = { compacted: 0, judged: 0, deleted: 0 };
  let state = await fold(chain.lake, chain.topic, chain.partition, options.known);
  const touched = new Set<string>();
  for (const group of groupsOf(planCompactions(state, options))) {
    if (options.signal?.aborted) break;
    const live = group.filter(({ inputs }) => inputs.every(({ path }) => state.live.has(path)));
    if (live.length === 0) continue; // another compactor was first
    const work = { chain, engine, judging, signal: options.signal };
    const { after, done } = await compactTogether(work, state, live);
    state = after;
    for (const plan of done) {
      report.compacted++;
      if (plan.judge) report.judged++;
      touched.add(plan.folder);
      for (const { path } of plan.inputs) touched.add(path.slice(0, path.lastIndexOf("/")));
    }
    options.progress?.(report);
  }
  const over = chain.now() - options.graceMs;
  const due = [...state.removed.values()].some((at) => at <= over);
  if (touched.size > 0 || due) {
    if (touched.size > 0) touched.add("rejected"); // never compacted, but a killed writer leaves files there as well
    const swept = await sweep(chain, [...touched], options.graceMs, state);
    state = swept.state;
    report.deleted = swept.deleted.length;
    if (swept.forget.size > 0) await makeCheckpoint(chain, state, swept.forget);
  }
  return { state, report };
}

/** What a compaction works with. */
interface CompactionWork {
  chain: Chain;
  engine: Compacting;
  judging: Judging;
  signal: AbortSignal | undefined;
}

/** Writes the files of some plans and commits them one by one. */
async function compactTogether(
  work: CompactionWork,
  state: ChainState,
  plans: readonly CompactionPlan[],
): Promise<{ after: ChainState; done: CompactionPlan[] }> {
  const { chain } = work;
  const begun = state.sequence;
  const judgedAt = { next: state.next, retractions: state.retractions.length };
  let written: RowsFile[];
  try {
    written = await writeFiles(work, state, plans);
  } catch (error) {
    // Another compactor may have replaced and deleted a file in the meantime; then there is nothing to do here.
    if (codeOf(error) === "cancelled") throw error;
    const fresh = await fold(chain.lake, chain.topic, chain.partition);
    if (filesRead(state, plans).every(({ path }) => fresh.live.has(path))) throw error;
    return { after: fresh, done: [] };
  }
  const done: CompactionPlan[] = [];
  let after = state;
  for (const [index, plan] of plans.entries()) {
    const output = describe(work, plan, written[index]!, begun);
    await chain.lake.put([{ path: output.path, bytes: written[index]!.bytes }]);
    const inputs = plan.inputs.map((file) => file.path);
    const committed = await commitCompaction(chain, after, inputs, output, plan.judge ? judgedAt : null);
    if (committed !== null) done.push(plan);
    else await chain.lake.delete([output.path]); // refused for good: it is not valid any more
    after = committed ?? (await fold(chain.lake, chain.topic, chain.partition));
  }
  return { after, done };
}

/** The files of some plans: of one without flags, or of several days one after the other with them. */
async function writeFiles(
  { chain: { lake }, engine, judging, signal }: CompactionWork,
  state: ChainState,
  plans: readonly CompactionPlan[],
): Promise<RowsFile[]> {
  for (const { inputs } of plans) for (const input of inputs) await checkFile(lake, input);
  const parts = plans.map(({ inputs }) => ({ files: inputs.map((file) => snapshotFile(lake, file)) }));
  const written = plans[0]!.judge
    ? await engine.judge(parts, judgingInput(lake, state, plans, judging), signal)
    : [await engine.compact(parts[0]!, signal)];
  for (const [index, { folder, inputs }] of plans.entries()) {
    const expected = inputs.reduce((sum, file) => sum + file.rows, 0);
    const { rows } = written[index]!;
    if (rows === expected) continue;
    throw new CommitError(
      "damaged",
      `Cannot compact ${folder}: ${rows} rows were read, ${expected} are committed`,
    );
  }
  return written;
}

/** How the chain describes a new file. */
function describe(
  { chain, judging }: CompactionWork,
  { folder, inputs, judge }: CompactionPlan,
  { bytes, rows }: RowsFile,
  sequence: number,
): FileInfo {
  const ranges = inputs.map((file) => offsetsOf(file.path));
  const name = dataFileName({
    topic: chain.topic,
    partition: chain.partition,
    first: Math.min(...ranges.map((range) => range.first)),
    last: Math.max(...ranges.map((range) => range.last)),
    sequence,
    random: chain.newId(),
    format: "parquet",
  });
  return {
    path: `${folder}/${name}`,
    rows,
    revisions: inputs.reduce((sum, file) => sum + file.revisions, 0),
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
    ...(LATER_COLUMNS.length === 0 ? {} : { columns: LATER_COLUMNS }),
    ...(judge ? { judged: judgingMark(judging) } : {}),
  };
}

/** The files that some compactions read: those they replace, and those that the flags depend on. */
function filesRead(state: ChainState, plans: readonly CompactionPlan[]): LiveFile[] {
  return plans[0]!.judge ? filesWithin(state.live, levelSpan(plans)) : plans[0]!.inputs;
}

/** The time of some days one after the other. */
function spanOfAll(plans: readonly CompactionPlan[], of: (path: string) => TimeSpan): TimeSpan {
  const spans = plans.map(({ folder }) => of(`${folder}/`));
  return { from: Math.min(...spans.map(({ from }) => from)), to: Math.max(...spans.map(({ to }) => to)) };
}

/** The time of the pressures that days are compared with, and of all else that their flags depend on. */
function levelSpan(plans: readonly CompactionPlan[]): TimeSpan {
  const { from, to } = spanOfAll(plans, windowOf);
  return { from: from - LEVEL_PAST_MS, to };
}

function judgingInput(
  lake: Lake,
  state: ChainState,
  plans: readonly CompactionPlan[],
  { views }: Judging,
): JudgingInput {
  const files = (span: TimeSpan) => ({
    files: filesWithin(state.live, span).map((file) => standingRows(lake, file, state.retractions)),
  });
  const around = files(spanOfAll(plans, windowOf));
  return { ...spanOfAll(plans, spanOf), around, before: files(levelSpan(plans)), views };
}

/** Reads a committed file and compares it with its commit: what is about to be replaced must be whole. */
async function checkFile(lake: Lake, file: FileInfo): Promise<void> {
  const bytes = await lake.read(file.path);
  if (bytes.length !== file.bytes || sha256Hex(bytes) !== file.sha256) {
    throw new CommitError("damaged", `Cannot compact ${file.path}: its content is not what was committed`, {
      hint: "Restore it from a backup or a replica.",
    });
  }
}

/** The background job that keeps the lake in few files. */
export function compactorJob(options: {
  log: Log;
  lake: Lake;
  engine: Compacting;
  judging: Judging;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  /** How long after its end an hour counts as closed, ms. */
  afterMs: number;
}): BackgroundJob {
  const { log, lake, engine, judging, clock, logger, newId, afterMs } = options;
  return {
    name: "compactor",
    async run({ signal, running, waiting }) {
      const states = new Map<number, ChainState>();
      /** Where each chain stood at the look before. */
      const looked = new Map<number, number>();
      const told = new Set<string>();
      while (!signal.aborted) {
        running();
        for (let partition = 0; partition < log.partitions; partition++) {
          const chain = { lake, topic: log.topic, partition, newId, now: () => clock.now() };
          const known = states.get(partition);
          const { state, report } = await compactPartition(
            chain,
            { engine, judging },
            {
              afterMs,
              graceMs: GRACE_MS,
              signal,
              ...(known === undefined ? {} : { known, settled: looked.get(partition) ?? 0 }),
            },
          );
          states.set(partition, state);
          looked.set(partition, state.sequence);
          if (report.compacted + report.deleted > 0) logger.info("lake compacted", { partition, ...report });
          for (const column of unknownColumns(state.live.values())) {
            if (told.has(column)) continue;
            told.add(column);
            logger.warn("files with a column that is not known here are not compacted", { column });
          }
        }
        waiting("for hours to close");
        await clock.sleep(INTERVAL_MS, signal);
      }
    },
  };
}
