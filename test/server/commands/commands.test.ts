import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { formatTimestamp } from "../../../core/time.ts";
import { bodiesOf } from "../../../server/commands/deliver.ts";
import { rangesText, readRanges } from "../../../server/commands/retract.ts";
import type { PipelineStatus } from "../../../core/pipeline-status.ts";
import { BODY_MAX, LINE_MAX } from "../../../server/http/body.ts";
import { serveProvider } from "../../jobs/sources/provider.ts";
import {
  eventually,
  type Json,
  proofOf,
  spawnProgram,
  startHere,
  temporaryFolder,
} from "../../support/running.ts";

/** Runs a command of the command line to its end. */
const run = (name: string, args: readonly string[], dataDir: string) =>
  spawnProgram(`server/commands/${name}.ts`, { DATA_DIR: dataDir }, args).ended;

const line = (changes: object = {}): string =>
  JSON.stringify({ timestamp: "2026-01-31T06:00:00Z", city: "Bern", temperature: 1.5, ...changes });

/** Lines that are no observations, and why. */
const BAD: readonly [line: string, reason: string][] = [
  ['{"city":', "record is not JSON"],
  ["", "record is"],
  ['{"timestamp":"2026-01-31T06:00:00Z","city":"Bern","temperature":NaN}', "record is not JSON"],
  [line({ city: " ".repeat(201), source: "roof" }), "city is"],
  [line({ timestamp: "0001-01-01T00:00:00Z", source: "roof" }), "wanted 1900 or later"],
  [line({ timestamp: "9999-12-31T23:59:59Z", source: "roof" }), "more than a day in the future"],
  [`{"city":"${"x".repeat(10 * 2 ** 20)}"}`, "record is not JSON"], // cut, so that it is no JSON any more
  ["\u0000\u0001\u0002", "record is not JSON"],
];
const GOOD = [line(), line({ city: "Basel", source: "roof" }), line({ temperature: 2 }), line()];

/** A recording with good and bad lines, one of them binary. */
async function recording(folder: string): Promise<string> {
  const path = join(folder, "Roof station.jsonl");
  const text = [GOOD[0], ...BAD.map(([bad]) => bad), ...GOOD.slice(1)].join("\n");
  // A line of 700,000 bytes that are no UTF-8: as text it is three times as long.
  await Bun.write(
    path,
    Buffer.concat([Buffer.from(`${text}\n`), Buffer.alloc(700_000, 0xfe), Buffer.from("\n")]),
  );
  return path;
}

async function rejectedIn(dataDir: string, dataset: string): Promise<Json[]> {
  const folder = join(dataDir, "lake", dataset, "rejected");
  const texts = await Promise.all((await readdir(folder)).map((name) => Bun.file(join(folder, name)).text()));
  const kept = texts.flatMap((text) => text.trimEnd().split("\n")).map((one) => JSON.parse(one) as Json);
  return kept.sort((a, b) => a.offset - b.offset);
}

/** What the recording has become, whichever way it was taken in. */
async function expectTaken(dataDir: string, dataset: string, offset: number): Promise<void> {
  const kept = (await rejectedIn(dataDir, dataset)).filter((one) => one.offset >= offset);
  expect(kept.map((one) => one.offset)).toEqual([
    ...BAD.map((_, index) => offset + 1 + index),
    offset + BAD.length + GOOD.length,
  ]);
  for (const [index, [, reason]] of BAD.entries()) expect(kept[index].reason).toContain(reason);
  expect(kept.at(-1).record).toStartWith("\ufffd\ufffd");
  const proof = await proofOf(dataDir, dataset);
  expect(proof).toMatchObject({ problems: [], behind: 0, rejected: BAD.length + 1 });
}

describe("a command", () => {
  test("prints its usage for --help and ends with 0; a wrong call ends with 2 and says what was wanted", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const recorded = await recording(path);
    const wrong: [string, string[], string][] = [
      ["replay", ["--fast"], "--fast"],
      ["replay", [], "Cannot replay 0 files"],
      ["replay", [recorded], "Cannot use --dataset null"],
      ["replay", [recorded, "--dataset", "Not/OK"], '"Not/OK"'],
      ["replay", [recorded, "--dataset", "x", "--speed", "slow"], "--speed slow"],
      ["import", [recorded, recorded], "Cannot import 2 files"],
      ["verify", ["--dataset", "nothing"], 'there is no data set "nothing"'],
      ["verify", [], 'there is no data set "observed"'],
      ["retract", ["--offsets", "0-1", "--reason", "x"], "wanted --source NAME"],
      ["retract", ["--source", "csv", "--reason", "x"], "wanted --offsets FIRST-LAST"],
      ["retract", ["--source", "csv", "--offsets", "9-1", "--reason", "x"], 'Cannot use --offsets "9-1"'],
      ["retract", ["--source", "csv", "--offsets", "0-1"], "wanted --reason TEXT, or --dry-run"],
      ["retract", ["--source", "csv", "--offsets", "0-1", "--dry-run"], "there is no data set"],
    ];
    const helps = Promise.all(
      ["replay", "import", "retract", "verify"].map((name) => run(name, ["--help"], path)),
    );
    for (const { code, out, err } of await helps) {
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("bun run ");
      expect(out).toContain("Exit: 0");
    }
    const calls = await Promise.all(
      wrong.map(async ([name, args, part]) => ({ part, ...(await run(name, args, path)) })),
    );
    for (const { code, err, out, part } of calls) {
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(part);
      expect(err).not.toContain("    at "); // no stack
    }
    const missing = await run("import", [join(path, "none.jsonl")], path);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("there is no such file");
  });
});

describe("replay and verify", () => {
  test("a recording is committed once, however often it is replayed; verify proves it and finds damage", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = join(path, "day.jsonl.gz");
    const lines = Array.from({ length: 200 }, (_, index) =>
      line({ timestamp: formatTimestamp(Date.UTC(2026, 0, 30) + index * 600_000), temperature: index / 10 }),
    );
    await Bun.write(file, gzipSync(`${lines.join("\n")}\nrubbish\n`));

    const first = await run("replay", [file, "--dataset", "past"], path);
    expect(first.code).toBe(0);
    expect(first.out).toContain('201 records into the data set "past": 200 rows, 0 duplicates, 1 rejected');
    const again = await run("replay", [file, "--dataset", "past", "--speed", "1e9"], path);
    expect(again.code).toBe(0);
    expect(again.out).toContain('201 records into the data set "past": 0 rows, 200 duplicates, 1 rejected');

    const proved = await run("verify", ["--dataset", "past"], path);
    expect(proved.code).toBe(0);
    expect(proved.out).toContain("log = rows + duplicates + rejected");
    expect(proved.out.split("\n").find((text) => text.includes("0–402"))).toMatch(
      / 0–402 +402 +200 +200 +2 +0 +402 .* equal$/,
    );

    const { code, out } = await run("verify", ["--dataset", "past", "--files"], path);
    expect(code).toBe(0);
    const files = out.trimEnd().split("\n");
    expect(files.length).toBeGreaterThan(0);
    for (const one of files) expect(await Bun.file(one).exists()).toBe(true);

    const whole = await Bun.file(files[0]!).bytes();
    await Bun.write(files[0]!, whole.with(20, whole[20]! ^ 1));
    const damaged = await run("verify", ["--dataset", "past"], path);
    expect(damaged.code).toBe(1);
    expect(damaged.out).toContain("NOT EQUAL");
    expect(damaged.out).toContain(files[0]!.slice(files[0]!.indexOf("observations/")));

    const mixed = await run("import", [file, "--dataset", "past"], path);
    expect(mixed.code).toBe(2);
    expect(mixed.err).toContain("it holds replayed data");
    await using shown = await startHere({ DATA_DIR: path, WEATHER_SOURCE: "none", DATASET: "past" });
    const { proof } = (await (await fetch(`${shown.url}/api/v1/pipeline`)).json()) as PipelineStatus;
    expect(proof).toMatchObject({ offsets: 402, problems: 1 });
    const busy = await run("replay", [file, "--dataset", "past"], path);
    expect(busy.code).toBe(2);
    expect(busy.err).toContain('role "producer"');
    expect(shown.program.about.kind).toBe("replayed");
  });
});

describe("import", () => {
  test("without a server: bad lines are rejected with their reason, the rest is committed", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = await recording(path);
    const { code, out } = await run("import", [file], path);
    expect(code).toBe(0);
    expect(out).toContain('13 records into the data set "observed": 4 rows, 0 duplicates, 9 rejected');
    await expectTaken(path, "observed", 0);
    await using shown = await startHere({ DATA_DIR: path, WEATHER_SOURCE: "none" });
    const { body } = await shown.get("/api/v1/observations");
    expect(body.rows.map((row: Json) => [row.city, row.source, row.temperature])).toEqual([
      ["Basel", "roof", 1.5],
      ["Bern", "roof-station", 1.5], // revised, and taken back
    ]);
  });

  test("of nothing but lines that cannot be read ends with 1, and says why", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = join(path, "one-field-more.csv");
    await Bun.write(file, "Time,Temp\n2025-01-01 00:00,8.3,\n2025-01-01 01:00,8.4,\n");
    const map = join(path, "map.json");
    await Bun.write(
      map,
      JSON.stringify({
        time: { column: "Time", format: "YYYY-MM-DD HH:mm", zone: "UTC" },
        fields: { temperature: { column: "Temp", unit: "C" } },
      }),
    );
    const { code, out } = await run("import", [file, "--map", map, "--city", "Bern"], path);
    expect(code).toBe(1);
    const reason = "the line has 3 fields, the header has 2";
    expect(out).toContain(`None of 2 records could be read. The first that could not:\n  ${reason}\n`);
    expect((await rejectedIn(path, "observed")).map((one) => one.reason)).toEqual([reason, reason]);
  });

  test("tells why the rain of an hour is not known, and refuses a map that does not say of what time it is", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = join(path, "five-minutes.csv");
    const lines = Array.from({ length: 12 }, (_, index) => {
      const minute = (index + 1) * 5;
      return `"1/1/2025 ${minute === 60 ? 1 : 12}:${String(minute % 60).padStart(2, "0")} AM","7.1","0.3"`;
    });
    await Bun.write(file, ['"Date & Time","Temp","Rain"', ...lines].join("\n"));
    const map = join(path, "map.json");
    const write = (rain: object) =>
      Bun.write(
        map,
        JSON.stringify({
          time: { column: "Date & Time", format: "M/D/YYYY h:mm A", zone: "Europe/London" },
          fields: {
            temperature: { column: "Temp", unit: "C" },
            rainfall: { column: "Rain", unit: "mm", ...rain },
          },
        }),
      );
    await write({});
    const refused = await run("import", [file, "--map", map, "--city", "Leeds"], path);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("the file's reports are 5 minutes apart");
    expect(refused.err).toContain('"interval" (since the report before)');
    await write({ amount: "interval" });
    const { code, out } = await run("import", [file, "--map", map, "--city", "Leeds"], path);
    expect(code).toBe(0);
    expect(out).toContain(": 12 rows, 0 duplicates, 0 rejected");
    expect(out).toContain(
      "11 × the rain of the hour is not known: the reports before it do not cover the hour, first: 2025-01-01T00:05:00Z Leeds\n",
    );
    await using shown = await startHere({ DATA_DIR: path, WEATHER_SOURCE: "none" });
    const { body } = await shown.get("/api/v1/observations");
    expect(body.rows.map((row: Json) => row.rainfall).filter((mm: unknown) => mm !== null)).toEqual([3.6]);
  });

  test("--dry-run says what would be stored, and writes nothing", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = join(path, "newest-first.csv");
    const clocks = ["03:00", "02:30", "02:00", "02:30", "02:00", "01:30"];
    const lines = clocks.map((clock, index) => `26.10.2025 ${clock},${50 - index},60,0`);
    await Bun.write(
      file,
      ["Clock,T,H,Rate", ...lines, "26.10.2025 01:30,,255,0", "2025-10-26 01:00,1,2,0"].join("\n"),
    );
    const map = join(path, "map.json");
    await Bun.write(
      map,
      JSON.stringify({
        time: { column: "Clock", format: "DD.MM.YYYY HH:mm", zone: "Europe/Berlin" },
        fields: { temperature: { column: "T", unit: "F" }, humidity: { column: "H", unit: "%" } },
      }),
    );
    const data = join(path, "data");
    const args = [file, "--map", map, "--city", "Jena", "--source", "roof", "--dry-run"];
    const { code, out } = await run("import", args, data);
    expect(code).toBe(0);
    expect((await readdir(path)).sort()).toEqual(["map.json", "newest-first.csv"]);
    expect(out).toContain(`8 records for the data set "observed": 7 observations, 1 rejected
1 observations are of a city and time that came before, and are joined with it
Times: 2025-10-25T23:30:00Z to 2025-10-26T02:00:00Z
Cities: Jena
`);
    expect(out).toContain(`
column  field        values  least  greatest  unit
T       temperature       6  7.22   10        °C
H       humidity          6  60     60        %
Not read: Rate
`);
    expect(out).toContain(`
time in the file  UTC                   city  source  temperature  humidity
26.10.2025 03:00  2025-10-26T02:00:00Z  Jena  roof    10           60
26.10.2025 02:30  2025-10-26T01:30:00Z  Jena  roof    9.44         60
26.10.2025 02:00  2025-10-26T01:00:00Z  Jena  roof    8.89         60
26.10.2025 02:30  2025-10-26T00:30:00Z  Jena  roof    8.33         60
26.10.2025 02:00  2025-10-26T00:00:00Z  Jena  roof    7.78         60
`);
    const wanted = "wanted it as the map's format has it";
    expect(out).toContain(`1 × time is "2025-10-26 01:00", ${wanted}, first: "2025-10-26 01:00,1,2,0"`);
    expect(out).toContain(
      "1 × humidity is 255, wanted a number from 0 to 110 %, first: 2025-10-25T23:30:00Z Jena",
    );
    const none = join(path, "none.csv");
    await Bun.write(none, "Clock,T,H\n2025-10-26 01:00,1,2\n");
    const nothing = await run("import", [none, "--map", map, "--city", "Jena", "--dry-run"], data);
    expect([nothing.code, nothing.out]).toEqual([1, expect.stringContaining("0 observations, 1 rejected")]);
    expect((await readdir(path)).sort()).toEqual(["map.json", "newest-first.csv", "none.csv"]);
  });

  test("with a server running: goes through it, and nothing gets lost on the way", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const file = await recording(path);
    await using provider = serveProvider(() => new Response("", { status: 503 }));
    {
      await using here = await startHere({
        DATA_DIR: path,
        WEATHER_SOURCE: "open-meteo",
        OPEN_METEO_URL: provider.endpoint,
      });
      const { code, out } = await run("import", [file], path);
      expect(code).toBe(0);
      expect(out).toContain(`13 records given to the server at ${here.url.href}`);
      await eventually("what was imported is committed", async () => {
        const { body } = await here.get("/api/v1/pipeline");
        return body.partitions[0].next === 13 || undefined;
      });
      const { body } = await here.get("/api/v1/current");
      expect(body.rows.map((row: Json) => row.city)).toEqual(["Basel", "Bern"]);
    }
    await expectTaken(path, "observed", 0);
  });
});

describe("retract", () => {
  test("takes an import back by the command that the import printed, and the right one is stored afterwards", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    const write = async (name: string, format: string) => {
      const map = join(path, `${name}.json`);
      const fields = { temperature: { column: "t", unit: "C" } };
      await Bun.write(map, JSON.stringify({ time: { column: "time", format, zone: "UTC" }, fields }));
      return map;
    };
    const file = join(path, "garden.csv");
    await Bun.write(file, "time,t\n05/05/2025 06:00,7\n03/04/2025 06:00,9\n");
    const own = ["--city", "Bern"];
    const wrong = await run(
      "import",
      [file, "--map", await write("wrong", "DD/MM/YYYY HH:mm"), ...own],
      path,
    );
    const args = "--source garden --offsets 0-1 --dataset observed";
    expect(wrong.out).toContain(`If it was wrong:  bun run retract ${args} --reason "…"`);
    const retract = (...more: string[]) => run("retract", [...args.split(" "), ...more], path);
    const dry = await retract("--dry-run");
    expect([dry.code, dry.out]).toEqual([
      0,
      "Would be retracted: 2 rows of garden at offsets 0–1 of partition 0, 1 city, observed from 2025-04-03T06:00:00Z to 2025-05-05T06:00:00Z\n",
    ]);
    const done = await retract("--reason", "days and months swapped");
    expect([done.code, done.out]).toEqual([0, dry.out.replace("Would be retracted", "Retracted")]);
    const again = await retract("--reason", "days and months swapped");
    expect([again.code, again.out]).toEqual([0, dry.out.replace("Would be retracted", "Retracted already")]);
    const other = await run("retract", [...args.replace("garden", "roof").split(" "), "--reason", "x"], path);
    expect([other.code, other.err]).toEqual([1, expect.stringContaining('hold no row of the source "roof"')]);
    const right = await run(
      "import",
      [file, "--map", await write("right", "MM/DD/YYYY HH:mm"), ...own],
      path,
    );
    expect(right.out).toContain("2 rows, 0 duplicates, 0 rejected");
    const { code, out } = await run("verify", [], path);
    expect(code).toBe(0);
    expect(out).toContain("partition 0: 2 of the rows are retracted: garden, offsets 0–1, on ");
    expect(out).toContain(": days and months swapped");
    const { retractions, ...proof } = await proofOf(path, "observed");
    expect(retractions).toHaveLength(1);
    expect(proof).toMatchObject({ problems: [], rows: 4, duplicates: 0 });
  });

  test("with a server running: it takes the retraction up, and shows no retracted value, nor after a restart", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    await using provider = serveProvider(() => new Response("", { status: 503 }));
    const settings = { DATA_DIR: path, WEATHER_SOURCE: "open-meteo", OPEN_METEO_URL: provider.endpoint };
    const shown = async (here: Awaited<ReturnType<typeof startHere>>) =>
      (await here.get("/api/v1/current")).body.rows.map((one: Json) => [one.source, one.temperature]);
    {
      await using here = await startHere(settings);
      const post = (source: string, temperature: number) =>
        fetch(new URL("/api/v1/observations?history=true", here.url), {
          method: "POST",
          headers: { "content-type": "application/x-ndjson" },
          body: line({ source, temperature }),
        });
      await post("roof", 2);
      await post("csv", 30);
      await eventually("both are committed", async () => {
        const { body } = await here.get("/api/v1/pipeline");
        return body.partitions[0].next === 2 || undefined;
      });
      expect(await shown(here)).toEqual([["csv", 30]]);
      const args = ["--source", "csv", "--offsets", "1-1", "--reason", "swapped"];
      expect(await run("retract", args, path)).toMatchObject({ code: 0 });
      await eventually("the retracted value is not shown", async () => {
        const now = await shown(here);
        return now.length === 1 && now[0][0] === "roof" ? true : undefined;
      });
      const { body } = await here.get("/api/v1/observations?city=bern&from=2026-01-31T00:00:00Z");
      expect(body.rows.map((one: Json) => one.source)).toEqual(["roof"]);
      const why = await here.get(
        "/api/v1/observations/why?city=bern&timestamp=2026-01-31T06:00:00Z&source=csv",
      );
      expect(why.body.observations[0].retraction).toMatchObject({ reason: "swapped" });
      await post("csv", 30); // the same once more: it is new, and no duplicate
      await eventually("it is committed", async () => {
        const { body } = await here.get("/api/v1/pipeline");
        return body.partitions[0].rows === 3 || undefined;
      });
      expect(
        await run("retract", ["--source", "csv", "--offsets", "2-2", "--reason", "x"], path),
      ).toMatchObject({ code: 0 });
    }
    await using again = await startHere(settings);
    expect(await shown(again)).toEqual([["roof", 2]]);
    expect(await proofOf(path, "observed")).toMatchObject({ problems: [], rows: 3, duplicates: 0 });
  });

  test("says which later import stands in the way, and retracts nothing", async () => {
    await using folder = await temporaryFolder();
    const { path } = folder;
    for (const values of [{ temperature: 30 }, { temperature: null, humidity: 44 }]) {
      await Bun.write(join(path, "csv.jsonl"), `${line(values)}\n`);
      expect((await run("import", [join(path, "csv.jsonl")], path)).code).toBe(0);
    }
    const { code, out } = await run(
      "retract",
      ["--source", "csv", "--offsets", "0-0", "--reason", "x"],
      path,
    );
    expect(code).toBe(1);
    expect(out).toStartWith("Not retracted: 1 rows of csv");
    expect(out).toContain("Retract the later ones first (--source csv --offsets 1-1), then these");
    expect((await proofOf(path, "observed")).retractions).toEqual([]);
  });
});

test("readRanges() reads what rangesText() writes, with and without partitions", () => {
  for (const text of ["120-9300", "0-0,7-9", "0:120-9300,1:88-7004"])
    expect(rangesText(readRanges(text))).toBe(text);
  for (const wrong of ["", "1", "2-1", "a-b", "1-2,", "-1-2", undefined])
    expect(() => readRanges(wrong)).toThrow();
});

describe("bodiesOf()", () => {
  const lines = (records: string[]) =>
    [...bodiesOf(records.map((value) => ({ key: "", value })))].map((body) => body.split("\n"));

  test("keeps the order, and cuts where the server would refuse the body", () => {
    const long = "x".repeat(LINE_MAX);
    const records = [...Array.from({ length: 40 }, (_, index) => `${index}${long.slice(2)}`), line()];
    const bodies = lines(records);
    expect(bodies.length).toBeGreaterThan(1);
    expect(bodies.flat()).toEqual(records);
    for (const body of bodies) expect(Buffer.byteLength(body.join("\n"))).toBeLessThanOrEqual(BODY_MAX);
    expect(lines([])).toEqual([]);
  });
  test("makes a line of what would be none or several, and keeps the beginning of what is too long", () => {
    expect(lines(["", " ", "a\nb"])).toEqual([['""', '" "', "a\\nb"]]);
    const [[cut]] = lines(["\ufffd".repeat(LINE_MAX / 2)]) as [[string]];
    expect(cut).toBe(`${"\ufffd".repeat(65_536)}…`);
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(LINE_MAX);
  });
});
