import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { CommitError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import type { KafkaLog } from "../../../jobs/log/kafka.ts";
import { Collected, collector, records } from "../../contract/log-contract.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";
import { underLoad } from "./under-load.ts";

let kafka: TestKafka;
let admin: Admin;
beforeAll(async () => {
  kafka = await testKafka({ basePort: 21_592 });
  admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
});
afterAll(async () => {
  await admin?.disconnect();
  await kafka?.end();
});

/** The offset the group has of each partition; -1 for none. */
async function offsetsOf(group: string, { topic, partitions }: KafkaLog): Promise<number[]> {
  const [told] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
  const offsets = new Map(told!.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  return Array.from({ length: partitions }, (_, partition) => offsets.get(partition) ?? -1);
}

const PARTITIONS = 3;
const setTo =
  (offset: (bounds: { low: number; high: number }) => number) =>
  async (group: string, log: KafkaLog): Promise<number[]> => {
    const wanted = await Promise.all(
      Array.from({ length: PARTITIONS }, async (_, partition) => offset(await log.bounds(partition))),
    );
    const partitions = wanted.map((value, partition) => ({ partition, offset: String(value) }));
    await admin.setOffsets({ groupId: group, topic: log.topic, partitions });
    return wanted;
  };

describe("group offsets change nothing: nothing is lost, nothing is twice in the lake", () => {
  test.each([
    [
      "deleted",
      async (group: string) => {
        await admin.deleteGroups([group]);
        return Array<number>(PARTITIONS).fill(-1);
      },
    ],
    ["set back to the beginning", setTo(({ low }) => low)],
    ["advanced to the end, past what no consumer has read", setTo(({ high }) => high)],
    ["advanced beyond the end", setTo(({ high }) => high + 1_000_000)],
  ] as const)(
    "%s",
    async (_name, change) => {
      const options = kafka.options({ partitions: PARTITIONS });
      const world = await underLoad(options, async (world, log, _open, acknowledged) => {
        world.startConsumer("before", log);
        await acknowledged(2_000);
        while ((await offsetsOf(options.group, log)).some((offset) => offset < 1)) await Bun.sleep(100);
        await world.stopConsumer("before");
        const committed = (await world.content(log)).map(({ next }) => next);
        expect(await offsetsOf(options.group, log)).toEqual(committed);
        await acknowledged(2_000);
        for (const [partition, next] of committed.entries())
          expect((await log.bounds(partition)).high).toBeGreaterThan(next);

        const wanted = await change(options.group, log);
        expect(await offsetsOf(options.group, log)).toEqual(wanted);
        for (const [partition, next] of committed.entries()) expect(wanted[partition]).not.toBe(next);
        world.startConsumer("after", log);
        await world.claimed(log, 2);
        await acknowledged(2_000);
      });
      expect(world.restarts).toBe(0);
    },
    120_000,
  );
});

describe("a rebalance", () => {
  const fenced = () => new CommitError("fenced", "Another has taken it over");
  /** All of two partitions. */
  const two = ["a", "b", "c", "d", "e", "f"].flatMap((key) => records(key, 0, 5));

  /** Two members' logs, and how often the first was given its partitions. */
  async function members(): Promise<{ first: KafkaLog; second: KafkaLog; given: Collected<string> }> {
    const given = new Collected<string>();
    const write = (line: string) => void (line.includes("gave out") && given.add(line));
    const logger = createLogger({ level: "info", format: "json", write });
    const options = kafka.options({ partitions: 2 });
    const first = await openKafkaLog({ ...options, logger });
    return { first, second: await openKafkaLog(options), given };
  }

  test("revokes a partition while its records are worked on, and what fails in that work is of the past", async () => {
    const { first, second } = await members();
    await first.append(two);
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
    const [seen, revoked] = [new Collected<string>(), new Collected<number>()];
    const handler = collector(first, seen);
    let calls = 0;
    const member = await first.consume(
      {
        ...handler,
        async records(partition, batch, context) {
          if (++calls > 2) return handler.records(partition, batch, context);
          if (calls === 2) began.resolve();
          await gate.promise;
        },
        revoked: async (partition) => revoked.add(partition),
      },
      { maxRecords: () => 1_000 },
    );
    await began.promise;
    const others = new Collected<string>();
    await second.consume(collector(second, others), { maxRecords: () => 1_000 });
    expect((await revoked.atLeast(2)).toSorted()).toEqual([0, 1]);
    gate.reject(fenced());
    // Each has one of the partitions now, from its beginning.
    await Promise.all([seen.atLeast(1), others.atLeast(1)]);
    await first.append(two);
    while (seen.items.length + others.items.length < 2 * two.length) await Bun.sleep(20);
    await Promise.all([first.close(), second.close()]);
    await member.done; // ended by close() alone
  });

  test("that comes while a partition is taken over lets that fail: it is of the past", async () => {
    const { first, second, given } = await members();
    await first.append(two);
    const [began, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<never>()];
    const seen = new Collected<string>();
    const handler = collector(first, seen);
    let calls = 0;
    const member = await first.consume(
      {
        ...handler,
        async assigned(partition) {
          if (++calls > 2) return handler.assigned(partition);
          began.resolve();
          return gate.promise;
        },
      },
      { maxRecords: () => 1_000 },
    );
    await began.promise;
    const others = new Collected<string>();
    await second.consume(collector(second, others), { maxRecords: () => 1_000 });
    await given.atLeast(2);
    gate.reject(fenced());
    await Promise.all([seen.atLeast(1), others.atLeast(1)]);
    await Promise.all([first.close(), second.close()]);
    await member.done;
  });
});
