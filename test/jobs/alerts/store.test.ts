import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAY_MS } from "../../../core/time.ts";
import type { ActiveAlert } from "../../../jobs/alerts/state-machine.ts";
import type { AlertMessage } from "../../../core/alert-message.ts";
import { AlertStore } from "../../../jobs/alerts/store.ts";
import { MINUTE, NOW, rule } from "./reports.ts";

let folder: string;
let store: AlertStore;
const open = () => new AlertStore(join(folder, "alerts", "simulated.sqlite"));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-alerts-"));
  store = open();
});
afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});
/** Opens the file anew while the first is still open, as after a kill: nothing was closed in order. */
const reopened = () => {
  const before = store;
  store = open();
  before.close();
};

function message(id: string, changes: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id,
    type: "alert",
    alert_id: id,
    rule: "Frost",
    city: "London",
    source: "open-meteo",
    text: `text ${id}`,
    watches: "temperature",
    observed: -1,
    unit: "°C",
    observed_at: "2026-01-31T12:00:00Z",
    since: "2026-01-31T12:00:00Z",
    dataset: "simulated",
    kind: "simulated",
    ...changes,
  };
}
const alert = (changes: Partial<ActiveAlert> = {}): ActiveAlert => ({
  id: "a1",
  rule: "r1",
  city: "London",
  source: "open-meteo",
  since: NOW,
  at: NOW,
  ...changes,
});
const due = (now = NOW, channel = "ops", testsOnly = false) =>
  store.due(channel, now, { testsOnly, limit: 10 }).map(({ message: { id } }) => id);

describe("AlertStore", () => {
  test("has all that it stored after a kill: tracks, alerts, rules and messages", () => {
    const track = { rule: "r1", city: "London", source: "open-meteo", since: NOW, last: NOW + 1 };
    const other = { ...track, city: "Oslo", since: null };
    store.addRule(rule());
    store.keep(
      {
        tracks: [track, other],
        alerts: [{ type: "raised", alert: alert(), rule: rule() }],
        messages: [{ channel: "ops", message: message("m1") }],
      },
      NOW,
    );
    reopened();
    expect(store.saved(NOW)).toEqual({ tracks: [track, other], alerts: [alert()] });
    expect(store.alerts()).toEqual([{ alert: alert(), rule: rule() }]);
    expect(store.rules([{ name: "ops" }])).toEqual([rule()]);
    expect(store.due("ops", NOW, { testsOnly: false, limit: 10 })).toEqual([
      { channel: "ops", message: message("m1"), tries: 0, madeMs: NOW },
    ]);
  });

  test("stores a change completely or not at all", () => {
    store.keep({ messages: [{ channel: "ops", message: message("m1") }] }, NOW);
    expect(() =>
      store.keep(
        {
          alerts: [{ type: "raised", alert: alert(), rule: rule() }],
          messages: [{ channel: "ops", message: message("m1") }], // an id that is there already
        },
        NOW,
      ),
    ).toThrow();
    expect(store.alerts()).toEqual([]);
  });

  test("ends an alert that began in the same change", () => {
    const [one, two] = [alert(), alert({ id: "a2" })];
    store.keep(
      {
        alerts: [
          { type: "raised", alert: one, rule: rule() },
          { type: "recovered", alert: one, rule: rule() },
          { type: "raised", alert: two, rule: rule() },
        ],
      },
      NOW,
    );
    expect(store.saved(NOW).alerts).toEqual([two]);
    store.keep({ alerts: [{ type: "recovered", alert: two, rule: rule() }] }, NOW);
    expect(store.saved(NOW).alerts).toEqual([]);
  });

  test("forgets a rule with its tracks and alerts, and old tracks", () => {
    store.addRule(rule());
    const track = { rule: "r1", city: "London", source: "a", since: NOW, last: NOW };
    store.keep({ tracks: [track], alerts: [{ type: "raised", alert: alert(), rule: rule() }] }, NOW);
    store.keep({ tracks: [{ ...track, rule: "r2", last: NOW - 31 * DAY_MS }] }, NOW);
    expect(store.saved(NOW).tracks).toEqual([track]);
    store.keep({ forgotten: ["r1"] }, NOW);
    expect(store.saved(NOW)).toEqual({ tracks: [], alerts: [] });
    expect(store.rules([{ name: "ops" }])).toEqual([]);
  });

  test("leaves out of a rule the channels that are there no more", () => {
    store.addRule({ ...rule(), channels: ["ops", "old"] });
    expect(store.rules([{ name: "ops" }])[0]?.channels).toEqual(["ops"]);
    expect(store.rules([])[0]?.channels).toEqual([]);
  });

  test("returns due messages, and a recovery only after its alert was sent or given up", () => {
    store.keep(
      {
        messages: [
          { channel: "ops", message: message("m1") },
          { channel: "ops", message: message("m2", { type: "recovery", alert_id: "m1" }) },
          { channel: "mail", message: message("m3", { type: "recovery", alert_id: "m1" }) },
          { channel: "ops", message: message("m4") },
        ],
      },
      NOW,
    );
    expect(due()).toEqual(["m1", "m4"]);
    expect(due(NOW, "mail")).toEqual(["m3"]);
    expect(due(NOW - 1)).toEqual([]);
    store.failed("m1", "away", NOW + MINUTE);
    expect(due()).toEqual(["m4"]);
    expect(store.nextDue("ops", NOW)).toBe(NOW + MINUTE);
    expect(due(NOW + MINUTE)).toEqual(["m1", "m4"]);
    store.sent("m1", NOW);
    expect(due()).toEqual(["m2", "m4"]);
    expect(store.nextDue("ops", NOW)).toBeNull();
    store.failed("m2", "no", null);
    expect(due()).toEqual(["m4"]);
  });

  test("gives tests alone where it is asked to", () => {
    const made = message("t1", { type: "test", alert_id: null });
    store.keep({ messages: ["m1", "m2"].map((id) => ({ channel: "ops", message: message(id) })) }, NOW);
    store.keep({ messages: [{ channel: "ops", message: made }] }, NOW);
    expect(due(NOW, "ops", true)).toEqual(["t1"]);
  });

  test("shows what became of messages, the newest first, and keeps what was sent for 90 days", () => {
    store.keep({ messages: ["m1", "m2", "m3"].map((id) => ({ channel: "ops", message: message(id) })) }, NOW);
    store.failed("m1", "it is away", NOW + MINUTE);
    store.failed("m2", "it said no", null);
    store.failed("m3", "it is away", NOW);
    store.sent("m3", NOW + 1000);
    expect(
      store.messages(10).map(({ id, state, tries, error, sent_at, next_try_at }) => ({
        id,
        state,
        tries,
        error,
        sent_at,
        next_try_at,
      })),
    ).toEqual([
      { id: "m3", state: "sent", tries: 2, error: null, sent_at: "2026-01-31T12:00:01Z", next_try_at: null },
      { id: "m2", state: "failed", tries: 1, error: "it said no", sent_at: null, next_try_at: null },
      {
        id: "m1",
        state: "waiting",
        tries: 1,
        error: "it is away",
        sent_at: null,
        next_try_at: "2026-01-31T12:01:00Z",
      },
    ]);
    expect(store.messages(1).map(({ id }) => id)).toEqual(["m3"]);
    store.keep({ messages: [{ channel: "ops", message: message("m4") }] }, NOW + 91 * DAY_MS);
    expect(store.messages(10).map(({ id }) => id)).toEqual(["m4", "m1"]); // what waits is never thrown away
  });

  test("gives up what waits for a channel that is there no more", () => {
    store.keep(
      {
        messages: [
          { channel: "old", message: message("m1") },
          { channel: "ops", message: message("m2") },
        ],
      },
      NOW,
    );
    store.giveUpWithout(["ops"]);
    expect(store.messages(10).map(({ state, error }) => [state, error])).toEqual([
      ["waiting", null],
      ["failed", "There is no channel of this name any more"],
    ]);
  });

  test("refuses a file of a newer format", () => {
    const db = new Database(join(folder, "alerts", "simulated.sqlite"));
    db.run("PRAGMA user_version = 2");
    db.close();
    expect(open).toThrow("their format is 2, wanted at most 1");
  });
});
