import { describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { codeOf, LakeError, LogError } from "../../core/errors.ts";
import { LateLake } from "../../jobs/lake/late-lake.ts";
import { openLocalLake } from "../../jobs/lake/local.ts";
import { LateLog } from "../../jobs/log/late-log.ts";
import { openSqliteLog } from "../../jobs/log/sqlite.ts";
import { lakeContract } from "../contract/lake-contract.ts";
import { logContract } from "../contract/log-contract.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { MemoryLake } from "../support/memory-lake.ts";
import { MemoryLog } from "../support/memory-log.ts";

logContract("a late log", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isobar-late-"));
  const make = () =>
    new LateLog({
      kind: "sqlite",
      topic: "weather.v1",
      partitions: 1,
      open: () => openSqliteLog({ folder, topic: "weather.v1", clock: systemClock }),
    });
  let log = make();
  return {
    log,
    reopen: async () => {
      await log.close();
      return (log = make());
    },
    cleanup: async () => {
      await log.close();
      await rm(folder, { recursive: true });
    },
  };
});

lakeContract("a late lake", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isobar-late-"));
  const late = async () => new LateLake(await openLocalLake(folder), async () => {});
  return { lake: await late(), reopen: late, cleanup: () => rm(folder, { recursive: true }) };
});

const AWAY = new LogError("unavailable", "nobody answers");

describe("LateLog", () => {
  /** A log that is away, and what brings it. */
  function setUp() {
    const memory = new MemoryLog({ clock: new FakeClock(), topic: "weather" });
    const log = new LateLog({
      kind: "memory",
      topic: "weather",
      partitions: 1,
      open: async () => {
        state.opened++;
        if (state.away) throw AWAY;
        return memory;
      },
    });
    const state = { log, memory, away: true, opened: 0 };
    return state;
  }

  test("refuses everything with the reason while it cannot be opened, and works once it can", async () => {
    const t = setUp();
    const handler = { records: () => {}, skipped: () => {} };
    const consumer = { assigned: async () => 0, records: async () => {}, revoked: async () => {} };
    const calls = [
      () => t.log.append([{ key: "a", value: "1" }]),
      () => t.log.bounds(0),
      () => t.log.read(0, 0, 1),
      () => t.log.consume(consumer, { maxRecords: () => 1 }),
      () => t.log.tail(handler, { skipBehind: 1 }),
      () => t.log.sizeBytes(),
    ];
    for (const call of calls) await expect(call()).rejects.toBe(AWAY);
    expect(t.opened).toBe(calls.length); // each one looks whether it is there by now
    t.away = false;
    await t.log.append([{ key: "a", value: "1" }]);
    expect(await t.log.bounds(0)).toEqual({ low: 0, high: 1 });
    expect(t.opened).toBe(calls.length + 1);
    await t.log.close();
  });

  test("says what it is before it is open, and is told apart from any other log of the topic until then", async () => {
    const t = setUp();
    const { log, memory } = t;
    expect([log.kind, log.topic, log.partitions]).toEqual(["memory", "weather", 1]);
    const { incarnation } = log;
    expect(log.incarnation).toBe(incarnation);
    expect([memory.incarnation, setUp().log.incarnation]).not.toContain(incarnation);
    t.away = false;
    await log.bounds(0);
    expect(log.incarnation).toBe(memory.incarnation);
  });

  test("close() ends one that was never there, and one that is being opened; then it opens no more", async () => {
    const t = setUp();
    await expect(t.log.bounds(0)).rejects.toBe(AWAY);
    await t.log.close();
    t.away = false;
    expect(await t.log.bounds(0).catch(codeOf)).toBe("closed");
    expect(t.opened).toBe(1);

    const opening = Promise.withResolvers<MemoryLog>();
    const memory = new MemoryLog({ clock: new FakeClock() });
    let closed = 0;
    memory.close = async () => void closed++;
    const late = new LateLog({ kind: "memory", topic: "t", partitions: 1, open: () => opening.promise });
    const asked = late.bounds(0);
    const closing = late.close();
    opening.resolve(memory);
    await Promise.all([asked, closing]);
    expect(closed).toBe(1);
  });
});

describe("LateLake", () => {
  test("asks nothing of the lake before it is ready, and rejects with the reason why it is not", async () => {
    const memory = new MemoryLake();
    const asked: string[] = [];
    memory.fault = (method) => void asked.push(method);
    const away = new LakeError("unavailable", "the NameNode does not answer");
    let ready = false;
    const lake = new LateLake(memory, async () => {
      if (!ready) throw away;
    });
    const bytes = new Uint8Array(1);
    const calls = [
      () => lake.put([{ path: "a/b", bytes }]),
      () => lake.create("a/c", bytes),
      () => lake.read("a/b"),
      () => lake.list("a"),
      () => lake.delete(["a/c"]),
    ];
    for (const call of calls) await expect(call()).rejects.toBe(away);
    expect(asked).toEqual([]);
    expect([lake.kind, lake.locate("a/b")]).toEqual([memory.kind, memory.locate("a/b")]);
    ready = true;
    for (const call of calls) await call();
    expect(asked).toEqual(["put", "create", "read", "list", "delete"]);
  });
});
