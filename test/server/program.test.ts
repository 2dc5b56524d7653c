import { describe, expect, test } from "bun:test";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { formatTimestamp, HOUR_MS } from "../../core/time.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { loadConfig } from "../../server/config/config.ts";
import { loadRecords } from "../../server/wiring/bulk-load.ts";
import { openPorts } from "../../server/wiring/ports.ts";
import { serveProvider, rejection } from "../jobs/sources/provider.ts";
import {
  eventually,
  getJson,
  type Json,
  liveEvents,
  postLines,
  proofOf,
  QUICK,
  spawnProgram,
  startHere,
  temporaryFolder,
  type TestProgram,
} from "../support/running.ts";

const CITIES = ["Dubai", "London", "New York", "Sydney", "Tokyo"];
const DATASET = "simulated";

/** A record as a station posts it. */
const record = (changes: object = {}): string =>
  JSON.stringify({
    timestamp: formatTimestamp(Math.floor(Date.now() / 1000) * 1000),
    city: "Zürich",
    temperature: 3.5,
    ...changes,
  });

const lakeOf = (dataDir: string, dataset = DATASET) => join(dataDir, "lake", dataset);
const chainOf = (dataDir: string, dataset = DATASET) =>
  join(lakeOf(dataDir, dataset), "commits", `weather.${dataset}`, "0");

/** Waits until everything in the log is committed. */
const committed = ({ get }: Pick<TestProgram, "get">) =>
  eventually("the lake takes what the log holds", async () => {
    const { body } = await get("/api/v1/pipeline");
    const [partition] = body.partitions as { high: number; next: number; rows: number; rejected: number }[];
    return partition !== undefined && partition.high > 0 && partition.high === partition.next
      ? partition
      : undefined;
  });

/** Waits until the program is ready, or until it gives a reason why not. */
const ready = ({ get }: Pick<TestProgram, "get">, reason?: RegExp) => {
  let reasons: string[] = [];
  const wanted = `the program is ${reason === undefined ? "ready" : `not ready: ${reason}`}`;
  return eventually(
    () => `${wanted}, which says ${JSON.stringify(reasons)}`,
    async () => {
      const { status, body } = await get("/api/v1/health/ready");
      expect([status, body.status]).toEqual(body.reasons.length === 0 ? [200, "ready"] : [503, "not ready"]);
      reasons = body.reasons;
      if (reason === undefined) return reasons.length === 0 ? true : undefined;
      return reasons.some((one) => reason.test(one)) ? true : undefined;
    },
  );
};

/** A data set with a little in it, of a program that has stopped. */
async function filled(dataDir: string): Promise<void> {
  await using program = await startHere({ DATA_DIR: dataDir, ROLES: "producer,consumer,web" });
  await committed(program);
}

describe("a first start without key or network", () => {
  test("shows moving weather: page, current, 48 h of history, live events, statistics; and verify agrees", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    {
      await using here = await startHere({ DATA_DIR, WEATHER_SOURCE: "auto" });
      const { get, url, lines } = here;
      expect(here.program.about).toMatchObject({ dataset: DATASET, kind: "simulated" });
      expect(here.program.about.source?.reason).toContain("Open-Meteo does not answer");

      const page = await fetch(url);
      expect(page.status).toBe(200);
      const html = await page.text();
      for (const city of CITIES) expect(html).toContain(city);
      expect(html.toLowerCase()).toContain("simulated");

      const offsets: number[] = [];
      let moved = false;
      for await (const { name, data } of liveEvents(url)) {
        if (name === "observations")
          offsets.push(...(data.observations as { log_offset: number }[]).map((row) => row.log_offset));
        moved ||= name === "observations";
        if (moved && offsets.length > 0) break;
      }
      expect(offsets).toEqual([...offsets].sort((a, b) => a - b));

      const current = await eventually("all cities report", async () => {
        const { body } = await get("/api/v1/current");
        return body.rows.length === CITIES.length ? body : undefined;
      });
      expect(current.rows.map((row: Json) => row.city)).toEqual(CITIES);
      expect(current.rows.every((row: Json) => row.age_seconds < 60 && !row.stale)).toBe(true);

      await committed(here);
      const from = formatTimestamp(Date.now() - 49 * HOUR_MS);
      const { body: history } = await get(`/api/v1/observations?city=tokyo&from=${from}&limit=10000`);
      const times = history.rows.map((row: Json) => Date.parse(row.timestamp as string)) as number[];
      expect(times.length).toBeGreaterThan(48 * 6 - 2);
      expect(times.at(-1)! - times[0]!).toBeGreaterThan(47.5 * HOUR_MS);
      const gaps = times.slice(1).map((ms, index) => ms - times[index]!);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(600_000);

      const statistics = await eventually("the statistics are computed", async () => {
        const { body } = await get("/api/v1/statistics");
        return body.rows.length > 0 ? body : undefined;
      });
      expect(statistics.rows.map((row: Json) => row.city).sort()).toEqual(CITIES);
      await ready(here);
      const failures = lines.filter((line) => line.includes('"level":"error"'));
      expect(failures).toEqual([]);
    }
    const proof = await proofOf(DATA_DIR, DATASET);
    expect(proof).toMatchObject({ problems: [], behind: 0, rejected: 0, next: proof.high });
    expect(proof.rows).toBeGreaterThan(CITIES.length * 48 * 6 - 10);
    expect(proof.compared).toBe(proof.high);
  });
});

describe("SIGTERM and SIGKILL", () => {
  test("a killed program loses and doubles nothing, its live client resumes, and a stopped one has flushed", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    // A batch that waits for a minute: what is committed at the end, the stop has flushed.
    const env = { DATA_DIR, FLUSH_SECONDS: "60", BATCH_RECORDS: "1000", POLL_SECONDS: "0.2" };
    const seen: number[] = [];
    let lastId: string | null = null;
    const follow = async (url: URL, atLeast: number) => {
      for await (const { name, id, data } of liveEvents(url, lastId ?? undefined)) {
        if (name === "snapshot") expect(lastId).toBeNull(); // who resumes gets what it missed
        if (name !== "observations") continue;
        lastId = id;
        seen.push(...(data.observations as { log_offset: number }[]).map((row) => row.log_offset));
        if (seen.length >= atLeast) break;
      }
    };
    {
      await using first = spawnProgram("server/main.ts", env);
      const url = await first.url();
      await follow(url, 5);
      const { status, body } = await postLines(url, [record(), record({ city: "Bern" })]);
      expect([status, body.appended]).toEqual([200, 2]);
      first.kill("SIGKILL");
      await first.ended;
    }
    await using second = spawnProgram("server/main.ts", env);
    const url = await second.url();
    await follow(url, seen.length + 7);
    // Every offset from the first one seen: no gap, none twice, across the kill.
    expect(seen).toEqual(Array.from(seen, (_, index) => seen[0]! + index));
    const { body: answer } = await postLines(url, [record({ city: "Basel" }), "not JSON"]);
    expect(answer.appended).toBe(2);
    await eventually("the consumer has claimed the partition", async () => {
      const { body } = await getJson(url, "/api/v1/pipeline");
      return body.jobs.some((job: Json) => job.name === "consumer" && job.state === "running") || undefined;
    });

    const reader = (await fetch(new URL("/live", url))).body!; // who just reads on holds up nothing
    const asked = performance.now();
    second.kill("SIGTERM");
    const { code, err } = await second.ended;
    expect(performance.now() - asked).toBeLessThan(5_000);
    expect(code).toBe(0);
    expect(err).toContain('"message":"Stopped"');
    await reader.cancel();

    const proof = await proofOf(DATA_DIR, DATASET);
    expect(proof).toMatchObject({ problems: [], behind: 0, next: proof.high, rejected: 1 });
    expect(proof.high).toBeGreaterThan(seen.at(-1)!);
  });
});

describe("what is taken already", () => {
  test("a second process on one data folder stops with role, folder, process and address", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using here = await startHere({ DATA_DIR });
    await using second = spawnProgram("server/main.ts", { DATA_DIR });
    const { code, err } = await second.ended;
    expect(code).toBe(2);
    for (const part of ['role "producer"', DATA_DIR, `process ${process.pid}`, here.url.href])
      expect(err).toContain(part);
    expect(err).not.toContain("    at "); // no stack
  });

  test("a port in use is said, and roles, log and lake are free again at once", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using other = await temporaryFolder();
    await using here = await startHere({ DATA_DIR: other.path, ROLES: "producer,web" });
    const { port } = here.url;
    await using child = spawnProgram("server/main.ts", { DATA_DIR, PORT: port });
    const { code, err } = await child.ended;
    expect(code).toBe(2);
    expect(err).toContain(`Cannot listen on 127.0.0.1:${port}: the port is in use`);
    expect(err).toContain("PORT");
    expect(err).not.toContain("    at ");

    const refused = await rejection(startHere({ DATA_DIR, PORT: port }));
    expect(refused.code).toBe("port_in_use");
    await using again = await startHere({ DATA_DIR });
    expect((await again.get("/api/v1/health/live")).status).toBe(200);
  });
});

describe("roles in processes of their own", () => {
  test("data flows, and the web process shows fresh rows and what others computed", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    const early = await rejection(startHere({ DATA_DIR, ROLES: "web" }));
    expect(early.message).toContain("there is no data set");
    expect(early.hint).toContain("producer first");

    await using producer = spawnProgram("server/main.ts", {
      DATA_DIR,
      ROLES: "producer",
      POLL_SECONDS: "0.3",
    });
    await producer.line(/runs without a web server/);
    await using worker = spawnProgram("server/main.ts", { DATA_DIR, ROLES: "consumer,analytics" });
    await using web = await startHere({ DATA_DIR, ROLES: "web" });
    const { get, url } = web;
    let events = 0;
    for await (const { name } of liveEvents(url)) if (name === "observations" && ++events === 3) break;
    await worker.line(/analytic job done/);
    const statistics = await eventually("the other process's result is shown", async () => {
      const { body } = await get("/api/v1/statistics");
      return body.rows.length > 0 ? body : undefined;
    });
    expect(statistics.rows.map((row: Json) => row.city).sort()).toEqual(CITIES);
    await eventually("rows of the last seconds are in the lake", async () => {
      const { body } = await get(`/api/v1/observations?from=${formatTimestamp(Date.now() - 5_000)}`);
      return body.rows.length > 0 ? true : undefined;
    });
    const { body } = await get("/api/v1/pipeline");
    expect(body.jobs.map((job: Json) => job.name).sort()).toEqual(["feed", "judge", "monitor", "results"]);

    const posted = await postLines(url, [record()]);
    expect(posted.status).toBe(409);
    const run = await getJson(url, "/api/v1/jobs/city_statistics/runs", {
      method: "POST",
      headers: { "content-type": "application/json" },
    });
    expect(run.status).toBe(409);
    producer.kill("SIGTERM");
    expect((await producer.ended).code).toBe(0);
    worker.kill("SIGTERM");
    expect((await worker.ended).code).toBe(0);
  });
});

describe("data sets", () => {
  test("never mix, and are shown without a source", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    const none = await rejection(startHere({ DATA_DIR, WEATHER_SOURCE: "none" }));
    expect(none.code).toBe("bad_setting");
    expect(none.message).toContain(`there is no data set "observed" in ${DATA_DIR}`);
    expect(none.hint).toContain("WEATHER_SOURCE");

    await filled(DATA_DIR);
    const mixed = await rejection(startHere({ DATA_DIR, WEATHER_SOURCE: "open-meteo", DATASET }));
    expect(mixed.code).toBe("bad_setting");
    expect(mixed.message).toContain("it holds simulated data");
    const before = await proofOf(DATA_DIR, DATASET);

    await using shown = await startHere({ DATA_DIR, WEATHER_SOURCE: "none" });
    expect(shown.program.about).toMatchObject({ dataset: DATASET, kind: "simulated", source: null });
    const { body } = await shown.get("/api/v1/current");
    expect(body.rows.map((row: Json) => row.city)).toEqual(CITIES);
    await shown.program.stop();
    expect(await proofOf(DATA_DIR, DATASET)).toMatchObject({ high: before.high, problems: [] });
  });

  test("a recording is shown with its own cities, which can be asked for by name", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    const { config } = loadConfig({ ...QUICK, DATA_DIR }, { isTerminal: false });
    const deps = { clock: systemClock, logger: silentLogger };
    const ports = await openPorts(config, "tape", deps);
    try {
      await claimDataset(ports.lake, "tape", "replayed", systemClock.now());
      const chunks = async function* () {
        const recorded = {
          timestamp: "2017-04-01T00:00:00Z",
          city: "Saint Louis",
          temperature: 9,
          source: "tape",
        };
        yield [{ key: "", value: JSON.stringify(recorded) }];
      };
      await loadRecords({ ports, config, ...deps, chunks: chunks(), signal: new AbortController().signal });
    } finally {
      await ports.close();
    }
    await using shown = await startHere({ DATA_DIR, WEATHER_SOURCE: "none", DATASET: "tape" });
    const { body: cities } = await shown.get("/api/v1/cities");
    expect(cities.rows).toEqual([
      { name: "Saint Louis", slug: "saint-louis", latitude: null, longitude: null, zone: null },
    ]);
    const { body: found } = await shown.get("/api/v1/observations?city=saint-louis");
    expect(found.rows).toMatchObject([{ city: "Saint Louis", temperature: 9 }]);
  });

  test("a city that is silent for months is still known after each restart, with its newest report", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    const { config } = loadConfig({ ...QUICK, DATA_DIR, DATASET: "tape" }, { isTerminal: false });
    const deps = { clock: systemClock, logger: silentLogger };
    const ports = await openPorts(config, "tape", deps);
    try {
      await claimDataset(ports.lake, "tape", "replayed", systemClock.now());
      const chunks = async function* () {
        const of = (city: string, timestamp: string, temperature: number) => ({
          key: "",
          value: JSON.stringify({ timestamp, city, temperature, source: "tape" }),
        });
        yield [of("Berlin", "2016-10-01T06:00:00Z", 8), of("Berlin", "2016-10-01T07:00:00Z", 9)];
        // More than the live feed reads of the log again at a start.
        const times = Array.from({ length: 2_100 }, (_, i) => Date.UTC(2017, 0, 1) + i * (HOUR_MS / 4));
        yield times.map((ms, i) => of("London", formatTimestamp(ms), 5 + (i % 7)));
      };
      await loadRecords({ ports, config, ...deps, chunks: chunks(), signal: new AbortController().signal });
    } finally {
      await ports.close();
    }
    for (const start of ["first", "second"]) {
      await using shown = await startHere({ DATA_DIR, WEATHER_SOURCE: "none", DATASET: "tape" });
      const { body: cities } = await shown.get("/api/v1/cities");
      expect([start, cities.rows.map(({ name }: Json) => name).sort()]).toEqual([
        start,
        ["Berlin", "London"],
      ]);
      const { status, body: current } = await shown.get("/api/v1/current?city=berlin");
      expect([status, current.rows]).toMatchObject([
        200,
        [{ city: "Berlin", timestamp: "2016-10-01T07:00:00Z", temperature: 9, stale: true }],
      ]);
      expect((await fetch(new URL("/cities/berlin", shown.url))).status).toBe(200);
      // The second start reads when it was last heard of from the statistics.
      await eventually("the statistics are kept", async () => {
        const { body } = await shown.get("/api/v1/statistics");
        return body.rows.length === 2 || undefined;
      });
    }
  });

  test("observed data gets no simulated neighbours: auto waits for Open-Meteo, the simulator is refused", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await mkdir(lakeOf(DATA_DIR, "observed"), { recursive: true });
    await Bun.write(
      join(lakeOf(DATA_DIR, "observed"), "dataset.json"),
      '{"format":1,"kind":"observed","created_at":"2026-01-31T12:00:00Z"}\n',
    );
    const refused = await rejection(startHere({ DATA_DIR, DATASET: "observed" }));
    expect(refused.message).toContain('Cannot write simulated data into the data set "observed"');

    await using here = await startHere({ DATA_DIR, WEATHER_SOURCE: "auto" });
    expect(here.program.about).toMatchObject({ dataset: "observed", source: { name: "open-meteo" } });
    const job = await eventually("the producer says why nothing comes", async () => {
      const { body } = await here.get("/api/v1/pipeline");
      return body.jobs.find((one: Json) => one.name === "producer" && one.state === "waiting") as Json;
    });
    expect(job.reason).toContain("open-meteo gives nothing");
    await ready(here); // what was collected is served all the same
  });
});

describe("what stands in the way of a start", () => {
  test("wrong settings are named all at once, HOST beyond loopback with AUTH", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using child = spawnProgram("server/main.ts", {
      DATA_DIR,
      HOST: "0.0.0.0",
      POLL_SECONDS: "often",
      ROLES: "chef",
    });
    const { code, err } = await child.ended;
    expect(code).toBe(2);
    for (const part of ["HOST", "AUTH=none", "POLL_SECONDS", '"often"', "ROLES", '"chef"'])
      expect(err).toContain(part);
    expect(err).not.toContain("    at ");
    expect(await readdir(DATA_DIR)).toEqual([]);
  });

  test("a file in the place of DATA_DIR is said, and left alone", async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "data");
    await Bun.write(file, "mine");
    await using child = spawnProgram("server/main.ts", { DATA_DIR: file });
    const { code, err } = await child.ended;
    expect(code).toBe(2);
    expect(err).toContain(file);
    expect(err).toContain("DATA_DIR");
    expect(err).not.toContain("    at ");
    expect(await Bun.file(file).text()).toBe("mine");
  });

  test("a data set's note that is damaged or newer is said, and left alone", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    const note = join(lakeOf(DATA_DIR), "dataset.json");
    for (const text of ["{", "null", '{"format":2,"kind":"simulated"}', '{"format":1,"kind":"guessed"}']) {
      await Bun.write(note, text);
      const refused = await rejection(startHere({ DATA_DIR }));
      expect(refused.code).toBe("bad_setting");
      expect(refused.message).toBe(`Cannot read ${note}: wanted format 1 and a kind`);
      expect(await Bun.file(note).text()).toBe(text);
    }
  });

  test("a damaged commit and a newer format stop the consumer; the rest answers, and it goes on when restored", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await filled(DATA_DIR);
    const newest = join(chainOf(DATA_DIR), (await readdir(chainOf(DATA_DIR))).sort().at(-1)!);
    const entry = await Bun.file(newest).text();
    const changes: [string, string][] = [
      [entry.replace('"rows":', '"rows":1'), "not what its checksum says"],
      [entry.replace(/"format":\d/, '"format":9'), "its format is 9"],
    ];
    for (const [text, why] of changes) {
      await Bun.write(newest, text);
      await using here = await startHere({ DATA_DIR });
      await ready(here, new RegExp(`^The job consumer failed: .*${why}`));
      expect((await fetch(here.url)).status).toBe(200);
      expect((await here.get("/api/v1/current")).body.rows).toHaveLength(CITIES.length); // from the log
      const { status, body } = await here.get("/api/v1/observations");
      expect([status, body.error.code]).toEqual([503, "unavailable"]);
      await Bun.write(newest, entry);
      await ready(here);
      await committed(here);
    }
    const proof = await proofOf(DATA_DIR, DATASET);
    expect(proof.problems).toEqual([]);
  });

  test("a log that was deleted while the lake is there stops the consumer: nothing of the lake is lost", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await filled(DATA_DIR);
    const { rows, next } = await proofOf(DATA_DIR, DATASET);
    await rename(join(DATA_DIR, "log"), join(DATA_DIR, "log-away"));
    {
      // Other weather: the same seed in the same second would make the same log again.
      await using here = await startHere({ DATA_DIR, SIMULATOR_SEED: "2" });
      await ready(here, /^The job consumer failed: .*the log is not the one the lake was filled from/);
      expect((await here.get("/api/v1/observations")).body.rows.length).toBeGreaterThan(0);
    }
    await rm(join(DATA_DIR, "log"), { recursive: true });
    await rename(join(DATA_DIR, "log-away"), join(DATA_DIR, "log"));
    expect(await proofOf(DATA_DIR, DATASET)).toMatchObject({ rows, next, problems: [] });
  });
});

describe("a provider", () => {
  const KEY = "k3y-that-nobody-may-see";
  const seconds = () => Math.floor(Date.now() / 1000);

  test("OpenWeatherMap: observations arrive under its name, and the key is never logged", async () => {
    const dt = seconds(); // the same report at each poll
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    let refuse = false;
    await using provider = serveProvider((url) =>
      refuse
        ? Response.json(
            { cod: 401, message: `Invalid API key ${url.searchParams.get("appid")}` },
            { status: 401 },
          )
        : Response.json({
            dt,
            main: { temp: 11.5, humidity: 60, pressure: 1009 },
            wind: { speed: 2, deg: 180 },
            weather: [{ main: "Clear", description: "clear sky" }],
          }),
    );
    const env = {
      DATA_DIR,
      WEATHER_SOURCE: "auto",
      OPENWEATHERMAP_API_KEY: KEY,
      OPENWEATHERMAP_URL: provider.endpoint,
    };
    {
      await using here = await startHere(env);
      expect(here.program.about).toMatchObject({ dataset: "observed", source: { name: "openweathermap" } });
      await eventually("all cities report", async () => {
        const { body } = await here.get("/api/v1/current");
        return body.rows.length === CITIES.length ? true : undefined;
      });
      await committed(here);
      const { body } = await here.get("/api/v1/observations");
      expect(new Set(body.rows.map((row: Json) => row.source))).toEqual(new Set(["openweathermap"]));
      expect(provider.calls[0]?.searchParams.get("appid")).toBe(KEY);
      expect(here.lines.join("\n")).not.toContain(KEY);
    }
    refuse = true;
    await using refused = await startHere(env);
    const job = await eventually("the producer says that the key is refused", async () => {
      const { body } = await refused.get("/api/v1/pipeline");
      return body.jobs.find((one: Json) => one.name === "producer" && one.reason !== null) as Json;
    });
    expect(job.reason).toContain("401");
    const log = refused.lines.join("\n");
    expect(log).toContain("Set OPENWEATHERMAP_API_KEY to a valid key");
    expect(log + JSON.stringify(job)).not.toContain(KEY);
    expect((await refused.get("/api/v1/observations")).body.rows).toHaveLength(CITIES.length);
  });

  test("Open-Meteo: auto takes it when it answers, with the past of 48 h", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using provider = serveProvider((url) => {
      const places = url.searchParams.get("latitude")!.split(",").length;
      const now = seconds() - (seconds() % 900);
      const hour = now - (now % 3600);
      const times = Array.from({ length: 48 }, (_, index) => hour - (47 - index) * 3600);
      const answer = url.searchParams.has("hourly")
        ? {
            hourly: {
              time: times,
              temperature_2m: times.map((_, index) => index / 4),
              weather_code: times.map(() => 3),
              rain: times.map(() => 0),
            },
          }
        : { current: { time: now, temperature_2m: 9.5, weather_code: 61 } };
      return Response.json(Array.from({ length: places }, () => answer));
    });
    await using here = await startHere({
      DATA_DIR,
      WEATHER_SOURCE: "auto",
      OPEN_METEO_URL: provider.endpoint,
    });
    expect(here.program.about).toMatchObject({ dataset: "observed", source: { name: "open-meteo" } });
    await eventually("all cities report", async () => {
      const { body } = await here.get("/api/v1/current");
      return body.rows.filter((row: Json) => row.temperature === 9.5).length === 5 ? true : undefined;
    });
    await committed(here);
    const from = formatTimestamp(Date.now() - 50 * HOUR_MS);
    const { body } = await here.get(`/api/v1/observations?city=london&from=${from}`);
    expect(body.rows.length).toBeGreaterThanOrEqual(48);
    expect(new Set(body.rows.map((row: Json) => row.source))).toEqual(new Set(["open-meteo"]));
    expect(provider.calls.some((url) => url.searchParams.get("past_hours") === "48")).toBe(true);
  });
});

describe("a lake that goes away", () => {
  test("pages go on answering, the stage is named, memory is bounded, the flow resumes by itself", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using here = await startHere({ DATA_DIR, POLL_SECONDS: "0.2" });
    await committed(here);
    const lake = join(DATA_DIR, "lake");
    await rename(lake, `${lake}-away`); // as when its disk is taken off: it is away, not empty
    await ready(here, /^The lake stands still: .* is gone/);
    expect((await here.get("/api/v1/observations")).status).toBe(503);
    await rename(`${lake}-away`, lake);
    await ready(here);

    await rename(lake, `${lake}-away`);
    await Bun.write(lake, "in the way");
    await postLines(here.url, [record()]);
    await ready(here, /^The job consumer failed: Cannot /);

    const heap = () => {
      Bun.gc(true);
      return process.memoryUsage().heapUsed;
    };
    // 20 MB that the lake cannot take.
    const filler = "x".repeat(1_000);
    const before = heap();
    for (let post = 0; post < 20; post++) {
      const lines = Array.from({ length: 1_000 }, (_, index) => `${post}-${index}-${filler}`);
      expect((await postLines(here.url, lines)).status).toBe(200);
    }
    expect(heap() - before).toBeLessThan(8_000_000);

    expect((await fetch(here.url)).status).toBe(200);
    expect((await here.get("/api/v1/current")).body.rows).toHaveLength(CITIES.length + 1);
    expect((await here.get("/api/v1/health/live")).status).toBe(200);
    const { status, body } = await here.get("/api/v1/observations");
    expect([status, body.error.code]).toEqual([503, "unavailable"]);
    for await (const { name } of liveEvents(here.url)) if (name === "observations") break;

    await rm(lake);
    await rename(`${lake}-away`, lake);
    await ready(here);
    const partition = await committed(here);
    expect(partition.rejected).toBe(20_000);
    await here.program.stop();
    const proof = await proofOf(DATA_DIR, DATASET);
    expect(proof).toMatchObject({ problems: [], behind: 0, rejected: 20_000 });
  });
});

describe("bad input", () => {
  test("is rejected with its reason, and the rest flows on", async () => {
    await using folder = await temporaryFolder();
    const { path: DATA_DIR } = folder;
    await using here = await startHere({ DATA_DIR, POLL_SECONDS: "86400" });
    const { rejected: none } = await committed(here);
    expect(none).toBe(0);
    const bad: [string, string][] = [
      ['{"city":', "record is not JSON"],
      ['{"city":"Bern","temperature":NaN}', "record is not JSON"],
      ["[1,2]", "wanted an object"],
      ["\u0001\u0002\u{1f4a9}", "record is not JSON"],
      [record({ city: "" }), 'city is ""'],
      [record({ timestamp: "0001-01-01T00:00:00Z" }), "wanted 1900 or later"],
      [record({ timestamp: "9999-12-31T23:59:59Z" }), "more than a day in the future"],
      [record({ timestamp: "yesterday" }), "wanted ISO 8601"],
      [record({ colour: "red" }), 'field "colour" is not known'],
      [`"${"x".repeat(1_000_000)}"`, "wanted an object"],
    ];
    const good = [record(), record({ city: "Bern", source: "roof" })];
    const { status } = await postLines(here.url, [good[0]!, ...bad.map(([line]) => line), good[1]!]);
    expect(status).toBe(200);

    // What the server does not take at all is said at once.
    const tooLong = await postLines(here.url, [record(), "x".repeat(10 * 2 ** 20)]);
    expect([tooLong.status, tooLong.body.error.code]).toEqual([413, "too_large"]);
    expect(tooLong.body.error.message).toContain("Line 2");
    const binary = await getJson(here.url, "/api/v1/observations", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
    });
    expect(binary.status).toBe(400);
    expect(binary.body.error.message).toContain("not UTF-8");

    await eventually("the bad ones are rejected", async () => {
      const partition = await committed(here);
      return partition.rejected === bad.length ? true : undefined;
    });
    const { body } = await here.get("/api/v1/observations");
    const mine = body.rows.filter((row: Json) => !CITIES.includes(row.city as string));
    expect(mine.map((row: Json) => [row.city, row.source])).toEqual([
      ["Bern", "roof"],
      ["Zürich", "api"],
    ]);
    await here.program.stop();

    const folderOfRejected = join(lakeOf(DATA_DIR), "rejected");
    const texts = await Promise.all(
      (await readdir(folderOfRejected)).map((name) => Bun.file(join(folderOfRejected, name)).text()),
    );
    const kept = texts.flatMap((text) => text.trimEnd().split("\n")).map((line) => JSON.parse(line) as Json);
    expect(kept.map((one) => one.offset)).toEqual(bad.map((_, index) => kept[0].offset + index));
    for (const [index, [, reason]] of bad.entries()) {
      expect(kept[index]).toMatchObject({ topic: "weather.simulated", partition: 0 });
      expect(kept[index].reason).toContain(reason);
    }
    expect((await proofOf(DATA_DIR, DATASET)).problems).toEqual([]);
  });
});
