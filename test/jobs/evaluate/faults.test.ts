import { describe, expect, test } from "bun:test";
import { randomFrom } from "../../../core/random.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { type InjectedFault, placeFaults } from "../../../jobs/evaluate/faults.ts";
import { row, START } from "../../support/lake-files.ts";

const HOURS = 40 * 24;
const rows = ["B", "A"].flatMap((city) =>
  Array.from({ length: HOURS }, (_, hour) =>
    row({ city, timestamp: formatTimestamp(START + hour * HOUR_MS), temperature: hour / 10 }),
  ),
);
const from = START + 24 * HOUR_MS;
const place = (fault: InjectedFault) =>
  placeFaults(rows, [fault], { from, everyHours: 100, random: randomFrom(5) });

/** What became of the temperatures from one hour before a fault to the end of it: changes, null for a missing report. */
function changesAt(fault: InjectedFault): (number | null)[][] {
  const { rows: changed, placed } = place(fault);
  const byKey = new Map(changed.map((one) => [`${one.city} ${one.timestamp}`, one.temperature]));
  return placed.map((one) => {
    const first = (one.from - START) / HOUR_MS - (fault.kind === "gap" ? 0 : 1);
    const last = (one.to - START) / HOUR_MS;
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const hour = first + i;
      const value = byKey.get(`${one.city} ${formatTimestamp(START + hour * HOUR_MS)}`);
      return value === undefined || value === null ? null : Math.round((value - hour / 10) * 1000) / 1000;
    });
  });
}

describe("placeFaults()", () => {
  test("puts offsets, drifts, stuck values and gaps between good reports", () => {
    const offset = changesAt({ name: "", kind: "offset", by: 5, hours: 2 });
    expect(offset.length).toBe(2 * 9);
    expect(new Set(offset.map((one) => JSON.stringify(one)))).toEqual(new Set(["[0,5,5,0]", "[0,-5,-5,0]"]));
    const drift = changesAt({ name: "", kind: "drift", by: 0.5, hours: 3 });
    expect(new Set(drift.map((one) => JSON.stringify(one)))).toEqual(
      new Set(["[0,0.5,1,1.5,0]", "[0,-0.5,-1,-1.5,0]"]),
    );
    const stuck = changesAt({ name: "", kind: "stuck", hours: 3, longest: 3 });
    expect(new Set(stuck.map((one) => JSON.stringify(one)))).toEqual(new Set(["[0,0,-0.1,-0.2,0]"]));
    const gap = changesAt({ name: "", kind: "gap", hours: 2 });
    expect(new Set(gap.map((one) => JSON.stringify(one)))).toEqual(new Set(["[0,null,null,0]"]));
  });

  test("leaves everything else as it is, and is the same for the same numbers", () => {
    const fault: InjectedFault = { name: "", kind: "offset", by: 5, hours: 1 };
    const one = place(fault);
    expect(one).toEqual(place(fault));
    expect(one.rows.filter((changed, i) => changed.temperature !== rows[i]!.temperature).length).toBe(
      one.placed.length,
    );
    expect(one.placed.every((placed) => placed.from > from)).toBe(true);
    expect(placeFaults(rows, [fault], { from, everyHours: 100, random: randomFrom(6) }).placed).not.toEqual(
      one.placed,
    );
  });

  test("puts nothing where a report is missing", () => {
    const seldom = rows.filter((_, hour) => hour % 2 === 0);
    const fault: InjectedFault = { name: "", kind: "offset", by: 5, hours: 1 };
    expect(placeFaults(seldom, [fault], { from, everyHours: 100, random: randomFrom(5) }).placed).toEqual([]);
  });
});
