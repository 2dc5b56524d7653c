import { describe, expect, test } from "bun:test";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { START } from "../support/lake-files.ts";
import { each, levelOf, qualityRunner, repeat, reports } from "./quality-reports.ts";

const { flags } = qualityRunner();

describe("q_step", () => {
  test("compares a change with the limit of its span: 4, 7, 9, 15, 25 °C in 1, 2, 3, 6, 12 h", async () => {
    const ramp = (reports: number, by: number) => {
      const values = Array.from({ length: 13 }, (_, i) => (by * Math.min(i, reports)) / reports);
      return each("temperature", values);
    };
    for (const [hours, most] of [
      [1, 4],
      [2, 7],
      [3, 9],
      [6, 15],
      [12, 25],
    ] as const) {
      expect(new Set((await flags("q_step", reports(ramp(hours, most)))).slice(1))).toEqual(new Set([1]));
      const over = await flags("q_step", reports(ramp(hours, most + 0.12)));
      expect([hours, over[hours]]).toEqual([hours, 3]);
    }
  });

  test("fails above 19.4 °C within an hour, whatever the report after it says", async () => {
    expect(await flags("q_step", reports(each("temperature", [0, 19.4])))).toEqual([2, 3]);
    expect(await flags("temperature_flag", reports(each("temperature", [0, 19.5])))).toEqual([1, 4]);
  });

  test("compares reports of ten minutes with the limit of an hour", async () => {
    const ramp = (by: number) => each("temperature", [0, 0, 0, 0, by / 4, by / 2, (3 * by) / 4, by]);
    expect((await flags("q_step", reports(ramp(4), 10))).slice(1)).toEqual(repeat(7, 1));
    expect((await flags("q_step", reports(ramp(4.4), 10))).slice(1)).toEqual([1, 1, 1, 1, 1, 1, 3]);
  });

  test("does not condemn the value after a spike, nor after two or three bad ones", async () => {
    const after = async (bad: number[]) =>
      (await flags("temperature_flag", reports(each("temperature", [0, 0.2, 0, ...bad, 0.2, 0, 0.1])))).slice(
        3 + bad.length,
      );
    expect(await after([30])).toEqual([1, 1, 1]);
    // What follows the return is still compared with the bad ones, and at most suspect.
    expect(await after([30, 30.2])).toEqual([1, 3, 1]);
    expect(await after([30, 30.2, 30.1])).not.toContain(4);
    // After many nobody can tell at once; but what is back where it was does not fail.
    expect((await after(repeat(4, 30)))[0]).toBe(3);
    expect(await flags("temperature_flag", reports(each("temperature", [0, 0.2, 0, 30, 30.2, 0.1])))).toEqual(
      [1, 1, 1, 4, 3, 1],
    );
  });

  test("no change is seen over a gap that is longer than its span", async () => {
    const rows = reports(
      [0, 2.1, 5.2].map((hour, i) => ({
        timestamp: formatTimestamp(START + hour * HOUR_MS),
        temperature: [0, 6.9, 20][i]!,
      })),
    );
    expect(await flags("q_step", rows)).toEqual([2, 2, 2]);
  });

  test("a change of humidity of more than 50 % in an hour is suspect", async () => {
    expect(await flags("humidity_flag", reports(each("humidity", [20, 70, 19])))).toEqual([1, 1, 3]);
  });

  test("a change of pressure alone is suspect, and fails only where level or extremes confirm it", async () => {
    const flagged = (pressures: number[], kept = [levelOf("Madrid", "test", 1010)]) =>
      flags("q_step", reports(each("pressure", pressures)), undefined, kept);
    expect(await flagged([1010, 1013, 1016.1, 1030])).toEqual([2, 1, 3, 3]);
    // 50 hPa off the level, in one report.
    expect(await flagged([1010, 960])).toEqual([2, 4]);
    // The way back is not the good value's fault.
    expect(await flagged([1010, 960, 960, 1010])).toEqual([2, 4, 1, 1]);
    expect(await flagged([930, 869], [])).toEqual([2, 4]);
  });

  test("is not evaluated without a report before, and missing without values", async () => {
    const nothing = { temperature: null, humidity: null, pressure: null };
    expect(await flags("q_step", reports([{}, nothing, {}]))).toEqual([2, 9, 1]);
    expect(await flags("q_step", reports([{}, nothing]))).toEqual([2, 9]);
  });
});

describe("q_spike", () => {
  test("is judged by the report after it: both departures in the same direction", async () => {
    const of = (values: number[]) => flags("q_spike", reports(each("temperature", values)));
    expect(await of([10, 20])).toEqual([2, 2]);
    expect(await of([10, 16.1, 10])).toEqual([2, 4, 2]);
    expect(await of([10, 16, 10])).toEqual([2, 3, 2]);
    expect(await of([10, 13, 10])).toEqual([2, 1, 2]);
    expect(await of([10, 6.9, 10])).toEqual([2, 3, 2]);
    expect(await of([10, 20, 16.9])).toEqual([2, 3, 2]);
    expect(await of([10, 20, 30])).toEqual([2, 1, 2]);
    expect(await of([10, 10, 20])).toEqual([2, 1, 2]);
  });

  test("is not evaluated where a report beside it is missing or more than an hour away", async () => {
    expect(
      await flags("q_spike", reports(each("temperature", [10, 20, 10]), 71, { pressure: null })),
    ).toEqual([2, 2, 2]);
    expect(
      await flags("q_spike", reports(each("temperature", [10, 20, null]), 60, { pressure: null })),
    ).toEqual([2, 2, 9]);
  });

  test("of pressure fails above 10 hPa, unless it is the one report on the level among others off it", async () => {
    const of = (values: number[]) => flags("q_spike", reports(each("pressure", values)));
    expect(await of([1013, 1016.1, 1013])).toEqual([2, 3, 2]);
    expect(await of([1013, 1023.1, 1013])).toEqual([2, 4, 2]);
    const normal = Array.from({ length: 30 }, (_, i) => 1013 + (i % 3) / 10);
    const found = await of([...normal, 973, 973, 1013, 973, 973]);
    expect(found.slice(-5)).toEqual([1, 1, 3, 1, 2]);
  });
});

describe("q_stuck", () => {
  const runOf = async (
    name: "temperature" | "humidity" | "pressure",
    value: number,
    hours: number,
    minutes = 60,
  ) => {
    const rows = reports(each(name, repeat((hours * 60) / minutes + 1, value)), minutes);
    return (await flags("q_stuck", rows)).at(-1);
  };

  test("counts hours without a change: 6 and 12 of temperature, 12 and 24 of humidity, 24 of pressure", async () => {
    const found = {
      temperature: [
        await runOf("temperature", 5, 5),
        await runOf("temperature", 5, 6),
        await runOf("temperature", 5, 12),
      ],
      humidity: [
        await runOf("humidity", 50, 11),
        await runOf("humidity", 50, 12),
        await runOf("humidity", 50, 24),
      ],
      pressure: [
        await runOf("pressure", 990, 23),
        await runOf("pressure", 990, 24),
        await runOf("pressure", 990, 48),
      ],
    };
    expect(found).toEqual({ temperature: [1, 3, 4], humidity: [1, 3, 4], pressure: [1, 3, 3] });
  });

  test("goes by time, not by the number of reports, and ends with a change or a gap", async () => {
    expect(await runOf("temperature", 5, 5, 10)).toBe(1);
    expect(await runOf("temperature", 5, 6, 10)).toBe(3);
    const values = [...repeat(6, 5), 5.1, ...repeat(6, 5)];
    expect(await flags("q_stuck", reports(each("temperature", values)))).toEqual([2, ...repeat(12, 1)]);
    const withGap = reports(
      [0, 1, 2, 3, 4, 5, 9, 10].map((hour) => ({
        timestamp: formatTimestamp(START + hour * HOUR_MS),
        temperature: 5,
      })),
    );
    expect(await flags("q_stuck", withGap)).toEqual([2, 1, 1, 1, 1, 1, 2, 1]);
  });

  test("lets humidity stand still from 95 % on", async () => {
    expect(await runOf("humidity", 95, 30)).toBe(1);
    expect(await runOf("humidity", 94, 30)).toBe(4);
  });
});

describe("q_level", () => {
  const normal = Array.from({ length: 60 }, (_, i) => 1013 + (i % 3) / 10);
  const of = (pressures: readonly (number | null)[], city = "Madrid") =>
    flags("q_level", reports(each("pressure", [...normal, ...pressures]), 60, { city }));

  test("finds reports at the pressure of the station's height, as long as they last", async () => {
    expect((await of([960, 960, 1013])).slice(-3)).toEqual([4, 4, 1]);
    expect((await of([975, 975, 1013])).slice(-3)).toEqual([3, 3, 1]);
    expect((await of([...repeat(40, 940), 1013])).slice(-41)).toEqual([...repeat(40, 4), 1]);
    expect((await of([1065, null, 1013])).slice(-3)).toEqual([4, 9, 1]);
  });

  test("spares what air can do: a deep low is left and reached in small steps", async () => {
    const low = [...Array.from({ length: 8 }, (_, i) => 1013 - 7 * (i + 1)), 957, ...repeat(3, 958), 990];
    const found = (await of(low)).slice(-low.length);
    expect(found).toEqual([...repeat(6, 1), 3, 3, 3, 3, 3, 3, 1].slice(-low.length));
    const jumps = [1003, 993, 982.9, 960];
    expect((await of(jumps)).slice(-4)).toEqual([1, 1, 3, 4]);
    // Nobody stays in one for longer than a day.
    const days = [...Array.from({ length: 8 }, (_, i) => 1013 - 7 * (i + 1)), ...repeat(24, 957)];
    expect((await of(days)).at(-1)).toBe(4);
  });

  test("allows deeper lows beyond 45°, and wants a day of reports to know the level", async () => {
    expect((await of([960, 960], "Oslo")).slice(-2)).toEqual([3, 3]);
    expect((await of([930, 930], "Oslo")).slice(-2)).toEqual([4, 4]);
    expect(await flags("q_level", reports(each("pressure", [...normal.slice(0, 22), 900])))).toEqual(
      repeat(23, 2),
    );
    expect((await flags("q_level", reports(each("pressure", [...normal.slice(0, 23), 900])))).at(-1)).toBe(4);
  });
});
