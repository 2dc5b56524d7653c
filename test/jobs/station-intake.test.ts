import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { LogError, RequestError } from "../../core/errors.ts";
import { createLogger } from "../../core/log.ts";
import { parseStations } from "../../core/station.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { RainTotals } from "../../jobs/rain-totals.ts";
import { StationIntake } from "../../jobs/station-intake.ts";
import { FakeClock } from "../support/fake-clock.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-intake-"));
});
afterAll(() => rm(folder, { recursive: true }));

const KEY = "k".repeat(24);
const periods = [{ from: "2026-01-01", latitude: 51.5, longitude: -0.1 }];
const stations = parseStations([
  { id: "garden", city: "London", key_sha256: sha256Hex(KEY), periods },
  { id: "roof", city: "Bern", key_sha256: sha256Hex("another key"), periods },
  { id: "shed", city: "Bern", periods },
]);

const zoneOf = (city: string) => (city === "London" ? "Europe/London" : null);
let files = 0;
function setUp() {
  const clock = new FakeClock();
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
  const appended: NewRecord[] = [];
  const log = {
    failure: null as Error | null,
    append: async (records: readonly NewRecord[]) => {
      if (log.failure !== null) throw log.failure;
      appended.push(...records);
    },
  };
  const totals = new RainTotals(join(folder, `${files++}.sqlite`));
  const intake = new StationIntake({ stations, zoneOf, totals, log, clock, logger });
  const take = (text: string) => intake.take(stations[0]!, new URLSearchParams(text));
  const rain = () => appended.map(({ value }) => (JSON.parse(value) as { rainfall: number | null }).rainfall);
  return { clock, lines, appended, log, totals, intake, take, rain };
}

describe("StationIntake.stationOf()", () => {
  test("finds a station by its key, whatever case its id was sent in", () => {
    const { intake } = setUp();
    expect(intake.stationOf(KEY, null).id).toBe("garden");
    expect(intake.stationOf(KEY, "GARDEN").id).toBe("garden");
    expect(intake.stationOf("another key", "roof").id).toBe("roof");
  });

  test.each([
    ["an unknown key", "guess", null],
    ["no key", null, "garden"],
    ["an empty key", "", "shed"],
    ["another station's key", "another key", "garden"],
    ["the hash in place of the key", sha256Hex(KEY), "garden"],
    ["a key with something behind it", `${KEY} `, "garden"],
  ])("refuses %s, and says the same of each", (_, key, id) => {
    const { intake } = setUp();
    let error: unknown;
    try {
      intake.stationOf(key, id);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RequestError);
    expect((error as RequestError).code).toBe("unauthorized");
    expect((error as RequestError).message).toBe("The station's key is not known, or belongs to another id");
  });

  test("logs unknown keys at most once a minute, and never a key", async () => {
    const { intake, lines, clock } = setUp();
    const refuse = () => expect(() => intake.stationOf("s3cret-guess", "x".repeat(100))).toThrow();
    refuse();
    refuse();
    expect(lines).toHaveLength(1);
    expect(lines.join()).not.toContain("s3cret-guess");
    expect(lines.join()).not.toContain("x".repeat(41));
    await clock.advance(60_000);
    refuse();
    expect(lines).toHaveLength(2);
  });
});

describe("StationIntake.take()", () => {
  test("appends one record, keyed by the city; the station's own hourly rain is taken as it is", async () => {
    const t = setUp();
    await t.take("dateutc=now&tempf=50&rainin=0.1&dailyrainin=0.9");
    expect(t.appended).toEqual([
      {
        key: "London",
        value:
          '{"timestamp":"2026-01-31T12:00:00Z","city":"London","temperature":10,"humidity":null,"pressure":null,' +
          '"wind_speed":null,"rainfall":2.54,"weather_main":null,"weather_description":null,"source":"station:garden"}',
      },
    ]);
  });

  test("without an hourly rain it is worked out from the totals of the day", async () => {
    const t = setUp();
    for (const [time, total] of [
      ["11:00:00", "0.10"],
      ["11:30:00", "0.20"],
      ["12:00:00", "0.25"],
    ])
      await t.take(`dateutc=2026-01-31+${time}&tempf=50&dailyrainin=${total}`);
    expect(t.rain()).toEqual([null, null, 3.81]);
  });

  test("a total that is corrected from 0.50 to 0.48 in is no rain, and neither is one that comes back", async () => {
    const t = setUp();
    const push = (minute: number, total: string) =>
      t.take(`dateutc=${formatTimestamp(Date.UTC(2026, 0, 31, 9, minute))}&tempf=50&dailyrainin=${total}`);
    for (let minute = 0; minute < 70; minute += 5) await push(minute, "0.50");
    for (const [minute, total] of [
      [70, "0.48"],
      [75, "0"],
      [80, "0.50"],
    ] as const)
      await push(minute, total);
    expect(t.rain().slice(-5)).toEqual([0, 0, null, null, null]);
  });

  test("the total begins anew at midnight of the station's city", async () => {
    const t = setUp();
    for (const [time, total] of [
      ["30T23:10:00", "0.50"],
      ["30T23:59:00", "0.50"],
      ["31T00:04:00", "0.10"],
      ["31T00:10:00", "0.10"],
    ])
      await t.take(`dateutc=2026-01-${time}&tempf=50&dailyrainin=${total}`);
    expect(t.rain().at(-1)).toBe(2.54);
  });

  test("of two gauges that contradict each other the one that has rain counts", async () => {
    const t = setUp();
    const gauges = "hourlyrainin=0.000&dailyrainin=0.000&hrain_piezo=0.240&drain_piezo=0.500";
    await t.take(`dateutc=2026-01-31+12:00:00&tempf=60&${gauges}`);
    await t.take("dateutc=2026-01-31+12:01:00&hrain_piezo=0&hourlyrainin=0.24");
    expect(t.rain()).toEqual([6.096, 6.096]);
  });

  test("a log that takes nothing is said, and the push sent again is the same observation", async () => {
    const t = setUp();
    await t.take("dateutc=2026-01-31+11:00:00&tempf=50&dailyrainin=0.10");
    t.log.failure = new LogError("full", "the disk is full");
    const push = "dateutc=2026-01-31+12:00:00&dailyrainin=0.20";
    await expect(t.take(push)).rejects.toThrow("the disk is full");
    expect(t.appended).toHaveLength(1);
    t.log.failure = null;
    await t.take(push);
    await t.take(push);
    expect(t.rain()).toEqual([null, 2.54, 2.54]);
    expect(t.appended[1]).toEqual(t.appended[2]!);
  });

  test("a total alone is no observation until it tells the rain of the hour", async () => {
    const t = setUp();
    await t.take("dateutc=2026-01-31+11:00:00&dailyrainin=0.10");
    expect(t.appended).toEqual([]);
    await t.take("dateutc=2026-01-31+12:00:00&dailyrainin=0.20");
    expect(t.rain()).toEqual([2.54]);
  });

  test("a malformed push leaves nothing behind, and is logged when its reason changes", async () => {
    const t = setUp();
    await t.take("dateutc=2026-01-31+11:00:00&tempf=50&dailyrainin=0.10");
    const bad = "dateutc=2026-02-02+11:30:00&dailyrainin=9";
    for (const _ of [1, 2, 3]) await expect(t.take(bad)).rejects.toThrow("more than a day in the future");
    await expect(t.take("dateutc=now")).rejects.toThrow("no measurement");
    const refusals = t.lines.filter((line) => line.includes("was refused"));
    expect(refusals).toHaveLength(2);
    expect(JSON.parse(refusals[0]!)).toMatchObject({ level: "warn", station: "garden" });
    await t.take("dateutc=2026-01-31+12:00:00&dailyrainin=0.20"); // the 9 inches were not kept
    expect(t.rain()).toEqual([null, 2.54]);
    expect(t.lines.filter((line) => line.includes("is taken again"))).toHaveLength(1);
  });

  test.each(["1970-01-01 00:00:12", "2000-01-01 00:00:00", "2025-01-30 11:59:59"])(
    "a push of %s is refused: a clock that is not set says so; its total of rain is not kept",
    async (time) => {
      const t = setUp();
      await expect(t.take(`dateutc=${time}&tempf=50.1&dailyrainin=1`)).rejects.toThrow(
        `The push is not taken: timestamp is ${time.replace(" ", "T")}Z, more than a year old for a live report`,
      );
      expect(t.appended).toEqual([]);
      expect(t.lines.filter((line) => line.includes("was refused"))).toHaveLength(1);
      await t.take("dateutc=2025-02-01 12:00:00&tempf=50.1"); // what a station kept through an outage
      expect(t.appended).toHaveLength(1);
    },
  );

  test("the names of parameters that are not read are told once", async () => {
    const t = setUp();
    const push = "dateutc=now&tempf=50&PASSKEY=s3cret&stationtype=GW2000A&soilmoisture1=40&tempout=49";
    await t.take(push);
    await t.take(push);
    await t.take(`${push}&wh65batt=0`);
    const told = t.lines.filter((line) => line.includes("parameters that are not read"));
    expect(told.map((line) => JSON.parse(line) as object)).toMatchObject([
      { station: "garden", parameters: "soilmoisture1, tempout" },
      { station: "garden", parameters: "wh65batt" },
    ]);
    expect(t.lines.join()).not.toContain("s3cret");
  });

  test("a broken sensor loses its own value alone; it is answered, and logged when it breaks and when it is whole", async () => {
    const t = setUp();
    expect(await t.take("dateutc=2026-01-31+11:00:00&tempf=50&humidity=80")).toEqual([]);
    const reasons = await t.take("dateutc=2026-01-31+11:01:00&tempf=50.1&humidity=255");
    expect(reasons).toEqual([expect.stringContaining('humidity is "255"')]);
    await t.take("dateutc=2026-01-31+11:02:00&tempf=50.2&humidity=254");
    await t.take("dateutc=2026-01-31+11:03:00&tempf=50.3&humidity=81");
    const stored = t.appended.map(({ value }) => JSON.parse(value) as Record<string, unknown>);
    expect(
      stored.map(({ temperature, humidity, impossible }) => [temperature, humidity, impossible]),
    ).toEqual([
      [10, 80, undefined],
      [10.06, null, '{"humidity":"255"}'],
      [10.11, null, '{"humidity":"254"}'],
      [10.17, 81, undefined],
    ]);
    expect(t.lines.filter((line) => line.includes("are impossible"))).toEqual([
      expect.stringContaining("humidity is"),
    ]);
    expect(t.lines.filter((line) => line.includes("are good again"))).toHaveLength(1);
  });

  test("when the totals cannot be kept the rest of the push is taken, and it is logged once", async () => {
    const t = setUp();
    t.totals.close();
    await t.take("dateutc=now&tempf=50&dailyrainin=0.1");
    await t.take("dateutc=now&tempf=51&dailyrainin=0.1");
    expect(t.rain()).toEqual([null, null]);
    expect(t.lines.filter((line) => line.includes('"level":"error"'))).toHaveLength(1);
  });
});
