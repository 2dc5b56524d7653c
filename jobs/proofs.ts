import { formatTimestamp } from "../core/time.ts";
import { LakeError } from "../core/errors.ts";
import type { Lake } from "./lake/lake.ts";
import type { PartitionProof } from "./verify.ts";
import type { KeptProof } from "../core/pipeline-status.ts";

/** `proofs/<ms>-<id>.json`: the result of the newest `verify`, which the pipeline page shows. */
const FOLDER = "proofs";
const NAME = /^\d{13}-[0-9a-f]+\.json$/;

/**
 * Stores a proof in the lake and deletes the one before.
 *
 * @param options.startedMs start of the proof, ms
 * @param options.id random, hex: it keeps the names of two concurrent proofs apart
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

/** The newest stored proof, or null if there is none. @throws LakeError when the lake cannot be read */
export async function newestProof(lake: Lake): Promise<KeptProof | null> {
  for (let looks = 0; looks < 3; looks++) {
    const name = (await names(lake)).at(-1);
    if (name === undefined) return null;
    try {
      return JSON.parse(new TextDecoder().decode(await lake.read(`${FOLDER}/${name}`))) as KeptProof;
    } catch (error) {
      // A newer proof replaced it after the listing.
      if (!(error instanceof LakeError && error.code === "missing")) throw error;
    }
  }
  return null;
}

async function names(lake: Lake): Promise<string[]> {
  return (await lake.list(FOLDER)).map(({ name }) => name).filter((name) => NAME.test(name));
}
