import type { Entry, FileInfo } from "./entry.ts";
import type { ChainState } from "./fold.ts";
import { appendEntry, entryBase, type Chain } from "./writer.ts";

/**
 * Commits a compaction: one file replaces live files that hold the same rows. It is valid only while every input is live.
 * This is checked before the first try, because the state may be newer than the choice of inputs, and again after each
 * create that was refused or not acknowledged.
 *
 * @param state the folded state of the chain; it is updated in place
 * @param output the new file, which is in the lake already
 * @returns the state with the compaction, or null if an input is no longer live: the output is then a leftover
 */
export async function commitCompaction(
  chain: Chain,
  state: ChainState,
  inputs: readonly string[],
  output: FileInfo,
): Promise<ChainState | null> {
  const build = (state: ChainState): Entry => ({
    ...entryBase(chain, state),
    kind: "compaction",
    inputs: [...inputs],
    output,
  });
  const valid = (state: ChainState) => inputs.every((path) => state.live.has(path));
  if (!valid(state)) return null;
  return await appendEntry(chain, state, build, (fresh) => {
    // In `removed`: our output was committed, and a later compaction has already replaced it.
    if (fresh.live.has(output.path) || fresh.removed.has(output.path)) return "done";
    return valid(fresh) ? "again" : "give up";
  });
}
