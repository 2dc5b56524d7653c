import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../core/log.ts";
import { DAY_MS } from "../../core/time.ts";
import { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import { retentionJob } from "../../jobs/retention.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemoryLake } from "../support/memory-lake.ts";
import { ChainWriter } from "../../jobs/commits/writer.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function setUp(isStoring: boolean) {
  const folder = await mkdtemp(join(tmpdir(), "isobar-retention-"));
  folders.push(folder);
  const clock = new FakeClock();
  const log = await openSqliteLog({ folder, topic: "t", clock });
  await log.append(Array.from({ length: 10 }, (_, i) => ({ key: "", value: `record ${i}` })));
  await clock.advance(8 * DAY_MS);
  const lake = new MemoryLake();
  let id = 0;
  const chain = { lake, topic: "t", partition: 0, newId: () => `id${id++}`, now: () => clock.now() };
  const writer = await ChainWriter.claim(chain, 0, async () => {});
  const counts = { rows: 0, duplicates: 0, rejected: 6 };
  const record = { offset: 5, sha256: "" };
  await writer.commit({ first: 0, last: 5, files: [], rejected: null, counts, record, watermark: null });
  const reader = new LakeReader(lake, "t", () => clock.now());
  const stopping = new AbortController();
  const job = retentionJob({ log, reader, clock, logger: silentLogger, isStoring: () => isStoring });
  const running = job.run({ signal: stopping.signal, running: () => {}, waiting: () => {} });
  await clock.sleepers(1);
  const bounds = await log.bounds(0);
  stopping.abort();
  await running;
  await log.close();
  return bounds;
}

test("retentionJob() deletes what is old and stored, and keeps what the lake has not taken", async () => {
  expect(await setUp(true)).toEqual({ low: 6, high: 10 });
});

test("retentionJob() deletes nothing while the consumer does not store", async () => {
  expect(await setUp(false)).toEqual({ low: 0, high: 10 });
});
