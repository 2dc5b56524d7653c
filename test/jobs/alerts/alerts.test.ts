import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAlertsFile } from "../../../core/alert-rule.ts";
import { ConfigError, DeliveryError, RequestError } from "../../../core/errors.ts";
import { silentLogger } from "../../../core/log.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { Alerts, type AlertsOptions } from "../../../jobs/alerts/alerts.ts";
import type { AlertMessage } from "../../../core/alert-message.ts";
import { AlertStore } from "../../../jobs/alerts/store.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { judgementOf, MINUTE, rowOf, type Sight } from "./reports.ts";

const FILE = {
  channels: [
    { name: "ops", type: "webhook", url: "https://example.org/" },
    {
      name: "night",
      type: "webhook",
      url: "https://example.org/",
      quiet_hours: { from: "12:00", to: "12:10", zone: "UTC" },
    },
  ],
  rules: [{ name: "Frost", variable: "temperature", below: 0, channels: ["ops"] }],
};

let folder: string;
let clock: FakeClock;
let sent: [string, string][];
let failing: Error | null;
let ids: number;
const running: (() => Promise<void>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-alerts-"));
  clock = new FakeClock();
  sent = [];
  failing = null;
  ids = 0;
});
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
  await rm(folder, { recursive: true, force: true });
});

/** Alerts over a file in the test's folder, whose job runs until the test or `stop` ends it. */
function start(changes: Partial<AlertsOptions> = {}, file: unknown = FILE) {
  const store = new AlertStore(join(folder, "a.sqlite"));
  const alerts = new Alerts({
    file: parseAlertsFile(file),
    store,
    deliver: (channel, message: AlertMessage) => {
      if (failing !== null) return Promise.reject(failing);
      sent.push([channel.name, message.text]);
      return Promise.resolve();
    },
    label: { dataset: "main", kind: "observed" },
    staleAfterSeconds: 1800,
    current: () => [],
    lock: () => Promise.resolve({ release: () => {} }),
    clock,
    logger: silentLogger,
    newId: () => `id${++ids}`,
    random: () => 0,
    ...changes,
  });
  const abort = new AbortController();
  const states: string[] = [];
  const ended = alerts.backgroundJob().run({
    signal: abort.signal,
    running: () => void states.push("running"),
    waiting: (reason) => void states.push(reason),
  });
  ended.catch(() => {}); // who stops it is told
  const stop = async () => {
    abort.abort();
    await ended;
  };
  running.push(async () => {
    await stop();
    store.close();
  });
  const observe = async (...sights: Sight[]) => {
    alerts.see(sights.map(rowOf));
    alerts.judged(sights.map(judgementOf));
    await clock.advance(0);
    await clock.advance(0);
  };
  return { alerts, store, observe, stop, states };
}

describe("Alerts", () => {
  test("brings an alert and its recovery to the rule's channels, once", async () => {
    const { observe, alerts } = start();
    await observe({ minute: 0, temperature: -1 });
    await observe({ minute: 10, temperature: -2 });
    expect(alerts.active().map(({ alert: { city } }) => city)).toEqual(["London"]);
    expect(alerts.rules().map(({ rule, active }) => [rule.name, active])).toEqual([["Frost", 1]]);
    await observe({ minute: 20, temperature: 3 });
    expect(sent).toEqual([
      ["ops", "Frost: London, temperature -1 °C (limit: below 0 °C) at 2026-01-31T12:00:00Z"],
      [
        "ops",
        "Over: Frost: London, temperature 3 °C (limit: below 0 °C) at 2026-01-31T12:20:00Z, since 2026-01-31T12:00:00Z",
      ],
    ]);
    expect(alerts.active()).toEqual([]);
    expect(alerts.messages(10).map(({ state, type }) => [state, type])).toEqual([
      ["sent", "recovery"],
      ["sent", "alert"],
    ]);
  });

  test("waits for the judgement of a value", async () => {
    const { alerts, observe } = start();
    alerts.see([rowOf({ temperature: -60 })]);
    await clock.advance(0);
    expect(sent).toEqual([]);
    await observe({ temperature: -60, flag: 4 });
    expect(sent).toEqual([]);
  });

  test("ignores the judgement of a report that was revised since", async () => {
    const { alerts, observe } = start();
    alerts.see([{ ...rowOf({ temperature: -60 }), log_offset: 7 }]);
    alerts.judged([judgementOf({ temperature: 5 })]);
    await observe({ minute: 1, temperature: 5 });
    expect(sent).toEqual([]);
  });

  test("raises nothing for a report that was retracted before it was evaluated", async () => {
    const { alerts, observe } = start();
    alerts.see([rowOf({ temperature: -60 })]);
    alerts.judged([judgementOf({ temperature: -60 })]);
    alerts.withdraw(({ log_offset }) => log_offset === rowOf({}).log_offset);
    alerts.judged([judgementOf({ temperature: -60 })]);
    await observe({ minute: 1, temperature: 5 });
    expect(sent).toEqual([]);
  });

  test("retries a failed message with growing waits, and sends the recovery after it", async () => {
    failing = new DeliveryError("unavailable", "it is away");
    const { observe, alerts, store } = start({ random: () => 0.999 });
    await observe({ minute: 0, temperature: -1 });
    await observe({ minute: 1, temperature: 1 });
    const waits: number[] = [];
    for (let tries = 1; tries <= 9; tries++) {
      expect(alerts.messages(10).map(({ tries }) => tries)).toEqual([0, tries]);
      const wait = (store.nextDue("ops", clock.now()) ?? Infinity) - clock.now();
      waits.push(Math.round(wait / 1000));
      await clock.advance(wait);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 639, 899]);
    expect(alerts.messages(10)[1]).toMatchObject({ state: "waiting", error: "it is away" });
    failing = null;
    await clock.advance((store.nextDue("ops", clock.now()) ?? Infinity) - clock.now());
    expect(sent.map(([, text]) => text.split(":")[0])).toEqual(["Frost", "Over"]);
  });

  test("gives a message up after three days, and shows it as failed", async () => {
    failing = new DeliveryError("unavailable", "it is away");
    const first = start();
    await first.observe({ temperature: -1 });
    await first.stop();
    clock = new FakeClock(clock.now() + 3 * DAY_MS - 1);
    const { alerts } = start();
    await clock.advance(0);
    expect(alerts.messages(10)[0]).toMatchObject({ state: "waiting", tries: 2 });
    await clock.advance(HOUR_MS);
    expect(alerts.messages(10)[0]).toMatchObject({
      state: "failed",
      tries: 3,
      next_try_at: null,
      error: "it is away",
    });
  });

  test("does not show a bug's text, and goes on", async () => {
    failing = new Error("/secret/path");
    const { observe, alerts } = start();
    await observe({ temperature: -1 });
    expect(alerts.messages(10)[0]?.error).toBe("An unexpected error, which was logged");
    failing = null;
    await clock.advance(MINUTE);
    expect(sent).toHaveLength(1);
  });

  test("lets messages wait until quiet hours end, tests excepted", async () => {
    const rules = [{ name: "Frost", variable: "temperature", below: 0, channels: ["night", "ops"] }];
    const { observe, alerts } = start({}, { ...FILE, rules });
    await observe({ minute: 0, temperature: -1 });
    await observe({ minute: 1, temperature: 1 });
    alerts.test("night");
    await clock.advance(9 * MINUTE);
    expect(sent.map(([channel, text]) => `${channel} ${text.split(":")[0]}`)).toEqual([
      "ops Frost",
      "ops Over",
      "night Test",
    ]);
    await clock.advance(2 * MINUTE);
    expect(sent.slice(3).map(([channel, text]) => `${channel} ${text.split(":")[0]}`)).toEqual([
      "night Frost",
      "night Over",
    ]);
  });

  test("does not retry a test message", async () => {
    failing = new DeliveryError("refused", "it said no");
    const { alerts } = start();
    await clock.advance(0);
    alerts.test("ops");
    await clock.advance(0);
    expect(alerts.messages(1)[0]).toMatchObject({ type: "test", state: "failed", error: "it said no" });
    expect(() => alerts.test("pager")).toThrow('There is no channel "pager"');
  });

  test("sends a message again with the same id after a stop during its delivery", async () => {
    const got: string[] = [];
    const hanging = start({
      deliver: (_, { id }, signal) => {
        got.push(id);
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    await hanging.observe({ temperature: -1 });
    await hanging.stop();
    expect(hanging.alerts.messages(1)[0]).toMatchObject({ state: "waiting", tries: 0 });
    start({ deliver: (_, { id }) => (got.push(id), Promise.resolve()) });
    await clock.advance(0);
    expect(got).toHaveLength(2);
    expect(got[1]).toBe(got[0]!);
  });

  test("resumes after a restart: neither a second alert nor a lost recovery", async () => {
    const first = start();
    await first.observe({ minute: 0, temperature: -1 });
    await first.stop();
    const { observe, alerts } = start();
    // The log's last records are read once more.
    await observe({ minute: 0, temperature: -1 });
    await observe({ minute: 10, temperature: -1 });
    expect(alerts.active()).toHaveLength(1);
    await observe({ minute: 20, temperature: 1 });
    expect(sent.map(([, text]) => text.split(":")[0])).toEqual(["Frost", "Over"]);
  });

  test("evaluates reports again when their changes could not be stored", async () => {
    const { alerts, store, observe, stop } = start();
    await clock.advance(0);
    const keep = store.keep.bind(store);
    store.keep = () => {
      throw new Error("disk full");
    };
    await observe({ temperature: -1 });
    await expect(stop()).rejects.toThrow("disk full");
    running.length = 0;
    store.keep = keep;
    const abort = new AbortController();
    const again = alerts.backgroundJob().run({ signal: abort.signal, running: () => {}, waiting: () => {} });
    await clock.advance(0);
    await clock.advance(0);
    expect(sent).toHaveLength(1);
    abort.abort();
    await again;
    store.close();
  });

  test("leaves the evaluation to the process that has it, and takes over from it", async () => {
    let isTaken = true;
    const locked = new ConfigError("locked", "Cannot take the role: another process holds it");
    const lock = () => (isTaken ? Promise.reject(locked) : Promise.resolve({ release: () => {} }));
    const current = () => [
      { observation: rowOf({ temperature: -1 }), judgement: judgementOf({ temperature: -1 }) },
    ];
    const { observe, states } = start({ lock, current });
    await clock.sleepers();
    await observe({ temperature: -1 });
    expect(sent).toEqual([]);
    isTaken = false;
    await clock.advance(MINUTE);
    expect(states.at(-1)).toBe("running");
    expect(sent).toHaveLength(1); // by what is known now
  });

  test("closes the alerts of a rule that went out of the file", async () => {
    const first = start();
    await first.observe({ temperature: -1 });
    await first.stop();
    const { alerts } = start({}, { ...FILE, rules: [] });
    await clock.advance(0);
    expect(alerts.active()).toEqual([]);
    expect(sent[1]?.[1]).toBe("Closed: Frost: London, because the rule was deleted");
  });

  test("makes a rule that looks at once at what is known, and deletes it with its alerts", async () => {
    const current = () => [
      { observation: rowOf({ temperature: 30 }), judgement: judgementOf({ temperature: 30 }) },
    ];
    const { alerts } = start({ current });
    await clock.advance(0);
    const made = alerts.addRule({ name: "Heat", variable: "temperature", above: 25, channels: ["ops"] });
    await clock.advance(0);
    await clock.advance(0);
    expect(sent.map(([, text]) => text.split(":")[0])).toEqual(["Heat"]);
    alerts.removeRule(made.id);
    await clock.advance(0);
    expect(sent[1]?.[1]).toStartWith("Closed: Heat: London");
    expect(alerts.rules().map(({ rule }) => rule.name)).toEqual(["Frost"]);
  });

  test("refuses a wrong rule, a taken name, and to delete what is in the file or not there", () => {
    const { alerts } = start();
    const refused = (action: () => unknown) => {
      try {
        action();
      } catch (error) {
        if (error instanceof RequestError) return `${error.code} ${error.message}`;
      }
      throw new Error("it was taken");
    };
    expect(refused(() => alerts.addRule({ name: "x" }))).toBe(
      "bad_parameter Cannot make the rule: variable and anomaly: wanted one of the two",
    );
    expect(refused(() => alerts.addRule(FILE.rules[0]))).toBe(
      'conflict Cannot make the rule: the name "Frost" is taken',
    );
    expect(refused(() => alerts.removeRule("file:Frost"))).toStartWith(
      'conflict Cannot delete the rule "Frost"',
    );
    expect(refused(() => alerts.removeRule("nope"))).toBe('not_found There is no rule "nope"');
  });

  test("measures age by the recording where data is replayed", async () => {
    const { observe } = start({ label: { dataset: "replay", kind: "replayed" } });
    await observe({ minute: -500_000, temperature: -1 });
    expect(sent[0]?.[1]).toStartWith("[replayed] Frost: London");
  });
});
