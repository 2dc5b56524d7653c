import { describe, expect, test } from "bun:test";
import type { City } from "../../core/city.ts";
import { sqlRunner } from "./jobs.ts";

const place = (name: string, zone: string): City => ({ name, slug: name, latitude: 0, longitude: 0, zone });
const CITIES = [
  place("Oslo", "Europe/Oslo"),
  place("Bergen", "Europe/Oslo"),
  place("Tokyo", "Asia/Tokyo"),
  place("Adelaide", "Australia/Adelaide"),
];

describe("the view zones", () => {
  const run = sqlRunner({ cities: CITIES });

  test("has each zone of the cities once, in periods without a gap that hold every time", async () => {
    const found = await run(
      `SELECT a.zone, count(*) AS periods, count(b.zone) AS followed,
         min(unix_micros(a.valid_from)) < -3e15 AS begins, max(unix_micros(a.valid_to)) > 3e15 AS ends
       FROM zones AS a LEFT JOIN zones AS b ON b.zone = a.zone AND b.valid_from = a.valid_to
       GROUP BY a.zone ORDER BY a.zone`,
      [],
    );
    expect(found.map(({ zone }) => zone)).toEqual(["Asia/Tokyo", "Australia/Adelaide", "Europe/Oslo"]);
    for (const { periods, followed, begins, ends } of found) {
      expect(followed).toBe(Number(periods) - 1);
      expect([begins, ends]).toEqual([true, true]);
    }
    expect(found[0]?.periods).toBe(1);
    expect(Number(found[2]?.periods)).toBeGreaterThan(100);
  });

  test("tells what clocks show at a time", async () => {
    const offset = async (zone: string, time: string) =>
      (
        await run(
          `SELECT offset_minutes FROM zones
           WHERE zone = '${zone}' AND valid_from <= TIMESTAMP '${time}+00:00' AND valid_to > TIMESTAMP '${time}+00:00'`,
          [],
        )
      ).map(({ offset_minutes }) => offset_minutes);
    expect(await offset("Europe/Oslo", "2026-03-29 00:59:59")).toEqual([60]);
    expect(await offset("Europe/Oslo", "2026-03-29 01:00:00")).toEqual([120]);
    expect(await offset("Australia/Adelaide", "2026-01-01 00:00:00")).toEqual([630]);
    expect(await offset("Asia/Tokyo", "1901-05-01 00:00:00")).toEqual([540]);
  });
});
