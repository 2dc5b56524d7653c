import {
  chainFolder,
  encodeEntry,
  entryPath,
  FIRST_FORMAT,
  JUDGED_FORMAT,
  RETRACTION_FORMAT,
  sequenceOf,
  type CheckpointEntry,
} from "./entry.ts";
import { applyEntry, type ChainState } from "./fold.ts";
import { entryBase, isContested, type Chain } from "./writer.ts";

/**
 * Writes the state as a checkpoint entry, so that readers need no earlier entry, and trims the entries below it.
 *
 * @param state the folded state of this chain; it is updated in place
 * @param forget removed files that are deleted already; the checkpoint omits them
 * @returns whether the checkpoint was made. If the next number is taken it gives up, because nothing depends on it
 */
export async function makeCheckpoint(
  chain: Chain,
  state: ChainState,
  forget: ReadonlySet<string> = new Set(),
): Promise<boolean> {
  if (state.next === null) return false;
  const { lake, topic, partition } = chain;
  const entry: CheckpointEntry = {
    ...entryBase(chain, state),
    format: formatOf(state),
    kind: "checkpoint",
    next: state.next,
    claim: state.claim,
    counts: state.counts,
    record: state.record,
    watermark: state.watermark,
    live: [...state.live.values()],
    rejected: state.rejected,
    removed: [...state.removed]
      .filter(([path]) => !forget.has(path))
      .map(([path, at]) => ({ path, at: new Date(at).toISOString() })),
    ...(state.retractions.length === 0 ? {} : { retractions: [...state.retractions] }),
  };
  const sequence = state.sequence + 1;
  try {
    await lake.create(entryPath(topic, partition, sequence), encodeEntry(entry));
  } catch (error) {
    if (isContested(error)) return false;
    throw error;
  }
  applyEntry(state, sequence, entry, `${topic}/${partition}`);
  const folder = chainFolder(topic, partition);
  const below = (await lake.list(folder)).filter(({ name }) => (sequenceOf(name) ?? sequence) < sequence);
  await lake.delete(below.map(({ name }) => `${folder}/${name}`));
  return true;
}

/** The oldest format whose programs read the state rightly. */
function formatOf({ live, retractions }: ChainState): number {
  if (live.values().some(({ judged }) => judged !== undefined)) return JUDGED_FORMAT;
  return retractions.length > 0 ? RETRACTION_FORMAT : FIRST_FORMAT;
}
