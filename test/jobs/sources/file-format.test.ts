import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseColumnMap } from "../../../jobs/sources/column-map.ts";
import { needsZone, presetMap, PRESETS, presetsOf, readHead } from "../../../jobs/sources/file-format.ts";
import { formatList, formatMap, formatOf } from "../../../jobs/sources/format-choice.ts";
import { Notes } from "../../../jobs/sources/notes.ts";
import { readRecords } from "../../../jobs/sources/replay.ts";
import { FORMAT_SAMPLES, type FormatSample } from "./format-samples.ts";
import { rejection } from "./provider.ts";

const script = join(import.meta.dir, "read_formats.py");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-format-"));
});
afterAll(() => rm(folder, { recursive: true }));

let files = 0;
/** Writes the file of a sample. */
async function fileOf({ lines, encoding }: Pick<FormatSample, "lines" | "encoding">): Promise<string> {
  const path = join(folder, `${files++}.txt`);
  await Bun.write(path, Buffer.from(`${lines.join("\n")}\n`, encoding ?? "utf8"));
  return path;
}

type Row = Record<string, unknown>;

/** The rows of a file as a format of the program; lines of it that are none are left out, as those without any value are. */
async function rowsOf(
  path: string,
  { format, zone }: { format: string; zone?: string | undefined },
): Promise<Row[]> {
  const { map } = await formatOf(path, { format, zone }, null);
  const rows: Row[] = [];
  const city = map!.city === null ? "Here" : null;
  for await (const chunk of readRecords(path, { source: "file", map, city, notes: new Notes() }))
    for (const { key, value } of chunk) if (key !== "") rows.push(JSON.parse(value) as Row);
  return rows;
}

/** A row without what is missing, and without what the reader in Python does not make. */
function comparable(row: Row): Row {
  const { source: _, weather_description: __, weather_main: ___, impossible: ____, ...rest } = row;
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

/** Why pandas cannot be asked here; null where it can. */
function pandasMissing(): string | null {
  const python = process.env.ISOBAR_PYTHON ?? "";
  if (python === "") return "ISOBAR_PYTHON is not set";
  const { exitCode } = Bun.spawnSync([python, "-c", "import pandas"], { stderr: "ignore" });
  return exitCode === 0 ? null : "the interpreter in ISOBAR_PYTHON has no pandas";
}

describe("a file of each format", () => {
  const missing = pandasMissing();
  /** What pandas makes of each file. */
  let byPandas: Row[][] = [];
  beforeAll(async () => {
    if (missing !== null) return;
    const paths = await Promise.all(FORMAT_SAMPLES.map(fileOf));
    const words = FORMAT_SAMPLES.flatMap(({ format, zone = "UTC" }, index) => [format, paths[index]!, zone]);
    const child = Bun.spawn([process.env.ISOBAR_PYTHON!, script, ...words], {
      env: { ...process.env, PYTHONIOENCODING: "utf-8", PYTHONUTF8: "1" },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [out, err, ended] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([ended, err]).toEqual([0, ""]);
    byPandas = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Row[]);
  }, 60_000);
  for (const [index, sample] of FORMAT_SAMPLES.entries()) {
    const { format, zone, alike = [], row } = sample;
    const name = `${format} (${index})`;

    test(`${name} is told by its beginning`, async () => {
      const head = await readHead(await fileOf(sample));
      expect(
        presetsOf(head)
          .map((preset) => preset.name)
          .toSorted(),
      ).toEqual([format, ...alike].toSorted());
    });

    test(`${name} is read with its units, times and missing values`, async () => {
      const rows = await rowsOf(await fileOf(sample), { format, zone });
      const found = rows.find(
        ({ timestamp, city }) => timestamp === row.timestamp && (row.city ?? city) === city,
      );
      expect(found).toMatchObject(row);
    });

    test.skipIf(missing !== null)(
      `${name} gives the rows that pandas gives (${missing ?? "pandas"})`,
      async () => {
        const key = ({ timestamp, city }: Row) => `${String(timestamp)} ${String(city)}`;
        const wanted = byPandas[index]!.map((one): Row => ({ city: "Here", ...one }));
        const rows = (await rowsOf(await fileOf(sample), { format, zone })).map(comparable);
        expect(rows.map(key).toSorted()).toEqual(wanted.map(key).toSorted());
        for (const one of wanted) {
          const found = rows.find((row) => key(row) === key(one))!;
          expect(Object.keys(found).toSorted()).toEqual(Object.keys(one).toSorted());
          for (const [field, value] of Object.entries(one)) {
            if (typeof value === "number") expect(found[field]).toBeCloseTo(value, 2);
            else expect(found[field]).toBe(value);
          }
        }
      },
    );
  }

  test("has a sample here for each preset, but for those that differ from another in units or order alone", () => {
    const sampled = new Set(FORMAT_SAMPLES.map(({ format }) => format));
    expect(PRESETS.map(({ name }) => name).filter((name) => !sampled.has(name))).toEqual([
      "wunderground-table-metric",
      "weatherlink-text-metric",
      "cumulusmx-uk",
      "home-assistant-us",
    ]);
  });
});

describe("presets", () => {
  test.each(PRESETS.map((preset) => [preset.name, preset] as const))("%s is a column map", (_, preset) => {
    const map = presetMap(preset, { zone: "Europe/London", source: null, encoding: null });
    expect(map.source).toEqual({ value: preset.name });
    const time = { ...preset.map.time, zone: preset.map.time.zone ?? "UTC" };
    expect(() => parseColumnMap({ ...preset.map, time })).not.toThrow();
  });

  test("have names of their own, and are listed with what they need", () => {
    expect(new Set(PRESETS.map(({ name }) => name)).size).toBe(PRESETS.length);
    for (const preset of PRESETS)
      expect(formatList()).toMatch(
        new RegExp(`^  ${preset.name} .*${needsZone(preset) ? "\\(--zone\\)" : ""}$`, "m"),
      );
    expect(JSON.parse(formatMap("dwd-cdc"))).toEqual(PRESETS.find(({ name }) => name === "dwd-cdc")!.map);
  });
});

describe("formatOf()", () => {
  const head = '"Date & Time","Temp - °C","Rain - mm"';

  test("says how a file is read, takes the zone and the source that it is told", async () => {
    const sample = FORMAT_SAMPLES.find(({ format }) => format === "iem-asos")!;
    const { map, words } = await formatOf(await fileOf(sample), { zone: "-05:00" }, "station:garden");
    expect(words).toStartWith("Read as iem-asos: Iowa");
    expect(map!.source).toEqual({ value: "station:garden" });
    expect(map!.time.read("2025-01-01 00:51")).toEqual([Date.parse("2025-01-01T05:51:00Z")]);
  });

  test("names the formats that a file may be of, and takes the one that is chosen", async () => {
    const path = await fileOf({
      lines: [head, '"1/2/25 12:05 AM","5.2","0.2"', '"1/2/25 12:10 AM","5.1","0.0"'],
    });
    const { code, message } = await rejection(formatOf(path, { zone: "UTC" }, null));
    expect([code, message]).toEqual([
      "bad_setting",
      expect.stringContaining("wanted --format, one of\n  weatherlink:"),
    ]);
    expect(message).toContain("\n  weatherlink-dmy:");
    const first = async (format: string) =>
      (await formatOf(path, { zone: "UTC", format }, null)).map!.time.read("1/2/25 12:05 AM")[0];
    expect(await first("weatherlink")).toBe(Date.parse("2025-01-02T00:05:00Z"));
    expect(await first("weatherlink-dmy")).toBe(Date.parse("2025-02-01T00:05:00Z"));
  });

  test("tells days from months by a day after the 12th, wherever it stands among the first lines", async () => {
    const days = Array.from({ length: 14 }, (_, day) => `"1/${day + 1}/25 6:00 PM","5.2","0.2"`);
    const { words } = await formatOf(await fileOf({ lines: [head, ...days] }), { zone: "UTC" }, null);
    expect(words).toStartWith("Read as weatherlink: ");
  });

  test("wants a zone where the file does not say by which clock its times are", async () => {
    const sample = FORMAT_SAMPLES.find(({ format }) => format === "ecowitt")!;
    const { code, message } = await rejection(formatOf(await fileOf(sample), {}, null));
    expect([code, message]).toEqual([
      "bad_setting",
      expect.stringContaining("as ecowitt: its times are of a clock"),
    ]);
    const odd = await rejection(formatOf(await fileOf(sample), { zone: "Mars/Base" }, null));
    expect([odd.code, odd.message]).toEqual(["bad_file", expect.stringContaining('the zone is "Mars/Base"')]);
  });

  test("refuses a file with two columns that may be one field, and knows nothing of any other", async () => {
    const two = ["Time,Outdoor Temperature(℃),Outdoor Temperature(℃)", "2025-01-01 00:00,22.8,13.2"];
    expect(
      (await rejection(formatOf(await fileOf({ lines: two }), { zone: "UTC" }, null))).message,
    ).toContain('two columns "Outdoor Temperature(℃)", number 2 and number 3');
    const other = await fileOf({ lines: ["Time,Temp", "2025-01-01 00:00,8.3"] });
    expect(await formatOf(other, {}, null)).toEqual({ map: null, words: null });
    expect((await rejection(formatOf(other, { zone: "UTC" }, null))).message).toContain(
      "Cannot use --zone with",
    );
    expect((await rejection(formatOf(other, { format: "csv" }, null))).message).toContain(
      "there is no such format",
    );
    expect((await rejection(formatOf(other, { map: "m.json", zone: "UTC" }, null))).code).toBe("bad_setting");
  });

  test("lets the program's own CSV and OpenWeatherMap's bulk history be read as they are", async () => {
    const own =
      "timestamp,city,temperature,log_offset,ingested_at,flag\n2025-01-01T00:00:00Z,London,8.3,5,,1";
    for (const lines of [own.split("\n"), ["dt,city_name,temp", "1735689600,London,281.4"]])
      expect(await formatOf(await fileOf({ lines }), {}, null)).toEqual({ map: null, words: null });
  });
});
