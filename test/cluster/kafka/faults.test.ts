import { afterAll, beforeAll, expect, test } from "bun:test";
import { collector, Collected, failure, records } from "../../contract/log-contract.ts";
import { openKafkaLog, type TestKafka, testKafka } from "./server.ts";
import { underLoad } from "./under-load.ts";

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await testKafka();
});
afterAll(() => kafka?.end());

test("a broker that is killed and restarted under load: nothing is lost, nothing is twice in the lake", async () => {
  await underLoad(kafka.options({ partitions: 4 }), async (world, log, _open, acknowledged) => {
    world.startConsumer("one", log);
    await acknowledged(5_000);
    await kafka.kill(1);
    await kafka.start(1);
    await acknowledged(5_000);
  });
});

test("two consumers of a group, one comes and goes: partitions move, nothing is lost or twice in the lake", async () => {
  const world = await underLoad(kafka.options({ partitions: 4 }), async (world, log, open, acknowledged) => {
    const [first, second] = [await open(), await open()];
    // Each change of the group gives every partition out again.
    world.startConsumer("first", first);
    await world.claimed(log, 1);
    await acknowledged(3_000);
    world.startConsumer("second", second);
    await world.claimed(log, 2);
    await acknowledged(3_000);
    await world.stopConsumer("first");
    await world.claimed(log, 3);
    await acknowledged(3_000);
    world.startConsumer("first", first);
    await world.claimed(log, 4);
    await acknowledged(3_000);
    await world.stopConsumer("second");
    await world.claimed(log, 5);
    await acknowledged(3_000);
  });
  expect(world.restarts).toBeLessThan(10);
});

test("while Kafka is away an append waits, and close() ends it and every subscription", async () => {
  const log = await openKafkaLog(kafka.options({ partitions: 2 }));
  const consumer = await log.consume(collector(log, new Collected<string>()), { maxRecords: () => 10 });
  const tail = await log.tail({ records: () => {}, skipped: () => {} }, { skipBehind: 10 });
  await log.append(records("a", 0, 10));
  await kafka.kill(1);
  try {
    const waiting = [log.append(records("a", 10, 20)), log.append(records("b", 0, 20))].map(failure);
    const closed = performance.now();
    await log.close();
    expect(performance.now() - closed).toBeLessThan(10_000);
    for (const { code } of await Promise.all(waiting)) expect(code).toBe("closed");
    await consumer.done;
    await tail.done;
  } finally {
    await kafka.start(1);
  }
});
