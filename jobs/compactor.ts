import { sha256Hex } from "../core/checksum.ts";
import type { Clock } from "../core/clock.ts";
import { codeOf, CommitError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import type { Engine } from "../spark/engine.ts";
import { LATER_COLUMNS, unknownColumns } from "../spark/file-columns.ts";
import { commitCompaction } from "./commits/compaction.ts";
import { makeCheckpoint } from "./commits/checkpoint.ts";
import type { FileInfo } from "./commits/entry.ts";
import { fold, type ChainState, type LiveFile } from "./commits/fold.ts";
import { dataFileName, dayFolder, hourFolder, offsetsOf, placeOf } from "./commits/names.ts";
import { sweep } from "./commits/sweep.ts";
import type { Chain } from "./commits/writer.ts";
import { snapshotFile } from "./readers/lake-reader.ts";
import type { Lake } from "./lake/lake.ts";
import type { Log } from "./log/log.ts";
import type { BackgroundJob } from "./supervisor.ts";

/** An hour that is still open is compacted when it has this many files: a quick stream stays quick to read. */
const OPEN_HOUR_FILES = 32;
/** A compacted day is compacted again when late data brought this many files. */
const LATE_FILES = 8;
/** A day of more rows than this stays in files of an hour each. */
const DAY_ROWS = 5_000_000;
/** How long a reader may go on reading a file that was replaced, ms. */
export const GRACE_MS = 600_000;
/** Time between two looks at the lake, ms. */
const INTERVAL_MS = 30_000;

/** Live files to be replaced by one, all of one folder's day or hour. */
export interface CompactionPlan {
  /** Folder of the output. */
  folder: string;
  inputs: LiveFile[];
}

/**
 * Which live files are worth compacting: a closed day into one file, else a closed hour (or an open one of very many
 * files) into one.
 *
 * Closed is measured by the partition's own watermark, so that an old stream that is replayed closes its hours as it goes.
 *
 * A file with a column that this program does not know stays as it is: what the engine writes would lack the column.
 *
 * @param afterMs how long after its end an hour or day counts as closed, ms
 */
export function planCompactions(state: ChainState, afterMs: number): CompactionPlan[] {
  if (state.watermark === null) return [];
  const closedBefore = Date.parse(state.watermark) - afterMs;
  const days = new Map<string, LiveFile[]>();
  for (const file of state.live.values()) {
    if (unknownColumns([file]).length > 0) continue;
    const { date } = placeOf(file.path);
    const files = days.get(date);
    if (files === undefined) days.set(date, [file]);
    else files.push(file);
  }
  const plans: CompactionPlan[] = [];
  for (const [date, files] of days) {
    if (files.length < 2) continue;
    const dayEnd = Date.parse(`${date}T00:00:00Z`) + DAY_MS;
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    if (dayEnd <= closedBefore && rows <= DAY_ROWS) {
      const compacted = files.some((file) => placeOf(file.path).hour === null);
      if (!compacted || files.length > LATE_FILES) plans.push({ folder: dayFolder(date), inputs: files });
      continue;
    }
    const hours = Map.groupBy(files, (file) => placeOf(file.path).hour);
    for (const [hour, inHour] of hours) {
      if (hour === null || inHour.length < 2) continue;
      const closed = Date.parse(`${date}T${hour}:00:00Z`) + HOUR_MS <= closedBefore;
      const many = closed && !inHour.some((file) => file.path.endsWith(".parquet")) ? 2 : OPEN_HOUR_FILES;
      if (inHour.length >= many) plans.push({ folder: hourFolder(`${date}T${hour}`), inputs: inHour });
    }
  }
  return plans;
}

/** What {@link compactPartition} did. */
export interface CompactionReport {
  compacted: number;
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
  engine: Pick<Engine, "compact">,
  options: { afterMs: number; graceMs: number; signal?: AbortSignal; known?: ChainState },
): Promise<{ state: ChainState; report: CompactionReport }> {
  const report: CompactionReport = { compacted: 0, deleted: 0 };
  let state = await fold(chain.lake, chain.topic, chain.partition, options.known);
  const touched = new Set<string>();
  for (const plan of planCompactions(state, options.afterMs)) {
    if (options.signal?.aborted) break;
    if (!plan.inputs.every(({ path }) => state.live.has(path))) continue; // another compactor was first
    const after = await compact(chain, engine, state, plan, options.signal);
    if (after === null) {
      state = await fold(chain.lake, chain.topic, chain.partition);
      continue;
    }
    state = after;
    report.compacted++;
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
  chain: Chain,
  engine: Pick<Engine, "compact">,
  state: ChainState,
  plan: CompactionPlan,
  signal: AbortSignal | undefined,
): Promise<ChainState | null> {
  const { lake, topic, partition } = chain;
  const begun = state.sequence;
  const snapshot = { files: plan.inputs.map((file) => snapshotFile(lake, file)) };
  let compacted: { bytes: Uint8Array; rows: number };
  try {
    for (const input of plan.inputs) await checkFile(lake, input);
    compacted = await engine.compact(snapshot, signal);
  } catch (error) {
    // Another compactor may have replaced and deleted an input in the meantime; then there is nothing to do here.
    if (codeOf(error) !== "cancelled" && (await isReplaced(chain, plan.inputs))) return null;
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
  };
  await lake.put([{ path: output.path, bytes }]);
  const inputs = plan.inputs.map((file) => file.path);
  const after = await commitCompaction(chain, state, inputs, output);
  if (after === null) await lake.delete([output.path]); // refused for good: its inputs are not live any more
  return after;
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
  engine: Engine;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  /** How long after its end an hour counts as closed, ms. */
  afterMs: number;
}): BackgroundJob {
  const { log, lake, engine, clock, logger, newId, afterMs } = options;
  return {
    name: "compactor",
    async run({ signal, running, waiting }) {
      const states = new Map<number, ChainState>();
      const told = new Set<string>();
      while (!signal.aborted) {
        running();
        for (let partition = 0; partition < log.partitions; partition++) {
          const chain = { lake, topic: log.topic, partition, newId, now: () => clock.now() };
          const known = states.get(partition);
          const { state, report } = await compactPartition(chain, engine, {
            afterMs,
            graceMs: GRACE_MS,
            signal,
            ...(known === undefined ? {} : { known }),
          });
          states.set(partition, state);
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
