import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { readLimits } from "../../spark/limits.ts";
import { type Limit } from "../../core/quality.ts";
import { VARIABLE_NAMES } from "../../core/variables.ts";
import { row } from "../support/lake-files.ts";
import { each, NOTHING, qualityRunner, reports } from "./quality-reports.ts";

const { run, flags } = qualityRunner();

/** A value at each bound and just beyond it, with the flag that is wanted. */
function atBounds({ suspect_low, suspect_high, fail_low, fail_high }: Limit): [number, number][] {
  const flag = (value: number) =>
    value < fail_low! || value > fail_high! ? 4 : value < suspect_low! || value > suspect_high! ? 3 : 1;
  return [suspect_low!, suspect_high!, fail_low!, fail_high!].flatMap((bound) =>
    [bound - 0.1, bound, bound + 0.1].map((value): [number, number] => [value, flag(value)]),
  );
}

describe("q_gross", () => {
  test("each limit of latitude and season holds at its bounds and not beyond", async () => {
    const rows: Row[] = [];
    const wanted: number[][] = [];
    const cities = { low: ["Madrid", "Sydney"], high: ["Oslo", "Ushuaia"] };
    for (const limit of await readLimits()) {
      if (limit.test !== "gross") continue;
      for (const city of limit.latitude === null ? ["Madrid"] : cities[limit.latitude as "low"]) {
        const isNorth = city === "Madrid" || city === "Oslo";
        const days = (limit.season === "summer") === isNorth ? ["04-01", "09-30"] : ["10-01", "03-31"];
        for (const day of days) {
          for (const [value, flag] of atBounds(limit)) {
            // Each is the only one of its source and hour: no other test has anything to say.
            const [sign, hour] = day.endsWith("01") ? [1, "00"] : [-1, "23"];
            const hours = rows.filter(
              (one) => one.city === city && one.timestamp.startsWith(`2026-${day.slice(0, 2)}`),
            ).length;
            const timestamp = formatTimestamp(
              Date.parse(`2026-${day}T${hour}:00:00Z`) + sign * hours * HOUR_MS,
            );
            const log_offset = rows.length;
            const own = {
              city,
              source: `source ${log_offset}`,
              timestamp,
              ingested_at: timestamp,
              log_offset,
            };
            rows.push(row({ ...NOTHING, ...own, [limit.variable]: value }));
            wanted.push([flag, flag]);
          }
        }
      }
    }
    expect(rows.length).toBeGreaterThan(300);
    const worst = `greatest(${VARIABLE_NAMES.map((name) => `${name}_flag % 9`).join(", ")})`;
    const found = await run(`SELECT q_gross, ${worst} AS worst FROM quality ORDER BY log_offset`, rows);
    expect(found.map(({ q_gross: gross, worst: of }) => [Number(gross), Number(of)])).toEqual(wanted);
  });

  test("the widest limits hold where the latitude is not known", async () => {
    const at = (temperature: number, month: string) =>
      reports([{ temperature, timestamp: `2026-${month}-15T00:00:00Z` }], 60, { city: "Atlantis" });
    const found = await Promise.all(
      [at(-80, "07"), at(-90, "01"), at(60, "01"), at(60.1, "07"), at(-90.1, "01")].map((rows) =>
        flags("q_gross", rows),
      ),
    );
    expect(found.flat()).toEqual([1, 3, 3, 4, 4]);
  });

  test("fails the wind of 1048 mph that Newark reported, and nothing else of that report", async () => {
    const rows = reports(each("wind_speed", [5, 1048.36058 * 0.44704, 6]));
    const found = await run("SELECT * FROM quality ORDER BY timestamp", rows);
    expect(found.map(({ wind_speed_flag: wind, flag, q_gross: gross }) => [wind, flag, gross])).toEqual([
      [1, 1, 1],
      [4, 4, 4],
      [1, 1, 1],
    ]);
    expect(found[1]).toMatchObject({
      temperature_flag: 1,
      humidity_flag: 1,
      pressure_flag: 1,
      rainfall_flag: 1,
    });
    expect(found[1]?.wind_speed).toBeCloseTo(468.66, 2);
  });

  const year = join(import.meta.dir, "../../../shared/data/nyc_asos_2013_ewr_jfk.csv");
  test.skipIf(!existsSync(year))("fails that wind alone in the recorded year of Newark and JFK", async () => {
    const lines = (await Bun.file(year).text()).trim().split("\n").slice(1);
    const rows = lines.map((line, log_offset) => {
      const cells = line.split(",");
      const wind = Number(cells[9]);
      const timestamp = cells[14]!.trim();
      return row({
        city: cells[0]!,
        timestamp,
        ingested_at: timestamp,
        ...NOTHING,
        wind_speed: Number.isFinite(wind) ? wind * 0.44704 : null,
        log_offset,
      });
    });
    const found = await run("SELECT city, timestamp FROM quality WHERE wind_speed_flag IN (3, 4)", rows);
    expect(found).toEqual([{ city: "EWR", timestamp: "2013-02-12T08:00:00Z" }]);
  });
});
