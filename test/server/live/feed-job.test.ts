import { afterEach, describe, expect, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import type { Row } from "../../../core/observation.ts";
import { CurrentState } from "../../../server/live/current.ts";
import { snapshotOf } from "../../../server/live/feed.ts";
import { openFeed } from "../../../server/live/feed-job.ts";
import { Hub } from "../../../server/live/hub.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeServices, observation } from "../../support/fake-services.ts";
import { MemoryLog } from "../../support/memory-log.ts";

const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

async function setUp(claimed: () => Promise<void> = async () => {}) {
  const clock = new FakeClock();
  const services = new FakeServices();
  const current = new CurrentState();
  const snapshot = () => snapshotOf(services.about, current.list(), clock.now());
  const hub = new Hub({ epoch: "e1", clock, snapshot });
  hubs.push(hub);
  const log = new MemoryLog({ clock });
  const append = (temperature: number) =>
    log.append([{ key: "London", value: JSON.stringify(observation({ temperature })) }]);
  await append(1);
  /** The temperatures of the rows that went out. */
  const arrived: (number | null)[] = [];
  let next = Promise.withResolvers<void>();
  const feed = openFeed({
    services,
    log,
    current,
    hub,
    claimed,
    skipped: () => {},
    arrived: (rows: readonly Row[]) => {
      arrived.push(...rows.map(({ temperature }) => temperature));
      next.resolve();
    },
    clock,
  });
  /** Appends an observation, and waits until it went out. */
  const arrival = async (temperature: number) => {
    next = Promise.withResolvers();
    await append(temperature);
    await next.promise;
  };
  /** Runs the job once: resolves when it works, with what ends it. */
  const run = async () => {
    const stop = new AbortController();
    const running = Promise.withResolvers<void>();
    const ended = feed.job.run({ signal: stop.signal, running: () => running.resolve(), waiting: () => {} });
    await Promise.race([running.promise, ended]);
    return async () => {
      stop.abort();
      await ended;
    };
  };
  return { feed, hub, arrived, arrival, append, run };
}

describe("openFeed()", () => {
  test("has published what the log holds before its job runs", async () => {
    const { feed, hub, arrived } = await setUp();
    await feed.caughtUp;
    expect(arrived).toEqual([1]);
    expect(hub.newest).toBe(0);
  });

  test("goes on in each run where the one before ended, and publishes nothing twice", async () => {
    const { arrived, arrival, append, run } = await setUp();
    const stopFirst = await run();
    await arrival(2);
    await stopFirst();
    await append(3); // nobody follows the log now
    const stopSecond = await run();
    await arrival(4);
    await stopSecond();
    expect(arrived).toEqual([1, 2, 3, 4]);
  });

  test("follows nothing before the data set is claimed: caughtUp resolves, the job fails, and its next run works", async () => {
    let isAway = true;
    const { feed, arrived, run } = await setUp(async () => {
      if (isAway) throw new LakeError("unavailable", "the lake is away");
    });
    await feed.caughtUp;
    expect(arrived).toEqual([]);
    await expect(run()).rejects.toThrow("the lake is away");
    isAway = false;
    const stop = await run();
    expect(arrived).toEqual([1]);
    await stop();
  });
});
