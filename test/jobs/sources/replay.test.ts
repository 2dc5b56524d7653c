import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { createLogger } from "../../../core/log.ts";
import { canonicalJson, parseObservation } from "../../../core/observation.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { readRecords, replayPace } from "../../../jobs/sources/replay.ts";
import { simulatedRecords, syntheticCities } from "../../../jobs/sources/simulator.ts";
import type { NewRecord } from "../../../jobs/log/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { rejection } from "./provider.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-replay-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Writes a file and reads it as a recording: its records, what it threw, and the log's line. */
async function read(name: string, content: string | Uint8Array) {
  const path = join(folder, name);
  await Bun.write(path, content);
  const records: NewRecord[] = [];
  const chunks: number[] = [];
  const log: string[] = [];
  const logger = createLogger({
    level: "debug",
    format: "text",
    write: (line) => log.push(line),
    now: () => 0,
  });
  let error: (Error & { code?: string }) | undefined;
  try {
    for await (const chunk of readRecords(path, { source: "tape", logger })) {
      chunks.push(chunk.length);
      records.push(...chunk);
    }
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    error = thrown;
  }
  return { records, chunks, error, log: log.join("\n") };
}

const raw = (value: string): NewRecord => ({ key: "", value });
const unreadable = (text: string, reason: string): NewRecord =>
  raw(JSON.stringify({ source: "tape", line: text, unreadable: reason }));
const line = '{"timestamp": "2016-12-01T00:00:00Z", "city": "Portland", "temperature": 9.0, "humidity": 70}';
const canonical: NewRecord = {
  key: "Portland",
  value:
    '{"timestamp":"2016-12-01T00:00:00Z","city":"Portland","temperature":9,"humidity":70,"pressure":null,' +
    '"wind_speed":null,"rainfall":null,"weather_main":null,"weather_description":null,"source":"tape"}',
};

describe("readRecords() of .jsonl", () => {
  test("makes observations canonical, and names the source where a record has none", async () => {
    const own = line
      .replace("{", '{"source": "station 7", "timestamp_x": 1,')
      .replace('"timestamp_x": 1,', "");
    const { records, log } = await read("a.jsonl", `${line}\r\n${own}\n${line.replace("00Z", "00+02:00")}\n`);
    expect(records).toEqual([
      canonical,
      { key: "Portland", value: canonical.value.replace("tape", "station 7") },
      { key: "Portland", value: canonical.value.replace("2016-12-01T00", "2016-11-30T22") },
    ]);
    expect(log).toContain("records=3 unreadable=0 too_long=0 repeated=0");
  });

  test("passes on every line that is no observation as it is", async () => {
    const bad = [
      "",
      "   ",
      "not json",
      '{"timestamp": "0001-01-01T00:00:00Z", "city": "Portland"}',
      '{"timestamp": "2016-12-01T00:00:00Z", "city": "Portland", "temperature": NaN}',
      '[{"timestamp": "2016-12-01T00:00:00Z", "city": "Portland"}]',
      "null",
      "3",
      '"text"',
      '{"timestamp": "2016-12-01T00:00:00Z", "city": "Portland", "extra": 1}',
    ];
    const { records, log } = await read("bad.jsonl", [...bad, line].join("\n"));
    // An object gets its source, so that the reason given for it is its real fault; nothing else of it changes.
    const passedOn = bad.map((text) =>
      /^\{(?!.*NaN)/.test(text) ? text.replace("{", `{"source":"tape",`) : text,
    );
    expect(records).toEqual([...passedOn.map(raw), canonical]);
    expect(log).toContain("warn");
    expect(log).toContain("records=11 unreadable=10");
  });

  test("leaves the far future to the consumer, which knows when the log took it", async () => {
    const { records } = await read("future.jsonl", line.replace("2016", "9998"));
    expect(records).toEqual([{ key: "Portland", value: canonical.value.replace("2016", "9998") }]);
  });

  test("binary garbage comes with U+FFFD in place of what is no text", async () => {
    const garbage = new Uint8Array([0xff, 0xfe, 0x00, 0x41, 0x0a, 0xc3, 0x28, 0x0a]);
    const { records } = await read(
      "garbage.jsonl",
      new Uint8Array([...garbage, ...new TextEncoder().encode(line)]),
    );
    expect(records).toEqual([raw("\uFFFD\uFFFD\u0000A"), raw("\uFFFD("), canonical]);
  });

  test("of a line longer than 1 MiB the first 64 KiB are passed on, cut so that they are no JSON", async () => {
    const long = `{"city": "${"x".repeat(10_000_000)}"}`;
    const spaces = line + " ".repeat(1024 * 1024); // its beginning alone would be an observation
    const whole = line + " ".repeat(1024 * 1024 - line.length); // 1 MiB is not too long
    const { records, log } = await read("long.jsonl", [long, line, spaces, whole, line, long].join("\n"));
    expect(records.map((record) => record.key)).toEqual(["", "Portland", "", "Portland", "Portland", ""]);
    expect(records[0]?.value).toBe(`${long.slice(0, 65_536)}…`);
    expect(records[2]?.value).toBe(`${spaces.slice(0, 65_536)}…`);
    expect(records[5]?.value).toBe(`${long.slice(0, 65_536)}…`);
    for (const { key, value } of records)
      if (key === "") expect(() => JSON.parse(value) as unknown).toThrow();
    expect(log).toContain("too_long=3");
  });

  test("reads lines and characters right wherever the blocks end, in chunks of 1,000", async () => {
    const names = Array.from(
      { length: 12_345 },
      (_, index) => `Zürich 東京 ${"é".repeat(index % 61)}${index}`,
    );
    const text = names
      .map((city) => JSON.stringify({ timestamp: "2016-12-01T00:00:00Z", city, temperature: 9 }))
      .join("\n");
    for (const [name, content] of [
      ["blocks.jsonl", text],
      ["blocks.jsonl.gz", gzipSync(text)],
    ] as const) {
      const { records, chunks, error } = await read(name, content);
      expect(error).toBeUndefined();
      expect(records.map((record) => record.key)).toEqual(names);
      expect(chunks).toEqual([...Array.from({ length: 12 }, () => 1000), 345]);
    }
  });

  test("a correction stays one, and a line without any value is passed on for the consumer to reject", async () => {
    const none = '{"timestamp":"2016-12-01T00:00:00Z","city":"Portland","humidity":null}';
    const { records } = await read(
      "correction.jsonl",
      [line.replace("}", ',"correction":true}'), none].join("\n"),
    );
    expect(records).toEqual([
      { key: "Portland", value: canonical.value.replace("}", ',"correction":true}') },
      raw(none.replace("{", '{"source":"tape",')),
    ]);
  });

  test("an empty file holds nothing; a byte order mark is no part of the first line", async () => {
    expect((await read("empty.jsonl", "")).records).toEqual([]);
    expect((await read("bom.jsonl", `\uFEFF${line}`)).records).toEqual([canonical]);
  });
});

describe("readRecords() of .gz", () => {
  const text = Array.from({ length: 20_000 }, (_, index) =>
    line.replace("9.0", String((index * 7919) % 40)),
  ).join("\n");

  test("reads several members, and zeros at the end", async () => {
    const { records, error } = await read(
      "members.jsonl.gz",
      Buffer.concat([gzipSync(`${line}\n`), gzipSync(`${line}\n`), Buffer.alloc(100)]),
    );
    expect(error).toBeUndefined();
    expect(records).toEqual([canonical, canonical]);
  });

  test("a file that ends too early throws bad_file after every whole line before that", async () => {
    const packed = gzipSync(text);
    for (const size of [packed.length - 1, packed.length - 8, Math.floor(packed.length / 2), 15, 5, 0]) {
      const { records, error } = await read("short.jsonl.gz", packed.subarray(0, size));
      expect(error?.code).toBe("bad_file");
      expect(error?.message).toContain("short.jsonl.gz");
      const lines = text.split("\n").slice(0, records.length);
      expect(records.every(({ key }) => key === "Portland")).toBe(true);
      expect(records.map(({ value }) => (JSON.parse(value) as { temperature: number }).temperature)).toEqual(
        lines.map((whole) => (JSON.parse(whole) as { temperature: number }).temperature),
      );
      if (size === packed.length - 8) expect(records.length).toBeGreaterThanOrEqual(19_999);
      if (size === Math.floor(packed.length / 2)) expect(records.length).toBeGreaterThan(5000);
    }
  });

  test("what is no gzip, or damaged inside, throws bad_file", async () => {
    const packed = gzipSync(text);
    packed[packed.length >> 1] = (packed[packed.length >> 1] ?? 0) ^ 0xff;
    expect((await read("damaged.jsonl.gz", packed)).error?.code).toBe("bad_file");
    expect((await read("plain.jsonl.gz", line)).error?.code).toBe("bad_file");
  });
});

describe("readRecords() of .csv", () => {
  test("takes the record's field names as header; an empty field is missing, never 0", async () => {
    const { records } = await read(
      "a.csv",
      [
        "timestamp,city,temperature,humidity,rainfall,weather_main,source,wind_gust",
        "2016-12-01T00:00:00Z,Portland,9.0,,0,Rain,,12.5",
        '2016-12-01T00:00:00Z,"Portland, ""OR""",-1e1,70,,,station 7,',
      ].join("\r\n"),
    );
    expect(records.map((record) => JSON.parse(record.value) as unknown)).toEqual([
      {
        timestamp: "2016-12-01T00:00:00Z",
        city: "Portland",
        temperature: 9,
        humidity: null,
        pressure: null,
        wind_speed: null,
        rainfall: 0,
        weather_main: "Rain",
        weather_description: null,
        source: "tape",
        wind_gust: 12.5,
      },
      {
        timestamp: "2016-12-01T00:00:00Z",
        city: 'Portland, "OR"',
        temperature: -10,
        humidity: 70,
        pressure: null,
        wind_speed: null,
        rainfall: null,
        weather_main: null,
        weather_description: null,
        source: "station 7",
      },
    ]);
  });

  test.each(["warm", "0x10", " ", "1e999", "-101"])(
    "keeps the temperature %j as impossible",
    async (text) => {
      const { records } = await read(
        "odd.csv",
        `timestamp,city,temperature,humidity\n2016-12-01T00:00:00Z,Portland,${text},70\n`,
      );
      expect(JSON.parse(records[0]!.value)).toMatchObject({
        temperature: null,
        humidity: 70,
        impossible: JSON.stringify({ temperature: text === "1e999" ? "Infinity" : text }),
      });
    },
  );

  test("passes on every line that is no observation, with the reason", async () => {
    const time = "2016-12-01T00:00:00Z";
    const bad: [line: string, reason: string][] = [
      [`${time},Portland`, "the line has 2 fields, the header has 3"],
      [`${time},Portland,1,2`, "the line has 4 fields, the header has 3"],
      [`${time},"Portland,1`, "the line's quotes do not match"],
      [`${time},"Port"land,1`, "the line's quotes do not match"],
      [",,", "timestamp is missing, wanted ISO 8601 with a zone"],
      ["", "the line has 1 fields, the header has 3"],
      ["2016-12-01T00:00:00,Portland,1", 'timestamp is "2016-12-01T00:00:00", wanted ISO 8601 with a zone'],
    ];
    const lines = ["timestamp,city,temperature", ...bad.map(([text]) => text), `${time},Portland,9`, ""];
    const { records } = await read("bad.csv", lines.join("\n"));
    expect(records.slice(0, -1)).toEqual(bad.map(([text, reason]) => unreadable(text, reason)));
    expect(records.at(-1)).toEqual({ key: "Portland", value: canonical.value.replace("70", "null") });
    // The consumer gives the same reason.
    for (const [index, [, reason]] of bad.entries())
      expect(parseObservation(JSON.parse(records[index]!.value), Infinity)).toEqual({ ok: false, reason });
  });

  test("reads what the API gives as CSV, without what the program makes anew", async () => {
    const { records } = await read(
      "export.csv",
      "timestamp,city,temperature,humidity,source,log_offset,ingested_at,flag,q_gross\n" +
        "2016-12-01T00:00:00Z,Portland,9,70,tape,5,2016-12-01T00:00:01Z,1,1\n",
    );
    expect(records).toEqual([canonical]);
  });

  test.each([
    ["empty", ""],
    ["no header", "2016-12-01T00:00:00Z,Portland,9"],
    ["an unknown column", "timestamp,city,temp"],
    ["a column twice", "timestamp,city,city"],
    ["no city", "timestamp,temperature"],
    ["binary", "\u0000\u0001,\uFFFF"],
  ])("refuses a file with an odd header: %s", async (name, content) => {
    const { records, error } = await read(`odd.csv`, content);
    expect([name, records, error?.code]).toEqual([name, [], "bad_file"]);
    expect(error?.message).toContain("wanted a header");
  });
});

describe("readRecords() of OpenWeatherMap's bulk history", () => {
  const header =
    "dt,dt_iso,timezone,city_name,lat,lon,temp,visibility,dew_point,feels_like,temp_min,temp_max,pressure,sea_level," +
    "grnd_level,humidity,wind_speed,wind_deg,wind_gust,rain_1h,rain_3h,snow_1h,snow_3h,clouds_all,weather_id," +
    "weather_main,weather_description,weather_icon";
  const row = (changes: Record<string, string> = {}) => {
    const values: Record<string, string> = {
      dt: "1621386000",
      dt_iso: "2021-05-19 01:00:00 +0000 UTC",
      timezone: "32400",
      city_name: "Tokyo",
      temp: "17.62",
      visibility: "7000",
      dew_point: "15.1",
      pressure: "1011",
      humidity: "85",
      wind_speed: "0.45",
      wind_deg: "116",
      wind_gust: "1.34",
      clouds_all: "75",
      weather_id: "500",
      weather_main: "Rain",
      weather_description: "light rain",
      ...changes,
    };
    return header
      .split(",")
      .map((name) => values[name] ?? "")
      .join(",");
  };
  const valuesOf = async (...rows: string[]) => {
    const { records } = await read("bulk.csv", [header, ...rows].join("\n"));
    return records.map((record) => JSON.parse(record.value) as Record<string, unknown>);
  };

  test("makes the record of an hour", async () => {
    const { records } = await read("bulk.csv.gz", gzipSync([header, row()].join("\n")));
    expect(records).toEqual([
      {
        key: "Tokyo",
        value: canonicalJson({
          timestamp: "2021-05-19T01:00:00Z",
          city: "Tokyo",
          temperature: 17.62,
          humidity: 85,
          pressure: 1011,
          wind_speed: 0.45,
          rainfall: 0,
          weather_main: "Rain",
          weather_description: "light rain",
          source: "tape",
          wind_direction: 116,
          wind_gust: 1.34,
          dew_point: 15.1,
          clouds: 75,
          visibility: 7000,
        }),
      },
    ]);
  });

  test("rain: the total of 1 h; empty is none; that of 3 h alone says nothing", async () => {
    const rows = [{ rain_1h: "0.3", rain_3h: "2" }, {}, { rain_3h: "2" }].map((rain, index) =>
      row({ ...rain, dt: String(1621386000 + index * 3600) }),
    );
    expect((await valuesOf(...rows)).map((value) => value.rainfall)).toEqual([0.3, 0, null]);
  });

  test("prefers the pressure at sea level", async () => {
    expect((await valuesOf(row({ sea_level: "1018.2" })))[0]?.pressure).toBe(1018.2);
  });

  test("temperatures in Kelvin become °C, in the whole file, whatever one of them is", async () => {
    const rows = [
      row({ temp: "", dew_point: "" }),
      row({ temp: "290.77", dew_point: "288.25", dt: "1621389600" }),
      row({ temp: "12", dew_point: "", dt: "1621393200" }), // a glitch, not °C
      row({ temp: "273.15", dew_point: "", dt: "1621396800" }),
    ];
    const { records } = await read("kelvin.csv", [header, ...rows, ""].join("\n"));
    const seen = records.map((record) => JSON.parse(record.value) as Record<string, unknown>);
    expect(seen.map((value) => [value.temperature, value.dew_point])).toEqual([
      [null, undefined],
      [17.62, 15.1],
      [null, undefined],
      [0, undefined],
    ]);
    expect(seen[2]?.impossible).toBe('{"temperature":"-261.15"}');
  });

  test("one odd value does not make a file one of Kelvin", async () => {
    const rows = ["17", "290", "18"].map((temp, index) =>
      row({ temp, dt: String(1621386000 + index * 3600) }),
    );
    const { records } = await read("celsius.csv", [header, ...rows, ""].join("\n"));
    const seen = records.map(({ value }) => JSON.parse(value) as Record<string, unknown>);
    expect(seen.map((value) => value.temperature ?? value.impossible)).toEqual([
      17,
      '{"temperature":"290"}',
      18,
    ]);
  });

  test("older files lack columns: without rain_1h the rain is unknown", async () => {
    const { records } = await read("old.csv", "dt,city_name,temp,weather_main\n1621386000,Tokyo,17,Rain\n");
    expect(records.map((record) => JSON.parse(record.value) as unknown)).toEqual([
      {
        timestamp: "2021-05-19T01:00:00Z",
        city: "Tokyo",
        temperature: 17,
        humidity: null,
        pressure: null,
        wind_speed: null,
        rainfall: null,
        weather_main: "Rain",
        weather_description: null,
        source: "tape",
      },
    ]);
  });

  test("of an hour repeated with another condition the first is kept; another value is a revision", async () => {
    const { records, log } = await read(
      "repeat.csv",
      [
        header,
        row(),
        row({ city_name: "Osaka" }),
        row({ weather_main: "Mist", weather_description: "mist" }),
        row({ weather_main: "Mist", temp: "18" }),
        row({ dt: "1621389600", weather_main: "Mist" }),
      ].join("\n"),
    );
    const seen = records.map((record) => JSON.parse(record.value) as Record<string, unknown>);
    expect(seen.map((value) => [value.city, value.temperature, value.weather_main])).toEqual([
      ["Tokyo", 17.62, "Rain"],
      ["Osaka", 17.62, "Rain"],
      ["Tokyo", 18, "Mist"],
      ["Tokyo", 17.62, "Mist"],
    ]);
    expect(log).toContain("repeated=1");
  });
});

describe("readRecords()", () => {
  test("gives back what the simulator made", async () => {
    const records = [
      ...simulatedRecords({
        cities: syntheticCities(7),
        from: 1.7e12,
        to: 1.7e12 + 99 * HOUR_MS,
        stepMs: HOUR_MS,
        seed: 1,
      }),
    ].flat();
    const copy = await read("simulated.jsonl", records.map((record) => record.value).join("\n"));
    expect(copy.records).toEqual(records);
  });

  test("says what is wrong with a name or a path", async () => {
    expect((await read("a.txt", line)).error?.message).toContain("wanted a name that ends in .jsonl");
    const missing = await rejection(readRecords(join(folder, "missing.jsonl"), { source: "tape" }).next());
    expect([(missing as { code?: string }).code, missing.message]).toEqual([
      "bad_file",
      `Cannot read the recording ${folder}/missing.jsonl: there is no such file`,
    ]);
    await mkdir(join(folder, "folder.csv"));
    const directory = await rejection(readRecords(join(folder, "folder.csv"), { source: "tape" }).next());
    expect((directory as { code?: string }).code).toBe("bad_file");
  });

  test("closes the file when the reader stops early", async () => {
    await Bun.write(join(folder, "early.jsonl"), `${line}\n`.repeat(5000));
    const reader = readRecords(join(folder, "early.jsonl"), { source: "tape" });
    expect((await reader.next()).value).toHaveLength(1000);
    await reader.return(undefined);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });
});

describe("replayPace()", () => {
  const at = (hour: number, key = "Portland"): NewRecord => ({
    key,
    value: canonical.value.replace("2016-12-01T00", `2016-12-01T${String(hour).padStart(2, "0")}`),
  });
  // oxlint-disable-next-line require-await
  async function* chunksOf(...chunks: NewRecord[][]) {
    yield* chunks;
  }

  test("flat out yields the chunks as they are, without a wait", async () => {
    const clock = new FakeClock();
    const chunks = [[at(0), at(5)], [at(20)]];
    const paced = await Array.fromAsync(replayPace(chunksOf(...chunks), { speed: Infinity, clock }));
    expect(paced).toEqual(chunks);
    expect(clock.nextWakeMs).toBeUndefined();
  });

  test("yields records when they are due, those of one moment together", async () => {
    const clock = new FakeClock();
    const start = clock.now();
    const out: [number, number[]][] = [];
    const run = (async () => {
      const chunks = chunksOf([at(0), at(0), at(1), at(1), at(3)], [at(3), at(2), raw("garbage"), at(4)]);
      for await (const chunk of replayPace(chunks, { speed: 60, clock }))
        out.push([
          (clock.now() - start) / 60_000,
          chunk.map((record) => Number(/T(\d\d)/.exec(record.value)?.[1])),
        ]);
    })();
    await clock.sleepers(1);
    await clock.advance(5 * 60_000);
    await run;
    expect(out).toEqual([
      [0, [0, 0]],
      [1, [1, 1]],
      [3, [3]],
      [3, [3, 2, NaN]],
      [4, [4]],
    ]);
  });

  test("a time far in the future holds up nothing", async () => {
    const clock = new FakeClock();
    const odd = { key: "x", value: '{"timestamp":"9998-01-01T00:00:00Z","city":"x"}' };
    const paced = await Array.fromAsync(replayPace(chunksOf([odd, at(0), odd, at(0)]), { speed: 1, clock }));
    expect(paced).toEqual([[odd, at(0), odd, at(0)]]);
  });

  test("waits longer than a timer can run", async () => {
    const clock = new FakeClock();
    const late = { key: "x", value: canonical.value.replace("2016-12-01", "2017-12-01") };
    const next = replayPace(chunksOf([at(0)], [late]), { speed: 1, clock });
    expect((await next.next()).value).toEqual([at(0)]);
    const second = next.next();
    await clock.sleepers(1);
    expect(clock.nextWakeMs).toBe(HOUR_MS);
    await clock.advance(365 * 24 * HOUR_MS - 1);
    expect(clock.nextWakeMs).toBe(1);
    await clock.advance(1);
    expect((await second).value).toEqual([late]);
  });

  test("ends when the signal aborts", async () => {
    const clock = new FakeClock();
    const abort = new AbortController();
    const paced = replayPace(chunksOf([at(0), at(1)]), { speed: 1, clock, signal: abort.signal });
    expect((await paced.next()).value).toEqual([at(0)]);
    const second = paced.next();
    await clock.sleepers(1);
    abort.abort();
    expect((await second).done).toBe(true);
  });

  test("refuses a speed of 0", () => {
    expect(replayPace(chunksOf(), { speed: 0, clock: new FakeClock() }).next()).rejects.toThrow(RangeError);
  });
});
