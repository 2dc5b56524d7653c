import { describe, expect, test } from "bun:test";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { type ZonePeriod, zonePeriods } from "../../core/zone-offsets.ts";

/** What Intl says the clocks show minus UTC, minutes. */
function offsetBy(zone: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  return (ms) => {
    const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = part;
    return Math.round(
      (Date.UTC(year, month - 1, day, hour, minute) - Math.floor(ms / 60_000) * 60_000) / 60_000,
    );
  };
}

const at = (periods: readonly ZonePeriod[], ms: number) =>
  periods.filter(({ from, to }) => from <= ms && ms < to).map(({ offsetMinutes }) => offsetMinutes);

describe("zonePeriods()", () => {
  test("has the changes of a year, the first period open to the past and the last to the future", () => {
    expect(zonePeriods("America/New_York", 2026, 2026)).toEqual([
      { zone: "America/New_York", from: -Infinity, to: Date.UTC(2026, 2, 8, 7), offsetMinutes: -300 },
      {
        zone: "America/New_York",
        from: Date.UTC(2026, 2, 8, 7),
        to: Date.UTC(2026, 10, 1, 6),
        offsetMinutes: -240,
      },
      { zone: "America/New_York", from: Date.UTC(2026, 10, 1, 6), to: Infinity, offsetMinutes: -300 },
    ]);
  });

  test("of a zone without summer time is one period", () => {
    expect(zonePeriods("Asia/Tokyo", 2000, 2037)).toEqual([
      { zone: "Asia/Tokyo", from: -Infinity, to: Infinity, offsetMinutes: 540 },
    ]);
    expect(zonePeriods("Etc/GMT-9", 1970, 2037)[0]?.offsetMinutes).toBe(540);
  });

  test("finds summer times of a week, and changes of half an hour", () => {
    const week = zonePeriods("America/Recife", 2000, 2000);
    expect(week.map(({ offsetMinutes }) => offsetMinutes)).toEqual([-120, -180, -120, -180]);
    expect(week[2]!.to - week[2]!.from).toBe(7 * DAY_MS - HOUR_MS);
    expect(zonePeriods("Australia/Lord_Howe", 2026, 2026).map(({ offsetMinutes }) => offsetMinutes)).toEqual([
      660, 630, 660,
    ]);
  });

  test.each(["Europe/London", "Australia/Sydney", "Africa/Casablanca", "Asia/Kathmandu", "America/St_Johns"])(
    "agrees with Intl at every 36 hours of 40 years in %s",
    (zone) => {
      const periods = zonePeriods(zone, 1990, 2029);
      const offset = offsetBy(zone);
      const wrong: unknown[] = [];
      for (let ms = Date.UTC(1990, 0, 1); ms < Date.UTC(2030, 0, 1); ms += 36 * HOUR_MS) {
        const found = at(periods, ms);
        if (found.length !== 1 || found[0] !== offset(ms)) wrong.push([ms, found, offset(ms)]);
      }
      expect(wrong).toEqual([]);
      for (const { from } of periods.slice(1)) {
        expect(at(periods, from)).toEqual([offset(from)]);
        expect(at(periods, from - 1)).toEqual([offset(from - 1)]);
      }
    },
  );

  test("throws RangeError for a zone that is not known", () => {
    expect(() => zonePeriods("Atlantis/Capital", 2026, 2026)).toThrow(RangeError);
  });
});
