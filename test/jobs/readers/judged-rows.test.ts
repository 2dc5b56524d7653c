import { describe, expect, test } from "bun:test";
import { JudgedRows } from "../../../jobs/readers/judged-rows.ts";
import type { JudgingInput, Snapshot, SnapshotFile } from "../../../spark/engine.ts";
import { judgingMark } from "../../../spark/judging.ts";

const judging = { views: [], version: "v", places: "p" };
const file = (date: string, changes: Partial<SnapshotFile> = {}): SnapshotFile => ({
  location: `/lake/${date}`,
  format: "parquet",
  date,
  rows: 10,
  revisions: 0,
  ...changes,
});
const days = (month: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => file(`${month}-${String(from + i).padStart(2, "0")}`));
const kept = (one: SnapshotFile): SnapshotFile => ({ ...one, judged: judgingMark(judging) });

/** What judges files, and what it was asked. */
function make({ bytes = 1, fails = 0 } = {}) {
  const asked: { parts: string[][]; input: JudgingInput }[] = [];
  const removed: string[] = [];
  const rows = new JudgedRows({
    engine: {
      judge(parts, input) {
        asked.push({ parts: parts.map(({ files }) => files.map(({ date }) => date)), input });
        if (asked.length <= fails) return Promise.reject(new Error("no"));
        const count = parts.flatMap(({ files }) => files).reduce((sum, one) => sum + one.rows, 0);
        return Promise.resolve([{ bytes: { length: bytes } as Uint8Array, rows: count }]);
      },
    },
    judging,
    place: {
      put: (name) => Promise.resolve(`/tmp/${name}`),
      remove: async (location) => void removed.push(location),
    },
  });
  return { rows, asked, removed };
}
const datesOf = ({ files }: Snapshot) =>
  files.map(({ date, location }) => (location.startsWith("/tmp/") ? `judged to ${date}` : date));

describe("JudgedRows.of()", () => {
  test("gives files with flags as they are, and judges the others: days of a month together, the newest two alone", async () => {
    const { rows, asked } = make();
    const files = [...days("2026-01", 30, 31), ...days("2026-02", 1, 9)].map((one) =>
      one.date === "2026-02-03" ? kept(one) : one,
    );
    const { snapshot } = await rows.of({ files }, null);
    expect(asked.map(({ parts }) => parts.map((dates) => [dates[0], dates.at(-1)].join(" to ")))).toEqual([
      ["2026-01-30 to 2026-01-31"],
      ["2026-02-01 to 2026-02-02"],
      ["2026-02-04 to 2026-02-07"],
      ["2026-02-08 to 2026-02-08"],
      ["2026-02-09 to 2026-02-09"],
    ]);
    expect(datesOf(snapshot)).toEqual([
      "2026-02-03",
      "judged to 2026-01-31",
      "judged to 2026-02-02",
      "judged to 2026-02-07",
      "judged to 2026-02-08",
      "judged to 2026-02-09",
    ]);
    expect(snapshot.files.every(({ judged }) => judged === judgingMark(judging))).toBe(true);
    const { around, before } = asked[3]!.input;
    expect(around.files.map(({ date }) => date)).toEqual([
      "2026-02-06",
      "2026-02-07",
      "2026-02-08",
      "2026-02-09",
    ]);
    expect(before.files).toHaveLength(11);
  });

  test("judges only what holds the days that are asked for, and a day with one file without flags as a whole", async () => {
    const { rows, asked } = make();
    const late = file("2026-02-01", { location: "/lake/late", format: "jsonl", rows: 1 });
    const files = [...days("2026-01", 1, 31), ...days("2026-02", 1, 20).map(kept), late];
    const { snapshot } = await rows.of({ files }, { first: "2026-02-01", last: "2026-02-02" });
    expect(asked.map(({ parts }) => parts)).toEqual([[["2026-02-01", "2026-02-01"]]]);
    expect(datesOf(snapshot)).toEqual(["2026-02-02", "judged to 2026-02-01"]);
  });

  test("judges the same once for all who ask, anew when a file around it is another, and flags of another judging", async () => {
    const { rows, asked } = make();
    const files = days("2026-02", 1, 3).map((one) => ({ ...one, judged: "other-p" }));
    const first = await Promise.all([rows.of({ files }, null), rows.of({ files }, null)]);
    for (const { release } of first) await release();
    await rows.of({ files }, null);
    expect(asked).toHaveLength(3); // a day each
    const changed = [{ ...files[0]!, location: "/lake/another" }, ...files.slice(1)];
    await rows.of({ files: changed }, null);
    expect(asked).toHaveLength(6); // the pressures of a day count for the days after it
  });

  test("tells a failure to who asks, and tries again for the next", async () => {
    const { rows, asked } = make({ fails: 1 });
    const files = days("2026-02", 1, 1);
    const failure: unknown = await rows.of({ files }, null).catch((error: unknown) => error);
    expect(String(failure)).toBe("Error: no");
    expect((await rows.of({ files }, null)).snapshot.files).toHaveLength(1);
    expect(asked).toHaveLength(2);
  });

  test("deletes what nobody reads beyond 256 MB, the least recently used first, and nothing that is read", async () => {
    const { rows, removed } = make({ bytes: 100_000_000 });
    const of = (day: number) => rows.of({ files: [file(`2026-02-0${day}`)] }, null);
    const reading = await of(1);
    for (const day of [2, 3, 4]) await (await of(day)).release();
    expect(removed).toHaveLength(1);
    await (await of(3)).release(); // used again
    await reading.release();
    expect(removed).toHaveLength(2);
    expect(removed).not.toContain((await of(3)).snapshot.files[0]!.location);
  });
});
