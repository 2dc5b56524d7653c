import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Observation } from "../../../core/observation.ts";
import { parseColumnMap } from "../../../jobs/sources/column-map.ts";
import { Notes } from "../../../jobs/sources/notes.ts";
import { readRecords } from "../../../jobs/sources/replay.ts";
import { rejection } from "./provider.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-rain-"));
});
afterAll(() => rm(folder, { recursive: true }));

type Line = readonly [clock: string, rain: string | number];
/** The map of a file with the columns time, city, temp and rain, whose clock is that of Berlin. */
const mapOf = (amount?: string, column = "rain") =>
  parseColumnMap({
    time: { column: "time", format: "YYYY-MM-DD HH:mm:ss", zone: "Europe/Berlin" },
    city: { column: "city" },
    fields: {
      temperature: { column: "temp", unit: "C" },
      rainfall: { column, unit: "mm", ...(amount === undefined ? {} : { amount }) },
    },
  });

/** What becomes of lines, each `HH:mm` of 2025-05-10 or a whole time. */
async function read(
  lines: readonly Line[],
  amount?: string,
  city: (index: number) => string = () => "Ulm",
): Promise<{ rows: Observation[]; notes: string[] }> {
  const path = join(folder, `${Bun.randomUUIDv7()}.csv`);
  const texts = lines.map(([clock, rain], index) => {
    const time = clock.length === 5 ? `2025-05-10 ${clock}:00` : clock;
    return `${time},${city(index)},8,${rain}`;
  });
  await Bun.write(path, ["time,city,temp,rain", ...texts].join("\n"));
  const notes = new Notes();
  const rows: Observation[] = [];
  for await (const chunk of readRecords(path, { source: "file", map: mapOf(amount), notes }))
    for (const { value } of chunk) rows.push(JSON.parse(value) as Observation);
  return { rows, notes: notes.lines() };
}
const rainOf = async (lines: readonly Line[], amount?: string) =>
  (await read(lines, amount)).rows.map(({ rainfall }) => rainfall);

/** Lines from a clock's time on, so many minutes apart. */
function every(minutes: number, from: string, rains: readonly (string | number)[]): Line[] {
  const [hour = 0, minute = 0] = from.split(":").map(Number);
  return rains.map((rain, index) => {
    const at = hour * 60 + minute + index * minutes;
    const day = 10 + Math.floor(at / 1440);
    const two = (number: number) => String(number).padStart(2, "0");
    return [`2025-05-${day} ${two(Math.floor((at % 1440) / 60))}:${two(at % 60)}:00`, rain];
  });
}
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe("a column of amounts of the interval", () => {
  test("becomes the rain of the hour before each report: 12 times 0.2 mm are 2.4 mm", async () => {
    const { rows, notes } = await read(every(5, "00:05", times(12, 0.2)), "interval");
    expect(rows.map(({ rainfall }) => rainfall)).toEqual([...times(11, null), 2.4]);
    expect(rows.every(({ temperature }) => temperature === 8)).toBe(true);
    expect(notes).toEqual([
      "11 × the rain of the hour is not known: the reports before it do not cover the hour, first: 2025-05-09T22:05:00Z Ulm",
    ]);
  });

  test("is the same newest first, and in a file of several cities", async () => {
    const amounts = Array.from({ length: 40 }, (_, index) => (index % 7) / 10);
    const lines = every(10, "00:00", amounts);
    const wanted = await rainOf(lines, "interval");
    expect(wanted.slice(0, 8)).toEqual([null, null, null, null, null, 1.5, 2.1, 2]);
    expect(await rainOf(lines.toReversed(), "interval")).toEqual(wanted.toReversed());
    const twice = lines.flatMap((line): Line[] => [line, [line[0], 0]]);
    const cities = (index: number) => (index % 2 === 0 ? "Ulm" : "Hof");
    const { rows } = await read(twice, "interval", cities);
    expect(rows.filter(({ city }) => city === "Ulm").map(({ rainfall }) => rainfall)).toEqual(wanted);
    const sorted = await read([...lines, ...lines], "interval", (index) => (index < 40 ? "Ulm" : "Hof"));
    expect(sorted.rows.map(({ rainfall }) => rainfall)).toEqual([...wanted, ...wanted]);
  });

  test("of an hour is the hour's, and of half an hour half of it", async () => {
    expect(await rainOf(every(60, "00:00", [1, 2, 3]), "interval")).toEqual([1, 2, 3]);
    expect(await rainOf(every(30, "00:00", [1, 2, 3]), "interval")).toEqual([null, 3, 5]);
  });

  test("is not known where a report is missing, its amount is, or the interval is longer than the hour", async () => {
    const lines = every(10, "00:10", times(18, 0.1));
    const { rows, notes } = await read(lines.toSpliced(8, 1), "interval"); // without 01:30
    expect(rows.map(({ rainfall }) => rainfall)).toEqual([
      ...times(5, null),
      ...times(3, 0.6),
      ...times(5, null), // 01:40 to 02:20
      ...times(4, 0.6),
    ]);
    expect(notes).toHaveLength(1);
    const gaps = await read(lines.toSpliced(8, 1, [lines[8]![0], ""]), "interval");
    expect(gaps.rows.map(({ rainfall }) => rainfall)).toEqual([
      ...times(5, null),
      ...times(3, 0.6),
      ...times(6, null),
      ...times(4, 0.6),
    ]);
    expect(gaps.notes).toContain(
      "5 × the rain of the hour is not known: a report in the hour has no rain, first: 2025-05-09T23:40:00Z Ulm",
    );
    expect(await rainOf(every(180, "00:00", [1, 2, 3]), "interval")).toEqual([null, null, null]);
    expect(await rainOf(every(40, "00:00", [1, 2, 3, 4]), "interval")).toEqual(times(4, null));
  });

  test("a line that is there twice counts once, and clocks may drift by seconds", async () => {
    const lines = every(10, "00:10", times(12, 0.1));
    const twice = await rainOf(
      lines.flatMap((line) => [line, line]),
      "interval",
    );
    expect(twice.slice(10)).toEqual(times(14, 0.6));
    const drifting = lines.map(([time, rain], index): Line => [`${time.slice(0, 17)}0${index % 4}`, rain]);
    expect((await rainOf(drifting, "interval")).slice(6)).toEqual(times(6, expect.closeTo(0.6, 2)));
  });

  test("an impossible amount is kept as it came", async () => {
    const { rows } = await read(every(60, "00:00", [1, -3, "wet", 2]), "interval");
    expect(rows.map(({ rainfall, impossible }) => [rainfall, impossible])).toEqual([
      [1, undefined],
      [null, '{"rainfall":"-3"}'],
      [null, '{"rainfall":"wet"}'],
      [2, undefined],
    ]);
  });
});

describe("a column of totals", () => {
  test("since midnight gives the differences, over midnight too", async () => {
    const totals = [...times(6, 3), 3.2, 3.4, 3.6, 3.8, 4, 4.2, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
    const lines = every(10, "22:00", totals);
    const wanted = [...times(6, null), 0.2, 0.4, 0.6, 0.8, 1, 1.2, 1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.6];
    expect(await rainOf(lines, "since 00:00")).toEqual(wanted);
    expect(await rainOf(lines.toReversed(), "since 00:00")).toEqual(wanted.toReversed());
  });

  test("of an hourly file, whose midnight may be the end of the day or its begin", async () => {
    const end = every(60, "22:00", [3, 3.5, 4.5, 0.2, 0.2]);
    expect(await rainOf(end, "since 00:00")).toEqual([null, 0.5, 1, 0.2, 0]);
    const begin = every(60, "22:00", [3, 3.5, 0, 0.2, 0.2]);
    expect(await rainOf(begin, "since 00:00")).toEqual([null, 0.5, null, 0.2, 0]);
  });

  test("since 9 o'clock begins anew then, by the clock of the zone", async () => {
    const lines = every(60, "07:00", [3, 3.5, 4.5, 0.2, 0.3]);
    expect(await rainOf(lines, "since 09:00")).toEqual([null, 0.5, 1, 0.2, 0.1]);
    expect((await read(lines, "since 00:00")).notes).toContain(
      "2 × the rain of the hour is not known: the total fell: it was corrected, or it began anew, first: 2025-05-10T08:00:00Z Ulm",
    );
  });

  test("a total that falls at another time makes no rain, nor one that does not begin anew", async () => {
    for (const amount of ["since 00:00", "total"]) {
      const corrected = every(10, "10:00", [...times(7, 0.5), 0.48, ...times(7, 0.48)]);
      expect(await rainOf(corrected, amount)).toEqual([
        ...times(6, null),
        0,
        ...times(6, null), // the hours in which it fell
        0,
        0,
      ]);
      const restarted = every(10, "10:00", [...times(7, 0.5), 0, ...times(7, 0.5)]);
      expect((await rainOf(restarted, amount)).filter((rain) => rain !== null && rain > 0)).toEqual([]);
    }
    // The console's clock is late: yesterday's total stands in the first report of the day, as it was or corrected.
    for (const first of [5.4, 5.3]) {
      const late = every(10, "23:02", [...times(6, 5.4), first, ...times(9, 0.2)]);
      expect((await rainOf(late, "since 00:00")).filter((rain) => rain !== null && rain > 0)).toEqual([]);
    }
  });

  test("since ever may be as large as it likes", async () => {
    const lines = every(20, "00:00", [5000, 5000.2, 5000.4, 5001, 5001]);
    expect(await rainOf(lines, "total")).toEqual([null, null, null, 1, 0.8]);
    // The hour begins between two reports that are further apart than a quarter of one.
    expect(await rainOf(every(40, "00:00", [1, 2, 3, 4]), "total")).toEqual(times(4, null));
    expect(
      await rainOf(
        every(
          8,
          "00:00",
          times(9, 0).map((_, index) => index),
        ),
        "total",
      ),
    ).toEqual([...times(8, null), 7.5]);
  });
});

describe("every kind of column", () => {
  test.each(["interval", "since 00:00", "since 09:00", "total", "rate"])(
    "%s: gives the same rows oldest first and newest first, with gaps, falls and changes of pace",
    async (amount) => {
      let seed = 7;
      const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
      let minute = 0;
      let total = 10;
      const lines = Array.from({ length: 600 }, (_, index): Line => {
        minute += random() < 0.03 ? 90 : index < 300 ? 5 : 10;
        const rain = random() < 0.3 ? Math.round(random() * 10) / 10 : 0;
        total = random() < 0.01 ? 0 : Math.round((total + rain) * 10) / 10;
        const time = new Date(Date.UTC(2025, 4, 10, 0, minute)).toISOString();
        const value = amount === "interval" || amount === "rate" ? rain : total;
        return [time.slice(0, 19).replace("T", " "), random() < 0.02 ? "" : value];
      });
      const wanted = await rainOf(lines, amount);
      expect(wanted.filter((rain) => rain !== null).length).toBeGreaterThan(100);
      expect(await rainOf(lines.toReversed(), amount)).toEqual(wanted.toReversed());
    },
  );
});

describe("a column of rates", () => {
  test("stands for the time since the report before, of up to a quarter of an hour", async () => {
    const lines = every(15, "00:00", [0, 2, 4, 8, 2, 0]);
    expect(await rainOf(lines, "rate")).toEqual([null, null, null, 3.5, 4, 3.5]);
    expect(await rainOf(lines.toReversed(), "rate")).toEqual([3.5, 4, 3.5, null, null, null]);
    expect(await rainOf(every(30, "00:00", [2, 2, 2, 2]), "rate")).toEqual(times(4, null));
  });
});

describe("a column of which the map does not say what it is", () => {
  test("is the hour's in an hourly file", async () => {
    expect(await rainOf(every(60, "00:00", [1, 2, 3, 4, 5]))).toEqual([1, 2, 3, 4, 5]);
    expect(await rainOf(every(5, "00:05", times(12, 0.2)), "hour")).toEqual(times(12, 0.2));
    // The temperature comes more often.
    const lines = every(20, "00:00", ["", 1, "", "", 2, "", "", 3]);
    expect(await rainOf(lines)).toEqual([null, 1, null, null, 2, null, null, 3]);
  });

  test("is refused with what to write where reports are not an hour apart; nothing is stored", async () => {
    for (const [minutes, lines] of [
      [5, every(5, "00:05", ["", ...times(12, 0.2)])],
      [30, every(30, "00:05", [0, 0])],
      [1440, every(1440, "09:00", [3, 0, 1, 9])],
    ] as const)
      for (const order of [lines, lines.toReversed()]) {
        const error = await rejection(read(order));
        expect(error.code).toBe("bad_file");
        expect(error.message).toContain(`reports are ${minutes} minutes apart`);
        expect(error.hint).toContain('Add "amount" to fields.rainfall: "hour"');
      }
    const path = join(folder, "refused.csv");
    await Bun.write(
      path,
      "time,city,temp,rain\nunits,,C,mm\n2025-05-10 00:00:00,Ulm,8,0.1\n2025-05-10 00:05:00,Ulm,8,0.1",
    );
    const stored: unknown[] = [];
    const refused = (async () => {
      for await (const chunk of readRecords(path, { source: "file", map: mapOf() })) stored.push(...chunk);
    })();
    await rejection(refused);
    expect(stored).toEqual([]);
  });

  test("a report within the hour, later in the file, has no rain", async () => {
    const lines = every(60, "00:00", [1, 2, 3, 4, 5]).toSpliced(4, 0, ["2025-05-10 03:20:00", 0.7]);
    const { rows, notes } = await read(lines);
    expect(rows.map(({ rainfall }) => rainfall)).toEqual([1, 2, 3, 4, null, null]);
    expect(notes[0]).toContain(
      '2 × the rain of the hour is not known: reports are under an hour apart, and the map has no "amount"',
    );
  });
});

describe("parseColumnMap()", () => {
  const map = (fields: object, time: object) => ({ time: { column: "t", ...time }, fields });
  const iso = { format: "iso" };
  test.each<[object, object, string]>([
    [
      { rainfall: { column: "r", unit: "mm", amount: "day" } },
      iso,
      'fields.rainfall.amount is "day", wanted hour, interval',
    ],
    [{ rainfall: { column: "r", unit: "mm", amount: "since 24:00" } }, iso, "fields.rainfall.amount is"],
    [
      { rainfall: { column: "r", unit: "mm", amount: "since 00:00" } },
      iso,
      "time.zone must say by which clock",
    ],
    [{ humidity: { column: "r", unit: "%", amount: "hour" } }, iso, 'fields.humidity has "amount"'],
  ])("refuses %j", (fields, time, message) => {
    expect(() => parseColumnMap(map(fields, time))).toThrow(message);
  });
});
