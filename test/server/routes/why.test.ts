import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readLimits } from "../../../spark/limits.ts";
import {
  eventually,
  postLines,
  startHere,
  temporaryFolder,
  type TestProgram,
} from "../../support/running.ts";

/** A day far from what the simulator says, in summer of the northern half. */
const TIME = "2025-07-10T12:00:00Z";
const line = (temperature: number) =>
  JSON.stringify({
    timestamp: TIME,
    city: "London",
    temperature,
    humidity: 50,
    pressure: 1013,
    wind_speed: 3,
    rainfall: 0,
    weather_main: "Clouds",
    weather_description: null,
    source: "test",
  });
const WHY = `/api/v1/observations/why?city=london&timestamp=${TIME}`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let program: TestProgram;
beforeAll(async () => {
  folder = await temporaryFolder();
  program = await startHere({ DATA_DIR: folder.path, ANALYTICS_CRON: "0 0 1 1 *" });
  for (const [index, temperature] of [55, 20].entries()) {
    await postLines(program.url, [line(temperature)]);
    await eventually("it is committed", async () => {
      const { status, body } = await program.get(WHY);
      return status === 200 && body.observations[0].revisions.length === index ? true : undefined;
    });
  }
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe("GET /api/v1/observations/why", () => {
  test("tells of record, file, entry, tests with the limits of place and season, and revisions", async () => {
    const { body } = await program.get(WHY);
    expect(body.observations).toHaveLength(1);
    const [one] = body.observations;
    expect(one.observation).toMatchObject({ city: "London", source: "test", temperature: 20, flag: 1 });
    expect(one.revisions[0]).toMatchObject({ observation: { temperature: 55 } });
    expect(one.record.offset).toBe(one.observation.log_offset);
    expect(one.record.offset).toBeGreaterThan(one.revisions[0].record.offset);
    expect(one.file.path).toStartWith("observations/date=2025-07-10/");
    expect(one.commit.path).toMatch(/^commits\/.+\/0\/\d{12}\.json$/);
    const gross = one.tests.find(({ test: name }: { test: string }) => name === "q_gross");
    const all = (await readLimits()).filter(({ test: name }) => name === "gross");
    expect(gross.limits).toEqual(
      all.filter(({ latitude, season }) => latitude === null || (latitude === "high" && season === "summer")),
    );
  });

  test("tells which newest results were computed with it", async () => {
    await program.get("/api/v1/jobs/daily_summary/runs", { method: "POST" });
    const used = await eventually("a job has a result", async () => {
      const { body } = await program.get(WHY);
      return body.observations[0].results.find(({ job }: { job: string }) => job === "daily_summary")?.used;
    });
    expect(used).toBe(true);
  });

  test("refuses what is missing, and says what is not there", async () => {
    const message = async (query: string) => {
      const { status, body } = await program.get(`/api/v1/observations/why${query}`);
      return [status, body.error.message] as const;
    };
    expect(await message("?city=london")).toEqual([400, expect.stringContaining("timestamp")]);
    expect(await message(`?timestamp=${TIME}`)).toEqual([400, expect.stringContaining("city")]);
    expect(await message(`?city=london&timestamp=${TIME}&source=other`)).toEqual([
      404,
      `There is no observation of London at ${TIME} by other`,
    ]);
  });
});

describe("GET /api/v1/observations/days", () => {
  test("lists the days, and gives one as Parquet that a tag spares to send again", async () => {
    const { body } = await program.get("/api/v1/observations/days");
    const old = await eventually("the compactor has made the old day one file", async () => {
      const { body: now } = await program.get("/api/v1/observations/days");
      return now.days[0].compacted ? now.days[0] : undefined;
    });
    expect(old).toMatchObject({ date: "2025-07-10", rows: 2, revisions: 1 });
    // Today is written anew for each who asks: more is stored all the time.
    for (const { path } of [old, body.days.at(-1)]) {
      const answer = await fetch(new URL(path, program.url));
      expect(answer.headers.get("content-type")).toBe("application/vnd.apache.parquet");
      const bytes = await answer.bytes();
      expect(new TextDecoder("latin1").decode(bytes.subarray(0, 4))).toBe("PAR1");
      if (path === old.path) expect(bytes.byteLength).toBe(old.bytes);
    }
    const url = new URL(old.path, program.url);
    const answer = await fetch(url);
    const etag = answer.headers.get("etag")!;
    expect((await fetch(url, { headers: { "if-none-match": etag } })).status).toBe(304);
    const head = await fetch(url, { method: "HEAD" });
    expect([head.status, head.headers.get("etag")]).toEqual([200, etag]);
  });

  test("says that a day is not there, whatever it is called", async () => {
    for (const name of ["2024-01-01.parquet", "2025-07-10", "..%2f..%2fdataset.json", "x.parquet"]) {
      const { status } = await program.get(`/api/v1/observations/days/${name}`);
      expect([name, status]).toEqual([name, 404]);
    }
  });
});

describe("GET /api/v1/observations/why of an impossible value", () => {
  test("tells an impossible value as it came, flagged as failed, and the values beside it are kept", async () => {
    const timestamp = "2025-07-10T15:00:00Z";
    const fields = JSON.parse(line(20)) as object;
    await postLines(program.url, [JSON.stringify({ ...fields, timestamp, humidity: 255, wind_gust: "--" })]);
    const { observation } = await eventually("it is committed", async () => {
      const { status, body } = await program.get(WHY.replace(/timestamp=.*/, `timestamp=${timestamp}`));
      return status === 200 ? body.observations[0] : undefined;
    });
    expect(observation).toMatchObject({
      temperature: 20,
      humidity: null,
      impossible: '{"humidity":"255","wind_gust":"--"}',
      q_gross: 4,
      humidity_flag: 4,
      temperature_flag: 1,
    });
  });
});
