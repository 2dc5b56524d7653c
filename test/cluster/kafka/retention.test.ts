import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "bun:test";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { systemClock } from "../../../core/clock.ts";
import { CommitError, LogError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { consumerJob, type ConsumerOptions } from "../../../jobs/consumer.ts";
import type { KafkaLog } from "../../../jobs/log/kafka.ts";
import { Supervisor } from "../../../jobs/supervisor.ts";
import { changedLake } from "../../support/changed-lake.ts";
import { Collected, tailer, thrown } from "../../contract/log-contract.ts";
import { at, recordOf, WritePath } from "../../support/write-path.ts";
import { contentIn } from "./pipeline.ts";
import { deleteBelow, openKafkaLog, type TestKafka, testKafka } from "./server.ts";

let kafka: TestKafka;
let admin: Admin;
beforeAll(async () => {
  kafka = await testKafka({ basePort: 21_792 });
  admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await kafka?.end();
});

/** Longest wait for a commit, or for a failure, ms. */
const DEADLINE_MS = 30_000;

describe("retention of Kafka", () => {
  let log: KafkaLog;
  let path: WritePath;
  beforeEach(async () => {
    log = await openKafkaLog(kafka.options());
    path = await WritePath.open();
  });
  afterEach(async () => {
    await log.close();
    await path.close();
  });

  /** Appends the records of some offsets, in one request. */
  const append = (from: number, to: number) =>
    log.append(
      Array.from({ length: to - from }, (_, i) => {
        const minute = String((from + i) % 60).padStart(2, "0");
        const hour = String(Math.floor((from + i) / 60)).padStart(2, "0");
        return { key: "London", value: recordOf({ timestamp: at(`${hour}:${minute}`) }) };
      }),
    );
  const stored = () => contentIn(path.root, log.topic, 0);
  const committed = async (next: number) => {
    for (const end = Date.now() + DEADLINE_MS; (await stored()).next < next; await Bun.sleep(50))
      if (Date.now() > end) throw new Error(`wanted ${next}, the lake holds ${(await stored()).next}`);
  };
  const job = (changed: Partial<ConsumerOptions> = {}) =>
    consumerJob(path.consumer({ log, clock: systemClock, flushMs: 100, ...changed }));
  /** What a consumer fails with. One that does not is stopped, and then the test fails. */
  const failureOf = (consumer: ReturnType<typeof job>) =>
    thrown(consumer.run({ signal: AbortSignal.timeout(DEADLINE_MS), running: () => {}, waiting: () => {} }));
  /** Runs a consumer as the program does, telling what it logs. */
  const supervised = () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
    const logger = createLogger({ level: "error", format: "json", write });
    const supervisor = new Supervisor({ clock: systemClock, logger });
    supervisor.add(job());
    supervisor.start();
    return { supervisor, lines };
  };
  const offsets = (to: number) => Array.from({ length: to }, (_, offset) => offset);
  const rows = async () => (await stored()).rows.map(({ offset }) => offset).sort((a, b) => a - b);

  test("that deleted what the lake needs next stops a consumer with `retention`, and nothing is skipped", async () => {
    await append(0, 100);
    const first = supervised();
    await committed(100);
    await first.supervisor.stop(30_000);
    await append(100, 150);
    await deleteBelow(admin, log.topic, 120);
    const before = await stored();

    const error = await failureOf(job());
    expect(error).toBeInstanceOf(CommitError);
    const { code, message, hint } = error as CommitError;
    expect(code).toBe("retention");
    expect(message).toContain("needs offset 100 next, the log begins at 120");
    expect(hint).toContain("Offsets 100 to 119 were deleted");

    // As the program runs it: people are told, and it does not go on behind the gap when it is tried again.
    const { supervisor, lines } = supervised();
    while (lines.length === 0) await Bun.sleep(20);
    expect(lines[0]).toMatchObject({ level: "error", job: "consumer", code: "retention" });
    expect(lines[0]!["error"]).toBe(message);
    expect(supervisor.status()[0]).toMatchObject({ state: "failed", reason: message });
    expect(supervisor.needsPerson("consumer")).toBe(true);
    await supervisor.stop(30_000);
    expect(await failureOf(job())).toMatchObject({ code: "retention" });
    expect(await stored()).toEqual(before);
    expect(await rows()).toEqual(offsets(100));
  });

  test("that overtakes a consumer at work stops it, at once and from then on: what was stored is the log without a gap", async () => {
    const began = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = changedLake(path.lake, {
      async put(files) {
        began.resolve();
        await gate.promise;
        await path.lake.put(files);
      },
    });
    await append(0, 4);
    const failed = failureOf(job({ lake: slow }));
    await began.promise;
    // The next fetch is under way already: it takes what comes next, and no more.
    const seen = new Collected<string>();
    const tail = await log.tail(tailer(seen), { from: [4], skipBehind: 1_000 });
    await append(4, 5);
    await seen.atLeast(1);
    for (let offset = 5; offset < 60; offset++) await append(offset, offset + 1);
    await tail.stop();
    await deleteBelow(admin, log.topic, 50);
    gate.resolve();

    const error = await failed;
    expect(error).toBeInstanceOf(LogError);
    expect((error as LogError).code).toBe("out_of_range");
    const { next } = await stored();
    expect(next).toBeGreaterThanOrEqual(4);
    expect(next).toBeLessThan(50);
    const again = (await failureOf(job())) as CommitError;
    expect(again.code).toBe("retention");
    expect(again.message).toContain(`needs offset ${next} next, the log begins at 50`);
    expect(again.hint).toContain(`Offsets ${next} to 49 were deleted`);
    expect((await stored()).next).toBe(next);
    expect(await rows()).toEqual(offsets(next));
  });

  test("that deleted only what is stored does not disturb a consumer: at work, nor at its next start", async () => {
    const { supervisor, lines } = supervised();
    await append(0, 40);
    await committed(40);
    await deleteBelow(admin, log.topic, 20);
    await append(40, 60);
    await committed(60);
    await deleteBelow(admin, log.topic, 60);
    expect(await log.bounds(0)).toEqual({ low: 60, high: 60 });
    await append(60, 80);
    await committed(80);
    await supervisor.stop(30_000);
    expect(supervisor.status()[0]!.restarts).toBe(0);
    expect(lines).toEqual([]);

    await deleteBelow(admin, log.topic, 80);
    const again = supervised();
    await append(80, 100);
    await committed(100);
    await again.supervisor.stop(30_000);
    expect(again.supervisor.status()[0]!.restarts).toBe(0);
    expect(again.lines).toEqual([]);
    expect((await stored()).problems).toEqual([]);
    expect(await rows()).toEqual(offsets(100));
  });
});
