import { expect, test } from "bun:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { join } from "node:path";
import { sha256Hex } from "../../core/checksum.ts";
import { formatTimestamp } from "../../core/time.ts";
import { randomFrom } from "../support/lake-files.ts";
import { eventually, startHere, temporaryFolder } from "../support/running.ts";

const PUSHES = 20_000;
const STATIONS = 20;
const KEY = (station: number) =>
  `${"abcdefghijkmnpqrstuvwxyz".slice(station)}23456789`.slice(0, 24).padEnd(24, "2");

/** Parameter, column, how a good value is made, and what it becomes; two decimals are kept. */
const SENSORS: readonly (readonly [
  string,
  string,
  (random: () => number) => number,
  (value: number) => number,
])[] = [
  ["tempf", "temperature", (random) => 20 + 70 * random(), (value) => ((value - 32) * 5) / 9],
  ["humidity", "humidity", (random) => Math.floor(100 * random()), (value) => value],
  ["baromin", "pressure", (random) => 29 + 2 * random(), (value) => value * 33.8638867],
  ["windspeedmph", "wind_speed", (random) => 40 * random(), (value) => value * 0.44704],
  ["winddir", "wind_direction", (random) => Math.floor(360 * random()), (value) => value],
  ["windgustmph", "wind_gust", (random) => 40 + 40 * random(), (value) => value * 0.44704],
  ["dewptf", "dew_point", (random) => 20 + 10 * random(), (value) => ((value - 32) * 5) / 9],
  ["hourlyrainin", "rainfall", (random) => random(), (value) => value * 25.4],
];
/** What a broken sensor sends: none of it is a value of any of them. */

const BROKEN = ["--", "nan", "65535", "-500", "1e999", "0x20", "12,5", "on", "\u0000", "𝟙"];

test(`${PUSHES} pushes with up to three broken values each: every good value is stored, and each answer names what is broken`, async () => {
  await using folder = await temporaryFolder();
  const stations = Array.from({ length: STATIONS }, (_, index) => ({
    id: `s${index}`,
    city: `Place ${index}`,
    key_sha256: sha256Hex(KEY(index)),
    periods: [{ from: "2020-01-01", latitude: 50, longitude: index }],
  }));
  await Bun.write(join(folder.path, "stations.json"), JSON.stringify(stations));
  await using program = await startHere({
    DATA_DIR: folder.path,
    WEATHER_SOURCE: "open-meteo",
  });
  const random = randomFrom(12);
  const begin = Math.floor((Date.now() - 20 * 3_600_000) / 1000) * 1000;
  const sums = new Map(SENSORS.map(([, column]) => [column, { count: 0, sum: 0, broken: 0 }]));
  const send = async (index: number): Promise<void> => {
    const station = index % STATIONS;
    const ms = begin + Math.floor(index / STATIONS) * 60_000;
    const parameters = new URLSearchParams({
      PASSKEY: KEY(station),
      dateutc: formatTimestamp(ms).slice(0, 19).replace("T", " "),
    });
    const sensors = SENSORS.filter(() => random() < 0.8);
    const broken = new Set(
      Array.from({ length: Math.floor(4 * random()) }, () => Math.floor(sensors.length * random())),
    );
    const expected: string[] = [];
    for (const [at, [name, column, make, convert]] of sensors.entries()) {
      const sum = sums.get(column)!;
      if (broken.has(at)) {
        const text = BROKEN[Math.floor(BROKEN.length * random())]!;
        parameters.set(name, text);
        expected.push(`Left out: ${name} is ${JSON.stringify(text)}, wanted ${column} as a number from`);
        sum.broken++;
      } else {
        const value = Number(make(random).toFixed(3));
        parameters.set(name, String(value));
        sum.count++;
        sum.sum += Number(convert(value).toFixed(column === "rainfall" ? 3 : 2));
      }
    }
    const answer = await fetch(new URL("/data/report/", program.url), { method: "POST", body: parameters });
    const lines = (await answer.text()).trimEnd().split("\n");
    if (sensors.length === 0) return expect(answer.status).toBe(400);
    expect([answer.status, lines[0], lines.length]).toEqual([200, "success", 1 + expected.length]);
    for (const [at, start] of expected.entries()) expect(lines[1 + at]).toStartWith(start);
  };
  for (let first = 0; first < PUSHES; first += 100)
    await Promise.all(Array.from({ length: 100 }, (_, index) => send(first + index)));

  const db = await (await DuckDBInstance.create()).connect();
  const files = join(folder.path, "lake/observed/observations");
  const all = `(SELECT * FROM read_json('${files}/**/*.jsonl', union_by_name = true, sample_size = -1) WHERE source LIKE 'station:%')`;
  const columns = [...sums.keys()];
  const sql = `SELECT ${columns
    .map(
      (name) =>
        `count(${name}) AS ${name}_n, sum(${name}) AS ${name}_sum, count(*) FILTER (impossible LIKE '%"${name}":%') AS ${name}_broken`,
    )
    .join(", ")} FROM ${all}`;
  const found = await eventually("all are in the lake", async () => {
    const [row] = (await db.runAndReadAll(sql)).getRowObjects();
    const isDone = columns.every((name) => Number(row![`${name}_n`]) >= sums.get(name)!.count);
    return isDone ? row! : undefined;
  });
  for (const [name, { count, sum, broken }] of sums) {
    expect([name, Number(found[`${name}_n`]), Number(found[`${name}_broken`])]).toEqual([
      name,
      count,
      broken,
    ]);
    // A twentieth of the last decimal that is kept: the unit of pressure is rounded too.
    expect(Math.abs(Number(found[`${name}_sum`]) - sum)).toBeLessThan(count * 5e-4);
  }
}, 600_000);
