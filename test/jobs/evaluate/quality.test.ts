import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { evaluate } from "../../../server/commands/evaluate.ts";

let folder: string;

/** Four days of a city, with two hours that are known to be bad and one bad temperature that is not; and an airport. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-test-"));
  const begin = Date.UTC(2016, 11, 4);
  const lines = Array.from({ length: 96 }, (_, hour) => {
    const timestamp = formatTimestamp(begin + hour * HOUR_MS);
    const isKnown = timestamp === "2016-12-07T01:00:00Z" || timestamp === "2016-12-07T02:00:00Z";
    return JSON.stringify({
      timestamp,
      city: "Albuquerque",
      temperature: hour === 30 ? 40 : 10 + (hour % 2) / 10,
      humidity: 50 + (hour % 3),
      pressure: isKnown ? 838 : 1015 + (hour % 2),
      wind_speed: 3,
    });
  });
  await writeFile(join(folder, "owm_hourly_24_cities.jsonl.gz"), gzipSync(`${lines.join("\n")}\n`));
  await writeFile(
    join(folder, "owm_24_cities.csv"),
    "city,country,lat,lon\nAlbuquerque,United States,35.1,-106.7\n",
  );
  const airport = ["2013-02-12T07:00:00Z,9.2", "2013-02-12T08:00:00Z,1048.36", "2013-02-12T09:00:00Z,NA"];
  const winds = airport.map((line) => `EWR,${line}`);
  await writeFile(
    join(folder, "nyc_asos_2013_ewr_jfk.csv"),
    ["origin,time_hour,wind_speed", ...winds, ""].join("\n"),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("evaluate() says which winds fail, how much good data fails, and what is found of what is known to be bad", async () => {
  const log: string[] = [];
  const report = await evaluate(["quality"], {
    dataFolder: folder,
    peers: false,
    log: (line) => log.push(line),
  });
  const rowOf = (first: string) =>
    report
      .split("\n")
      .filter((one) => one.startsWith(`| ${first} `))
      .map((line) =>
        line
          .split("|")
          .slice(2, -1)
          .map((cell) => cell.trim()),
      );
  expect(report).toContain("Of 3 hourly winds of Newark and JFK fail: EWR 2013-02-12T08:00:00Z, 1048 mph.");
  expect(report).toContain("Of the 94 good reports 1 fail a test: 1.06 %, ABOVE the 0.5 % that may.");
  expect(rowOf("Albuquerque")).toEqual([
    ["2", "2", "0", "0"],
    ["96", "0.00", "3.13", "0 / 2", "0 / 2", "0 / 1", "0 / 0", "0 / 2"],
  ]);
  expect(rowOf("spike of temperature")).toEqual([["0.000", "0.18", "1.042", "0.047"]]);
  expect(log).toContain("quality: known bad, Albuquerque: 2 hours, 2 failed, 0 suspect");
});

test("evaluate() says which file of the data is missing", async () => {
  const given = { dataFolder: join(folder, "nowhere"), peers: false, log: () => undefined };
  await expect(evaluate(["quality"], given)).rejects.toThrow("Cannot read owm_24_cities.csv");
});
