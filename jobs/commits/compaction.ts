import type { Entry, FileInfo } from "./entry.ts";
import type { ChainState } from "./fold.ts";
import { appendEntry, entryBase, type Chain } from "./writer.ts";

/**
 * Replaces live files by one that holds the same rows. Valid only while every input is live: looked at before the first
 * try, because the state may be newer than the choice of inputs, and again after each refused or unclear create.
 *
 * @param state a fold; it is brought up to date in place
 * @param output put already
 * @returns the state with the compaction, or null when an input is no longer live: the output is then a leftover
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
    // Removed: it was committed, and another compaction has replaced it since.
    if (fresh.live.has(output.path) || fresh.removed.has(output.path)) return "done";
    return valid(fresh) ? "again" : "give up";
  });
}
