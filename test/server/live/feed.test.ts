import { afterEach, describe, expect, test } from "bun:test";
import { LogError } from "../../../core/errors.ts";
import type { Log, LogBounds, LogRecord, Subscription } from "../../../jobs/log/log.ts";
import { CurrentState } from "../../../server/live/current.ts";
import { announce, followLog, snapshotOf } from "../../../server/live/feed.ts";
import { Hub } from "../../../server/live/hub.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { MemoryLog } from "../../support/memory-log.ts";
import { FakeServices, NOW, observation, result } from "../../support/fake-services.ts";

const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

type TailHandler = Parameters<Log["tail"]>[0];

/** A log that can be followed, and does what a test says. */
class TailedLog implements Log {
  readonly topic = "weather";
  readonly kind = "fake";
  readonly incarnation = "e1";
  partitions = 1;
  held: LogBounds = { low: 0, high: 0 };
  handler: TailHandler | null = null;
  from: readonly number[] | undefined;
  /** Whether the records it holds are observations. */
  valid = true;
  /** Where each read began. */
  reads: number[] = [];

  read(_: number, from: number, limit: number): Promise<LogRecord[]> {
    this.reads.push(from);
    const length = Math.min(limit, this.held.high - from);
    const held = Array.from({ length }, (_, i) => record(from + i));
    return Promise.resolve(this.valid ? held : held.map((one) => ({ ...one, value: "rubbish" })));
  }
  tail(handler: TailHandler, options: { from?: readonly number[] }): Promise<Subscription> {
    this.handler = handler;
    this.from = options.from;
    return Promise.resolve({ done: new Promise<void>(() => {}), stop: () => Promise.resolve() });
  }
  bounds = () => Promise.resolve(this.held);
  append = () => Promise.reject(new LogError("closed", "not here"));
  consume = () => Promise.reject(new LogError("closed", "not here"));
  sizeBytes = () => Promise.resolve(null);
  close = () => Promise.resolve();
}

const record = (offset: number, city = "London"): LogRecord => ({
  offset,
  timestamp: NOW,
  value: JSON.stringify(observation({ city, temperature: offset % 30 })),
});

async function follow(held: LogBounds = { low: 0, high: 0 }) {
  const clock = new FakeClock();
  const current = new CurrentState();
  const services = new FakeServices();
  const hub = new Hub({
    epoch: "e1",
    clock,
    snapshot: () => snapshotOf(services.about, current.list(), clock.now()),
  });
  hubs.push(hub);
  const log = new TailedLog();
  log.held = held;
  const positions = new Map<number, number>();
  await followLog({ log, current, hub, positions });
  const abort = new AbortController();
  /** Everything sent to a new client once it is closed. */
  const listen = (lastEventId: string | null = null) => {
    const stream = hub.connect(lastEventId, abort.signal);
    return async () => {
      abort.abort();
      const events = (await new Response(stream).text())
        .split("\n\n")
        .filter((text) => text.includes("data: "));
      return events.map((text) => ({
        name: /^event: (.*)$/m.exec(text)?.[1],
        id: /^id: (.*)$/m.exec(text)?.[1],
        data: JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? "null") as Record<string, unknown>,
      }));
    };
  };
  return { clock, current, hub, log, services, listen, positions };
}

describe("followLog()", () => {
  test("sends the valid records as rows, at most 100 an event, under the highest offset", async () => {
    const { log, current, listen } = await follow();
    const received = listen();
    log.handler?.records(0, [
      ...Array.from({ length: 150 }, (_, i) => record(i)),
      { offset: 150, timestamp: NOW, value: "rubbish" },
    ]);
    const events = await received();
    expect(events.map(({ name, id }) => [name, id])).toEqual([
      ["snapshot", undefined],
      ["observations", "e1-99"],
      ["observations", "e1-149"],
    ]);
    expect(events[0]?.data).toEqual({
      generated_at: "2026-01-31T12:00:00Z",
      dataset: "simulated",
      kind: "simulated",
      current: [],
    });
    expect((events[2]?.data.observations as object[] | undefined)?.at(-1)).toEqual({
      ...observation({ temperature: 29 }),
      log_offset: 149,
      ingested_at: "2026-01-31T12:00:00Z",
    });
    expect(current.city("London")?.offset).toBe(149);
  });
  test("reads some records before the end first, so that clients of the previous process can resume", async () => {
    const { log, listen } = await follow({ low: 10, high: 5_000 });
    expect(log.reads).toEqual([3_000, 3_500, 4_000, 4_500]);
    expect(log.from).toEqual([5_000]);
    const received = listen("e1-4899");
    log.handler?.records(0, [record(5_000)]);
    const events = await received();
    expect(events.map(({ id }) => id)).toEqual(["e1-4999", "e1-5000"]);
    expect((await follow({ low: 10, high: 20 })).log.reads).toEqual([10]);
  });
  test("continues at the same place when called again after a failure", async () => {
    const { log, current, hub, listen, positions } = await follow();
    log.handler?.records(0, [record(0), record(1)]);
    log.held = { low: 0, high: 9_000 };
    const received = listen();
    await followLog({ log, current, hub, positions });
    expect(log.from).toEqual([2]);
    log.handler?.records(0, [record(2)]);
    expect((await received()).map(({ name, id }) => [name, id])).toEqual([
      ["snapshot", "e1-1"],
      ["observations", "e1-2"],
    ]);
  });
  test("sends a snapshot when records were skipped, by the tail or by retention", async () => {
    const { log, current, hub, listen, clock, positions } = await follow();
    log.handler?.records(0, [record(0), record(1)]);
    const received = listen();
    log.handler?.skipped(0, 50);
    await clock.advance(1_000);
    log.handler?.records(0, [record(60, "Tokyo")]);
    log.held = { low: 100, high: 200 };
    log.valid = false;
    await followLog({ log, current, hub, positions });
    await clock.advance(1_000);
    expect(log.from).toEqual([200]);
    const events = await received();
    expect(events.map(({ name }) => name)).toEqual(["snapshot", "snapshot", "observations", "snapshot"]);
    expect(events[3]?.data.current).toEqual([
      {
        observation: observation({ temperature: 1 }),
        offset: 1,
        received_at: "2026-01-31T12:00:00Z",
        judgement: null,
      },
      {
        observation: observation({ city: "Tokyo", temperature: 0 }),
        offset: 60,
        received_at: "2026-01-31T12:00:00Z",
        judgement: null,
      },
    ]);
  });
  test("counts the ids of several partitions, whose offsets are in no common order", async () => {
    const log = new MemoryLog({ clock: new FakeClock(NOW), partitions: 3 });
    const hub = new Hub({ epoch: "boot", clock: new FakeClock(NOW), snapshot: () => ({}) });
    hubs.push(hub);
    const cities = ["London", "Tokyo", "Sydney", "Dubai", "Oslo"];
    const send = (from: number) =>
      log.append(
        cities.map((city, i) => ({
          key: city,
          value: JSON.stringify(observation({ city, temperature: from + i })),
        })),
      );
    await send(0);
    const current = new CurrentState();
    const positions = new Map<number, number>();
    const subscription = await followLog({ log, current, hub, positions });
    expect(current.list()).toHaveLength(5);
    const before = hub.newest;
    await send(10);
    await until(() => positions.values().reduce((sum, next) => sum + next, 0) === 10);
    expect(hub.newest).toBeGreaterThan(before ?? Infinity);
    expect(current.city("Oslo")?.observation.temperature).toBe(14);
    await subscription.stop();
    // A second call goes on where the first was: nothing is published twice.
    const published = hub.newest;
    await (await followLog({ log, current, hub, positions })).stop();
    expect(hub.newest).toBe(published);
    await log.close();
  });
});

/** Lets what was begun run on until `done`. */
async function until(done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !done(); turn++) await new Promise<void>((go) => setImmediate(go));
  expect(done()).toBe(true);
}

describe("announce()", () => {
  test("sends the status when it changed, at most once a second, and each new result once", async () => {
    const { clock, hub, services, listen } = await follow();
    services.analytics.finish(result("hourly_trends"));
    const received = listen();
    const abort = new AbortController();
    const done = announce({ services, hub, clock, signal: abort.signal });
    await clock.advance(5_000);
    services.status = { ...services.status, live: { clients: 1, dropped: 0 } };
    services.status = { ...services.status, live: { clients: 2, dropped: 0 } };
    await clock.advance(1_000);
    services.analytics.start("city_statistics");
    services.analytics.finish(result("city_statistics"));
    services.analytics.changed("city_statistics");
    services.analytics.changed("hourly_trends");
    abort.abort();
    await done;
    services.analytics.finish(result("wind_rose"));
    const events = await received();
    expect(events.map(({ name, data }) => [name, data.job ?? data.live ?? null])).toEqual([
      ["snapshot", null],
      ["status", { clients: 0, dropped: 0 }],
      ["status", { clients: 2, dropped: 0 }],
      ["run", null],
      ["result", "city_statistics"],
    ]);
  });

  test("tells each state of a run at once, and its progress at most twice a second", async () => {
    const { clock, hub, services, listen } = await follow();
    services.analytics.start("wind_rose"); // before: known already
    const received = listen();
    const abort = new AbortController();
    const done = announce({ services, hub, clock, signal: abort.signal });
    services.analytics.changed("wind_rose");
    const run = services.analytics.start("anomalies");
    const set = (changes: Partial<typeof run>) => {
      Object.assign(run, changes);
      services.analytics.changed("anomalies");
    };
    set({ state: "running", progress: 0 });
    for (const progress of [0.1, 0.2, 0.3]) set({ progress });
    await clock.advance(500);
    set({ progress: 0.5 });
    set({ progress: 0.6 });
    set({ state: "succeeded", progress: 1, rows: 35 });
    services.analytics.changed("anomalies");
    abort.abort();
    await done;
    const told = (await received()).filter(({ name }) => name === "run");
    expect(told.map(({ id }) => id)).toEqual([undefined, undefined, undefined, undefined]);
    expect(told.map(({ data }) => data.run)).toMatchObject([
      { job: "anomalies", state: "queued", progress: 0 },
      { job: "anomalies", state: "running", progress: 0 },
      { job: "anomalies", state: "running", progress: 0.5 },
      { job: "anomalies", state: "succeeded", progress: 1, rows: 35 },
    ]);
  });
});
