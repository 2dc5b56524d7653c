import { sha256Hex } from "../../core/checksum.ts";
import { CommitError, codeOf } from "../../core/errors.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import type { FileInfo } from "../../jobs/commits/entry.ts";
import { fold, type ChainState } from "../../jobs/commits/fold.ts";
import { commitCompaction } from "../../jobs/commits/compaction.ts";
import { overlap, spanOf, windowOf } from "../../jobs/commits/judged-window.ts";
import { dataFileName, hourFolder, offsetsOf } from "../../jobs/commits/names.ts";
import { commitRetraction } from "../../jobs/commits/retraction.ts";
import { sweep } from "../../jobs/commits/sweep.ts";
import { ChainWriter, type Batch, type Chain } from "../../jobs/commits/writer.ts";
import { compactPartition } from "../../jobs/compactor.ts";
import type { NewFile } from "../../jobs/lake/lake.ts";
import type { Snapshot } from "../../spark/engine.ts";
import { PARTITION, TOPIC, type Actor, type Grain, type Stage } from "./actor.ts";
import { JUDGING } from "../support/judging.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Every batch lies in this hour, unless a writer says otherwise. */
export const HOUR = "2026-01-01T00";
/** Newest observation time of every batch: the hours before it are closed, their day is not. */
const WATERMARK = "2026-01-01T03:00:00Z";

/**
 * A batch of offsets and its files, one for each offset: a file's row is the offset's number, and it has as many `revisions` as
 * its writer knew retractions when it made it, which the explorer checks.
 */
export function batchOf(
  chain: Chain,
  claimSequence: number,
  first: number,
  last: number,
  hourOf: (offset: number) => string = () => HOUR,
  retractions = 0,
): { batch: Batch; files: NewFile[] } {
  const files: NewFile[] = [];
  const infos: FileInfo[] = [];
  for (let offset = first; offset <= last; offset++) {
    const name = dataFileName({
      topic: TOPIC,
      partition: PARTITION,
      first: offset,
      last: offset,
      sequence: claimSequence,
      random: chain.newId(),
      format: "jsonl",
    });
    const path = `${hourFolder(hourOf(offset))}/${name}`;
    const bytes = encoder.encode(`${offset}\n`);
    files.push({ path, bytes });
    infos.push({ path, rows: 1, revisions: retractions, bytes: bytes.length, sha256: sha256Hex(bytes) });
  }
  const batch: Batch = {
    first,
    last,
    files: infos,
    rejected: null,
    counts: { rows: infos.length, duplicates: 0, rejected: 0 },
    record: { offset: last, sha256: sha256Hex(String(last)) },
    watermark: WATERMARK,
  };
  return { batch, files };
}

/** Options of {@link writer}. */
export interface WriterOptions {
  /** Offsets in the log. */
  offsets: number;
  lives?: number;
  /** Offsets in a batch: each of these sizes is tried, as far as the log goes. Default 1. */
  sizes?: number[];
  /** Makes a checkpoint itself after this many entries, as the consumer does. */
  checkpointAfter?: number;
  /** The hour of an offset's row. Default {@link HOUR}. */
  hourOf?: (offset: number) => string;
  grain?: Grain;
  /** Changes what the writer works with: how a rule is left out. */
  chain?: (chain: Chain) => Chain;
}

/** Claims the partition and commits the log from where the chain ends, until all of it is committed or it is fenced. */
export function writer(name: string, options: WriterOptions): Actor {
  const {
    offsets,
    lives = 1,
    sizes = [1],
    checkpointAfter = Infinity,
    hourOf,
    grain = "folds",
    chain: change,
  } = options;
  return {
    name,
    lives,
    grain,
    async run(stage) {
      const chain = change === undefined ? stage.chain : change(stage.chain);
      const chainWriter = await ChainWriter.claim(chain, 0, async () => {});
      for (let first = chainWriter.state.next!; first < offsets; first = chainWriter.state.next!) {
        const size = sizes.length === 1 ? sizes[0]! : sizes[await stage.choose(sizes.length)]!;
        const last = Math.min(first + size, offsets) - 1;
        const { length } = chainWriter.state.retractions;
        const { batch, files } = batchOf(chain, chainWriter.claimSequence, first, last, hourOf, length);
        await chain.lake.put(files);
        if (!(await chainWriter.commit(batch))) continue; // rows were retracted meanwhile: it is made anew
        stage.committed(last + 1);
        if (chainWriter.state.sinceCheckpoint >= checkpointAfter)
          await makeCheckpoint(chain, chainWriter.state);
      }
      stage.committed(chainWriter.state.next!);
    },
  };
}

/** The engine is not under test: a compacted file is its inputs, one after the other. */
export async function concatenate(
  chain: Chain,
  paths: readonly string[],
): Promise<{ bytes: Uint8Array; rows: number }> {
  let text = "";
  for (const path of paths) text += decoder.decode(await chain.lake.read(path));
  return { bytes: encoder.encode(text), rows: text.split("\n").length - 1 };
}

/** Compacts, deletes what was replaced at once, and makes the checkpoint that forgets it: `compactPartition()` as it is. */
export function compactor(
  name: string,
  options: {
    rounds?: number;
    lives?: number;
    graceMs?: number;
    grain?: Grain;
    /** Writes the rows in the other order. */
    reversed?: boolean;
    chain?: (chain: Chain) => Chain;
  } = {},
): Actor {
  const { rounds = 1, lives = 1, graceMs = 0, grain = "reads", reversed = false, chain: change } = options;
  return {
    name,
    lives,
    grain,
    async run(stage) {
      const chain = change === undefined ? stage.chain : change(stage.chain);
      let known: ChainState | undefined;
      for (let round = 0; round < rounds; round++) {
        const engine = {
          compact({ files }: Snapshot) {
            const paths = files.map(({ location }) => location);
            return concatenate(chain, reversed ? paths.toReversed() : paths);
          },
          judge: () => Promise.reject(new Error("No day is closed in the model")),
        };
        const { state } = await compactPartition(
          chain,
          { engine, judging: JUDGING },
          {
            afterMs: 0,
            graceMs,
            ...(known === undefined ? {} : { known }),
          },
        );
        known = state;
      }
    },
  };
}

/** Sweeps the hour at any time, whether anything in it was compacted or not. */
export function sweeper(name: string): Actor {
  return {
    name,
    async run({ chain }) {
      await sweep(chain, [hourFolder(HOUR)], 0);
    },
  };
}

/** How many rows lie in the time that the flags of a file depend on. */
export function rowsAround(live: Iterable<{ path: string; rows: number }>, path: string): number {
  let rows = 0;
  for (const file of live) if (overlap(spanOf(file.path), windowOf(path))) rows += file.rows;
  return rows;
}

/**
 * Makes one file with flags of what is live in {@link HOUR}, some rounds. Its mark says what the flags were computed from: how many rows,
 * and how many retractions were known; the explorer checks that it is what is there as long as they stand.
 */
export function judge(
  name: string,
  options: { rounds?: number; lives?: number; grain?: Grain; commit?: typeof commitCompaction } = {},
): Actor {
  const { rounds = 1, lives = 1, grain = "reads", commit = commitCompaction } = options;
  return {
    name,
    lives,
    grain,
    async run({ chain }) {
      for (let round = 0; round < rounds; round++) {
        const state = await fold(chain.lake, TOPIC, PARTITION);
        const inputs = [...state.live.values()].filter(({ path }) => path.startsWith(`${hourFolder(HOUR)}/`));
        if (inputs.length === 0) continue;
        const retractions = state.retractions.length;
        const judgedAt = { next: state.next, retractions };
        const paths = inputs.map(({ path }) => path);
        const { bytes, rows } = await concatenate(chain, paths);
        const offsets = paths.map(offsetsOf);
        const file = dataFileName({
          topic: TOPIC,
          partition: PARTITION,
          first: Math.min(...offsets.map(({ first }) => first)),
          last: Math.max(...offsets.map(({ last }) => last)),
          sequence: state.sequence,
          random: chain.newId(),
          format: "parquet",
        });
        const path = `${hourFolder(HOUR)}/${file}`;
        const judged = `${rowsAround(state.live.values(), path)}-${retractions}`;
        await chain.lake.put([{ path, bytes }]);
        const output = { path, rows, revisions: 0, bytes: bytes.length, sha256: sha256Hex(bytes), judged };
        const after = await commit(chain, state, paths, output, judgedAt);
        if (after === null) await chain.lake.delete([path]);
      }
    },
  };
}

/** Folds the chain and makes a checkpoint of it, with its trim. */
export function checkpointer(
  name: string,
  options: { times?: number; lives?: number; grain?: Grain; chain?: (chain: Chain) => Chain } = {},
): Actor {
  const { times = 1, lives = 1, grain = "folds", chain: change } = options;
  return {
    name,
    lives,
    grain,
    async run(stage) {
      const chain = change === undefined ? stage.chain : change(stage.chain);
      let known: ChainState | undefined;
      for (let time = 0; time < times; time++) {
        known = await fold(chain.lake, TOPIC, PARTITION, known);
        await makeCheckpoint(chain, known);
      }
    },
  };
}

/** Retracts all that is committed, once: it looks again where the chain went on meanwhile. */
export function retractor(
  name: string,
  options: { tries?: number; lives?: number; grain?: Grain } = {},
): Actor {
  const { tries = 2, lives = 1, grain = "folds" } = options;
  return {
    name,
    lives,
    grain,
    async run({ chain }) {
      for (let i = 0; i < tries; i++) {
        const state = await fold(chain.lake, TOPIC, PARTITION);
        if (state.next === null || state.next === 0) return;
        const range = { source: "s", first: 0, last: state.next - 1, rows: state.next, reason: "wrong" };
        if ((await commitRetraction(chain, state, range, null)) !== null) return;
      }
    },
  };
}

/** Reads on from what it knows and then reads every live file, some rounds; says when what it read is not what is committed. */
export function reader(
  name: string,
  options: { rounds?: number; files?: boolean; grain?: Grain; foldWith?: typeof fold } = {},
): Actor {
  const { rounds = 2, files = true, grain = "folds", foldWith = fold } = options;
  return {
    name,
    grain,
    async run(stage) {
      let known: ChainState | undefined;
      let next = 0;
      for (let round = 0; round < rounds; round++) {
        known = await foldWith(stage.chain.lake, TOPIC, PARTITION, known);
        const end = known.next ?? 0;
        if (end < next) throw new Error(`what the reader sees went back from ${next} to ${end}`);
        next = end;
        if (files) known = await readFiles(stage, known);
        else stage.committed(next);
      }
    },
  };
}

/** Reads every live file; when one is gone it folds again, and the fold must explain it. */
async function readFiles(stage: Stage, known: ChainState): Promise<ChainState> {
  const { lake } = stage.chain;
  let state = known;
  again: for (;;) {
    const rows: number[] = [];
    for (const { path, sha256 } of state.live.values()) {
      let bytes: Uint8Array;
      try {
        bytes = await lake.read(path);
      } catch (error) {
        if (codeOf(error) !== "missing") throw error;
        state = await fold(lake, TOPIC, PARTITION, state);
        if (state.live.has(path))
          throw new CommitError("damaged", `${path} is committed, but the file is gone`, { cause: error });
        continue again;
      }
      if (sha256Hex(bytes) !== sha256) throw new CommitError("damaged", `${path} has another content`);
      for (const line of decoder.decode(bytes).split("\n").slice(0, -1)) rows.push(Number(line));
    }
    rows.sort((a, b) => a - b);
    const wanted = Array.from({ length: state.next ?? 0 }, (_, offset) => offset);
    if (rows.join() !== wanted.join())
      throw new CommitError("damaged", `a reader finds the offsets ${rows.join()}, wanted ${wanted.join()}`);
    stage.committed(state.next ?? 0);
    return state;
  }
}
