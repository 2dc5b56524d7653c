import { expect, test } from "bun:test";
import { LakeError } from "../../core/errors.ts";
import { keepProof, newestProof } from "../../jobs/proofs.ts";
import type { PartitionProof } from "../../jobs/verify.ts";
import { MemoryLake } from "../support/memory-lake.ts";

const PROOF: PartitionProof = {
  partition: 0,
  low: 0,
  high: 12,
  next: 10,
  behind: 2,
  rows: 7,
  duplicates: 2,
  rejected: 1,
  retractions: [],
  compared: 10,
  files: 3,
  bytes: 900,
  problems: [],
};
const at = (minutes: number) => ({ startedMs: Date.UTC(2026, 0, 31, 12, minutes), id: "5b7e" });

test("newestProof() is null before the first, then the sum over the partitions of the newest alone", async () => {
  const lake = new MemoryLake();
  expect(await newestProof(lake)).toBeNull();
  await keepProof(lake, at(0), [PROOF, { ...PROOF, partition: 1, problems: ["a hole", "another"] }]);
  expect(await newestProof(lake)).toEqual({
    at: "2026-01-31T12:00:00Z",
    offsets: 20,
    compared: 20,
    problems: 2,
  });
  await keepProof(lake, at(1), [PROOF]);
  expect(await newestProof(lake)).toMatchObject({ at: "2026-01-31T12:01:00Z", problems: 0 });
  expect(lake.files.size).toBe(1);
});

test("newestProof() looks again where the one it found was replaced meanwhile", async () => {
  const lake = new MemoryLake();
  await keepProof(lake, at(0), [PROOF]);
  let gone = 1;
  lake.fault = (method) => {
    if (method === "read" && gone-- > 0) throw new LakeError("missing", "gone");
  };
  expect(await newestProof(lake)).toMatchObject({ offsets: 10 });
  gone = 99;
  expect(await newestProof(lake)).toBeNull();
});

test("keepProof() leaves the proof before where the lake takes nothing", async () => {
  const lake = new MemoryLake();
  await keepProof(lake, at(0), [PROOF]);
  lake.fault = (method) => {
    if (method === "put") throw new LakeError("full", "no space");
  };
  await expect(keepProof(lake, at(2), [PROOF])).rejects.toThrow("no space");
  expect(await newestProof(lake)).toMatchObject({ at: "2026-01-31T12:00:00Z" });
});
