import { sha256Hex } from "../core/checksum.ts";
import type { Clock } from "../core/clock.ts";
import { codeOf, CommitError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { JudgingInput, WritingEngine } from "../spark/engine.ts";
import { LATER_COLUMNS, unknownColumns } from "../spark/file-columns.ts";
import { type Judging, LEVEL_PAST_MS } from "../spark/judging.ts";
import { commitCompaction } from "./commits/compaction.ts";
import { makeCheckpoint } from "./commits/checkpoint.ts";
import type { FileInfo } from "./commits/entry.ts";
import { fold, type ChainState, type LiveFile } from "./commits/fold.ts";
import { filesWithin, spanOf, type TimeSpan, windowOf } from "./commits/judged-window.ts";
import { dataFileName, offsetsOf } from "./commits/names.ts";
import { sweep } from "./commits/sweep.ts";
import type { Chain } from "./commits/writer.ts";
import { type CompactionPlan, type CompactionRules, planCompactions } from "./compaction-plan.ts";
import { snapshotFile, standingRows } from "./readers/lake-reader.ts";
import type { Lake } from "./lake/lake.ts";
import type { Log } from "./log/log.ts";
import type { BackgroundJob } from "./supervisor.ts";

/** How long a reader may go on reading a file that was replaced, ms. */
export const GRACE_MS = 600_000;
/** Time between two looks at the lake, ms. */
const INTERVAL_MS = 30_000;

/** What writes compacted files. */
export type Compacting = Pick<WritingEngine, "compact">;

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
  options: CompactionRules & { graceMs: number; signal?: AbortSignal; known?: ChainState },
): Promise<{ state: ChainState; report: CompactionReport }> {
  const report: CompactionReport = { compacted: 0, judged: 0, deleted: 0 };
  let state = await fold(chain.lake, chain.topic, chain.partition, options.known);
  const touched = new Set<string>();
  for (const plan of planCompactions(state, options)) {
    if (options.signal?.aborted) break;
    if (!plan.inputs.every(({ path }) => state.live.has(path))) continue; // another compactor was first
    const after = await compact({ chain, engine, judging }, state, plan, options.signal);
    if (after === null) {
      state = await fold(chain.lake, chain.topic, chain.partition);
      continue;
    }
    state = after;
    report.compacted++;
    if (plan.judge) report.judged++;
    touched.add(plan.folder);
    for (const { path } of plan.inputs) touched.add(path.slice(0, path.lastIndexOf("/")));
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

async function compact(
  { chain, engine, judging }: { chain: Chain; engine: Compacting; judging: Judging },
  state: ChainState,
  plan: CompactionPlan,
  signal: AbortSignal | undefined,
): Promise<ChainState | null> {
  const { lake, topic, partition } = chain;
  const begun = state.sequence;
  const judgedAt = plan.judge ? { next: state.next, retractions: state.retractions.length } : null;
  const snapshot = { files: plan.inputs.map((file) => snapshotFile(lake, file)) };
  let compacted: { bytes: Uint8Array; rows: number };
  try {
    for (const input of plan.inputs) await checkFile(lake, input);
    compacted = await engine.compact(snapshot, {
      ...(plan.judge ? { judging: judgingInput(lake, state, plan, judging) } : {}),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    // Another compactor may have replaced and deleted a file in the meantime; then there is nothing to do here.
    if (codeOf(error) !== "cancelled" && (await isReplaced(chain, filesRead(state, plan)))) return null;
    throw error;
  }
  const { bytes, rows } = compacted;
  const expected = plan.inputs.reduce((sum, file) => sum + file.rows, 0);
  if (rows !== expected) {
    throw new CommitError(
      "damaged",
      `Cannot compact ${plan.folder}: ${rows} rows were read, ${expected} are committed`,
    );
  }
  const ranges = plan.inputs.map((file) => offsetsOf(file.path));
  const name = dataFileName({
    topic,
    partition,
    first: Math.min(...ranges.map((range) => range.first)),
    last: Math.max(...ranges.map((range) => range.last)),
    sequence: begun,
    random: chain.newId(),
    format: "parquet",
  });
  const output: FileInfo = {
    path: `${plan.folder}/${name}`,
    rows,
    revisions: plan.inputs.reduce((sum, file) => sum + file.revisions, 0),
    bytes: bytes.length,
    sha256: sha256Hex(bytes),
    ...(LATER_COLUMNS.length === 0 ? {} : { columns: LATER_COLUMNS }),
    ...(plan.judge ? { judged: judging.version } : {}),
  };
  await lake.put([{ path: output.path, bytes }]);
  const inputs = plan.inputs.map((file) => file.path);
  const after = await commitCompaction(chain, state, inputs, output, judgedAt);
  if (after === null) await lake.delete([output.path]); // refused for good: it is not valid any more
  return after;
}

/** The files that a compaction reads: those it replaces, and those that the flags depend on. */
function filesRead(state: ChainState, plan: CompactionPlan): LiveFile[] {
  return plan.judge ? filesWithin(state.live, levelSpan(plan)) : plan.inputs;
}

/** The time of the pressures that a day or hour is compared with, and of all else that its flags depend on. */
function levelSpan({ folder }: CompactionPlan): TimeSpan {
  const { from, to } = windowOf(`${folder}/`);
  return { from: from - LEVEL_PAST_MS, to };
}

function judgingInput(lake: Lake, state: ChainState, plan: CompactionPlan, { views }: Judging): JudgingInput {
  const files = (span: TimeSpan) => ({
    files: filesWithin(state.live, span).map((file) => standingRows(lake, file, state.retractions)),
  });
  const path = `${plan.folder}/`;
  return { ...spanOf(path), around: files(windowOf(path)), before: files(levelSpan(plan)), views };
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

async function isReplaced(chain: Chain, inputs: readonly LiveFile[]): Promise<boolean> {
  const fresh = await fold(chain.lake, chain.topic, chain.partition);
  return inputs.some((file) => !fresh.live.has(file.path));
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
