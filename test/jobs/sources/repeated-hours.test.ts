import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { formatTimestamp } from "../../../core/time.ts";
import { parseColumnMap } from "../../../jobs/sources/column-map.ts";
import type { DraftLine } from "../../../jobs/sources/draft.ts";
import { timeReader } from "../../../jobs/sources/local-time.ts";
import { readRecords } from "../../../jobs/sources/replay.ts";
import { RepeatedHours } from "../../../jobs/sources/repeated-hours.ts";
import { temporaryFolder } from "../../support/running.ts";

const BERLIN = "Europe/Berlin"; // 03:00 became 02:00 on 2025-10-26
/** Lines `HH:mm` of a day, each perhaps with a series behind it. */
function timesOf(lines: string[], zone = BERLIN, day = "2025-10-26"): string[] {
  const read = timeReader("YYYY-MM-DD HH:mm", zone);
  const hours = new RepeatedHours();
  const drafts = lines.map((line): DraftLine => {
    const [clock = "", series = "one"] = line.split(" ");
    return { line, read: { times: read(`${day} ${clock}`), clock, series, record: {} } };
  });
  const settled = [...drafts.flatMap((draft) => hours.push(draft)), ...hours.end()];
  expect(settled.map(({ line }) => line)).toEqual(lines); // in the file's order
  return settled.map(({ read }) => {
    if ("ok" in read) throw new Error(read.reason);
    expect(read.times).toHaveLength(1);
    return formatTimestamp(read.times[0]!).slice(11, 16);
  });
}

describe("RepeatedHours", () => {
  const clocks = ["01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30", "04:00"];
  const utc = ["23:00", "23:30", "00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00"];

  test("gives a file that is newest first the times of the one that is oldest first", () => {
    expect(timesOf(clocks)).toEqual(utc);
    expect(timesOf(clocks.toReversed())).toEqual(utc.toReversed());
  });

  test("reads hourly lines, and lines of every minute, in both orders", () => {
    const hourly = ["01:00", "02:00", "02:00", "03:00"];
    expect(timesOf(hourly)).toEqual(["23:00", "00:00", "01:00", "02:00"]);
    expect(timesOf(hourly.toReversed())).toEqual(["02:00", "01:00", "00:00", "23:00"]);
    const hour = Array.from({ length: 60 }, (_, minute) => `02:${String(minute).padStart(2, "0")}`);
    const wanted = ["00", "01"].flatMap((h) => hour.map((clock) => `${h}:${clock.slice(3)}`));
    expect(timesOf([...hour, ...hour])).toEqual(wanted);
    expect(timesOf([...hour, ...hour].toReversed())).toEqual(wanted.toReversed());
  });

  test("keeps several lines of one time together", () => {
    const double = (texts: string[]) => texts.flatMap((text) => [text, text]);
    expect(timesOf(double(clocks))).toEqual(double(utc));
    expect(timesOf(double(clocks).toReversed())).toEqual(double(utc).toReversed());
    // One line that is there twice, in a file that has each time once.
    expect(timesOf(clocks.toSpliced(2, 0, "02:00"))).toEqual(utc.toSpliced(2, 0, "00:00"));
    expect(timesOf(clocks.toSpliced(5, 0, "02:30"))).toEqual(utc.toSpliced(5, 0, "01:30"));
    // Hourly with two lines of each time: four of the repeated one are two of each.
    const hourly = ["01:00", "02:00", "02:00", "03:00"];
    expect(timesOf(double(hourly))).toEqual(double(["23:00", "00:00", "01:00", "02:00"]));
  });

  test("reads a file that is sorted by its clock", () => {
    expect(timesOf(["01:30", "02:00", "02:00", "02:30", "02:30", "03:00"])).toEqual([
      "23:30",
      "00:00",
      "01:00",
      "00:30",
      "01:30",
      "02:00",
    ]);
  });

  test("takes the hour that goes on from the nearer neighbour where only one is there; else the first", () => {
    expect(timesOf(["01:50", "02:00", "02:10"])).toEqual(["23:50", "00:00", "00:10"]);
    expect(timesOf(["02:40", "02:50", "03:00"])).toEqual(["01:40", "01:50", "02:00"]);
    expect(timesOf(["03:00", "02:50", "02:40"])).toEqual(["02:00", "01:50", "01:40"]);
    expect(timesOf(["02:10", "02:00", "01:50"])).toEqual(["00:10", "00:00", "23:50"]);
    expect(timesOf(["01:00", "02:00", "03:00"])).toEqual(["23:00", "00:00", "02:00"]);
    expect(timesOf(["02:30"])).toEqual(["00:30"]);
    expect(timesOf(["02:00", "02:30", "02:00", "02:30"])).toEqual(["00:00", "00:30", "01:00", "01:30"]);
    expect(timesOf(["02:30", "02:00", "02:30", "02:00"])).toEqual(["01:30", "01:00", "00:30", "00:00"]);
  });

  test("takes each series by itself", () => {
    const both = clocks.flatMap((clock, index) => [`${clock} up`, `${clocks.at(-1 - index)} down`]);
    expect(timesOf(both)).toEqual(utc.flatMap((time, index) => [time, utc.at(-1 - index)!]));
  });

  test("knows clocks that are moved by half an hour", () => {
    const lines = ["01:00", "01:30", "01:45", "01:30", "01:45", "02:00", "02:30"]; // 02:00 became 01:30
    const wanted = ["14:00", "14:30", "14:45", "15:00", "15:15", "15:30", "16:00"];
    expect(timesOf(lines, "Australia/Lord_Howe", "2026-04-05")).toEqual(wanted);
    expect(timesOf(lines.toReversed(), "Australia/Lord_Howe", "2026-04-05")).toEqual(wanted.toReversed());
    const halves = ["01:00", "01:30", "01:30", "02:00"];
    expect(timesOf(halves.toReversed(), "Australia/Lord_Howe", "2026-04-05")).toEqual([
      "15:30",
      "15:00",
      "14:30",
      "14:00",
    ]);
  });

  test("stores the same rows of a file in either order", async () => {
    await using folder = await temporaryFolder();
    const map = parseColumnMap({
      time: { column: "Time", format: "YYYY-MM-DD HH:mm", zone: BERLIN },
      city: { value: "Berlin" },
      fields: { temperature: { column: "Temp", unit: "C" } },
    });
    const lines = clocks.map((clock, index) => `2025-10-26 ${clock},${index}`);
    const rows = async (order: string[]) => {
      const path = join(folder.path, "file.csv");
      await Bun.write(path, ["Time,Temp", ...order].join("\n"));
      const read: unknown[][] = [];
      for await (const chunk of readRecords(path, { source: "file", map }))
        for (const { value } of chunk) {
          const { timestamp, temperature } = JSON.parse(value) as Record<string, unknown>;
          read.push([timestamp, temperature]);
        }
      return read;
    };
    const wanted = utc.map((time, index) => [`2025-10-2${time < "04" ? 6 : 5}T${time}:00Z`, index]);
    expect(await rows(lines)).toEqual(wanted);
    expect(await rows(lines.toReversed())).toEqual(wanted.toReversed());
  });

  test("does not wait for ever", () => {
    const read = timeReader("YYYY-MM-DD HH:mm", BERLIN);
    const hours = new RepeatedHours();
    const line = (clock: string, series: string): DraftLine => ({
      line: clock,
      read: { times: read(`2025-10-26 ${clock}`), clock, series, record: {} },
    });
    expect(hours.push(line("02:00", "silent"))).toEqual([]);
    let passed = 0;
    for (let count = 0; count < 100_000; count++) passed += hours.push(line("05:00", "other")).length;
    expect(passed).toBe(100_001);
    expect(hours.end()).toEqual([]);
  });
});
