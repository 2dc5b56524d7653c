import { describe, expect, test } from "bun:test";
import { LogError, SourceError } from "../../core/errors.ts";
import { createLogger } from "../../core/log.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { Log, NewRecord } from "../../jobs/log/log.ts";
import { producerJob, type ProducerStatus } from "../../jobs/producer.ts";
import type { Poll, Source } from "../../jobs/sources/source.ts";
import { thrown } from "../contract/log-contract.ts";
import { FakeClock } from "../support/fake-clock.ts";

const NOON = Date.UTC(2026, 0, 31, 12);

/** An observation as a source sends it. */
function record(city: string, ms: number, temperature: number): NewRecord {
  return {
    key: city,
    value: JSON.stringify({
      timestamp: formatTimestamp(ms),
      city,
      temperature,
      humidity: 50,
      pressure: 1013,
      wind_speed: 3,
      rainfall: 0,
      weather_main: "Clear",
      weather_description: "clear sky",
      source: "test",
    }),
  };
}

const found = (...records: NewRecord[]): Poll => ({ records, failures: [] });

/** A producer over a source and a log that the test makes answer. */
function setUp(options: {
  poll: (count: number, signal: AbortSignal) => Promise<Poll> | Poll;
  history?: (count: number) => Promise<Poll> | Poll;
  pollSeconds?: number;
  firstStart?: () => Promise<boolean>;
}) {
  const clock = new FakeClock(NOON);
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger({
    level: "info",
    format: "json",
    write: (line) => lines.push(JSON.parse(line)),
    now: () => clock.now(),
  });
  const polls: number[] = [];
  const hours: number[] = [];
  const source: Source = {
    name: "test",
    kind: "observed",
    pollSeconds: 600,
    credit: null,
    poll: async (signal) => {
      polls.push(clock.now() - NOON);
      return options.poll(polls.length, signal);
    },
    history: async (wanted) => {
      hours.push(wanted);
      return options.history?.(hours.length) ?? found();
    },
  };
  const appends: NewRecord[][] = [];
  const answer: { error: Error | null; tries: number[] } = { error: null, tries: [] };
  const log = {
    append: async (records: readonly NewRecord[]) => {
      answer.tries.push(clock.now() - NOON);
      if (answer.error !== null) throw answer.error;
      appends.push([...records]);
    },
  } as Partial<Log> as Log;
  const seen: ProducerStatus[] = [];
  const job = producerJob({
    source,
    log,
    clock,
    logger,
    pollSeconds: options.pollSeconds ?? 60,
    historyHours: 48,
    firstStart: options.firstStart ?? (async () => false),
    onPoll: (status) => seen.push(status),
    random: () => 1,
  });
  const abort = new AbortController();
  const states: string[] = [];
  const tell = (state: string) => void (states.at(-1) === state || states.push(state));
  const start = () =>
    job.run({
      signal: abort.signal,
      running: () => tell("running"),
      waiting: (reason) => tell(`waiting: ${reason}`),
    });
  const values = () => appends.flat().map((r) => r.value);
  return { clock, lines, polls, hours, appends, values, answer, seen, job, abort, states, start };
}

describe("producerJob()", () => {
  test("takes no report of a poll that is older than a day; the city fails, and history may be of any age", async () => {
    const old = [0, Date.UTC(2000, 0, 1), NOON - 86_401_000].map((ms, index) =>
      record(`Old ${index}`, ms, 5),
    );
    const current = [record("London", NOON - 86_400_000, 4), record("Bern", NOON, 3)];
    const t = setUp({
      firstStart: async () => true,
      history: () => found(record("London", Date.UTC(2000, 0, 1), 1)),
      poll: () => found(...old, ...current),
    });
    const running = t.start();
    await t.clock.sleepers();
    t.abort.abort();
    await running;
    expect(t.values()).toEqual(
      [record("London", Date.UTC(2000, 0, 1), 1), ...current].map(({ value }) => value),
    );
    expect(t.job.status().failures).toBe(3);
    expect(t.lines.filter(({ message }) => message === "A city fails")).toMatchObject([
      {
        city: "Old 0",
        code: "bad_response",
        reason:
          "The source test answered with an old report: timestamp is 1970-01-01T00:00:00Z, more than a day old for a live report",
      },
      { city: "Old 1" },
      { city: "Old 2" },
    ]);
  });

  test("polls on a grid that does not drift, whatever a poll takes", async () => {
    const t = setUp({
      poll: async (count) => {
        if (count === 2) await t.clock.sleep(7_000);
        if (count === 3) await t.clock.sleep(130_000);
        return found();
      },
    });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(420_000);
    t.abort.abort();
    await running;
    expect(t.polls.map((ms) => ms / 1_000)).toEqual([0, 60, 120, 300, 360, 420]);
  });

  test("a time that is ahead is appended, and does not count as how far the source is", async () => {
    const ahead = record("Tokyo", NOON + 11 * 3_600_000, 25);
    const t = setUp({ poll: () => found(record("London", NOON - 60_000, 8), ahead) });
    const running = t.start();
    await t.clock.sleepers();
    t.abort.abort();
    await running;
    expect(t.job.status()).toMatchObject({ appended: 2, watermark: formatTimestamp(NOON - 60_000) });
  });

  test("appends several records of a city once, however often they are polled", async () => {
    const [early, late] = [record("London", NOON - 120_000, 8), record("London", NOON - 60_000, 9)];
    const corrected = record("London", NOON - 60_000, 7);
    const t = setUp({
      poll: (count) => (count < 3 ? found(early, late, late) : found(early, late, corrected)),
    });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(240_000);
    t.abort.abort();
    await running;
    expect(t.values()).toEqual([early, late, corrected].map(({ value }) => value));
  });

  test("appends what a poll brought, in its order, and tells how far it is", async () => {
    const late = record("Tokyo", NOON - 120_000, 5);
    const t = setUp({ poll: () => found(record("London", NOON - 60_000, 8), late) });
    expect(t.job.name).toBe("producer");
    expect(t.job.status()).toEqual({ watermark: null, appended: 0, failures: 0, dropped: 0 });
    const running = t.start();
    await t.clock.sleepers();
    expect(t.values()).toEqual([record("London", NOON - 60_000, 8).value, late.value]);
    expect(t.job.status()).toEqual({
      watermark: "2026-01-31T11:59:00Z",
      appended: 2,
      failures: 0,
      dropped: 0,
    });
    expect(t.seen).toEqual([t.job.status()]);
    expect(t.states).toEqual(["running"]);
    t.abort.abort();
    await running;
  });

  test("leaves out what a city said last, and sends a changed value of the same time again", async () => {
    const first = record("London", NOON, 8);
    const revised = record("London", NOON, 8.4);
    const tokyo = record("Tokyo", NOON, 5);
    const answers = [found(first, tokyo), found(first, tokyo), found(revised, tokyo), found(revised)];
    const t = setUp({ poll: (count) => answers[count - 1] ?? found() });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(180_000);
    expect(t.polls).toHaveLength(4);
    expect(t.appends).toEqual([[first, tokyo], [revised]]);
    t.abort.abort();
    await running;
  });

  test("appends the past first on a first start, in chunks of 1,000 at most, and never else", async () => {
    const past = Array.from({ length: 2_500 }, (_, i) => record("London", NOON - (2_500 - i) * 60_000, i));
    const now = record("London", NOON, 8);
    const t = setUp({ poll: () => found(now), history: () => found(...past), firstStart: async () => true });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(120_000);
    expect(t.hours).toEqual([48]);
    expect(t.appends.map((chunk) => chunk.length)).toEqual([1_000, 1_000, 500, 1]);
    expect(t.values()).toEqual([...past, now].map((r) => r.value));
    t.abort.abort();
    await running;

    const later = setUp({ poll: () => found(now), history: () => found(...past) });
    const runningLater = later.start();
    await later.clock.sleepers();
    expect(later.hours).toEqual([]);
    later.abort.abort();
    await runningLater;
  });

  test("polls nothing before it knows whether the data set is new, and asks again when it is run again", async () => {
    const away = new LogError("unavailable", "the log is away");
    const [past, first] = [record("London", NOON - 3_600_000, 7), record("London", NOON, 8)];
    let asked = 0;
    const t = setUp({
      poll: () => found(first),
      history: () => found(past),
      firstStart: async () => {
        if (++asked === 1) throw away;
        return true;
      },
    });
    await expect(t.start()).rejects.toBe(away);
    expect([t.polls, t.hours, t.states]).toEqual([[], [], []]);
    const running = t.start();
    await t.clock.sleepers();
    expect(t.values()).toEqual([past.value, first.value]);
    expect(asked).toBe(2);
    t.abort.abort();
    await running;
  });

  test("a past that cannot be had holds up no poll and is asked for again", async () => {
    const now = record("London", NOON, 8);
    const old = record("London", NOON - 3_600_000, 7);
    const t = setUp({
      poll: () => found(now),
      history: (count) => {
        if (count === 1) throw new SourceError("unavailable", "no archive");
        return {
          records: [old],
          failures: [{ city: "Tokyo", error: new SourceError("not_found", "no Tokyo") }],
        };
      },
      firstStart: async () => true,
    });
    const running = t.start();
    await t.clock.sleepers();
    expect(t.values()).toEqual([now.value]);
    expect(t.lines).toMatchObject([{ level: "warn", reason: "no archive" }]);
    await t.clock.advance(60_000);
    expect(t.values().slice(0, 2)).toEqual([now.value, old.value]);
    expect(t.lines).toContainEqual(
      expect.objectContaining({ level: "warn", city: "Tokyo", reason: "no Tokyo" }),
    );
    await t.clock.advance(60_000);
    expect(t.hours).toHaveLength(2);
    expect(t.job.status().failures).toBe(2);
    t.abort.abort();
    await running;
  });

  test("a city's failure is logged once per change, counted each time, and holds up no other", async () => {
    const failing = (code: "unavailable" | "not_found", count: number): Poll => ({
      records: [record("London", NOON, count)],
      failures: [{ city: "Tokyo", error: new SourceError(code, `failure ${count}`) }],
    });
    const t = setUp({
      poll: (count) =>
        count <= 3 ? failing("unavailable", count) : count <= 5 ? failing("not_found", count) : found(),
    });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(360_000);
    expect(t.polls).toHaveLength(7);
    expect(t.job.status()).toMatchObject({ appended: 5, failures: 5 });
    expect(t.lines.map(({ level, city, code }) => [level, city, code])).toEqual([
      ["warn", "Tokyo", "unavailable"],
      ["warn", "Tokyo", "not_found"],
      ["info", "Tokyo", undefined],
    ]);
    expect(t.states).toEqual(["running"]);
    t.abort.abort();
    await running;
  });

  test("waits with backoff while the source gives nothing, then is back on its grid", async () => {
    const t = setUp({
      poll: (count) => {
        if (count >= 2 && count <= 6) throw new SourceError("unavailable", "no answer");
        return found(record("London", NOON, count));
      },
    });
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(60_000);
    expect(t.states).toEqual(["running", "waiting: The source test gives nothing: no answer"]);
    await t.clock.advance(240_000);
    expect(t.polls.map((ms) => ms / 1_000)).toEqual([0, 60, 65, 75, 95, 135, 195, 240, 300]);
    expect(t.states).toEqual(["running", "waiting: The source test gives nothing: no answer", "running"]);
    expect(t.job.status()).toMatchObject({ appended: 4, failures: 5 });
    expect(t.seen).toHaveLength(9);
    expect(t.lines.map(({ level, code }) => [level, code])).toEqual([
      ["error", "unavailable"],
      ["info", undefined],
    ]);
    t.abort.abort();
    await running;
  });

  test("does not hurry a source that refuses the key", async () => {
    const t = setUp({
      poll: () => {
        throw new SourceError("unauthorized", "the key is not taken", { hint: "Set OPENWEATHER_API_KEY." });
      },
      pollSeconds: 10,
    });
    const running = t.start();
    await t.clock.sleepers();
    expect(t.clock.nextWakeMs).toBe(60_000);
    expect(t.lines).toMatchObject([{ level: "error", hint: "Set OPENWEATHER_API_KEY." }]);
    t.abort.abort();
    await running;
  });

  test("keeps records while the log is away, goes on polling, and sends them with backoff", async () => {
    const t = setUp({ poll: (count) => found(record("London", NOON, count)) });
    t.answer.error = new LogError("unavailable", "the broker is down");
    const running = t.start();
    await t.clock.sleepers();
    expect(t.states).toEqual(["waiting: The log takes no records: the broker is down"]);
    await t.clock.advance(125_000);
    expect(t.polls).toHaveLength(3);
    expect(t.answer.tries.map((ms) => ms / 1_000)).toEqual([0, 1, 3, 7, 15, 31, 63, 123]);
    t.answer.error = null;
    await t.clock.advance(60_000);
    expect(t.values()).toEqual([1, 2, 3, 4].map((n) => record("London", NOON, n).value));
    expect(t.job.status()).toMatchObject({ appended: 4, dropped: 0 });
    expect(t.states.at(-1)).toBe("running");
    expect(t.lines).toMatchObject([
      { level: "error", reason: "the broker is down" },
      { level: "warn", appended: 4, dropped: 0 },
    ]);
    t.abort.abort();
    await running;
  });

  test("drops the oldest beyond 10,000 while the log is full, says so, and takes them again from a later poll", async () => {
    const cities = Array.from({ length: 6_000 }, (_, i) => `City ${i}`);
    const t = setUp({
      poll: (count) => found(...cities.map((city) => record(city, NOON, count <= 2 ? count : 3))),
      pollSeconds: 600,
    });
    t.answer.error = new LogError("full", "the disk is full");
    const running = t.start();
    await t.clock.sleepers();
    await t.clock.advance(600_000);
    expect(t.job.status()).toMatchObject({ appended: 0, dropped: 2_000 });
    await t.clock.advance(600_000);
    expect(t.job.status().dropped).toBe(8_000);
    t.answer.error = null;
    await t.clock.advance(600_000);
    expect(t.job.status()).toMatchObject({ appended: 10_000, dropped: 8_000 });
    expect(t.values().slice(-6_000)).toEqual(cities.map((city) => record(city, NOON, 3).value));
    expect(t.lines).toMatchObject([
      { level: "error", code: "full" },
      { level: "error", kept: 10_000 },
      { level: "warn", appended: 10_000, dropped: 8_000 },
    ]);
    t.abort.abort();
    await running;
  });

  test("a value that was dropped is sent when the source says it again", async () => {
    const first = Array.from({ length: 10_001 }, (_, i) => record(`City ${i}`, NOON, 1));
    const t = setUp({ poll: () => found(...first) });
    t.answer.error = new LogError("unavailable", "away");
    const running = t.start();
    await t.clock.sleepers();
    expect(t.job.status().dropped).toBe(1);
    t.answer.error = null;
    await t.clock.advance(60_000);
    expect(t.values().toSorted()).toEqual(first.map((r) => r.value).toSorted());
    t.abort.abort();
    await running;
  });

  test("asks for the past again when the log did not take it", async () => {
    const past = Array.from({ length: 12_000 }, (_, i) => record("London", NOON - (12_000 - i) * 1_000, i));
    const t = setUp({ poll: () => found(), history: () => found(...past), firstStart: async () => true });
    t.answer.error = new LogError("unavailable", "away");
    const running = t.start();
    await t.clock.sleepers();
    expect(t.job.status().dropped).toBe(2_000);
    t.answer.error = null;
    await t.clock.advance(120_000);
    expect(t.hours).toEqual([48, 48]);
    expect(new Set(t.values())).toEqual(new Set(past.map((r) => r.value)));
    t.abort.abort();
    await running;
  });

  test("any other error of the log ends the run; the records are sent by the next one", async () => {
    const t = setUp({ poll: () => found(record("London", NOON, 1)) });
    t.answer.error = new LogError("damaged", "page 7");
    expect(await thrown(t.start())).toBe(t.answer.error);
    t.answer.error = null;
    const running = t.start();
    await t.clock.sleepers();
    expect(t.values()).toEqual([record("London", NOON, 1).value]);
    t.abort.abort();
    await running;
  });

  test("what was fetched is appended before a stop, also while the log is waited for", async () => {
    const fetched = Promise.withResolvers<Poll>();
    const asked = Promise.withResolvers<void>();
    const t = setUp({ poll: () => (asked.resolve(), fetched.promise) });
    const running = t.start();
    await asked.promise;
    t.abort.abort();
    fetched.resolve(found(record("London", NOON, 1)));
    await running;
    expect(t.values()).toEqual([record("London", NOON, 1).value]);

    const away = setUp({ poll: () => found(record("London", NOON, 1)) });
    away.answer.error = new LogError("unavailable", "away");
    const runningAway = away.start();
    await away.clock.sleepers();
    away.answer.error = null;
    away.abort.abort();
    await runningAway;
    expect(away.values()).toEqual([record("London", NOON, 1).value]);
  });

  test("says how many records a stop loses when the log takes none", async () => {
    const t = setUp({ poll: () => found(record("London", NOON, 1), record("Tokyo", NOON, 1)) });
    t.answer.error = new LogError("unavailable", "away");
    const running = t.start();
    await t.clock.sleepers();
    t.abort.abort();
    await running;
    expect(t.lines.at(-1)).toMatchObject({ level: "error", records: 2 });
    expect(t.job.status()).toMatchObject({ appended: 0, dropped: 2 });
  });

  test("a poll that the stop cuts off is no failure", async () => {
    const t = setUp({
      poll: (_, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    const running = t.start();
    t.abort.abort();
    await running;
    expect(t.job.status().failures).toBe(0);
    expect(t.lines).toEqual([]);
  });

  test("the watermark does not follow what the consumer will refuse, which is sent all the same", async () => {
    const junk = [
      "not JSON",
      "null",
      '{"timestamp":"9999-01-01T00:00:00Z"}',
      record("A", NOON + 3 * 86_400_000, 1).value,
    ];
    const t = setUp({
      poll: () => found(...junk.map((value, i) => ({ key: `${i}`, value })), record("London", NOON, 1)),
    });
    const running = t.start();
    await t.clock.sleepers();
    expect(t.values()).toHaveLength(5);
    expect(t.job.status().watermark).toBe("2026-01-31T12:00:00Z");
    t.abort.abort();
    await running;
  });
});
