import { JUDGED_FORMAT, type Entry, type FileInfo } from "./entry.ts";
import type { ChainState } from "./fold.ts";
import { type JudgedAt, stillStands } from "./judged-window.ts";
import { appendEntry, entryBase, type Chain } from "./writer.ts";

/**
 * Commits a compaction: one file replaces live files that hold the same rows. It is valid only while every input is live.
 * This is checked before the first try, because the state may be newer than the choice of inputs, and again after each
 * create that was refused or not acknowledged.
 *
 * Flags are part of it. What they were computed from may have changed since; then the compaction is refused as well, so that no
 * reader ever sees a flag that leaves out a committed row.
 *
 * @param state the folded state of the chain; it is updated in place
 * @param output the new file, which is in the lake already
 * @param judgedAt where the chain stood when the flags in it were computed. Default: it has none
 * @returns the state with the compaction, or null if it is not valid any more: the output is then a leftover
 */
export async function commitCompaction(
  chain: Chain,
  state: ChainState,
  inputs: readonly string[],
  output: FileInfo,
  judgedAt: JudgedAt | null = null,
): Promise<ChainState | null> {
  const build = (state: ChainState): Entry => ({
    ...entryBase(chain, state),
    ...(judgedAt === null ? {} : { format: JUDGED_FORMAT }),
    kind: "compaction",
    inputs: [...inputs],
    output,
  });
  const valid = (state: ChainState) =>
    inputs.every((path) => state.live.has(path)) &&
    (judgedAt === null || stillStands(state, output.path, judgedAt));
  if (!valid(state)) return null;
  return await appendEntry(chain, state, build, (fresh) => {
    // In `removed`: our output was committed, and a later compaction has already replaced it.
    if (fresh.live.has(output.path) || fresh.removed.has(output.path)) return "done";
    return valid(fresh) ? "again" : "give up";
  });
}
