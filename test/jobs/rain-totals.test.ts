import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rainOfLastHour, RainTotals, type TotalReading } from "../../jobs/rain-totals.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-rain-"));
});
afterAll(() => rm(folder, { recursive: true }));

const NOON = Date.UTC(2026, 0, 31, 12);
/** A reading so many minutes after noon. */
const at = (minutes: number, mm: number): TotalReading => ({ at: NOON + minutes * 60_000, mm });
/** A reading every ten minutes, from `first` on. */
const every10 = (first: number, totals: number[]) => totals.map((mm, index) => at(first + index * 10, mm));

describe("rainOfLastHour()", () => {
  /** Where it is midnight at noon UTC. */
  const FIJI = "Pacific/Fiji";
  const rain = (readings: TotalReading[], zone: string | null = FIJI) =>
    rainOfLastHour(readings.slice(0, -1), readings.at(-1)!, zone);

  test.each<[string, number | null, TotalReading[]]>([
    ["is the increase of the total", 1.2, every10(-60, [3, 3, 3.2, 3.2, 3.8, 4.2, 4.2])],
    ["is 0 of a dry hour", 0, every10(-60, [3, 3, 3, 3, 3, 3, 3])],
    ["does not count what fell before", 0.5, every10(-120, [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6.5])],
    [
      "counts the interval at the start of the hour in proportion",
      0.7,
      [...every10(-65, [2, 2.4, 2.5, 2.5, 2.5, 2.5, 2.5]), at(0, 2.9)],
    ],
    ["goes on over the station's midnight", 1.1, every10(-30, [7, 7.4, 7.6, 0.3, 0.3, 0.3, 0.5])],
    ["needs no reading inside the hour but one at its beginning", 2, [at(-60, 1), at(0, 3)]],
    ["is unknown before there is an hour of readings", null, every10(-50, [3, 3, 3, 3, 3, 3])],
    ["is unknown when the hour begins in a gap", null, [at(-76, 1), at(-55, 2), at(0, 2)]],
    ["is unknown when the total was reset in a gap", null, [at(-30, 9), at(-10, 9), at(10, 1), at(30, 1)]],
    ["is unknown of a first reading", null, [at(0, 3)]],
  ])("%s", (_, wanted, readings) => {
    expect(rain(readings)).toBe(wanted);
  });

  const MM = 12.7; // 0.50 in
  const evening = (last: number[]) => [...Array<number>(16 - last.length).fill(MM), ...last];

  test.each<[string, number | null, number[]]>([
    ["a total that is corrected is unknown", null, [12.192]],
    ["a total that falls to 0 is unknown", null, [0]],
    ["a total that comes back within the hour is unknown", null, [0, MM]],
    ["a total that comes back in the next hour is unknown", null, [0, 0, 0, 0, 0, 0, 0, 0, MM]],
    ["a total that passes where it was is unknown", null, [0, 0, 0, 0, 0, 0, 0, 0, 13]],
    [
      "an hour after a correction it is known again",
      0.3,
      [12.2, 12.2, 12.2, 12.2, 12.2, 12.2, 12.2, 12.2, 12.5],
    ],
    ["an hour after it came back it is known again", 0, [0, MM, MM, MM, MM, MM, MM, MM]],
  ])("within a day %s, whether or not the zone is known", (_, wanted, last) => {
    const readings = every10(-15 * 10 - 60, evening(last));
    expect(rain(readings)).toBe(wanted);
    expect(rain(readings, null)).toBe(wanted);
  });

  test("a correction at midnight is no new day, and without a zone no fall is", () => {
    expect(rain(every10(-60, [7, 7, 7, 7, 7, 7, 6.9]))).toBeNull();
    const midnight = every10(-50, [7, 7.4, 7.6, 7.6, 7.6, 0.2, 0.3]);
    expect(rain(midnight)).toBe(0.9);
    expect(rain(midnight, null)).toBeNull();
  });
});

describe("RainTotals", () => {
  const open = (name: string) => new RainTotals(join(folder, name, "totals.sqlite"));
  const take = (totals: RainTotals, readings: TotalReading[], station = "garden") =>
    readings.map((reading) => totals.take(station, reading, null));

  test("knows the rain of an hour across a restart; stations do not mix", () => {
    const first = open("restart");
    expect(take(first, every10(-60, [3, 3, 3.2]))).toEqual([null, null, null]);
    take(first, every10(-60, [50, 60, 70]), "roof");
    first.close();
    const second = open("restart");
    expect(take(second, every10(-30, [3.2, 3.8, 4.2, 4.2]))).toEqual([null, null, null, 1.2]);
    second.close();
  });

  test("the same reading again has the same rain", () => {
    const totals = open("again");
    take(totals, every10(-60, [3, 3, 3.2, 3.2, 3.8, 4.2]));
    expect(take(totals, [at(0, 4.5), at(0, 4.5), at(0, 4.5)])).toEqual([1.5, 1.5, 1.5]);
    totals.close();
  });

  test("a late reading has the rain that it would have had in time, and counts for those that follow", () => {
    const totals = open("late");
    const readings = every10(-60, [3, 3.5, 3.2, 3.2, 3.8, 4.2, 4.5]);
    const [late] = readings.splice(1, 1); // without it no hour is whole before 12:00
    take(totals, readings);
    take(totals, every10(-120, [2, 2, 2, 2, 2, 2.5]));
    expect(totals.take("garden", { at: late!.at, mm: 3.1 }, null)).toBe(1.1);
    expect(totals.take("garden", at(0, 4.5), null)).toBe(1.5);
    totals.close();
  });

  test("keeps two days", () => {
    const totals = open("kept");
    take(totals, [at(0, 1), at(60, 2)]);
    expect(totals.take("garden", at(60, 2), null)).toBe(1);
    totals.take("garden", at(49 * 60, 0), null);
    expect(totals.take("garden", at(60, 2), null)).toBeNull();
    totals.close();
  });
});
