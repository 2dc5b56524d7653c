import { describe, expect, test } from "bun:test";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { formatTimestamp } from "../../../core/time.ts";
import { readSqlJobs } from "../../../spark/sql-job.ts";
import {
  type Env,
  eventually,
  type Json,
  spawnProgram,
  startHere,
  temporaryFolder,
} from "../../support/running.ts";

/** Runs a command of the command line to its end. */
const run = (name: string, args: readonly string[], env: Env) =>
  spawnProgram(`server/commands/${name}.ts`, env, args).ended;

const jobs = (await readSqlJobs()).map(({ name }) => name);

/** Replays 48 hourly observations into a data set, and returns its folder. */
async function recorded(dataDir: string, dataset: string): Promise<string> {
  const file = join(dataDir, "hours.jsonl");
  const lines = Array.from({ length: 48 }, (_, hour) =>
    JSON.stringify({
      timestamp: formatTimestamp(Date.UTC(2026, 0, 30) + hour * 3_600_000),
      city: "Bern",
      temperature: hour / 4,
    }),
  );
  await Bun.write(file, lines.join("\n"));
  const { code, err } = await run("replay", [file, "--dataset", dataset], { DATA_DIR: dataDir });
  expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
  return join(dataDir, "lake", dataset);
}

const pointersOf = async (folder: string, job: string) =>
  (await readdir(join(folder, "results", job))).filter((name) => name.endsWith(".json")).sort();

describe("an operator's command", () => {
  test("prints its usage for --help and ends with 0; a wrong call ends with 2 and says what was wanted", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const names = ["topic-create", "lake-init", "analytics", "judge"];
    for (const { code, out, err } of await Promise.all(names.map((name) => run(name, ["--help"], env)))) {
      expect([code, err]).toEqual([0, ""]);
      expect(out).toContain("bun run ");
      expect(out).toContain("Exit: 0");
    }
    const wrong: [string, string[], string][] = [
      ["topic-create", ["weather"], 'a topic of "weather"'],
      ["topic-create", ["--dataset", "Not/OK"], '"Not/OK"'],
      ["lake-init", ["weather"], 'a data set of "weather"'],
      ["lake-init", ["--kind", "guessed"], "wanted observed, simulated or replayed"],
      ["analytics", ["no_such_job"], `wanted one of ${jobs.join(", ")}`],
      ["analytics", ["--dataset", "nothing"], 'there is no data set "nothing"'],
      ["analytics", [], 'there is no data set "observed"'],
      ["judge", ["everything"], 'Cannot judge "everything"'],
      ["judge", ["--from", "January"], '--from "January": wanted a day such as 2026-01-31'],
      ["judge", ["--to", "2026-02-30"], '--to "2026-02-30": wanted a day'],
      ["judge", [], 'there is no data set "observed"'],
    ];
    const calls = await Promise.all(
      wrong.map(async ([name, args, part]) => ({ part, ...(await run(name, args, env)) })),
    );
    for (const { code, err, out, part } of calls) {
      expect([code, out]).toEqual([2, ""]);
      expect(err).toContain(part);
      expect(err).not.toContain("    at "); // no stack
    }
  });
});

describe("topic:create and lake:init", () => {
  test("make what is not there, and change nothing the second time", async () => {
    await using folder = await temporaryFolder();
    const env = { DATA_DIR: folder.path };
    const again = async (name: string, args: string[]) => {
      const [first, second] = [await run(name, args, env), await run(name, args, env)];
      expect([first.code, second.code, second.out]).toEqual([0, 0, first.out]);
      return first.out;
    };
    expect(await again("topic-create", ["--dataset", "roof"])).toBe(
      'The topic "weather.roof" is there (sqlite)\n  partition 0: offsets 0–0\n',
    );
    expect(await readdir(join(folder.path, "log"))).toContain("weather.roof.sqlite");
    expect(await again("lake-init", ["--kind", "simulated"])).toStartWith(
      'The data set "simulated" is there (local folder): simulated data, since ',
    );
    expect(await Bun.file(join(folder.path, "lake/simulated/dataset.json")).json()).toMatchObject({
      format: 1,
      kind: "simulated",
    });
    const other = await run("lake-init", ["--dataset", "simulated"], env);
    expect([other.code, other.out]).toEqual([2, ""]);
    expect(other.err).toContain("it holds simulated data");
  });
});

describe("judge", () => {
  test("keeps the flags of closed days, once, and again when places are known otherwise", async () => {
    await using folder = await temporaryFolder();
    await recorded(folder.path, "past");
    const env = { DATA_DIR: folder.path, DATASET: "past" };
    const judge = async (args: string[], more: Env = {}) => {
      const { code, out, err } = await run("judge", args, { ...env, ...more });
      expect([code, code === 0 ? "" : err]).toEqual([0, ""]);
      return out;
    };
    const kept = "Flags are kept for 1 days; 0 have those of another judging, 1 none yet\n";
    expect(await judge([])).toMatch(new RegExp(`^[01] days judged. ${kept}$`));
    expect(await judge([])).toBe(`0 days judged. ${kept}`);
    const file = join(folder.path, "cities.json");
    const bern = { name: "Bern", latitude: 46.9, longitude: 7.4, zone: "Europe/Zurich", elevation: 540 };
    await Bun.write(file, JSON.stringify([bern]));
    const elsewhere = { CITIES_FILE: file };
    expect(await judge([], elsewhere)).toBe(`0 days judged. ${kept}`);
    expect(await judge(["--again", "--to", "2026-01-29"], elsewhere)).toBe(`0 days judged. ${kept}`);
    expect(await judge(["--again", "--from", "2026-01-30"], elsewhere)).toBe(`1 days judged. ${kept}`);
    expect(await judge(["--again"], elsewhere)).toBe(`0 days judged. ${kept}`);
    const { code } = await run("verify", ["--dataset", "past"], env);
    expect(code).toBe(0);
  });
});

describe("analytics", () => {
  test("runs every job or one over what is committed, and keeps the results", async () => {
    await using folder = await temporaryFolder();
    const lake = await recorded(folder.path, "past");
    const env = { DATA_DIR: folder.path, DATASET: "past" };
    const all = await run("analytics", [], env);
    expect(all.code).toBe(0);
    for (const job of jobs) {
      // One city has nobody to be correlated with, and reports no pressure.
      const rows = ["city_correlation", "level"].includes(job) ? "0" : "[1-9]\\d*";
      expect(all.out).toMatch(new RegExp(`^${job} +succeeded +${rows} +\\d+\\.\\d$`, "m"));
      expect(await pointersOf(lake, job)).toEqual(["000000001.json"]);
    }
    const one = await run("analytics", ["hourly_trends"], env);
    expect(one.code).toBe(0);
    expect(one.out).not.toContain("city_statistics");
    expect(await pointersOf(lake, "hourly_trends")).toEqual(["000000001.json", "000000002.json"]);
    expect(await pointersOf(lake, "city_statistics")).toEqual(["000000001.json"]);
    const kept = (await Bun.file(join(lake, "results/hourly_trends/000000002.json")).json()) as Json;
    expect(kept).toMatchObject({ job: "hourly_trends", rows_read: 48, rows: 48 });
  });

  test("ends with 1 when a job fails, and says why", async () => {
    await using folder = await temporaryFolder();
    const lake = await recorded(folder.path, "past");
    const files = [...new Bun.Glob("observations/**/*.jsonl").scanSync(lake)];
    await Bun.write(join(lake, files[0]!), "this is no JSON\n");
    const { code, out } = await run("analytics", ["city_statistics", "--dataset", "past"], {
      DATA_DIR: folder.path,
    });
    expect(code).toBe(1);
    expect(out).toMatch(/^city_statistics +failed +– /m);
    expect(out).toContain("city_statistics: Cannot ");
  });

  test("has the server run the jobs where one holds them", async () => {
    await using folder = await temporaryFolder();
    const lake = await recorded(folder.path, "past");
    const env = { DATA_DIR: folder.path, DATASET: "past" };
    await using here = await startHere({ ...env, WEATHER_SOURCE: "none", ANALYTICS_CRON: "0 0 1 1 *" });
    await eventually("the first results", async () => {
      const { body } = await here.get("/api/v1/runs");
      return (
        (body.runs.length === jobs.length && body.runs.every((one: Json) => one.finished_at)) || undefined
      );
    });
    const { code, out } = await run("analytics", [], env);
    expect(code).toBe(0);
    expect(out).toContain(`by the server at ${here.url.href}`);
    const { body } = await here.get("/api/v1/runs");
    expect(body.runs.map((one: Json) => [one.state, one.trigger])).toEqual([
      ...jobs.map(() => ["succeeded", "request"]),
      ...jobs.map(() => ["succeeded", "start"]),
    ]);
    for (const job of jobs) expect(await pointersOf(lake, job)).toEqual(["000000001.json", "000000002.json"]);
  });
});
