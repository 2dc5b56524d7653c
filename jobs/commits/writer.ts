import { codeOf, CommitError } from "../../core/errors.ts";
import type { Lake } from "../lake/lake.ts";
import { encodeEntry, entryPath, FORMAT, type BatchEntry, type Entry } from "./entry.ts";
import { applyEntry, fold, type ChainState } from "./fold.ts";

/** Where a chain lies, and what its writers need besides. */
export interface Chain {
  lake: Lake;
  topic: string;
  partition: number;
  /** Random ids of entries and files: letters and digits. */
  newId(): string;
  /** ms since the epoch. */
  now(): number;
}

/** What a batch commits: the entry without what the chain itself knows. */
export type Batch = Omit<BatchEntry, "format" | "id" | "prev" | "at" | "kind" | "claim">;

/** Fields that every entry of this program has. */
export function entryBase(
  chain: Chain,
  state: ChainState,
): { format: number; id: string; prev: string | null; at: string } {
  return { format: FORMAT, id: chain.newId(), prev: state.id, at: new Date(chain.now()).toISOString() };
}

/**
 * Whether a create that was not acknowledged may have happened, or was refused: then only a fold tells. Any other error
 * means that nothing happened.
 */
export function isContested(error: unknown): boolean {
  const code = codeOf(error);
  return code === "exists" || code === "unclear";
}

/**
 * Creates the entry that follows `state`. An entry whose answer was lost is tried again as it is, and only while its
 * number is free: a late request may still bring the first try.
 *
 * A create that succeeds is looked at once more: when others have written on from `state` and trimmed below their
 * checkpoint, the number was free again, and the entry is void.
 *
 * @param decide what a fresh fold means after a create that was refused, unclear or not the newest: `done` when the entry
 *   is in it, `again` to try at its tail; it throws or returns `give up` otherwise
 * @returns the state with the entry applied, or null when given up
 */
export async function appendEntry(
  chain: Chain,
  state: ChainState,
  build: (state: ChainState) => Entry,
  decide: (fresh: ChainState, entry: Entry) => "done" | "again" | "give up",
): Promise<ChainState | null> {
  const { lake, topic, partition } = chain;
  let unclear: { sequence: number; entry: Entry } | undefined;
  for (;;) {
    const sequence = state.sequence + 1;
    const entry: Entry = unclear?.sequence === sequence ? unclear.entry : build(state);
    let known: ChainState | undefined;
    try {
      await lake.create(entryPath(topic, partition, sequence), encodeEntry(entry));
      applyEntry(state, sequence, entry, `${topic}/${partition}`);
      known = state;
    } catch (error) {
      if (!isContested(error)) throw error;
    }
    const fresh = await fold(lake, topic, partition, known);
    if (known !== undefined && fresh.sequence === sequence) return fresh;
    unclear = { sequence, entry };
    const verdict = decide(fresh, entry);
    if (verdict === "done") return fresh;
    if (verdict === "give up") return null;
    state = fresh;
  }
}

/** The one process that commits batches of a partition, until another claims it. */
export class ChainWriter {
  readonly #chain: Chain;
  readonly #claim: { id: string; sequence: number };
  #state: ChainState;

  private constructor(chain: Chain, state: ChainState, claim: { id: string; sequence: number }) {
    this.#chain = chain;
    this.#state = state;
    this.#claim = claim;
  }

  /**
   * Takes the partition over.
   *
   * @param start where the lake begins when the chain is empty: the log's low bound
   * @param inspect looks at the state before anything is written; what it throws stops the claim
   * @throws CommitError `fenced` when another writer claimed at the same time
   */
  static async claim(
    chain: Chain,
    start: number,
    inspect: (state: ChainState) => Promise<void>,
  ): Promise<ChainWriter> {
    const before = await fold(chain.lake, chain.topic, chain.partition);
    await inspect(before);
    const held = before.claim?.id;
    const build = (state: ChainState): Entry => ({
      ...entryBase(chain, state),
      kind: "claim",
      ...(state.next === null ? { start } : {}),
    });
    const state = await appendEntry(chain, before, build, (fresh, entry) => {
      if (fresh.claim?.id === entry.id) return "done";
      if (fresh.claim?.id !== held) throw fenced(chain);
      return "again";
    });
    return new ChainWriter(chain, state!, state!.claim!);
  }

  /** What is committed, as this writer knows it. Do not change it. */
  get state(): ChainState {
    return this.#state;
  }

  /**
   * Takes in what compactors wrote since: files that this writer still knows may be deleted.
   *
   * @throws CommitError `fenced` when another writer holds the claim
   */
  async refresh(): Promise<void> {
    const { lake, topic, partition } = this.#chain;
    const fresh = await fold(lake, topic, partition, this.#state);
    if (fresh.claim?.id !== this.#claim.id) throw fenced(this.#chain);
    this.#state = fresh;
  }

  /** Sequence of this writer's claim: part of its files' names. */
  get claimSequence(): number {
    return this.#claim.sequence;
  }

  /**
   * Commits a batch whose files are put already. When it resolves, readers see it.
   *
   * @throws CommitError `fenced` when another writer holds the claim, `damaged` when the chain holds what this writer did
   *   not write; LakeError when the lake is away. After any of them drop this writer and everything uncommitted.
   */
  async commit(batch: Batch): Promise<void> {
    const build = (state: ChainState): Entry => ({
      ...entryBase(this.#chain, state),
      kind: "batch",
      claim: this.#claim.id,
      ...batch,
    });
    const state = await appendEntry(this.#chain, this.#state, build, (fresh) => {
      if (fresh.claim?.id !== this.#claim.id) throw fenced(this.#chain);
      if (fresh.next === batch.last + 1) return "done";
      if (fresh.next === batch.first) return "again";
      const { topic, partition } = this.#chain;
      throw new CommitError(
        "damaged",
        `Cannot commit offsets ${batch.first}–${batch.last} of ${topic}/${partition}: the lake goes on at ${fresh.next}`,
      );
    });
    this.#state = state!;
  }
}

function fenced(chain: Chain): CommitError {
  return new CommitError(
    "fenced",
    `Cannot write to ${chain.topic}/${chain.partition}: another writer has taken the partition over`,
  );
}
