import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { LogError } from "../../core/errors.ts";
import type { ConsumerHandler, Log, LogRecord, NewRecord } from "../../jobs/log/log.ts";
import { MAX_VALUE_BYTES } from "../../jobs/log/log.ts";

/** An empty log under test. */
export interface OpenedLog {
  log: Log;
  /** Closes what is open and opens the same log anew. */
  reopen(): Promise<Log>;
  /** Closes what is open and removes everything. */
  cleanup(): Promise<void>;
}

/** What every implementation of the log port keeps to. Offsets need not be dense, and a key may be in any partition. */
export function logContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`${name}: the log contract`, () => {
    let opened: OpenedLog;
    let log: Log;
    beforeEach(async () => {
      opened = await open();
      log = opened.log;
    });
    afterEach(() => opened.cleanup());

    test("append() keeps the order of a key, over appends too", async () => {
      await log.append([...records("a", 0, 50), ...records("b", 0, 50)]);
      await log.append([...records("b", 50, 120), ...records("a", 50, 120)]);
      const { values } = await everything(log);
      expect(values.filter((value) => value.startsWith("a "))).toEqual(
        records("a", 0, 120).map((r) => r.value),
      );
      expect(values.filter((value) => value.startsWith("b "))).toEqual(
        records("b", 0, 120).map((r) => r.value),
      );
    });

    test("append() puts the records of a key into one partition", async () => {
      await log.append(records("a", 0, 10));
      await log.append(records("a", 10, 20));
      const { byPartition } = await everything(log);
      expect(byPartition.filter((part) => part.length > 0)).toHaveLength(1);
    });

    test("append() stamps records with the time it took them", async () => {
      await log.append(records("a", 0, 2));
      await log.append(records("a", 2, 4));
      const times = (await everything(log)).byPartition.flat().map((record) => record.timestamp);
      expect(times).toHaveLength(4);
      for (const time of times) expect(Number.isSafeInteger(time) && time > 0).toBe(true);
    });

    test("append() of nothing does nothing", async () => {
      await log.append([]);
      expect((await everything(log)).values).toEqual([]);
    });

    test("append() keeps Unicode, control characters, empty and 1 MB values as they are", async () => {
      const values = [
        "",
        "Zürich 東京 🌦️ \u00e9 e\u0301",
        'a\u0000b\n\r\t"\\',
        "not JSON",
        "é".repeat(500_000),
        "🌧".repeat(250_000),
      ];
      await log.append(values.map((value) => ({ key: "k", value })));
      const read = (await everything(log)).values;
      expect(read.length).toBe(values.length);
      for (const [i, value] of values.entries()) expect(read[i] === value).toBe(true);
    });

    test("append() refuses a value beyond the longest with `too_large` and adds none of its batch", async () => {
      const long = "é".repeat(MAX_VALUE_BYTES / 2 + 1);
      const error = await failure(log.append([...records("a", 0, 1), { key: "a", value: long }]));
      expect(error.code).toBe("too_large");
      await log.append(records("a", 1, 2));
      expect((await everything(log)).values).toEqual(["a 1"]);
    });

    test("what append() acknowledged is there after reopening, and so is the incarnation", async () => {
      await log.append(records("a", 0, 30));
      const before = (await everything(log)).byPartition;
      const { incarnation } = log;
      expect(incarnation).not.toBe("");
      log = await opened.reopen();
      expect((await everything(log)).byPartition).toEqual(before);
      expect(log.incarnation).toBe(incarnation);
      await log.append(records("a", 30, 31));
      expect((await everything(log)).values.at(-1)).toBe("a 30");
    });

    test("bounds() of an empty log are equal, and grow with appends", async () => {
      for (let partition = 0; partition < log.partitions; partition++) {
        const { low, high } = await log.bounds(partition);
        expect(high).toBe(low);
      }
      const { partition, before } = await append(log, "a", 0, 7);
      const { low, high } = await log.bounds(partition);
      expect(low).toBe(before);
      expect(high).toBeGreaterThanOrEqual(before + 7);
    });

    test("read() gives up to `limit` records in the order of increasing offsets", async () => {
      const { partition, before } = await append(log, "a", 0, 25);
      const some = await log.read(partition, before, 10);
      expect(some.map((record) => record.value)).toEqual(records("a", 0, 10).map((r) => r.value));
      const offsets = (await readAll(log, partition)).map((record) => record.offset);
      expect(offsets).toHaveLength(25);
      for (let i = 1; i < offsets.length; i++) expect(offsets[i]!).toBeGreaterThan(offsets[i - 1]!);
      const middle = await log.read(partition, offsets[20]!, 100);
      expect(middle[0]?.value).toBe("a 20");
    });

    test("read() at the end is empty, beyond it `out_of_range`", async () => {
      const { partition } = await append(log, "a", 0, 3);
      const { low, high } = await log.bounds(partition);
      expect(await log.read(partition, high, 10)).toEqual([]);
      expect((await failure(log.read(partition, high + 1, 10))).code).toBe("out_of_range");
      expect((await failure(log.read(partition, low - 1, 10))).code).toBe("out_of_range");
    });

    test("consume() starts where `assigned` says, and says how far the log goes", async () => {
      const { partition, before } = await append(log, "a", 0, 20);
      const offsets = (await readAll(log, partition)).map((record) => record.offset);
      const seen = new Collected<string>();
      const highs: number[] = [];
      const assigned: number[] = [];
      const subscription = await log.consume(
        {
          ...collector(log, seen),
          assigned: async (p) => {
            assigned.push(p);
            return p === partition ? offsets[12]! : (await log.bounds(p)).low;
          },
          records: async (_partition, batch, { high, heartbeat }) => {
            highs.push(high);
            await heartbeat();
            seen.add(...batch.map((record) => record.value));
          },
        },
        { maxRecords: () => 3 },
      );
      expect(before).toBeLessThan(offsets[12]!);
      expect(await seen.atLeast(8)).toEqual(records("a", 12, 20).map((r) => r.value));
      for (const high of highs) expect(high).toBeGreaterThan(offsets[19]!);
      expect(assigned.toSorted()).toEqual(Array.from({ length: log.partitions }, (_, p) => p));
      await subscription.stop();
      await subscription.done;
    });

    test("consume() reads `maxRecords` anew before each call", async () => {
      await log.append(records("a", 0, 20));
      const sizes: number[] = [];
      const limits = [2, 5, 1, 100];
      const seen = new Collected<string>();
      const subscription = await log.consume(
        {
          ...collector(log, seen),
          records: async (_partition, batch) => {
            sizes.push(batch.length);
            if (limits.length > 1) limits.shift();
            seen.add(...batch.map((record) => record.value));
          },
        },
        { maxRecords: () => limits[0]! },
      );
      await seen.atLeast(20);
      await subscription.stop();
      expect(sizes.slice(0, 3)).toEqual([2, 5, 1]);
    });

    test("consume() goes on with what is appended later", async () => {
      const seen = new Collected<string>();
      const subscription = await log.consume(collector(log, seen), { maxRecords: () => 100 });
      for (let i = 0; i < 5; i++) {
        await log.append(records("a", i, i + 1));
        await seen.atLeast(i + 1);
      }
      expect(seen.items).toEqual(records("a", 0, 5).map((r) => r.value));
      await subscription.stop();
    });

    test("consume() makes the next call only after the one before resolved", async () => {
      const gate = Promise.withResolvers<void>();
      const seen = new Collected<string>();
      let underWay = 0;
      let most = 0;
      let calls = 0;
      const subscription = await log.consume(
        {
          ...collector(log, seen),
          records: async (_partition, batch) => {
            most = Math.max(most, ++underWay);
            calls++;
            seen.add(...batch.map((record) => record.value));
            await gate.promise;
            underWay--;
          },
        },
        { maxRecords: () => 1 },
      );
      const tailed = new Collected<string>();
      const tail = await log.tail(tailer(tailed), { skipBehind: 1_000 });
      await log.append(records("a", 0, 1));
      await seen.atLeast(1);
      await log.append(records("a", 1, 10));
      await tailed.atLeast(10); // another reader has them all, the blocked one has not
      expect(calls).toBe(1);
      gate.resolve();
      expect(await seen.atLeast(10)).toEqual(records("a", 0, 10).map((r) => r.value));
      expect(most).toBe(1);
      await subscription.stop();
      await tail.stop();
    });

    test("stop() waits for the call under way, and none comes after it", async () => {
      const gate = Promise.withResolvers<void>();
      const began = Promise.withResolvers<void>();
      let finished = 0;
      let calls = 0;
      const subscription = await log.consume(
        {
          ...collector(log, new Collected<string>()),
          records: async () => {
            calls++;
            began.resolve();
            await gate.promise;
            finished++;
          },
        },
        { maxRecords: () => 1 },
      );
      await log.append(records("a", 0, 5));
      await began.promise;
      const stopped = subscription.stop().then(() => finished);
      gate.resolve();
      expect(await stopped).toBe(1);
      await subscription.done;
      const tailed = new Collected<string>();
      const tail = await log.tail(tailer(tailed), { skipBehind: 1_000 });
      await log.append(records("a", 5, 6));
      await tailed.atLeast(1);
      expect(calls).toBe(1);
      await subscription.stop();
      await tail.stop();
    });

    test("an error of the handler ends the subscription with it", async () => {
      await log.append(records("a", 0, 5));
      let calls = 0;
      const inRecords = await log.consume(
        {
          ...collector(log, new Collected<string>()),
          records: async () => {
            calls++;
            throw new RangeError("no room");
          },
        },
        { maxRecords: () => 1 },
      );
      expect(await thrown(inRecords.done)).toEqual(new RangeError("no room"));
      await inRecords.stop();
      expect(calls).toBe(1);

      const inAssigned = await log.consume(
        {
          ...collector(log, new Collected<string>()),
          assigned: async () => {
            throw new RangeError("no chain");
          },
        },
        { maxRecords: () => 1 },
      );
      expect(await thrown(inAssigned.done)).toEqual(new RangeError("no chain"));
      await inAssigned.stop();
    });

    test("consume() ends with `out_of_range` when `assigned` gives an offset that is not held", async () => {
      await log.append(records("a", 0, 5));
      for (const beyond of [-1, 1]) {
        const subscription = await log.consume(
          {
            ...collector(log, new Collected<string>()),
            assigned: async (partition) => {
              const { low, high } = await log.bounds(partition);
              return beyond < 0 ? low - 1 : high + 1;
            },
          },
          { maxRecords: () => 1 },
        );
        expect((await failure(subscription.done)).code).toBe("out_of_range");
        await subscription.stop();
      }
    });

    test("tail() follows from the end, any number of readers see everything", async () => {
      await log.append(records("a", 0, 10));
      const [one, two, three] = [new Collected<string>(), new Collected<string>(), new Collected<string>()];
      const subscriptions = [
        await log.tail(tailer(one), { skipBehind: 10_000 }),
        await log.tail(tailer(two), { skipBehind: 10_000 }),
        await log.consume(collector(log, three), { maxRecords: () => 100 }),
      ];
      for (let i = 10; i < 2_010; i += 500) await log.append(records("a", i, i + 500));
      const expected = records("a", 10, 2_010).map((r) => r.value);
      expect(await one.atLeast(2_000)).toEqual(expected);
      expect(await two.atLeast(2_000)).toEqual(expected);
      expect(await three.atLeast(2_010)).toEqual([...records("a", 0, 10).map((r) => r.value), ...expected]);
      for (const subscription of subscriptions) {
        await subscription.stop();
        await subscription.done;
      }
    });

    test("tail() follows from given offsets", async () => {
      const { partition } = await append(log, "a", 0, 30);
      const offsets = (await readAll(log, partition)).map((record) => record.offset);
      const from = await Promise.all(
        Array.from({ length: log.partitions }, async (_, p) =>
          p === partition ? offsets[17]! : (await log.bounds(p)).low,
        ),
      );
      const seen = new Collected<string>();
      const tail = await log.tail(tailer(seen), { from, skipBehind: 1_000 });
      await log.append(records("a", 30, 33));
      expect(await seen.atLeast(16)).toEqual(records("a", 17, 33).map((r) => r.value));
      await tail.stop();
    });

    test("tail() from beyond the end is `out_of_range`", async () => {
      await log.append(records("a", 0, 3));
      const from = await Promise.all(
        Array.from({ length: log.partitions }, async (_, p) => (await log.bounds(p)).high + 1),
      );
      expect((await failure(log.tail(tailer(new Collected()), { from, skipBehind: 10 }))).code).toBe(
        "out_of_range",
      );
    });

    test("tail() leaves out the oldest where it is too far behind, and says how many", async () => {
      const { partition } = await append(log, "a", 0, 50);
      const from = await Promise.all(
        Array.from({ length: log.partitions }, async (_, p) => (await log.bounds(p)).low),
      );
      const seen = new Collected<string>();
      const skipped: [number, number][] = [];
      const tail = await log.tail(
        { ...tailer(seen), skipped: (p, count) => skipped.push([p, count]) },
        { from, skipBehind: 10 },
      );
      await seen.until((values) => values.includes("a 49"));
      await tail.stop();
      expect(seen.items).toEqual(records("a", 50 - seen.items.length, 50).map((r) => r.value));
      expect(seen.items.length).toBeLessThanOrEqual(10);
      expect(skipped).toEqual([[partition, expect.any(Number)]]);
      expect(skipped[0]![1]).toBeGreaterThanOrEqual(40);
    });

    test("tail()'s handler does not run inside append(), and its error ends it", async () => {
      let inAppend = false;
      const called = Promise.withResolvers<boolean>();
      const tail = await log.tail(
        {
          records: () => {
            called.resolve(inAppend);
            throw new RangeError("a bad listener");
          },
          skipped: () => {},
        },
        { skipBehind: 10 },
      );
      inAppend = true;
      const appended = log.append(records("a", 0, 1));
      inAppend = false;
      await appended;
      expect(await called.promise).toBe(false);
      expect(await thrown(tail.done)).toEqual(new RangeError("a bad listener"));
      await tail.stop();
    });

    test("sizeBytes() is a size or null", async () => {
      await log.append(records("a", 0, 1_000));
      const size = await log.sizeBytes();
      expect(size === null || size > 1_000).toBe(true);
    });

    test("close() ends every subscription, and what comes after is `closed`", async () => {
      const consumer = await log.consume(collector(log, new Collected<string>()), { maxRecords: () => 10 });
      const tail = await log.tail(tailer(new Collected<string>()), { skipBehind: 10 });
      await log.close();
      await consumer.done;
      await tail.done;
      expect((await failure(log.append(records("a", 0, 1)))).code).toBe("closed");
      expect((await failure(log.read(0, 0, 1))).code).toBe("closed");
      expect((await failure(log.bounds(0))).code).toBe("closed");
      await log.close();
    });
  });
}

/** Records `<key> <from>` up to, not including, `<key> <to>`. */
export function records(key: string, from: number, to: number): NewRecord[] {
  return Array.from({ length: to - from }, (_, i) => ({ key, value: `${key} ${from + i}` }));
}

/** Things that arrive, and a way to wait for them. */
export class Collected<T> {
  readonly items: T[] = [];
  #waiting: { wanted: (items: readonly T[]) => boolean; resolve: (items: T[]) => void }[] = [];

  add(...items: T[]): void {
    this.items.push(...items);
    this.#waiting = this.#waiting.filter(({ wanted, resolve }) => {
      if (!wanted(this.items)) return true;
      resolve([...this.items]);
      return false;
    });
  }

  /** Resolves with all that arrived as soon as `wanted` holds. */
  until(wanted: (items: readonly T[]) => boolean): Promise<T[]> {
    if (wanted(this.items)) return Promise.resolve([...this.items]);
    return new Promise((resolve) => this.#waiting.push({ wanted, resolve }));
  }

  /** Resolves with all that arrived as soon as there are `count`. */
  atLeast(count: number): Promise<T[]> {
    return this.until((items) => items.length >= count);
  }
}

/** A handler for {@link Log.consume} that collects values from the beginning on. */
export function collector(log: Log, seen: Collected<string>): ConsumerHandler {
  return {
    assigned: async (partition) => (await log.bounds(partition)).low,
    records: async (_partition, batch) => seen.add(...batch.map((record) => record.value)),
    revoked: async () => {},
  };
}

/** A handler for {@link Log.tail} that collects values. */
export function tailer(seen: Collected<string>): Parameters<Log["tail"]>[0] {
  return {
    records: (_partition, batch) => seen.add(...batch.map((record) => record.value)),
    skipped: () => {},
  };
}

/** The LogError `promise` rejects with. */
export async function failure(promise: Promise<unknown>): Promise<LogError> {
  const error = await thrown(promise);
  if (error instanceof LogError) return error;
  throw new Error("wanted a LogError", { cause: error });
}

/** What `promise` rejects with. */
export async function thrown(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`wanted a rejection, it resolved with ${String(value)}`);
}

/** All records of a partition. */
async function readAll(log: Log, partition: number): Promise<LogRecord[]> {
  const { low, high } = await log.bounds(partition);
  const all: LogRecord[] = [];
  for (let next = low; next < high;) {
    const batch = await log.read(partition, next, 1_000);
    const last = batch.at(-1);
    if (last === undefined) break;
    all.push(...batch);
    next = last.offset + 1;
  }
  return all;
}

async function everything(log: Log): Promise<{ byPartition: LogRecord[][]; values: string[] }> {
  const byPartition = await Promise.all(
    Array.from({ length: log.partitions }, (_, partition) => readAll(log, partition)),
  );
  return { byPartition, values: byPartition.flat().map((record) => record.value) };
}

/** Appends records of one key and finds their partition, and its end before them. */
async function append(
  log: Log,
  key: string,
  from: number,
  to: number,
): Promise<{ partition: number; before: number }> {
  const bounds = () => Promise.all(Array.from({ length: log.partitions }, (_, p) => log.bounds(p)));
  const before = await bounds();
  await log.append(records(key, from, to));
  const after = await bounds();
  const partition = after.findIndex(({ high }, p) => high > before[p]!.high);
  return { partition, before: before[partition]!.high };
}
