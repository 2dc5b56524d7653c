import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { evaluate } from "../../../server/commands/evaluate.ts";
import { randomFrom } from "../../support/lake-files.ts";

const DAYS = 86;
const CITIES = ["Astana", "Bergen"];

let folder: string;

/** A small world: two cities with weather of their own, and an office. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-test-"));
  const random = randomFrom(3);
  const lines: string[] = [];
  for (let hour = 0; hour < DAYS * 24; hour++) {
    for (const [index, city] of CITIES.entries()) {
      const wave = 5 * Math.sin((hour / 24) * 2 * Math.PI) + 3 * Math.sin(hour / 40 + index);
      const timestamp = formatTimestamp(Date.UTC(2017, 0, 1) + hour * HOUR_MS);
      const temperature = Math.round(100 * (10 + index + wave + random())) / 100;
      lines.push(
        JSON.stringify({ timestamp, city, temperature, humidity: 60, pressure: 1010, wind_speed: 3 }),
      );
    }
  }
  await writeFile(join(folder, "owm_hourly_24_cities.jsonl.gz"), gzipSync(`${lines.join("\n")}\n`));
  const places = CITIES.map((name, i) => `${name},Nowhere,${10 + i},20`);
  await writeFile(join(folder, "owm_24_cities.csv"), ["city,country,lat,lon", ...places, ""].join("\n"));
  const office = Array.from({ length: 36 * 24 }, (_, hour) => {
    const time = formatTimestamp(Date.UTC(2013, 10, 20) + hour * HOUR_MS)
      .replace("T", " ")
      .replace("Z", "");
    const cold = hour >= 33 * 24 && hour < 33 * 24 + 30;
    return `${time},${70 + (cold ? -30 : 0) + random()}`;
  });
  await writeFile(join(folder, "nab_ambient_temperature.csv"), ["timestamp,value", ...office].join("\n"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Cells of a table's row that begins with a text. */
function rowOf(report: string, first: string, after = ""): string[] {
  const line = report
    .slice(Math.max(0, report.indexOf(after)))
    .split("\n")
    .find((one) => one.startsWith(`| ${first} `));
  return (line ?? "")
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

test("evaluate() judges a year and its copies with faults, and says what was found and what was wrong", async () => {
  const log: string[] = [];
  const given = { dataFolder: folder, peers: false, log: (line: string) => log.push(line) };
  const report = await evaluate(["anomalies"], given);
  expect(log[0]).toBe(`${DAYS * 24 * CITIES.length} observations of 2 cities`);
  expect(report).toContain("beginning with the first (Astana)");
  expect(report).toContain("reported on the others (Bergen)");
  // On such even weather a fault of 8 °C stands out, and nothing else does.
  const shipped = "### All kinds at the thresholds that ship";
  expect(rowOf(report, "spike of 8 °C", shipped).slice(2)).toEqual(["spike", "1.000", "1.000"]);
  expect(rowOf(report, "8 °C off for 6 h", shipped).slice(2)).toEqual(["step", "1.000", "1.000"]);
  expect(rowOf(report, "no report for 6 h", shipped).slice(2)).toEqual(["silent", "1.000", "1.000"]);
  expect(rowOf(report, "stuck for 13 to 24 h", shipped).slice(2)).toEqual(["stuck", "1.000", "1.000"]);
  expect(rowOf(report, "all kinds together", shipped).slice(2)).toEqual(["0.00", "0.00", "0.00", "0.00"]);
  // The office's cold day and a half lies in the first window, and there is no other.
  expect(rowOf(report, "unusual", "### Numenta")[2]).toBe("1 of 1");
  expect(Number(rowOf(report, "unusual", "### Numenta")[1])).toBeGreaterThan(0.5);
});

test("evaluate() refuses a part that is not known, and names the file that is missing", async () => {
  const given = { dataFolder: join(folder, "nowhere"), peers: false, log: () => {} };
  expect(evaluate(["weather"], given)).rejects.toMatchObject({ code: "bad_setting" });
  expect(evaluate(["anomalies"], given)).rejects.toMatchObject({
    code: "bad_setting",
    message: expect.stringContaining("owm_24_cities.csv") as string,
    hint: "Say where it lies: bun run evaluate --data FOLDER",
  });
});
