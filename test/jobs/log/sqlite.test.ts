import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../core/clock.ts";
import { DAY_MS } from "../../../core/time.ts";
import { openFile } from "../../../jobs/log/sqlite-file.ts";
import { SqliteLog, openSqliteLog } from "../../../jobs/log/sqlite.ts";
import { Collected, collector, failure, logContract, records, tailer } from "../../contract/log-contract.ts";
import { FakeClock } from "../../support/fake-clock.ts";

logContract("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isobar-log-"));
  const open = () => openSqliteLog({ folder: join(folder, "log"), topic: "weather.v1", clock: systemClock });
  let log = await open();
  return {
    log,
    reopen: async () => {
      await log.close();
      return (log = await open());
    },
    cleanup: async () => {
      await log.close();
      await rm(folder, { recursive: true });
    },
  };
});

describe("the embedded log", () => {
  let folder: string;
  let clock: FakeClock;
  const closing: (() => Promise<void>)[] = [];
  const open = async (topic = "weather") => {
    const log = await openSqliteLog({ folder, topic, clock, pollMs: 5 });
    closing.push(() => log.close());
    return log;
  };
  const path = (topic = "weather") => join(folder, `${topic}.sqlite`);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobar-log-"));
    clock = new FakeClock();
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await rm(folder, { recursive: true });
  });

  /** Runs `code` in another process, with `log` open on the same file. */
  const child = (code: string) =>
    Bun.spawn(
      [
        process.execPath,
        "-e",
        `import { openSqliteLog } from ${JSON.stringify(join(import.meta.dir, "../../../jobs/log/sqlite.ts"))};
         import { systemClock } from ${JSON.stringify(join(import.meta.dir, "../../../core/clock.ts"))};
         const log = await openSqliteLog({ folder: ${JSON.stringify(folder)}, topic: "weather", clock: systemClock });
         ${code}`,
      ],
      { stdout: "pipe", stderr: "inherit" },
    );

  test("append() gives dense offsets from 0 and the clock's time", async () => {
    const log = await open();
    await log.append(records("a", 0, 2));
    await clock.advance(1_500);
    await log.append(records("b", 0, 1));
    expect(await log.read(0, 0, 10)).toEqual([
      { offset: 0, timestamp: clock.now() - 1_500, value: "a 0" },
      { offset: 1, timestamp: clock.now() - 1_500, value: "a 1" },
      { offset: 2, timestamp: clock.now(), value: "b 0" },
    ]);
  });

  test("a process killed while it appends loses nothing it acknowledged, and half of no append is there", async () => {
    const process = child(`
      for (let batch = 0; ; batch++) {
        await log.append(Array.from({ length: 7 }, (_, i) => ({ key: "k", value: batch + " " + i })));
        await Bun.write(Bun.stdout, batch + "\\n");
      }`);
    let acknowledged = -1;
    let text = "";
    for await (const bytes of process.stdout) {
      text += new TextDecoder().decode(bytes);
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      acknowledged = Number(lines.at(-1) ?? acknowledged);
      if (acknowledged >= 100 && process.exitCode === null) process.kill("SIGKILL");
    }
    await process.exited;
    expect(process.signalCode).toBe("SIGKILL");
    const log = await open();
    const { high } = await log.bounds(0);
    expect(high % 7).toBe(0);
    expect(high / 7).toBeGreaterThan(acknowledged);
    const values = (await log.read(0, 0, high)).map((record) => record.value);
    expect(values).toEqual(Array.from({ length: high }, (_, i) => `${Math.floor(i / 7)} ${i % 7}`));
  });

  test("readers see what another process appends", async () => {
    const log = await open();
    const tailed = new Collected<string>();
    const consumed = new Collected<string>();
    await log.tail(tailer(tailed), { skipBehind: 1_000 });
    await log.consume(collector(log, consumed), { maxRecords: () => 10 });
    await log.append(records("here", 0, 1));
    await tailed.atLeast(1);
    const process = child(`await log.append([{ key: "k", value: "from there" }]); await log.close();`);
    expect(await tailed.atLeast(2)).toEqual(["here 0", "from there"]);
    expect(await consumed.atLeast(2)).toEqual(["here 0", "from there"]);
    expect(await process.exited).toBe(0);
  });

  test("two logs on one file share its incarnation and its offsets", async () => {
    const [one, two] = await Promise.all([open(), open()]);
    expect(one.incarnation).toBe(two.incarnation);
    for (let i = 0; i < 10; i++)
      await Promise.all([one.append(records("a", i, i + 1)), two.append(records("b", i, i + 1))]);
    expect((await one.read(0, 0, 100)).map((record) => record.offset)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  test("a log made anew has another incarnation", async () => {
    const [one, two] = [await open("one"), await open("two")];
    expect(one.incarnation).not.toBe(two.incarnation);
  });

  test("trim() keeps what the lake has not taken yet, whatever its age", async () => {
    const log = await open();
    await log.append(records("old", 0, 10));
    await clock.advance(8 * DAY_MS);
    expect(await log.trim(4)).toBe(4);
    expect(await log.bounds(0)).toEqual({ low: 4, high: 10 });
  });

  test("trim() deletes what is older than the retention and nothing else", async () => {
    const log = await open();
    await log.append(records("old", 0, 2_500));
    await clock.advance(4 * DAY_MS);
    await log.append(records("new", 0, 10));
    expect(await log.trim(Infinity)).toBe(0);
    await clock.advance(3 * DAY_MS);
    expect(await log.trim(Infinity)).toBe(0); // exactly seven days old
    await clock.advance(1);
    expect(await log.trim(Infinity)).toBe(2_500);
    expect(await log.bounds(0)).toEqual({ low: 2_500, high: 2_510 });
    expect((await failure(log.read(0, 2_499, 1))).code).toBe("out_of_range");
    expect((await log.read(0, 2_500, 1))[0]?.value).toBe("new 0");
  });

  test("offsets are never used again, not even after everything was deleted and the log reopened", async () => {
    const first = await open();
    await first.append(records("a", 0, 5));
    await clock.advance(8 * DAY_MS);
    expect(await first.trim(Infinity)).toBe(5);
    expect(await first.bounds(0)).toEqual({ low: 5, high: 5 });
    await first.close();
    const again = await open();
    expect(await again.bounds(0)).toEqual({ low: 5, high: 5 });
    await again.append(records("b", 0, 1));
    expect(await again.read(0, 5, 10)).toMatchObject([{ offset: 5, value: "b 0" }]);
  });

  test("a consumer whose next record was deleted ends with `out_of_range`; a tail skips it", async () => {
    const log = await open();
    await log.append(records("a", 0, 5));
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    const consumer = await log.consume(
      {
        assigned: async () => 0,
        records: async () => {
          began.resolve();
          await gate.promise;
        },
        revoked: async () => {},
      },
      { maxRecords: () => 2 },
    );
    await began.promise;
    await clock.advance(8 * DAY_MS);
    await log.trim(Infinity);
    await log.append(records("a", 5, 6));
    gate.resolve();
    expect((await failure(consumer.done)).code).toBe("out_of_range");
    const skipped: number[] = [];
    const seen = new Collected<string>();
    await log.tail(
      { ...tailer(seen), skipped: (_, count) => skipped.push(count) },
      { from: [2], skipBehind: 100 },
    );
    expect(await seen.atLeast(1)).toEqual(["a 5"]);
    expect(skipped).toEqual([3]);
  });

  test("tail() yields to the event loop between chunks of 500", async () => {
    const log = await open();
    await log.append(records("a", 0, 1_200));
    const sizes: number[] = [];
    let turns = 0;
    const turnsAt: number[] = [];
    const finished = Promise.withResolvers<void>();
    const count = () => {
      turns++;
      if (sizes.length < 3) setImmediate(count);
    };
    setImmediate(count);
    await log.tail(
      {
        records: (_, batch) => {
          sizes.push(batch.length);
          turnsAt.push(turns);
          if (sizes.length === 3) finished.resolve();
        },
        skipped: () => {},
      },
      { from: [0], skipBehind: 10_000 },
    );
    await finished.promise;
    expect(sizes).toEqual([500, 500, 200]);
    expect(new Set(turnsAt).size).toBe(3);
  });

  test("a loop of appends leaves the event loop free", async () => {
    const log = await open();
    const ticks = new Collected<true>();
    setTimeout(() => ticks.add(true), 0);
    let appends = 0;
    for (; ticks.items.length === 0 && appends < 10_000; appends++)
      await log.append(records("a", appends, appends + 1));
    expect(appends).toBeLessThan(10_000);
  });

  test("read() returns fewer large records than asked, so that memory stays bounded", async () => {
    const log = await open();
    const value = "x".repeat(8 * 1024 * 1024);
    for (let i = 0; i < 7; i++) await log.append([{ key: "k", value }]);
    const some = await log.read(0, 0, 100);
    expect(some.length).toBeGreaterThan(0);
    expect(some.length).toBeLessThan(7);
    expect((await log.read(0, some.length, 100)).length).toBe(7 - some.length);
  });

  test("a full disk is `full`; with room again it goes on where it was", async () => {
    const db = await openFile(path());
    const log = new SqliteLog(db, path(), { folder, topic: "weather", clock });
    closing.push(() => log.close());
    await log.append(records("a", 0, 10));
    db.run("PRAGMA max_page_count = 10");
    const big = Array.from({ length: 100 }, () => ({ key: "k", value: "x".repeat(4_000) }));
    expect((await failure(log.append(big))).code).toBe("full");
    expect(await log.bounds(0)).toEqual({ low: 0, high: 10 });
    db.run("PRAGMA max_page_count = 100000");
    await log.append(records("a", 10, 11));
    expect(await log.read(0, 10, 10)).toMatchObject([{ offset: 10, value: "a 10" }]);
  });

  test("a file that is no database is `damaged` and stays as it is", async () => {
    const junk = "this is not a database ".repeat(500);
    await writeFile(path(), junk);
    const error = await failure(open());
    expect(error.code).toBe("damaged");
    expect(error.message).toContain(path());
    expect(error.hint).toBeDefined();
    expect(await Bun.file(path()).text()).toBe(junk);
  });

  test("another program's database is `damaged` and stays as it is", async () => {
    const other = new Database(path(), { create: true });
    other.run("CREATE TABLE accounts (name TEXT)");
    other.close();
    const before = await Bun.file(path()).bytes();
    expect((await failure(open())).code).toBe("damaged");
    expect(await Bun.file(path()).bytes()).toEqual(before);
    expect(await readdir(folder)).toEqual(["weather.sqlite"]);
  });

  test("a damaged page is `damaged` for who reads it", async () => {
    const log = await open();
    await log.append(
      Array.from({ length: 2_000 }, (_, i) => ({ key: "k", value: `${i} ${"x".repeat(200)}` })),
    );
    await log.close();
    const bytes = await Bun.file(path()).bytes();
    bytes.fill(0xff, 40_960, 81_920);
    await writeFile(path(), bytes);
    const again = await open();
    expect((await failure(again.read(0, 0, 2_000))).code).toBe("damaged");
  });

  test("a file cut short is `damaged`", async () => {
    const log = await open();
    await log.append(records("a", 0, 1_000));
    await log.close();
    const bytes = await Bun.file(path()).bytes();
    for (const length of [100, 4_096, 8_192]) {
      await writeFile(path(), bytes.subarray(0, length));
      expect((await failure(open())).code).toBe("damaged");
    }
  });

  test("a record that is missing is `damaged`, not skipped", async () => {
    const log = await open();
    await log.append(records("a", 0, 10));
    const db = new Database(path());
    db.run("DELETE FROM records WHERE offset = 4");
    db.close();
    expect((await log.read(0, 0, 10)).map((record) => record.offset)).toEqual([0, 1, 2, 3]);
    expect((await failure(log.read(0, 4, 10))).code).toBe("damaged");
  });

  test("a file of a newer program is refused", async () => {
    await (await open()).close();
    const db = new Database(path());
    db.run("PRAGMA user_version = 2");
    db.close();
    const error = await failure(open());
    expect(error.code).toBe("newer_format");
    expect(error.message).toContain("its format is 2, this program reads up to 1");
  });

  test("a folder that cannot be used is `unavailable`, a topic that is no file name a wrong setting", async () => {
    await writeFile(join(folder, "file"), "");
    const inFile = openSqliteLog({ folder: join(folder, "file", "log"), topic: "weather", clock });
    expect((await failure(inFile)).code).toBe("unavailable");
    await expect(open("../weather")).rejects.toMatchObject({ code: "bad_setting" });
    await expect(open("")).rejects.toMatchObject({ code: "bad_setting" });
  });

  test("close() lets the call under way finish with the log still open, and leaves one file", async () => {
    const log = await open();
    await log.append(records("a", 0, 1));
    const gate = Promise.withResolvers<void>();
    const began = Promise.withResolvers<void>();
    let read = 0;
    await log.consume(
      {
        assigned: async () => 0,
        records: async () => {
          began.resolve();
          await gate.promise;
          read = (await log.read(0, 0, 10)).length;
        },
        revoked: async () => {},
      },
      { maxRecords: () => 1 },
    );
    await began.promise;
    const closed = log.close();
    expect((await failure(log.tail(tailer(new Collected()), { skipBehind: 1 }))).code).toBe("closed");
    gate.resolve();
    await closed;
    expect(read).toBe(1);
    expect(await readdir(folder)).toEqual(["weather.sqlite"]);
  });

  test("a partition beyond the only one is `out_of_range`", async () => {
    const log = await open();
    expect((await failure(log.read(1, 0, 1))).code).toBe("out_of_range");
    expect((await failure(log.bounds(1))).code).toBe("out_of_range");
  });
});
