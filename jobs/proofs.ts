import { formatTimestamp } from "../core/time.ts";
import { LakeError } from "../core/errors.ts";
import type { Lake } from "./lake/lake.ts";
import type { PartitionProof } from "./verify.ts";

/** `proofs/<ms>-<id>.json`: what the newest `verify` found, so that whoever shows the data set can say so. */
const FOLDER = "proofs";
const NAME = /^\d{13}-[0-9a-f]+\.json$/;

/** What a proof of a whole data set found, and when. */
export interface KeptProof {
  /** When it was begun, ISO 8601 UTC. */
  at: string;
  /** Offsets that were accounted for: rows + duplicates + rejected. */
  offsets: number;
  /** Records the log still had, each of them found again in the lake. */
  compared: number;
  /** How many things are wrong; 0 when log and lake are equal. */
  problems: number;
}

/**
 * Keeps a proof in the lake in place of the one before.
 *
 * @param options.startedMs when it was begun
 * @param options.id random, hex: two that were begun at once have names of their own
 * @throws LakeError when the lake cannot be written
 */
export async function keepProof(
  lake: Lake,
  { startedMs, id }: { startedMs: number; id: string },
  proofs: readonly PartitionProof[],
): Promise<void> {
  const sum = (of: (proof: PartitionProof) => number) =>
    proofs.reduce((total, proof) => total + of(proof), 0);
  const kept: KeptProof = {
    at: formatTimestamp(startedMs),
    offsets: sum(({ rows, duplicates, rejected }) => rows + duplicates + rejected),
    compared: sum(({ compared }) => compared),
    problems: sum(({ problems }) => problems.length),
  };
  const before = await names(lake);
  const name = `${String(startedMs).padStart(13, "0")}-${id}.json`;
  await lake.put([{ path: `${FOLDER}/${name}`, bytes: new TextEncoder().encode(JSON.stringify(kept)) }]);
  await lake.delete(before.map((old) => `${FOLDER}/${old}`));
}

/** The newest proof that was kept, or null where there is none. @throws LakeError when the lake cannot be read */
export async function newestProof(lake: Lake): Promise<KeptProof | null> {
  for (let looks = 0; looks < 3; looks++) {
    const name = (await names(lake)).at(-1);
    if (name === undefined) return null;
    try {
      return JSON.parse(new TextDecoder().decode(await lake.read(`${FOLDER}/${name}`))) as KeptProof;
    } catch (error) {
      // Replaced since it was listed.
      if (!(error instanceof LakeError && error.code === "missing")) throw error;
    }
  }
  return null;
}

async function names(lake: Lake): Promise<string[]> {
  return (await lake.list(FOLDER)).map(({ name }) => name).filter((name) => NAME.test(name));
}
