import { afterEach, describe, expect, test } from "bun:test";
import { DEFAULT_CITIES, type City } from "../../core/city.ts";
import { LogError, SourceError } from "../../core/errors.ts";
import { createLogger } from "../../core/log.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { backfillJob, missingBlocks, type StoredHours } from "../../jobs/backfill.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import type { Archive } from "../../jobs/sources/archive.ts";
import { syntheticCities } from "../../jobs/sources/simulator.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** The data set was made at noon: its past ends with the day before. */
const BEGUN = Date.UTC(2026, 0, 31, 12);
const TODAY = Date.UTC(2026, 0, 31);
const cities = DEFAULT_CITIES.slice(0, 2);

const dayOf = (ms: number) => formatTimestamp(ms).slice(5, 10);
/** Blocks as texts: `2 01-17…01-30`. */
const told = (blocks: { cities: readonly City[]; from: number; to: number }[]) =>
  blocks.map(({ cities, from, to }) => `${cities.length} ${dayOf(from)}…${dayOf(to - DAY_MS)}`);

/** Everything of the given days (since the epoch) of all cities. */
const storedDays = (days: number[], names = cities.map(({ name }) => name)): StoredHours =>
  new Map(names.map((name) => [name, new Map(days.map((day) => [day, 24]))]));

describe("missingBlocks()", () => {
  const from = TODAY - 60 * DAY_MS;

  test("asks for all days of an empty lake, the newest first, in calls of two weeks", () => {
    expect(told(missingBlocks(cities, new Map(), from, TODAY))).toEqual([
      "2 01-17…01-30",
      "2 01-03…01-16",
      "2 12-20…01-02",
      "2 12-06…12-19",
      "2 12-02…12-05",
    ]);
  });

  test("asks for what is missing only: a day counts when it has every hour", () => {
    const first = TODAY / DAY_MS - 60;
    const all = Array.from({ length: 60 }, (_, index) => first + index);
    expect(missingBlocks(cities, storedDays(all), from, TODAY)).toEqual([]);
    const most = storedDays(all.filter((day) => day !== first + 50 && day !== first + 52));
    expect(told(missingBlocks(cities, most, from, TODAY))).toEqual(["2 01-21…01-23"]);
    const [one, other] = cities;
    const half = new Map([
      [one!.name, new Map(all.map((day) => [day, 24]))],
      [other!.name, new Map(all.map((day) => [day, day === first ? 23 : 24]))],
    ]);
    const blocks = missingBlocks(cities, half, from, TODAY);
    expect(told(blocks)).toEqual(["1 12-02…12-02"]);
    expect(blocks[0]?.cities).toEqual([other!]);
  });

  test("asks for no more places at once than fit into an answer", () => {
    const blocks = missingBlocks(syntheticCities(50), new Map(), TODAY - 14 * DAY_MS, TODAY);
    expect(blocks.map((block) => block.cities.length)).toEqual([22, 22, 6]);
  });
});

describe("backfillJob()", () => {
  const abort: AbortController[] = [];
  afterEach(() => abort.splice(0).forEach((one) => one.abort()));

  /** A job over an archive and a lake that the test makes answer; the lake takes what the log gets at once. */
  function setUp(
    options: {
      days?: number;
      fetch?: Archive["fetch"];
      append?: (count: number) => void;
      lake?: Map<string, Map<number, number>>;
      now?: number;
    } = {},
  ) {
    const clock = new FakeClock(options.now ?? BEGUN);
    const lines: { level: string; message: string; reason?: string }[] = [];
    const logger = createLogger({
      level: "info",
      format: "json",
      write: (line) => lines.push(JSON.parse(line)),
    });
    const lake = options.lake ?? new Map<string, Map<number, number>>();
    const calls: string[] = [];
    const appended: NewRecord[] = [];
    let appends = 0;
    const hours: Archive["fetch"] = async (places, from, to) => {
      const records: NewRecord[] = [];
      for (let ms = from; ms < to; ms += HOUR_MS)
        for (const { name } of places)
          records.push({ key: name, value: JSON.stringify({ timestamp: formatTimestamp(ms), city: name }) });
      return { records, failures: [] };
    };
    const controller = new AbortController();
    abort.push(controller);
    const job = backfillJob({
      archive: {
        async fetch(places, from, to, signal) {
          calls.push(told([{ cities: [...places], from, to }])[0]!);
          return (options.fetch ?? hours)(places, from, to, signal);
        },
      },
      cities,
      log: {
        append: async (records: readonly NewRecord[]) => {
          options.append?.(++appends);
          appended.push(...records);
          for (const { value } of records) {
            const { timestamp, city } = JSON.parse(value) as { timestamp: string; city: string };
            const day = Math.floor(Date.parse(timestamp) / DAY_MS);
            const days = lake.get(city) ?? new Map<number, number>();
            lake.set(city, days.set(day, (days.get(day) ?? 0) + 1));
          }
        },
      },
      begun: async () => BEGUN,
      stored: async () => lake,
      days: options.days ?? 20,
      clock,
      logger,
      random: () => 0,
    });
    const states: string[] = [];
    let running = Promise.withResolvers<void>();
    const tell = (state: string) => {
      if (states.at(-1) !== state) states.push(state);
      running.resolve();
      running = Promise.withResolvers();
    };
    const start = () =>
      job.run({
        signal: controller.signal,
        running: () => tell("running"),
        waiting: (reason) => tell(`waiting ${reason}`),
      });
    /** Resolves once `test` holds after the job said how it is. */
    const until = async (check: () => boolean) => {
      while (!check()) await running.promise;
    };
    return { clock, lines, lake, calls, appended, states, hours, start, until, abort: controller };
  }
  const messages = (lines: { message: string }[]) => lines.map(({ message }) => message);

  test("fetches the days before the data set was made, and then rests", async () => {
    const t = setUp();
    const ended = t.start();
    await t.until(() => t.appended.length === 2 * 20 * 24);
    await t.clock.sleepers(); // before it looks whether more has come
    await t.clock.advance(12 * HOUR_MS);
    await t.until(() => t.states.at(-1) === "running");
    expect(t.calls).toEqual(["2 01-17…01-30", "2 01-11…01-16"]);
    expect(messages(t.lines)).toContain("The past is there");
    t.abort.abort();
    await ended;
  });

  test("after a restart it goes on where it was: what the lake holds is not fetched again", async () => {
    const first = setUp({
      fetch: async (places, from, to, signal) => {
        if (first.calls.length < 3) return first.hours(places, from, to, signal);
        first.abort.abort();
        throw new SourceError("unavailable", "it was stopped");
      },
      days: 40,
    });
    await first.start();
    expect(first.calls).toEqual(["2 01-17…01-30", "2 01-03…01-16", "2 12-22…01-02"]);
    expect(first.lines.filter(({ level }) => level !== "info")).toEqual([]);
    const second = setUp({ lake: first.lake, days: 40 });
    void second.start();
    await second.until(() => second.appended.length > 0);
    await second.clock.sleepers();
    expect(second.calls).toEqual(["2 12-22…01-02"]);
  });

  test("days that the archive does not have yet are asked for again, for ten days", async () => {
    let newest = TODAY - 3 * DAY_MS;
    const t = setUp({
      fetch: (places, from, to, signal) => t.hours(places, from, Math.min(to, newest), signal),
    });
    void t.start();
    await t.clock.sleepers();
    expect(t.states.at(-1)).toBe("waiting for days that the archive does not have yet");
    expect(t.calls).toEqual(["2 01-17…01-30", "2 01-11…01-16"]);
    newest = TODAY;
    await t.clock.advance(12 * HOUR_MS);
    await t.until(() => t.appended.length === 2 * 20 * 24);
    expect(t.calls.slice(2)).toEqual(["2 01-28…01-30"]);
    const never = setUp({ fetch: async () => ({ records: [], failures: [] }), days: 14 });
    void never.start();
    await never.clock.sleepers();
    for (let half = 0; half < 30; half++) await never.clock.advance(12 * HOUR_MS);
    expect(never.calls).toHaveLength(21); // at the start and every 12 h
    expect(never.states.at(-1)).toBe("running");
    const old = setUp({ fetch: never.hours, days: 14, now: BEGUN + 400 * DAY_MS });
    void old.start();
    await old.until(() => old.appended.length === 2 * 14 * 24);
    expect(old.calls).toEqual(["2 01-17…01-30"]);
  });

  test("waits while the archive is away, says why once, and goes on with the same days", async () => {
    let away = 3;
    const t = setUp({
      days: 14,
      fetch: async (places, from, to, signal) => {
        if (away-- > 0) throw new SourceError("unavailable", "no answer");
        return t.hours(places, from, to, signal);
      },
    });
    void t.start();
    for (const _ of [1, 2, 3]) {
      await t.clock.sleepers();
      expect(t.states.at(-1)).toBe("waiting The archive gives nothing: no answer");
      await t.clock.advance(5_000);
    }
    await t.until(() => t.appended.length > 0);
    expect(t.calls).toEqual(Array.from({ length: 4 }, () => "2 01-17…01-30"));
    expect(t.lines.filter(({ level }) => level === "warn")).toHaveLength(1);
  });

  test("a call that is refused holds up no other", async () => {
    const t = setUp({
      fetch: async (places, from, to, signal) => {
        if (dayOf(from) === "01-17") throw new SourceError("bad_response", "answered 400");
        return t.hours(places, from, to, signal);
      },
    });
    void t.start();
    await t.until(() => t.appended.length === 2 * 6 * 24);
    expect(t.lines.find(({ level }) => level === "warn")).toMatchObject({
      message: "The archive refuses some days",
      from: "2026-01-17",
      to: "2026-01-30",
      reason: "answered 400",
    });
  });

  test("waits while the log takes nothing, and loses no record; a log that is broken ends it", async () => {
    const t = setUp({
      days: 14,
      append: (count) => {
        if (count === 1) throw new LogError("unavailable", "the log is away");
      },
    });
    void t.start();
    await t.clock.sleepers();
    expect(t.states.at(-1)).toBe("waiting The log takes no records: the log is away");
    await t.clock.advance(5_000);
    await t.until(() => t.appended.length === 2 * 14 * 24);
    const broken = setUp({
      append: () => {
        throw new LogError("damaged", "the log is damaged");
      },
    });
    await expect(broken.start()).rejects.toThrow("the log is damaged");
  });
});
