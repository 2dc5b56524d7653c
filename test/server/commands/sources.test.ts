import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { sha256Hex } from "../../../core/checksum.ts";
import { ConfigError } from "../../../core/errors.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { backfillPeriod } from "../../../server/commands/backfill.ts";
import { newStationKey } from "../../../server/commands/station-add.ts";
import { serveProvider } from "../../jobs/sources/provider.ts";
import {
  type Env,
  eventually,
  type Json,
  proofOf,
  spawnProgram,
  startHere,
  temporaryFolder,
  type TestProgram,
} from "../../support/running.ts";

/** Runs a command of the command line to its end. */
const run = (name: string, args: readonly string[], env: Env) =>
  spawnProgram(`server/commands/${name}.ts`, env, args).ended;

/** Two cities, so that a day of the archive is 48 rows. */
async function twoCities(folder: string): Promise<string> {
  const path = join(folder, "cities.json");
  const city = (name: string, latitude: number) => ({
    name,
    latitude,
    longitude: 7.4,
    zone: "Europe/Zurich",
  });
  await Bun.write(path, JSON.stringify([city("Bern", 46.9), city("Basel", 47.6)]));
  return path;
}

/** Waits until everything in the log is committed. */
const committed = ({ get }: Pick<TestProgram, "get">) =>
  eventually("the lake takes what the log holds", async () => {
    const { body } = await get("/api/v1/pipeline");
    const [partition] = body.partitions as { high: number; next: number }[];
    const isStoring = body.jobs.some((job: Json) => job.name === "consumer" && job.state === "running");
    return (isStoring && partition!.high > 0 && partition!.high === partition!.next) || undefined;
  });

/** The archive: every hour of what is asked for, but for its newest three days. */
function serveArchive() {
  return serveProvider((url) => {
    const { searchParams } = url;
    const day = (name: string) => Date.parse(`${searchParams.get(name)}T00:00:00Z`);
    const times: number[] = [];
    for (let ms = day("start_date"); ms < day("end_date") + DAY_MS; ms += HOUR_MS) times.push(ms);
    const known = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS;
    const place = () => ({
      hourly: {
        time: times.map((ms) => ms / 1000),
        temperature_2m: times.map((ms) => (ms < known ? 5 : null)),
      },
    });
    return Response.json((searchParams.get("latitude") ?? "").split(",").map(place));
  });
}

describe("a new data set of a live provider", () => {
  test("gets its past in the background, and a restart goes on where it was", async () => {
    await using folder = await temporaryFolder();
    await using archive = serveArchive();
    const now = Math.floor(Date.now() / 900_000) * 900;
    await using live = serveProvider((url) =>
      Response.json(
        (url.searchParams.get("latitude") ?? "")
          .split(",")
          .map(() =>
            url.searchParams.has("hourly")
              ? { hourly: { time: [] } }
              : { current: { time: now, temperature_2m: 7.5 } },
          ),
      ),
    );
    const env = {
      DATA_DIR: folder.path,
      CITIES_FILE: await twoCities(folder.path),
      WEATHER_SOURCE: "open-meteo",
      OPEN_METEO_URL: live.endpoint,
      OPEN_METEO_ARCHIVE_URL: archive.endpoint,
      BACKFILL_DAYS: "6",
    };
    /** Rows of the archive in the lake, as soon as there are so many. */
    const rows = (get: Awaited<ReturnType<typeof startHere>>["get"], atLeast: number) =>
      eventually(`${atLeast} rows of the archive are in the lake`, async () => {
        const from = formatTimestamp(Date.now() - 30 * DAY_MS);
        const { body } = await get(`/api/v1/observations?from=${from}&limit=10000`);
        const found = (body.rows as Json[]).filter(({ source }) => source === "open-meteo-archive");
        return found.length >= atLeast ? found : undefined;
      });
    let calls: string[];
    {
      await using here = await startHere(env);
      const found = await rows(here.get, 3 * 48);
      expect(new Set(found.map(({ city }) => city as string))).toEqual(new Set(["Bern", "Basel"]));
      // What is shown as current is current, once the provider has answered: the archive may be faster.
      const current = await eventually("the provider's reports are current", async () => {
        const { body } = await here.get("/api/v1/current");
        return body.rows.every((row: Json) => row.source === "open-meteo")
          ? (body.rows as Json[])
          : undefined;
      });
      expect(current.map((row) => row.temperature)).toEqual([7.5, 7.5]);
      calls = archive.calls.map((url) => url.searchParams.get("start_date")!);
      expect(calls.length).toBeGreaterThanOrEqual(1);
      expect((await here.get("/api/v1/health/ready")).body.status).toBe("ready");
    }
    {
      await using here = await startHere(env);
      await here.get("/api/v1/health/live");
      await eventually("the archive is asked for what is missing", () => archive.calls[calls.length]);
      const again = archive.calls.slice(calls.length).map((url) => url.searchParams.get("start_date")!);
      // Only the days that the archive did not have: none of the first call's.
      for (const day of again) expect(Date.parse(day)).toBeGreaterThan(Date.now() - 5 * DAY_MS);
      await committed(here);
    }
    const proof = await proofOf(folder.path, "observed");
    expect(proof).toMatchObject({ problems: [], rejected: 0, behind: 0 });
  });

  test("is shown and ready while the archive is away", async () => {
    await using folder = await temporaryFolder();
    await using here = await startHere({
      DATA_DIR: folder.path,
      WEATHER_SOURCE: "open-meteo",
      BACKFILL_DAYS: "20",
    });
    const job = await eventually("the job says why nothing comes", async () => {
      const { body } = await here.get("/api/v1/pipeline");
      return body.jobs.find((one: Json) => one.name === "backfill" && one.state === "waiting") as Json;
    });
    expect(job.reason).toStartWith("The archive gives nothing: Cannot get http://127.0.0.1:1/v1/archive");
    expect((await here.get("/api/v1/health/ready")).body).toMatchObject({ status: "ready" });
    expect(here.program.about.source?.credit?.url).toBe("https://open-meteo.com/");
  });
});

describe("bun run backfill", () => {
  test("fetches days into the lake, and the second time only what is missing", async () => {
    await using folder = await temporaryFolder();
    await using archive = serveArchive();
    const env = {
      DATA_DIR: folder.path,
      CITIES_FILE: await twoCities(folder.path),
      OPEN_METEO_ARCHIVE_URL: archive.endpoint,
    };
    const first = await run("backfill", ["--from", "2026-01-01", "--to", "2026-01-20"], env);
    expect([first.code, first.code === 0 ? "" : first.err]).toEqual([0, ""]);
    expect(first.out).toContain(
      '960 records into the data set "observed": 960 rows, 0 duplicates, 0 rejected',
    );
    expect(archive.calls.map((url) => url.searchParams.get("start_date"))).toEqual([
      "2026-01-07",
      "2026-01-01",
    ]);
    const again = await run("backfill", ["--from", "2026-01-05", "--to", "2026-01-20"], env);
    expect(again.out).toContain('Every hour of these days is in the data set "observed" already');
    expect(archive.calls).toHaveLength(2);
    const more = await run("backfill", ["--from", "2026-01-15", "--to", "2026-01-25"], env);
    expect(more.out).toContain("240 records");
    const asked = archive.calls.at(-1)!.searchParams;
    expect([asked.get("start_date"), asked.get("end_date")]).toEqual(["2026-01-21", "2026-01-25"]);
  });

  const now = Date.UTC(2026, 0, 31, 12);
  const day = (text: string) => Date.parse(`${text}T00:00:00Z`);
  test("backfillPeriod() takes the last days before today, or from one day to another", () => {
    const upToToday = (from: string) => ({ from: day(from), to: day("2026-01-31") });
    expect(backfillPeriod({}, 60, now)).toEqual(upToToday("2025-12-02"));
    expect(backfillPeriod({}, 0, now)).toEqual(upToToday("2025-12-02"));
    expect(backfillPeriod({ days: "1" }, 60, now)).toEqual(upToToday("2026-01-30"));
    expect(backfillPeriod({ from: "2025-01-01", to: "2025-01-01" }, 60, now)).toEqual({
      from: day("2025-01-01"),
      to: day("2025-01-02"),
    });
  });
  test.each<[Env, string]>([
    [{ days: "0" }, '--days is "0", wanted a whole number from 1 to 36500'],
    [{ days: "3", from: "2026-01-01" }, "wanted --days, or --from and --to"],
    [{ from: "2026-01-01" }, "--to is missing, wanted a day such as 2026-01-31"],
    [{ from: "2026-01-01", to: "2026-01-31" }, '--to is "2026-01-31", wanted a day'],
    [{ from: "1939-12-31", to: "2026-01-01" }, "from 1940-01-01 to yesterday"],
    [{ from: "2026-01-02", to: "2026-01-01" }, "--to is before --from"],
    [{ from: "2026-02-30", to: "2026-01-01" }, "--from is"],
  ])("backfillPeriod() refuses %j", (options, message) => {
    expect(() => backfillPeriod(options, 60, now)).toThrow(ConfigError);
    expect(() => backfillPeriod(options, 60, now)).toThrow(message);
  });
});

describe("a station of one's own", () => {
  test("is added, pushes to the server, and is seen; its key is nowhere but in the answer", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const args = ["garden", "--city", "london", "--elevation", "24", "--sensor", "WS90"];
    const { code, out, err } = await run("station-add", args, env);
    expect([code, err]).toEqual([0, ""]);
    const key = /^ {2}([2-9a-z]{24})$/m.exec(out)?.[1] ?? "";
    expect(key).not.toBe("");
    const file = await Bun.file(join(folder.path, "stations.json")).text();
    expect(JSON.parse(file)).toMatchObject([
      {
        id: "garden",
        city: "London",
        key_sha256: sha256Hex(key),
        periods: [{ latitude: 51.5074, longitude: -0.1278, elevation: 24, sensor: "WS90" }],
      },
    ]);
    expect(file).not.toContain(key);

    expect((await run("lake-init", [], env)).code).toBe(0);
    {
      await using here = await startHere({ ...env, WEATHER_SOURCE: "none", STATIONS_LISTEN: "127.0.0.1:0" });
      const push = async (base: URL, path: string, init?: RequestInit) => {
        const response = await fetch(new URL(path, base), init);
        return [response.status, await response.text()];
      };
      const wu = `/weatherstation/updateweatherstation.php?ID=garden&PASSWORD=${key}&action=updateraw`;
      expect(await push(here.url, `${wu}&dateutc=now&tempf=50`)).toEqual([200, "success\n"]);
      const own = /Stations are listened to at (http:[^"]+)/.exec(here.lines.join("\n"))![1]!;
      const body = `PASSKEY=0123&dateutc=${formatTimestamp(Date.now() - HOUR_MS).slice(0, 19)}&tempf=41`;
      expect(await push(new URL(own), `/data/report/${key}`, { method: "POST", body })).toEqual([
        200,
        "success\n",
      ]);
      expect((await push(new URL(own), "/api/v1/current"))[0]).toBe(404);
      const { body: current } = await eventually("the observation is seen", async () => {
        const answer = await here.get("/api/v1/current?city=london");
        return answer.body.rows.length > 0 ? answer : undefined;
      });
      expect(current.rows).toMatchObject([{ city: "London", temperature: 10, source: "station:garden" }]);
      await committed(here);
      expect(here.lines.join("\n")).not.toContain(key);
    }
    const proof = await proofOf(folder.path, "observed");
    expect(proof).toMatchObject({ problems: [], rows: 2, rejected: 0 });

    const twice = await run("station-add", ["GARDEN", "--city", "Bern"], env);
    expect(twice.code).toBe(2);
    expect(twice.err).toContain('Cannot add the station "GARDEN": it is known already');
  });

  test("a wrong call of station:add ends with 2 and says what was wanted; a broken file stops the start", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const wrong: [string[], string][] = [
      [[], "wanted one id"],
      [["my garden", "--city", "Bern"], 'the station "my garden"'],
      [["garden"], "wanted --city NAME"],
      [["garden", "--city", "Bern"], '"Bern" is none of the configured cities'],
      [["garden", "--city", "Bern", "--latitude", "46.9"], "wanted --latitude and --longitude, or none"],
      [
        ["garden", "--city", "Bern", "--latitude", "x", "--longitude", "7"],
        '--latitude is "x", wanted a number',
      ],
      [["garden", "--city", "London", "--elevation", "9999"], "--elevation is 9999"],
    ];
    const calls = await Promise.all(
      wrong.map(async ([args, part]) => ({ part, ...(await run("station-add", args, env)) })),
    );
    for (const { code, err, out, part } of calls) {
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(part);
      expect(err).not.toContain("    at ");
    }
    await Bun.write(join(folder.path, "stations.json"), "[{}]");
    await expect(startHere(env)).rejects.toThrow(/Cannot read the stations in .*: station 1: id is missing/);
    const named = { ...env, STATIONS_FILE: join(folder.path, "none.json") };
    await expect(startHere(named)).rejects.toThrow("none.json: ENOENT");
  });

  test("newStationKey() is 24 characters that nobody takes for others, evenly drawn", () => {
    expect(newStationKey()).toMatch(/^[2-9a-hjkmnp-z]{24}$/);
    expect(newStationKey()).not.toBe(newStationKey());
    const bytes = Uint8Array.from({ length: 64 }, (_, index) => 240 + (index % 16)); // half of them are left out
    expect(newStationKey(() => bytes)).toBe("stuvwxyz".repeat(3));
  });
});

describe("bun run import", () => {
  test("takes a file of a known format, and says as which it was read", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const file = join(folder.path, "uurgeg.txt");
    const header = "# STN,YYYYMMDD,   HH,   DD,   FH,    T,   RH,    P,    U";
    await Bun.write(
      file,
      `# BRON: invented\n${header}\n  235,20250103,   24,  290,   90,  -42,   -1,10104,   74\n`,
    );
    const taken = await run("import", [file, "--city", "De Kooy"], env);
    expect([taken.code, taken.out]).toEqual([0, expect.stringContaining("Read as knmi: KNMI")]);
    expect(taken.out).toContain('1 records into the data set "observed": 1 rows');
    expect(taken.out).toContain("1 × a trace of rainfall counts as 0, first: 20250103 24 De Kooy");
    const dry = await run("import", [file, "--dry-run"], env);
    expect(dry.out).toMatch(/20250103 24 +2025-01-04T00:00:00Z +235 +knmi +-4\.2/);
    const listed = await run("import", ["--formats"], env);
    expect([listed.code, listed.out]).toEqual([0, expect.stringContaining("\n  knmi ")]);
  });

  test("takes a WeeWX database as a station's, and a CSV by a column map", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const added = await run("station-add", ["garden", "--city", "London"], env);
    expect(added.code).toBe(0);
    const weewx = join(folder.path, "weewx.sdb");
    const db = new Database(weewx);
    db.run(
      "CREATE TABLE archive (dateTime INTEGER PRIMARY KEY, usUnits INTEGER, interval INTEGER, outTemp REAL, rain REAL)",
    );
    for (let hour = 0; hour < 5; hour++)
      db.run("INSERT INTO archive VALUES (?, 1, 60, 50, 0.1)", [1_769_839_200 + hour * 3600]);
    db.close();
    const unnamed = await run("import", [weewx], env);
    expect([unnamed.code, unnamed.err]).toEqual([
      2,
      expect.stringContaining("wanted --station ID or --city NAME"),
    ]);
    const unknown = await run("import", [weewx, "--station", "roof"], env);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("there is no such station")]);
    const taken = await run("import", [weewx, "--station", "garden"], env);
    expect([taken.code, taken.code === 0 ? "" : taken.err]).toEqual([0, ""]);
    expect(taken.out).toContain('5 records into the data set "observed": 5 rows');

    const csv = join(folder.path, "office.txt"); // by a map, any name will do
    await Bun.write(csv, "timestamp,value\n2026-01-31 00:00:00,69.8\nnonsense\n");
    const map = join(import.meta.dir, "../../../docs/maps/nab-ambient-temperature.json");
    const mapped = await run("import", [csv, "--map", map], env);
    expect(mapped.out).toContain('2 records into the data set "observed": 1 rows, 0 duplicates, 1 rejected');
    const lacking = await run("import", [csv, "--city", "Bern"], env);
    expect([lacking.code, lacking.err]).toEqual([
      2,
      expect.stringContaining("wanted a WeeWX database or --map"),
    ]);

    const small = join(folder.path, "łódź.jsonl");
    const record = { timestamp: "2026-01-31T00:00:00Z", city: " tokyo ", temperature: 5 };
    await Bun.write(small, JSON.stringify(record));
    expect((await run("import", [small], env)).out).toContain("1 rows");

    await using shown = await startHere({ ...env, WEATHER_SOURCE: "none" });
    const { body } = await shown.get("/api/v1/observations?from=2026-01-30T00:00:00Z");
    const rows = (body.rows as Json[]).map((row) => [row.city, row.source, row.temperature, row.rainfall]);
    expect(rows).toContainEqual(["Tokyo", "lodz", 5, null]); // the configured spelling, and the file's name in ASCII
    expect(rows).toContainEqual(["Office", "nab", 21, null]);
    expect(rows.filter(([city]) => city === "London")).toEqual(
      Array.from({ length: 5 }, () => ["London", "station:garden", 10, 2.54]),
    );
  });
});
