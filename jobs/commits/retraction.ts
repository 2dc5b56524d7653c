import { RETRACTION_FORMAT, type Entry, type Retraction } from "./entry.ts";
import type { ChainState } from "./fold.ts";
import { appendEntry, entryBase, type Chain } from "./writer.ts";

/**
 * Commits a retraction. It is valid only over the state it was planned for: a batch since may hold rows that were joined with
 * those to be retracted.
 *
 * @param state the folded state of the chain; it is updated in place
 * @returns the state with the retraction, or null when the chain went on otherwise: plan it anew
 */
export async function commitRetraction(
  chain: Chain,
  state: ChainState,
  retraction: Omit<Retraction, "id" | "sequence" | "at" | "next">,
  watermark: string | null,
): Promise<ChainState | null> {
  const { next, retractions } = state;
  if (next === null) throw new RangeError("Cannot retract from a chain without rows");
  const known = retractions.length;
  const build = (state: ChainState): Entry => ({
    ...entryBase(chain, state),
    format: RETRACTION_FORMAT,
    kind: "retraction",
    ...retraction,
    next,
    watermark,
  });
  return await appendEntry(chain, state, build, (fresh, entry) => {
    if (fresh.retractions.some(({ id }) => id === entry.id)) return "done";
    return fresh.next === next && fresh.retractions.length === known ? "again" : "give up";
  });
}
