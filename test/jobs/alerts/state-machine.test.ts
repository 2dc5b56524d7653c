import { describe, expect, test } from "bun:test";
import type { AlertRule } from "../../../core/alert-rule.ts";
import { type ActiveAlert, AlertMachine, type Track } from "../../../jobs/alerts/state-machine.ts";
import { MINUTE, NOW, report, rule, type Sight } from "./reports.ts";

const STALE_MINUTES = 30;

/** A machine that is asked in a short form: `raised London 0`, `recovered London 10`. Time is that of each report. */
function machineOf(rules: AlertRule[]) {
  let ids = 0;
  const tracks = new Map<string, Track>();
  const alerts = new Map<string, ActiveAlert>();
  const make = () =>
    new AlertMachine(
      { tracks: [...tracks.values()].map((track) => ({ ...track })), alerts: [...alerts.values()] },
      { staleMs: STALE_MINUTES * MINUTE, newId: () => `a${++ids}` },
    );
  let machine = make();
  const batch = (sights: Sight[], asOfMinute = Math.max(...sights.map(({ minute = 0 }) => minute))) => {
    const changes = machine.take(rules, sights.map(report), NOW + asOfMinute * MINUTE);
    for (const track of changes.tracks) tracks.set([track.rule, track.city, track.source].join(), track);
    for (const { type, alert } of changes.alerts) {
      if (type === "raised") alerts.set([alert.rule, alert.city].join(), alert);
      else alerts.delete([alert.rule, alert.city].join());
    }
    return changes.alerts.map(
      ({ type, isQuiet, alert, report: { time } }) =>
        `${isQuiet ? "quietly " : ""}${type} ${alert.city} ${(time - NOW) / MINUTE}`,
    );
  };
  return {
    batch,
    take: (sight: Sight, asOfMinute = sight.minute ?? 0) => batch([sight], asOfMinute),
    /** As after a kill: a new machine over what was told. */
    restart: () => void (machine = make()),
    alerts,
  };
}

describe("AlertMachine, thresholds", () => {
  test("raises once, and recovers once", () => {
    const { take } = machineOf([rule()]);
    expect(take({ minute: 0, temperature: 0 })).toEqual([]); // the limit itself is on neither side
    expect(take({ minute: 10, temperature: -0.1 })).toEqual(["raised London 10"]);
    expect(take({ minute: 20, temperature: -3 })).toEqual([]);
    expect(take({ minute: 30, temperature: 0 })).toEqual(["recovered London 30"]);
    expect(take({ minute: 40, temperature: 1 })).toEqual([]);
    expect(take({ minute: 50, temperature: -1 })).toEqual(["raised London 50"]);
  });

  test("watches a variable that only some reports have, and no value of it that failed", () => {
    const { take } = machineOf([rule({ name: "Storm", variable: "wind_gust", below: undefined, above: 25 })]);
    expect(take({ minute: 0, wind_gust: 24 })).toEqual([]);
    expect(take({ minute: 5, wind_gust: 999.9, flag: 4 })).toEqual([]);
    expect(take({ minute: 10, wind_gust: 26 })).toEqual(["raised London 10"]);
    expect(take({ minute: 20 })).toEqual([]); // not reported: it neither raises nor ends anything
    expect(take({ minute: 30, wind_gust: 25 })).toEqual(["recovered London 30"]);
  });

  test("keeps the id from the alert to its recovery", () => {
    const machine = new AlertMachine({ tracks: [], alerts: [] }, { staleMs: MINUTE, newId: () => "a1" });
    const changes = machine.take(
      [rule()],
      [report({ minute: 0, temperature: -1 }), report({ minute: 1, temperature: 1 })],
      NOW + MINUTE,
    );
    expect(changes.alerts.map(({ type, alert }) => [type, alert.id])).toEqual([
      ["raised", "a1"],
      ["recovered", "a1"],
    ]);
  });

  test("measures a duration in observation time", () => {
    const { take, alerts } = machineOf([rule({ for_minutes: 20 })]);
    expect(take({ minute: 0, temperature: -1 })).toEqual([]);
    expect(take({ minute: 19, temperature: -1 })).toEqual([]);
    expect(take({ minute: 20, temperature: -1 })).toEqual(["raised London 20"]);
    expect([...alerts.values()][0]).toMatchObject({ since: NOW, at: NOW + 20 * MINUTE });
  });

  test("restarts a duration when the condition was not met in between", () => {
    const { take } = machineOf([rule({ for_minutes: 20 })]);
    take({ minute: 0, temperature: -1 });
    take({ minute: 10, temperature: 1 });
    expect(take({ minute: 20, temperature: -1 })).toEqual([]);
    expect(take({ minute: 40, temperature: -1 })).toEqual(["raised London 40"]);
  });

  test("restarts a duration after a gap", () => {
    const { take } = machineOf([rule({ for_minutes: 20 })]);
    take({ minute: 0, temperature: -1 });
    expect(take({ minute: STALE_MINUTES + 1, temperature: -1 })).toEqual([]);
    expect(take({ minute: STALE_MINUTES + 21, temperature: -1 })).toEqual(["raised London 51"]);
  });

  test("counts stale reports for a duration, but neither raises nor recovers by one", () => {
    const { take } = machineOf([rule({ for_minutes: 20 })]);
    expect(take({ minute: 0, temperature: -1 }, 60)).toEqual([]);
    expect(take({ minute: 25, temperature: -1 }, 60)).toEqual([]); // long enough, but stale
    expect(take({ minute: 50, temperature: -1 }, 60)).toEqual(["raised London 50"]);
    expect(take({ minute: 51, temperature: 5 }, 120)).toEqual([]);
    expect(take({ minute: 119, temperature: 5 }, 120)).toEqual(["recovered London 119"]);
  });

  test("ignores a missing or a failed value", () => {
    const { take } = machineOf([rule({ for_minutes: 10 })]);
    expect(take({ minute: 0, temperature: -99, flag: 4 })).toEqual([]);
    expect(take({ minute: 10, temperature: -99, flag: 4 })).toEqual([]);
    expect(take({ minute: 20, temperature: -1 })).toEqual([]);
    expect(take({ minute: 25, temperature: null })).toEqual([]);
    expect(take({ minute: 30, temperature: -1, flag: 3 })).toEqual(["raised London 30"]);
    expect(take({ minute: 40, temperature: null })).toEqual([]);
    expect(take({ minute: 50, temperature: 9, flag: 4 })).toEqual([]);
    expect(take({ minute: 60, temperature: 9 })).toEqual(["recovered London 60"]);
  });

  test("ignores a report that comes late, and takes a revision of the newest", () => {
    const { take } = machineOf([rule()]);
    expect(take({ minute: 10, temperature: 5 })).toEqual([]);
    expect(take({ minute: 5, temperature: -5 }, 10)).toEqual([]);
    expect(take({ minute: 10, temperature: -5 })).toEqual(["raised London 10"]);
    expect(take({ minute: 10, temperature: 5 })).toEqual(["recovered London 10"]);
  });

  test("has an alert of its own for each city, and none for the others of a rule for one", () => {
    const { batch } = machineOf([rule(), rule({ id: "r2", name: "Cold", city: null })]);
    expect(
      batch([
        { city: "London", temperature: -1 },
        { city: "Oslo", temperature: -9 },
        { city: "Rome", temperature: 9 },
      ]),
    ).toEqual(["raised London 0", "raised London 0", "raised Oslo 0"]);
  });

  test("has one alert for all sources of a city, and recovers when none of them meets the condition", () => {
    const { take } = machineOf([rule()]);
    expect(take({ minute: 0, source: "a", temperature: -1 })).toEqual(["raised London 0"]);
    expect(take({ minute: 1, source: "b", temperature: -1 })).toEqual([]);
    expect(take({ minute: 10, source: "a", temperature: 1 })).toEqual([]);
    expect(take({ minute: 11, source: "b", temperature: 1 })).toEqual(["recovered London 11"]);
  });

  test("ignores a source that no longer reports", () => {
    const { take } = machineOf([rule()]);
    take({ minute: 0, source: "a", temperature: -1 });
    expect(take({ minute: 180, source: "b", temperature: 1 })).toEqual([]);
    expect(take({ minute: 181, source: "b", temperature: 1 })).toEqual(["recovered London 181"]);
  });

  test("restores its alerts after a restart, and since when a condition is met", () => {
    const { take, restart } = machineOf([rule({ for_minutes: 20 })]);
    take({ minute: 0, temperature: -1 });
    restart();
    expect(take({ minute: 20, temperature: -1 })).toEqual(["raised London 20"]);
    restart();
    // The log's last records are read once more.
    expect(take({ minute: 0, temperature: -1 }, 21)).toEqual([]);
    expect(take({ minute: 20, temperature: -1 }, 21)).toEqual([]);
    expect(take({ minute: 30, temperature: 1 })).toEqual(["recovered London 30"]);
    restart();
    expect(take({ minute: 20, temperature: -1 }, 31)).toEqual([]);
    expect(take({ minute: 30, temperature: 1 }, 31)).toEqual([]);
  });
});

describe("AlertMachine, anomalies", () => {
  test("ends no alert about what is unusual by a report that cannot be judged", () => {
    const { take } = machineOf([rule({ anomaly: "unusual" })]);
    expect(take({ minute: 0, anomalies: [["unusual", 2]] })).toEqual(["raised London 0"]);
    expect(take({ minute: 10, status: "insufficient data" })).toEqual([]);
    expect(take({ minute: 20, status: "normal" })).toEqual(["recovered London 20"]);
  });

  test("raises from the least severity on, while the anomaly lasts", () => {
    const { take } = machineOf([rule({ anomaly: "unusual", severity: 2 })]);
    expect(take({ minute: 0, anomalies: [["unusual", 1]] })).toEqual([]);
    expect(take({ minute: 5, anomalies: [["stuck", 3]] })).toEqual([]);
    expect(take({ minute: 10, anomalies: [["unusual", 3]] })).toEqual(["raised London 10"]);
    expect(take({ minute: 20, anomalies: [["unusual", 2]] })).toEqual([]);
    expect(take({ minute: 30, anomalies: [["unusual", 1]] })).toEqual(["recovered London 30"]);
  });

  test("ignores an unusual value that failed quality control, but raises for an instrument's spike", () => {
    const unusual = machineOf([rule({ anomaly: "unusual" })]);
    expect(unusual.take({ anomalies: [["unusual", 3]], flag: 4 })).toEqual([]);
    const spike = machineOf([rule({ anomaly: "spike" })]);
    expect(spike.take({ anomalies: [["spike", 3]], flag: 4 })).toEqual(["raised London 0"]);
  });

  test("raises a spike that is found with the next report, once, and ends it without a message after an hour", () => {
    const { batch, take, restart } = machineOf([rule({ anomaly: "spike" })]);
    expect(take({ minute: 0 })).toEqual([]);
    expect(batch([{ minute: 0, anomalies: [["spike", 2]] }, { minute: 10 }])).toEqual(["raised London 0"]);
    expect(batch([{ minute: 20, anomalies: [["spike", 2]] }, { minute: 30 }])).toEqual([]);
    expect(take({ minute: 79 })).toEqual([]);
    expect(take({ minute: 80 })).toEqual(["quietly recovered London 80"]);
    restart();
    expect(batch([{ minute: 20, anomalies: [["spike", 2]] }, { minute: 80 }], 81)).toEqual([]);
    expect(take({ minute: 90, anomalies: [["spike", 2]] })).toEqual(["raised London 90"]);
  });

  test("raises for the next event after a long silence", () => {
    const { take } = machineOf([rule({ anomaly: "step" })]);
    expect(take({ minute: 0, anomalies: [["step", 2]] })).toEqual(["raised London 0"]);
    expect(take({ minute: 300, anomalies: [["step", 2]] })).toEqual([
      "quietly recovered London 300",
      "raised London 300",
    ]);
  });

  test("raises a silence by the last report, however old, and recovers with the next", () => {
    const { take, batch } = machineOf([rule({ anomaly: "silent" })]);
    expect(take({ minute: 0 })).toEqual([]);
    expect(take({ minute: 0, anomalies: [["silent", 2]] }, 90)).toEqual(["raised London 0"]);
    expect(batch([{ minute: 0, anomalies: [["silent", 2]] }, { minute: 100 }])).toEqual([
      "recovered London 100",
    ]);
  });

  test("does not raise for a silence that is over already", () => {
    const { batch } = machineOf([rule({ anomaly: "silent" })]);
    expect(batch([{ minute: 0, anomalies: [["silent", 2]] }, { minute: 100 }])).toEqual([]);
  });

  test("does not take another source's report for the end of a silence", () => {
    const { take } = machineOf([rule({ anomaly: "silent" })]);
    take({ minute: 0, source: "a", anomalies: [["silent", 2]] }, 90);
    expect(take({ minute: 600, source: "b" })).toEqual([]);
    expect(take({ minute: 700, source: "a" })).toEqual(["recovered London 700"]);
  });
});
