import { codeOf, CommitError } from "../../core/errors.ts";
import type { Lake } from "../lake/lake.ts";
import { encodeEntry, entryPath, FIRST_FORMAT, type BatchEntry, type Entry } from "./entry.ts";
import { applyEntry, fold, type ChainState } from "./fold.ts";

/** The location of a chain, with id source and clock for its writers. */
export interface Chain {
  lake: Lake;
  topic: string;
  partition: number;
  /** Random ids of entries and files: letters and digits. */
  newId(): string;
  /** ms since the epoch. */
  now(): number;
}

/** The content of a batch: its entry without the fields that the chain fills in. */
export type Batch = Omit<BatchEntry, "format" | "id" | "prev" | "at" | "kind" | "claim">;

/** The fields common to all entries. */
export function entryBase(
  chain: Chain,
  state: ChainState,
): { format: number; id: string; prev: string | null; at: string } {
  return { format: FIRST_FORMAT, id: chain.newId(), prev: state.id, at: new Date(chain.now()).toISOString() };
}

/**
 * Whether a create was refused, or was not acknowledged and may have succeeded: only a new fold can tell. After any other
 * error nothing was written.
 */
export function isContested(error: unknown): boolean {
  const code = codeOf(error);
  return code === "exists" || code === "unclear";
}

/**
 * Creates the entry that follows `state`. If the answer was lost, the same entry is tried again, and only while its number
 * is free: the first request may still arrive late.
 *
 * After a successful create the chain is read once more. Others may have continued from `state` and trimmed below their
 * checkpoint; then the number was free again, and the entry is void.
 *
 * @param decide judges a fresh fold after a create that was refused, unclear or not the newest: `done` if the entry is in
 *   it, `again` to retry at its tail; otherwise it throws or returns `give up`
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

/** The single writer of a partition's batches. A newer claim fences it: it can then commit nothing more. */
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
   * Claims the partition.
   *
   * @param start first offset for an empty chain: the log's low bound
   * @param inspect checks the state before anything is written; an error from it stops the claim
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

  /** The committed state as this writer knows it. Do not change it. */
  get state(): ChainState {
    return this.#state;
  }

  /**
   * Applies the entries that others have written since: compactions, without which this writer would use files that may be
   * deleted, and retractions.
   *
   * @throws CommitError `fenced` when another writer holds the claim
   */
  async refresh(): Promise<void> {
    const { lake, topic, partition } = this.#chain;
    const fresh = await fold(lake, topic, partition, this.#state);
    if (fresh.claim?.id !== this.#claim.id) throw fenced(this.#chain);
    this.#state = fresh;
  }

  /** Sequence of this writer's claim; it is part of its files' names. */
  get claimSequence(): number {
    return this.#claim.sequence;
  }

  /**
   * Commits a batch whose files are in the lake already. When it resolves to true, readers see the batch.
   *
   * @returns false when rows were retracted since {@link ChainWriter.state} was read: the batch may have been joined with
   *   them. Nothing was committed, the state is the new one, and the batch is to be made anew over it
   * @throws CommitError `fenced` when another writer holds the claim, `damaged` when the chain holds an entry under our
   *   claim that this writer did not write; LakeError when the lake is unavailable. After any of them discard this writer
   *   and everything uncommitted.
   */
  async commit(batch: Batch): Promise<boolean> {
    const known = this.#state.retractions.length;
    const build = (state: ChainState): Entry => ({
      ...entryBase(this.#chain, state),
      kind: "batch",
      claim: this.#claim.id,
      ...batch,
    });
    const state = await appendEntry(this.#chain, this.#state, build, (fresh) => {
      if (fresh.claim?.id !== this.#claim.id) throw fenced(this.#chain);
      if (fresh.next === batch.last + 1) return "done";
      if (fresh.retractions.length !== known) return "give up";
      if (fresh.next === batch.first) return "again";
      const { topic, partition } = this.#chain;
      throw new CommitError(
        "damaged",
        `Cannot commit offsets ${batch.first}–${batch.last} of ${topic}/${partition}: the lake goes on at ${fresh.next}`,
      );
    });
    if (state === null) {
      await this.refresh();
      return false;
    }
    this.#state = state;
    return true;
  }
}

function fenced(chain: Chain): CommitError {
  return new CommitError(
    "fenced",
    `Cannot write to ${chain.topic}/${chain.partition}: another writer has taken the partition over`,
  );
}
