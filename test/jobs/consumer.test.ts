import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { codeOf, LakeError, LogError } from "../../core/errors.ts";
import { silentLogger } from "../../core/log.ts";
import { makeCheckpoint } from "../../jobs/commits/checkpoint.ts";
import { fold } from "../../jobs/commits/fold.ts";
import { consumerJob, type ConsumerOptions } from "../../jobs/consumer.ts";
import type { Lake } from "../../jobs/lake/lake.ts";
import { PartitionWriter } from "../../jobs/partition-writer.ts";
import { MemoryLog } from "../support/memory-log.ts";
import { Supervisor } from "../../jobs/supervisor.ts";
import { compare, type Meaning, identityOf, valuesOf } from "../support/truth.ts";
import { randomFrom } from "../../core/random.ts";
import { makeWorkload } from "../crash/workload.ts";
import { at, recordOf, WritePath } from "../support/write-path.ts";
import { ENTRY_FORMAT } from "../../jobs/commits/entry.ts";

let path: WritePath;
beforeEach(async () => void (path = await WritePath.open()));
afterEach(() => path.close());

/** A consumer that runs, and how to end it. */
function start(changed: Partial<ConsumerOptions> = {}) {
  const stop = new AbortController();
  const ready = Promise.withResolvers<void>();
  const ended = consumerJob(path.consumer(changed)).run({
    signal: stop.signal,
    running: () => ready.resolve(),
    waiting: () => {},
  });
  ended.catch(ready.reject);
  ready.promise.catch(() => {}); // each test looks at what it needs
  return {
    ended,
    ready: ready.promise,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

/** Moves everything in the log into the lake, and ends. */
async function consumeAll(changed: Partial<ConsumerOptions> = {}): Promise<void> {
  const drained = Promise.withResolvers<void>();
  path.log.drained = drained.resolve;
  const consumer = start(changed);
  consumer.ended.catch(drained.reject);
  await drained.promise;
  await consumer.stop(); // which commits what does not fill a batch
}

async function codeOfEnd(ended: Promise<unknown>): Promise<string | undefined> {
  return ended.then(
    () => "resolved",
    (error: unknown) => codeOf(error) ?? String(error),
  );
}

/** A writer of partition 0, as the consumer opens it. */
const openWriter = (changed: { lake?: Lake; batchRecords?: number } = {}) =>
  PartitionWriter.open({
    chain: path.chain(changed.lake),
    log: path.log,
    clock: path.clock,
    logger: silentLogger,
    readRows: path.readRows,
    batchRecords: changed.batchRecords ?? 100,
    flushMs: 10_000,
    onCommit: () => path.committed(),
    onFailure: (error) => {
      throw error;
    },
  });

/** Commits the log from the writer's next offset up to `end`. */
async function write(writer: PartitionWriter, end: number): Promise<void> {
  await writer.add(await path.log.read(0, writer.next, end - writer.next));
  await writer.flush();
}

/** `offset temperature` of the committed rows, by offset. */
async function rows(): Promise<string[]> {
  const { rows, problems } = await path.content();
  expect(problems).toEqual([]);
  return rows
    .sort((a, b) => a.offset - b.offset)
    .map((row) => `${row.offset} ${(JSON.parse(row.values) as unknown[])[2]}`);
}

describe("consumerJob()", () => {
  test("puts late and out-of-order records into the hour and day they were observed in", async () => {
    await path.append(
      recordOf({ timestamp: at("06:10") }),
      recordOf({ timestamp: at("08:59") }),
      recordOf({ timestamp: at("06:05") }),
      recordOf({ timestamp: at("23:59", "2026-01-30") }),
      recordOf({ timestamp: "2026-01-31T01:30:00+02:00" }),
      recordOf({ timestamp: at("00:00", "1999-12-31") }),
    );
    await consumeAll();
    const { rows } = await path.content();
    const places = rows.map((row) => `${row.offset} ${row.path.slice(0, row.path.lastIndexOf("/"))}`);
    expect(places.sort()).toEqual([
      "0 observations/date=2026-01-31/hour=06",
      "1 observations/date=2026-01-31/hour=08",
      "2 observations/date=2026-01-31/hour=06",
      "3 observations/date=2026-01-30/hour=23",
      "4 observations/date=2026-01-30/hour=23",
      "5 observations/date=1999-12-31/hour=00",
    ]);
  });

  const A = recordOf({ temperature: 1 });
  const B = recordOf({ temperature: 2 });
  /** A reordering of the fields and another way to write the numbers and the time say the same. */
  const otherA = `{"source":"test","temperature":1.0,"city":"London","timestamp":"2026-01-31T07:00:00.000+01:00",
    "humidity":8e1,"pressure":1013.20,"wind_speed":3.5,"rainfall":-0.0,"weather_main":"Clouds",
    "weather_description":"broken clouds","clouds":null}`;

  for (const [how, cuts] of [
    ["in one batch", [6]],
    ["each in a batch of its own", [1, 2, 3, 4, 5, 6]],
    ["in uneven batches", [2, 3, 6]],
  ] as const) {
    for (const restarted of [false, true]) {
      test(`A, A, B, A are a row, a duplicate, a revision and a revision, ${how}${restarted ? ", by a new writer each" : ""}`, async () => {
        await path.append(A, A, B, A, otherA, B);
        let writer = await openWriter();
        for (const end of cuts) {
          if (restarted) writer = await openWriter();
          await write(writer, end);
        }
        expect(await rows()).toEqual(["0 1", "2 2", "3 1", "5 2"]);
        const { counts } = await path.content();
        expect(counts).toEqual({ rows: 4, duplicates: 2, rejected: 0 });
        const state = await fold(path.lake, path.log.topic, 0);
        const revisions = [...state.live.values()].reduce((sum, file) => sum + file.revisions, 0);
        expect(revisions).toBe(3);
      });
    }
  }

  test("the same offsets give the same rows, however they are cut into batches and writers", async () => {
    const workload = makeWorkload(3, { chunks: 6, size: 20 });
    await path.append(...workload.chunks.flat());
    const log = path.log.all();
    const seen = new Set<string>();
    for (let round = 0; round < 6; round++) {
      const random = randomFrom(round);
      const full = path.log;
      await path.close();
      path = Object.assign(await WritePath.open(), { log: full });
      let writer = await openWriter();
      while (writer.next < log.length) {
        if (random() < 0.3) writer = await openWriter();
        await write(writer, Math.min(log.length, writer.next + 1 + Math.floor(random() * 30)));
      }
      const content = await path.content();
      expect(compare(log, workload.meaningOf, content)).toEqual([]);
      const rows = content.rows.map(({ offset, values, path }) => [
        offset,
        values,
        path.replace(/\/[^/]*$/, ""),
      ]);
      seen.add(JSON.stringify(rows.sort((a, b) => Number(a[0]) - Number(b[0]))));
    }
    expect(seen.size).toBe(1);
  });

  test("the same observation from another source, city or second is another observation", async () => {
    await path.append(
      recordOf(),
      recordOf({ source: "other" }),
      recordOf({ city: "Paris" }),
      recordOf({ timestamp: "2026-01-31T06:00:01Z" }),
      recordOf({ timestamp: "2026-01-31T06:00:00.500Z" }),
      recordOf({ source: "tes", city: "tLondon" }),
    );
    await consumeAll();
    expect((await path.content()).counts).toEqual({ rows: 6, duplicates: 0, rejected: 0 });
  });

  test("a quiet stream is committed when its first record has waited the flush time, not before", async () => {
    const consumer = start();
    await consumer.ready;
    await path.append(recordOf());
    await path.clock.sleepers(1);
    await path.clock.advance(6_000);
    await path.append(recordOf({ temperature: 6 })); // does not start the wait anew
    await path.clock.advance(3_999);
    expect((await path.content()).next).toBe(0);
    const committed = path.reach(2);
    await path.clock.advance(1);
    await committed;
    expect(await rows()).toEqual(["0 5", "1 6"]);
    await path.append(recordOf({ temperature: 7 }));
    await path.clock.sleepers(1);
    const again = path.reach(3);
    await path.clock.advance(10_000);
    await again;
    await consumer.stop();
  });

  test("a full batch is committed at once", async () => {
    const consumer = start();
    await consumer.ready;
    for (let i = 0; i < 4; i++) await path.append(recordOf({ temperature: i }));
    await path.reach(4);
    expect(path.clock.nextWakeMs).toBeUndefined();
    await consumer.stop();
  });

  test("stop commits what was taken", async () => {
    const consumer = start();
    await consumer.ready;
    await path.append(recordOf(), recordOf({ temperature: 6 }));
    await path.clock.sleepers(1);
    await consumer.stop();
    expect(await rows()).toEqual(["0 5", "1 6"]);
  });

  test("a batch grows up to batchRecordsMax while the consumer is behind, and no further", async () => {
    await path.append(...Array.from({ length: 22 }, (_, i) => recordOf({ temperature: i })));
    const consumer = start();
    await path.reach(22);
    await consumer.stop();
    const batches = (await path.entries())
      .map(({ entry }) => entry)
      .filter((entry) => entry["kind"] === "batch");
    expect(batches.map((entry) => [entry["first"], entry["last"]])).toEqual([
      [0, 7],
      [8, 15],
      [16, 21],
    ]);
    expect(path.log.largestRead).toBe(8);
  });

  test("what waits for its batch to fill counts towards batchRecordsMax", async () => {
    const consumer = start();
    await consumer.ready;
    await path.append(...Array.from({ length: 3 }, (_, i) => recordOf({ temperature: i })));
    await path.clock.sleepers(1);
    await path.append(...Array.from({ length: 20 }, (_, i) => recordOf({ temperature: 10 + i })));
    await path.reach(16);
    await consumer.stop();
    const batches = (await path.entries()).filter(({ entry }) => entry["kind"] === "batch");
    expect(batches.slice(0, 2).map(({ entry }) => entry["last"])).toEqual([7, 15]);
  });

  test("partitions share batchRecordsMax", async () => {
    await path.close();
    path = await WritePath.open(3);
    const cities = ["a", "b", "c"];
    const records = Array.from({ length: 30 }, (_, i) => ({
      key: cities[i % 3]!,
      value: recordOf({ temperature: i }),
    }));
    await path.log.append(records);
    const highs = await Promise.all(
      [0, 1, 2].map(async (partition) => (await path.log.bounds(partition)).high),
    );
    expect(highs.filter((high) => high > 0).length).toBeGreaterThan(1);
    const consumer = start({ batchRecords: 1 });
    for (const [partition, high] of highs.entries()) await path.reach(high, partition);
    await consumer.stop();
    let stored = 0;
    for (const partition of [0, 1, 2]) stored += (await path.content(partition)).rows.length;
    expect(stored).toBe(30);
  });

  test("starts where the chain ends, whatever it read before", async () => {
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    await consumeAll();
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: 10 + i })));
    await consumeAll();
    await consumeAll();
    expect(await rows()).toEqual(["0 0", "1 1", "2 2", "3 3", "4 10", "5 11", "6 12", "7 13"]);
  });

  test("asks the lake for the rows of an hour only once", async () => {
    await path.append(recordOf(), recordOf({ temperature: 6 }), recordOf({ city: "Paris" }));
    const writer = await openWriter();
    await write(writer, 1);
    await write(writer, 2);
    await write(writer, 3);
    expect(path.loads).toBe(0); // the hour had no committed row when it was first seen
    const second = await openWriter();
    await path.append(recordOf({ city: "Rome" }), recordOf({ city: "Oslo" }));
    await write(second, 4);
    await write(second, 5);
    expect(path.loads).toBe(1);
  });
});

describe("consumerJob() with records that cannot be read", () => {
  const bad: [name: string, value: string, reason: RegExp][] = [
    ["malformed JSON", '{"timestamp":', /not JSON/],
    ["an empty value", "", /not JSON/],
    ["text", "hello", /not JSON/],
    ["an array", "[1,2]", /wanted an object/],
    ["null", "null", /wanted an object/],
    ["a number", "17", /wanted an object/],
    ["NaN as a bare word", recordOf().replace('"temperature":5', '"temperature":NaN'), /not JSON/],
    ["an unknown field", recordOf({ "Temp (°C)": 5 }), /field "Temp/],
    ["__proto__ as a field", recordOf().replace("{", '{"__proto__":{"x":1},'), /field "__proto__"/],
    ["no city", recordOf({ city: undefined }), /city is missing/],
    ["an empty city", recordOf({ city: "" }), /city is ""/],
    ["a city of control characters", recordOf({ city: "Lon\u0000don" }), /city is/],
    ["half a surrogate pair", recordOf({ city: "Lon\ud800don" }), /city is/],
    ["no source", recordOf({ source: undefined }), /source is missing/],
    ["a time without a zone", recordOf({ timestamp: "2026-01-31T06:00:00" }), /timestamp is .* zone/],
    ["30 February", recordOf({ timestamp: "2026-02-30T06:00:00Z" }), /timestamp is/],
    ["the year 1", recordOf({ timestamp: "0001-01-01T00:00:00Z" }), /wanted 1900 or later/],
    ["the year 9999", recordOf({ timestamp: "9999-12-31T23:59:59Z" }), /future/],
    ["a time in seconds", recordOf({ timestamp: 1_769_839_200 }), /timestamp is/],
    ["binary", String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i)), /not JSON/],
    ["a 10 MB line", recordOf({ city: "x".repeat(10_000_000) }), /city is/],
    ["10 MB of nothing", " ".repeat(10_000_000), /not JSON/],
    ["a text with line feeds", '{\n"a"\n', /not JSON/],
  ];

  test("keeps each in rejected/ with topic, partition, offset, reason and the record, and the rest flows on", async () => {
    for (const [index, [, value]] of bad.entries())
      await path.append(value, recordOf({ temperature: index }));
    await consumeAll();
    const content = await path.content();
    expect(content.problems).toEqual([]);
    expect(content.counts).toEqual({ rows: bad.length, duplicates: 0, rejected: bad.length });
    expect(content.rows.map((row) => row.offset).sort((a, b) => a - b)).toEqual(bad.map((_, i) => 2 * i + 1));
    const rejected = content.rejected.sort((a, b) => a.offset - b.offset) as unknown as Record<
      string,
      unknown
    >[];
    for (const [index, [name, value, reason]] of bad.entries()) {
      const told = rejected[index]!;
      expect([name, told["topic"], told["partition"], told["offset"]]).toEqual([
        name,
        "observations",
        0,
        2 * index,
      ]);
      expect(told["reason"]).toMatch(reason);
      expect(String(told["reason"]).length).toBeLessThan(400);
      expect(told["ingested_at"]).toBe("2026-01-31T12:00:00Z");
      expect(told["record"]).toBe(value.slice(0, 1_000_000));
      if (value.length > 1_000_000) expect(told["record_length"]).toBe(value.length);
    }
  });

  test.each<[string, string, Record<string, string>]>([
    ["NaN as text", recordOf({ temperature: "NaN" }), { temperature: "NaN" }],
    ["a number as text", recordOf({ humidity: "80" }), { humidity: "80" }],
    ["an object as a number", recordOf({ pressure: { value: 1 } }), { pressure: "an object" }],
    [
      "a list, 50,000 deep",
      recordOf({ pressure: 0 }).replace(":0,", `:${"[".repeat(50_000)}${"]".repeat(50_000)},`),
      { pressure: "a list" },
    ],
    ["a number too large for any double", recordOf().replace(":5,", ":1e999,"), { temperature: "Infinity" }],
    ["a number out of range", recordOf({ temperature: 5_000 }), { temperature: "5000" }],
    ["a number as a text", recordOf({ weather_main: 800 }), { weather_main: "800" }],
    [
      "words of 10 MB",
      recordOf({ weather_description: "x".repeat(10_000_000) }),
      { weather_description: "x".repeat(40) },
    ],
    ["several", recordOf({ wind_gust: -1, humidity: 255 }), { humidity: "255", wind_gust: "-1" }],
  ])("keeps %s as it came, and the values beside it", async (_, value, impossible) => {
    await path.append(value);
    await consumeAll();
    const content = await path.content();
    expect(content.counts).toEqual({ rows: 1, duplicates: 0, rejected: 0 });
    const stored = JSON.parse(content.rows[0]!.values) as unknown[];
    expect(JSON.parse(String(stored.at(-1)))).toEqual(impossible);
    const good = JSON.parse(recordOf()) as Record<string, unknown>;
    const kept = Object.entries(good).filter(([name]) => !(name in impossible));
    for (const [, one] of kept) expect(stored).toContain(one);
  });

  test("a record of a day ahead is taken, one of a second more is not", async () => {
    await path.append(
      recordOf({ timestamp: "2026-02-01T12:00:00Z" }),
      recordOf({ timestamp: "2026-02-01T12:00:01Z" }),
    );
    await consumeAll();
    expect((await path.content()).counts).toEqual({ rows: 1, duplicates: 0, rejected: 1 });
  });

  test("records of 8 MB are committed before they fill the memory", async () => {
    const large = recordOf({ city: "x".repeat(8_000_000) });
    for (let i = 0; i < 10; i++) await path.append(large);
    const log = path.log.all();
    const writer = await openWriter({ batchRecords: 1_000 });
    let most = 0;
    for (const record of log) {
      await writer.add([record]);
      most = Math.max(most, writer.buffered);
    }
    expect(most).toBe(4);
    expect((await path.content()).next).toBe(10);
    expect((await path.content()).counts.rejected).toBe(10);
  });
});

describe("consumerJob() and other writers", () => {
  test("a paused writer that wakes up after another took over cannot commit, and nothing of its batch is seen", async () => {
    await path.append(...Array.from({ length: 6 }, (_, i) => recordOf({ temperature: i })));
    const paused = await openWriter();
    await write(paused, 2);
    await paused.add(await path.log.read(0, 2, 2));
    const other = await openWriter();
    expect(await codeOfEnd(paused.flush())).toBe("fenced");
    await write(other, 6);
    expect(paused.buffered).toBe(0);
    expect(await codeOfEnd(paused.flush())).toBe("fenced");
    expect(await rows()).toEqual(["0 0", "1 1", "2 2", "3 3", "4 4", "5 5"]);
  });

  test("a paused writer cannot commit either when a checkpoint has freed the number it waits for", async () => {
    await path.append(...Array.from({ length: 6 }, (_, i) => recordOf({ temperature: i })));
    const paused = await openWriter();
    await write(paused, 2);
    await paused.add(await path.log.read(0, 2, 2));
    const other = await openWriter();
    await write(other, 6);
    expect(await makeCheckpoint(path.chain(), await fold(path.lake, path.log.topic, 0))).toBe(true);
    expect(await path.entries()).toHaveLength(1);
    expect(await codeOfEnd(paused.flush())).toBe("fenced");
    expect(await rows()).toEqual(["0 0", "1 1", "2 2", "3 3", "4 4", "5 5"]);
    expect((await path.content()).counts).toEqual({ rows: 6, duplicates: 0, rejected: 0 });
  });

  test("of two consumers the first ends as `fenced`, and all is there once", async () => {
    const first = start();
    await first.ready;
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    await path.reach(4);
    const second = start();
    await second.ready;
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: 10 + i })));
    expect(await codeOfEnd(first.ended)).toBe("fenced");
    await path.reach(8);
    await second.stop();
    expect(await rows()).toEqual(["0 0", "1 1", "2 2", "3 3", "4 10", "5 11", "6 12", "7 13"]);
  });

  test("claims at the same time leave one writer", async () => {
    await path.append(recordOf());
    const claims = await Promise.allSettled(Array.from({ length: 5 }, () => openWriter()));
    const winners = claims.filter((claim) => claim.status === "fulfilled");
    expect(winners.length).toBeGreaterThan(0);
    for (const claim of claims) if (claim.status === "rejected") expect(codeOf(claim.reason)).toBe("fenced");
    const writes = await Promise.allSettled(winners.map((claim) => write(claim.value, 1)));
    expect(writes.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    expect(await rows()).toEqual(["0 5"]);
  });
});

describe("consumerJob() stops loudly", () => {
  beforeEach(async () => {
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    await consumeAll();
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: 4 + i })));
    await consumeAll();
  });

  /** The end of a consumer, which must come by itself and leave the chain as it was. */
  async function end(log: MemoryLog = path.log): Promise<unknown> {
    const before = (await path.entries().catch(() => [])).map(({ path }) => path);
    const error: unknown = await start({ log }).ended.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect((await path.entries().catch(() => [])).map(({ path }) => path)).toEqual(before);
    return error;
  }

  test("with `retention` when the log no longer holds what comes next, and says which offsets are lost", async () => {
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: 10 + i })));
    path.log.trimTo(10);
    const error = await end();
    expect(codeOf(error)).toBe("retention");
    expect(String(error)).toContain("offset 8");
  });

  test("but goes on when retention has only taken what is committed", async () => {
    await path.append(recordOf({ temperature: 10 }));
    path.log.trimTo(8);
    await consumeAll();
    expect((await path.content()).next).toBe(9);
  });

  test("with `mismatch` when the log has another number of partitions than the lake was begun with", async () => {
    await path.append(recordOf());
    await consumeAll();
    const before = await path.entries();
    for (const partitions of [2, 3]) {
      const log = new MemoryLog({ clock: path.clock, partitions });
      expect(await codeOfEnd(start({ log }).ended)).toBe("mismatch");
    }
    expect(await path.entries()).toEqual(before);
    await consumeAll(); // with the number it was begun with
  });

  test("with `mismatch` when a lake without a note of the number has a chain that the log cannot have", async () => {
    const topic = "other";
    const three = new MemoryLog({ clock: path.clock, partitions: 3, topic });
    const consumer = start({ log: three });
    await consumer.ready;
    await consumer.stop();
    await rm(join(path.root, `commits/${topic}/partitions.json`));
    const two = new MemoryLog({ clock: path.clock, partitions: 2, topic });
    expect(await codeOfEnd(start({ log: two }).ended)).toBe("mismatch");
    const again = start({ log: three });
    await again.ready;
    await again.stop();
    expect(await codeOfEnd(start({ log: two }).ended)).toBe("mismatch");
  });

  test("with `damaged` or `newer_format` when the note of the number of partitions is not to be read", async () => {
    await consumeAll();
    const note = join(path.root, `commits/${path.log.topic}/partitions.json`);
    for (const [text, code] of [
      ["{", "damaged"],
      ['{"format":1,"partitions":0}', "damaged"],
      ['{"format":2,"partitions":1}', "newer_format"],
    ] as const) {
      await writeFile(note, text);
      expect(await codeOfEnd(start().ended)).toBe(code);
    }
  });

  test("with `mismatch` when the log was made anew and is shorter", async () => {
    expect(codeOf(await end(await otherLog(3)))).toBe("mismatch");
  });

  test("with `mismatch` when the log was made anew and is longer", async () => {
    expect(codeOf(await end(await otherLog(20)))).toBe("mismatch");
  });

  test("with `mismatch` when the log was cut short by one record", async () => {
    expect(codeOf(await end(await otherLog(7, 0)))).toBe("mismatch");
  });

  test("but goes on over a copy of the log", async () => {
    const log = await otherLog(9, 0);
    const consumer = start({ log });
    await consumer.ready;
    await path.clock.sleepers(1);
    await consumer.stop();
    expect((await path.content()).next).toBe(9);
  });

  test("with `damaged` when an entry is cut short, empty or no JSON", async () => {
    const entries = await path.entries();
    const newest = entries.at(-1)!.path;
    const whole = await readFile(newest);
    for (const content of [
      whole.subarray(0, whole.length / 2),
      new Uint8Array(),
      "garbage\u0000",
      "{}",
      "null",
    ]) {
      await writeFile(newest, content);
      expect(codeOf(await end())).toBe("damaged");
    }
  });

  test("with `damaged` or `newer_format` for every bit of an entry that is flipped", async () => {
    const newest = (await path.entries()).at(-1)!.path;
    const whole = await readFile(newest);
    for (let byte = 0; byte < whole.length; byte++) {
      const flipped = Uint8Array.from(whole);
      flipped[byte]! ^= 1 << (byte % 8);
      await writeFile(newest, flipped);
      const code = codeOf(
        await fold(path.lake, path.log.topic, 0).then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
      expect([byte, code === "damaged" || code === "newer_format"]).toEqual([byte, true]);
    }
  });

  test("with `damaged` when an entry in the middle is missing", async () => {
    const entries = await path.entries();
    expect(entries.length).toBeGreaterThanOrEqual(3);
    await rm(entries[1]!.path);
    expect(codeOf(await end())).toBe("damaged");
  });

  test("with `damaged` when the first entry is missing", async () => {
    await rm((await path.entries())[0]!.path);
    expect(codeOf(await end())).toBe("damaged");
  });

  test("with `newer_format` when a newer program wrote the entry", async () => {
    const { path: newest, entry } = (await path.entries()).at(-1)!;
    await writeFile(newest, JSON.stringify({ ...entry, format: ENTRY_FORMAT + 1 }));
    const error = await end();
    expect(codeOf(error)).toBe("newer_format");
    expect(String(error)).toContain(`its format is ${ENTRY_FORMAT + 1}`);
  });

  test("with `damaged` when an entry was put there by hand", async () => {
    const { path: newest, entry } = (await path.entries()).at(-1)!;
    await writeFile(newest, `${JSON.stringify({ ...entry, last: 5 })}\n`);
    expect(codeOf(await end())).toBe("damaged");
  });

  /** Another log of the same topic. */
  async function otherLog(records: number, firstTemperature = 30): Promise<MemoryLog> {
    const log = new MemoryLog({ clock: path.clock });
    const values = Array.from({ length: records }, (_, i) => recordOf({ temperature: firstTemperature + i }));
    await log.append(values.map((value) => ({ key: "", value })));
    return log;
  }
});

describe("consumerJob() while the lake or the log is away", () => {
  /** The lake, which a test takes away. */
  function failing(lake: Lake): { lake: Lake; state: { away: boolean; refused: number } } {
    const state = { away: false, refused: 0 };
    const guard = <T>(call: () => Promise<T>): Promise<T> => {
      if (!state.away) return call();
      state.refused++;
      return Promise.reject(new LakeError("unavailable", "Cannot reach the lake: the test took it away"));
    };
    return {
      state,
      lake: {
        kind: lake.kind,
        put: (files) => guard(() => lake.put(files)),
        create: (path, bytes) => guard(() => lake.create(path, bytes)),
        read: (path) => guard(() => lake.read(path)),
        list: (folder) => guard(() => lake.list(folder)),
        delete: (paths) => guard(() => lake.delete(paths)),
        locate: (path) => lake.locate(path),
      },
    };
  }

  const meaningOf = (value: string): Meaning => {
    const observation = JSON.parse(value) as Record<string, unknown>;
    return {
      identity: identityOf(observation),
      values: valuesOf(observation),
      timestamp: String(observation["timestamp"]),
    };
  };

  /** Waits for the supervisor's next attempt and lets it begin. */
  async function nextAttempt(): Promise<void> {
    await path.clock.sleepers(1);
    await path.clock.advance(60_000);
  }

  test("the lake: memory stays bounded, and the flow resumes by itself without loss or doubles", async () => {
    const { lake, state } = failing(path.lake);
    const supervisor = new Supervisor({ clock: path.clock, logger: silentLogger, random: () => 0.5 });
    supervisor.add(consumerJob(path.consumer({ lake })));
    supervisor.start();
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    await path.reach(4);
    state.away = true;
    await path.append(
      ...Array.from({ length: 80 }, (_, i) => recordOf({ temperature: i % 10, city: `City ${i}` })),
    );
    for (let attempt = 0; attempt < 3; attempt++) {
      await nextAttempt();
      expect(state.refused).toBeGreaterThan(attempt);
    }
    expect(supervisor.status()[0]).toMatchObject({ name: "consumer", state: "failed" });
    expect(path.log.largestRead).toBeLessThanOrEqual(8);
    state.away = false;
    const back = path.reach(84);
    await nextAttempt();
    await back;
    expect((await supervisor.stop(60_000)).late).toEqual([]);
    expect(compare(path.log.all(), meaningOf, await path.content())).toEqual([]);
  });

  test("a flush by the timer that fails ends the job, and the next run goes on where the chain ends", async () => {
    const { lake, state } = failing(path.lake);
    const consumer = start({ lake });
    await consumer.ready;
    await path.append(recordOf());
    await path.clock.sleepers(1);
    state.away = true;
    await path.clock.advance(10_000);
    expect(await codeOfEnd(consumer.ended)).toBe("unavailable");
    state.away = false;
    await consumeAll();
    expect(await rows()).toEqual(["0 5"]);
  });

  test("a commit whose answer was lost is found again and not repeated", async () => {
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    for (const happened of [true, false]) {
      let lost = false;
      const lake: Lake = {
        ...failing(path.lake).lake,
        async create(name, bytes) {
          const isBatch = new TextDecoder().decode(bytes).includes('"kind":"batch"');
          if (happened || !isBatch || lost) await path.lake.create(name, bytes);
          if (!isBatch || lost) return;
          lost = true;
          throw new LakeError("unclear", "Cannot tell whether it was created: the answer was lost");
        },
      };
      const writer = await openWriter({ lake });
      await write(writer, happened ? 2 : 4);
      expect(lost).toBe(true);
    }
    expect(await rows()).toEqual(["0 0", "1 1", "2 2", "3 3"]);
    expect((await path.content()).counts).toEqual({ rows: 4, duplicates: 0, rejected: 0 });
  });

  test("a put that fails in the middle commits nothing, and the files it left are never seen", async () => {
    const lake: Lake = {
      ...failing(path.lake).lake,
      async put(files) {
        await path.lake.put(files.slice(0, 1));
        throw new LakeError("full", "Cannot write: the disk is full");
      },
    };
    await path.append(recordOf(), recordOf({ timestamp: at("07:00") }));
    expect(await codeOfEnd(write(await openWriter({ lake }), 2))).toBe("full");
    expect((await path.content()).next).toBe(0);
    await write(await openWriter(), 2);
    const content = await path.content();
    expect(content.rows.map((row) => row.offset)).toEqual([0, 1]);
    expect(content.paths.size).toBe(2);
  });

  test("the log: the job ends with its error and goes on when it is back", async () => {
    const supervisor = new Supervisor({ clock: path.clock, logger: silentLogger, random: () => 0.5 });
    supervisor.add(consumerJob(path.consumer()));
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: i })));
    supervisor.start();
    await path.reach(4);
    path.log.failure = new LogError("unavailable", "Cannot reach the log: the test took it away");
    path.log.wake();
    await nextAttempt();
    await path.clock.sleepers(1); // until it waits for the attempt after that
    expect(supervisor.status()[0]).toMatchObject({ state: "failed" });
    path.log.failure = undefined;
    await path.append(...Array.from({ length: 4 }, (_, i) => recordOf({ temperature: 10 + i })));
    const back = path.reach(8);
    await nextAttempt();
    await back;
    await supervisor.stop(60_000);
    expect((await path.content()).next).toBe(8);
  });
});
