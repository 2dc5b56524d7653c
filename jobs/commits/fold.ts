import { CommitError, LakeError } from "../../core/errors.ts";
import { isLater } from "../../core/time.ts";
import type { Lake } from "../lake/lake.ts";
import {
  chainFolder,
  decodeEntry,
  entryPath,
  sequenceOf,
  type CheckpointEntry,
  type Counts,
  type Entry,
  type FileInfo,
  type LastRecord,
  type Retraction,
} from "./entry.ts";
import { takeBackByFiles, takeBackByRetraction } from "./judged-window.ts";

/** A committed file, and the sequence of the entry that committed it. */
export type LiveFile = FileInfo & { sequence: number };

/** The state of one partition: the result of applying the entries of its chain in order. */
export interface ChainState {
  /** Sequence and `id` of the newest entry; 0 and null for an empty chain. */
  sequence: number;
  id: string | null;
  /** First offset not yet committed; null before the first claim. */
  next: number | null;
  /** The claim in force. */
  claim: { id: string; sequence: number } | null;
  /** Committed files of rows, by path; with `judged` where the flags in it stand. */
  live: Map<string, LiveFile>;
  /** Files of rejected records. */
  rejected: FileInfo[];
  /** Files replaced by compaction, with the time of the compaction, ms. */
  removed: Map<string, number>;
  /** What was retracted, the oldest first. Retractions only ever come, so that their number says which are known. */
  retractions: readonly Retraction[];
  counts: Counts;
  record: LastRecord | null;
  /** Newest observation time, ISO 8601 UTC. */
  watermark: string | null;
  /** Number of entries since the newest checkpoint, which a reader has to read. */
  sinceCheckpoint: number;
}

/** The state of a chain without entries. */
export function emptyState(): ChainState {
  return {
    sequence: 0,
    id: null,
    next: null,
    claim: null,
    live: new Map(),
    rejected: [],
    removed: new Map(),
    retractions: [],
    counts: { rows: 0, duplicates: 0, rejected: 0 },
    record: null,
    watermark: null,
    sinceCheckpoint: 0,
  };
}

/** How often a fold starts again when a listed entry is gone before it is read, because of a concurrent trim. */
const ATTEMPTS = 20;

/**
 * Reads a partition's chain: lists its folder, starts at the newest checkpoint and applies the entries after it. An entry
 * below the checkpoint is void, whoever wrote it.
 *
 * @param known the state of an earlier fold: only later entries are read, and it is updated in place. The folder is listed
 *   all the same, because an entry below a newer checkpoint may be a late one, which is void.
 * @returns the state: `known`, or a new one
 * @throws CommitError `damaged` when an entry is missing, unreadable or does not follow from the one before, or when the
 *   chain ends before `known`; `newer_format`
 */
export async function fold(
  lake: Lake,
  topic: string,
  partition: number,
  known?: ChainState,
): Promise<ChainState> {
  const least = known?.sequence ?? 0;
  for (let attempt = 1; ; attempt++) {
    const folded = await tryFold(lake, topic, partition, known);
    if (typeof folded !== "string" && folded.sequence >= least) return folded;
    known = undefined;
    if (attempt === ATTEMPTS) {
      const why = typeof folded === "string" ? folded : `entry ${least} is gone`;
      throw new CommitError("damaged", `Cannot read the commits of ${topic}/${partition}: ${why}`, {
        hint: "Restore the missing file from a backup or a replica: nothing is skipped.",
      });
    }
  }
}

/** One try of a fold. A string names a missing entry, which a concurrent trim or a newer checkpoint may explain. */
async function tryFold(
  lake: Lake,
  topic: string,
  partition: number,
  known: ChainState | undefined,
): Promise<ChainState | string> {
  const sequences = new Set<number>();
  let tail = 0;
  for (const { name } of await lake.list(chainFolder(topic, partition))) {
    const sequence = sequenceOf(name);
    if (sequence === undefined) continue;
    sequences.add(sequence);
    tail = Math.max(tail, sequence);
  }
  if (known !== undefined && tail < known.sequence) return `entry ${known.sequence} is gone`;
  if (known !== undefined && tail === known.sequence) return known;

  const following: { sequence: number; entry: Entry }[] = [];
  const base = known?.sequence ?? 0;
  for (let sequence = tail; sequence > base; sequence--) {
    if (!sequences.has(sequence)) return `entry ${sequence} is missing`;
    const path = entryPath(topic, partition, sequence);
    let bytes: Uint8Array;
    try {
      bytes = await lake.read(path);
    } catch (error) {
      if (error instanceof LakeError && error.code === "missing") return `entry ${sequence} is missing`;
      throw error;
    }
    const entry = decodeEntry(path, bytes);
    following.unshift({ sequence, entry });
    if (entry.kind === "checkpoint") break;
  }
  const first = following[0];
  if (first === undefined) return emptyState();
  if (known !== undefined && first.entry.kind !== "checkpoint" && first.entry.prev !== known.id) {
    return `entry ${first.sequence} does not follow entry ${known.sequence} as read before`;
  }
  const state = first.entry.kind === "checkpoint" || known === undefined ? emptyState() : known;
  for (const { sequence, entry } of following) applyEntry(state, sequence, entry, `${topic}/${partition}`);
  return state;
}

/**
 * Applies one entry to a state, in place.
 *
 * @param where `topic/partition`, for messages
 * @throws CommitError `damaged` when the entry cannot follow the state; the state is then unchanged
 */
export function applyEntry(state: ChainState, sequence: number, entry: Entry, where: string): void {
  const wrong = (why: string) =>
    new CommitError("damaged", `Cannot apply entry ${sequence} of ${where}: ${why}`, {
      hint: "The chain of commits was changed by hand or damaged: restore it, nothing is skipped.",
    });
  if (entry.kind === "checkpoint") {
    applyCheckpoint(state, sequence, entry);
    return;
  }
  if (sequence !== state.sequence + 1) throw wrong(`it follows entry ${state.sequence}`);
  if (entry.prev !== state.id) throw wrong("it names another predecessor");
  if (entry.kind === "claim") {
    if ((state.next === null) !== (entry.start !== undefined))
      throw wrong("only a first claim says where the lake begins");
    state.next ??= entry.start ?? null;
    state.claim = { id: entry.id, sequence };
  } else if (entry.kind === "batch") {
    if (entry.claim !== state.claim?.id) throw wrong("its writer does not hold the claim");
    if (entry.first !== state.next) throw wrong(`it begins at offset ${entry.first}, wanted ${state.next}`);
    for (const file of entry.files)
      if (state.live.has(file.path)) throw wrong(`${file.path} is committed already`);
    takeBackByFiles(
      state.live,
      entry.files.map(({ path }) => path),
    );
    for (const file of entry.files) state.live.set(file.path, { ...file, sequence });
    if (entry.rejected !== null) state.rejected.push(entry.rejected);
    state.next = entry.last + 1;
    state.record = entry.record;
    state.counts = {
      rows: state.counts.rows + entry.counts.rows,
      duplicates: state.counts.duplicates + entry.counts.duplicates,
      rejected: state.counts.rejected + entry.counts.rejected,
    };
    if (entry.watermark !== null && (state.watermark === null || isLater(entry.watermark, state.watermark))) {
      state.watermark = entry.watermark;
    }
  } else if (entry.kind === "retraction") {
    const { id, at, source, first, last, next, rows, reason } = entry;
    if (next !== state.next) throw wrong(`it was made at offset ${next}, wanted ${state.next}`);
    const retraction = { id, sequence, at, source, first, last, next, rows, reason };
    state.retractions = [...state.retractions, retraction];
    takeBackByRetraction(state.live, retraction);
    state.watermark = entry.watermark;
  } else {
    for (const path of entry.inputs)
      if (!state.live.has(path)) throw wrong(`it replaces ${path}, which is not live`);
    const at = Date.parse(entry.at);
    for (const path of entry.inputs) {
      state.live.delete(path);
      state.removed.set(path, at);
    }
    state.live.set(entry.output.path, { ...entry.output, sequence });
  }
  state.sequence = sequence;
  state.id = entry.id;
  state.sinceCheckpoint++;
}

function applyCheckpoint(state: ChainState, sequence: number, entry: CheckpointEntry): void {
  state.sequence = sequence;
  state.id = entry.id;
  state.next = entry.next;
  state.claim = entry.claim;
  state.live = new Map(entry.live.map((file) => [file.path, file]));
  state.rejected = [...entry.rejected];
  state.removed = new Map(entry.removed.map(({ path, at }) => [path, Date.parse(at)]));
  state.retractions = entry.retractions ?? [];
  state.counts = entry.counts;
  state.record = entry.record;
  state.watermark = entry.watermark;
  state.sinceCheckpoint = 0;
}
