import { expect, test } from "bun:test";
import { emptyState } from "../../../jobs/commits/fold.ts";
import type { LakeReader } from "../../../jobs/readers/lake-reader.ts";
import { newestRejected, RECORD_SHOWN } from "../../../jobs/readers/rejected.ts";
import { MemoryLake } from "../../support/memory-lake.ts";

const line = (partition: number, offset: number, minute: number, record = "x") =>
  `${JSON.stringify({ topic: "t", partition, offset, reason: `reason ${offset}`, ingested_at: `2026-01-31T06:${String(minute).padStart(2, "0")}:00Z`, record })}\n`;

/** A lake with rejected records of two partitions, and what it was asked to read. */
async function world() {
  const lake = new MemoryLake();
  const files = {
    "rejected/a.jsonl": line(0, 1, 1) + line(0, 2, 2),
    "rejected/b.jsonl": line(0, 9, 9, "y".repeat(1000)),
    "rejected/c.jsonl": line(1, 4, 5),
    "rejected/uncommitted.jsonl": line(0, 77, 59),
  };
  const bytes = Object.entries(files).map(([path, text]) => ({
    path,
    bytes: new TextEncoder().encode(text),
  }));
  await lake.put(bytes);
  const info = (path: string) => ({ path, rows: 1, revisions: 0, bytes: 1, sha256: "" });
  const states = new Map([
    [0, { ...emptyState(), rejected: [info("rejected/a.jsonl"), info("rejected/b.jsonl")] }],
    [1, { ...emptyState(), rejected: [info("rejected/c.jsonl")] }],
  ]);
  const read: string[] = [];
  const original = lake.read.bind(lake);
  lake.read = (path) => {
    read.push(path);
    return original(path);
  };
  return { lake, reader: { states } as unknown as LakeReader, read };
}

test("newestRejected() gives committed records of all partitions, newest first, each cut", async () => {
  const { lake, reader } = await world();
  const records = await newestRejected(lake, reader, 10);
  expect(records.map(({ partition, offset }) => [partition, offset])).toEqual([
    [0, 9],
    [1, 4],
    [0, 2],
    [0, 1],
  ]);
  expect(records[0]?.record).toHaveLength(RECORD_SHOWN);
  expect(records[1]?.reason).toBe("reason 4");
});

test("newestRejected() reads no more files than it takes", async () => {
  const { lake, reader, read } = await world();
  expect((await newestRejected(lake, reader, 1)).map(({ offset }) => offset)).toEqual([9]);
  expect(read).toEqual(["rejected/b.jsonl", "rejected/c.jsonl"]);
});
