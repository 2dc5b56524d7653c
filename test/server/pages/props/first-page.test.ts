import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatTimestamp, HOUR_MS } from "../../../../core/time.ts";
import { anomaliesOf } from "../../../../server/pages/props/anomalies.ts";
import { USUAL_DAYS } from "../../../../server/answers/usual-days.ts";
import { verdictNow } from "../../../../server/answers/verdict.ts";
import { statisticsOf } from "../../../../server/pages/props/statistics.ts";
import { openDuckDb } from "../../../../spark/duckdb.ts";
import { readSqlJobs, runJob } from "../../../../spark/sql-job.ts";
import { analysisViews } from "../../../../spark/views.ts";
import { LakeFolder } from "../../../support/lake-files.ts";
import { FakeServices, GOOD, observation, result, row } from "../../../support/fake-services.ts";

const START = Date.UTC(2026, 0, 1);
/** Days of the fake past. */
const DAYS = 20;
const LAST = START + DAYS * 24 * HOUR_MS - HOUR_MS;

/** London is what it always is, and far too warm in its last hour; Tokyo reports two days only. */
const rows = [
  ...Array.from({ length: DAYS * 24 }, (_, i) => ({ city: "London", i, temperature: i % 24 })),
  ...Array.from({ length: 48 }, (_, i) => ({ city: "Tokyo", i: DAYS * 24 - 48 + i, temperature: 10 })),
].map(({ city, i, temperature }, offset) => {
  const ms = START + i * HOUR_MS;
  const hot = city === "London" && ms === LAST;
  return row(offset, { city, timestamp: formatTimestamp(ms), temperature: hot ? 39 : temperature });
});

describe("props made of what the real jobs compute", () => {
  const services = new FakeServices();
  let folder: LakeFolder;

  beforeAll(async () => {
    folder = await LakeFolder.make();
    const engine = await openDuckDb({ tempFolder: folder.path, threads: 2 });
    const snapshot = await folder.snapshot(rows);
    const views = await analysisViews({ cities: [] });
    for (const job of await readSqlJobs()) {
      if (!["anomalies", "baseline", "city_statistics"].includes(job.name)) continue;
      const table = await runJob(engine, job, { snapshot, views });
      services.analytics.results.set(job.name, result(job.name, { table }));
    }
    await engine.close();
    services.currentList = ["London", "Tokyo"].map((city, offset) => ({
      observation: observation({ city, timestamp: formatTimestamp(LAST) }),
      offset,
      receivedMs: LAST,
      judgement: null,
    }));
    services.cityList = services.cityList.filter(({ name }) => ["London", "Tokyo"].includes(name));
  });
  afterAll(() => folder.remove());

  test("statisticsOf() reads every column of city_statistics", () => {
    const [london, tokyo] = statisticsOf(services, LAST).result?.rows ?? [];
    expect(london).toMatchObject({
      city: "London",
      n: 461, // the 19 falls from 23 to 0 °C within an hour have failed
      coverage: 1,
      min: 0,
      max: 39,
      median: 12,
      rain: 0,
    });
    expect(london).toMatchObject({ humidity: 81, weather: "Clouds" });
    expect(tokyo).toMatchObject({
      city: "Tokyo",
      // What stays the same for longer has failed.
      n: 12,
      coverage: 1, // of its own hours
      deviation: 0,
      p05: 10,
      p95: 10,
    });
  });

  test("anomaliesOf() shows the newest of each city and kind with its bounds, and not what was merely judged", () => {
    const { result: shown, verdict } = anomaliesOf(services, LAST, LAST);
    expect(verdict.judged).toBe(1);
    expect(shown?.rows.map(({ city, kind }) => [city, kind])).toEqual([
      ["London", "step"],
      ["London", "unusual"],
      ["Tokyo", "stuck"],
    ]);
    expect(shown?.rows[1]).toMatchObject({
      time: LAST,
      observed: 39,
      expected: 23,
      lower: 21.25,
      upper: 24.75,
      score: 32,
      method: "robust z by hour of day and season",
      n: 20,
      severity: 3,
    });
    expect(shown?.rows[2]).toMatchObject({ time: LAST, observed: 47, expected: null, upper: 6, severity: 3 });
  });

  test("verdictNow() calls a city unusual for an hour after its newest judgement", () => {
    expect(verdictNow(services, LAST)).toMatchObject({
      late: [],
      silent: [],
      unusual: [
        { city: "London", kind: "step", side: "above" },
        { city: "London", kind: "unusual", side: "above" },
        { city: "Tokyo", kind: "stuck", side: null },
      ],
      judged: 1,
      answer: "London unusually warm, a step in London, Tokyo stuck",
      rest: "",
    });
    expect(verdictNow(services, LAST + HOUR_MS + 1)).toMatchObject({
      unusual: [],
      late: ["London", "Tokyo"],
      answer: "Every city is late",
    });
  });

  test("verdictNow() takes the live judge's word of the newest report over an older result", () => {
    const live = new FakeServices();
    live.analytics.results = services.analytics.results;
    live.cityList = services.cityList;
    const usual = { expected: 22, lower: 20, upper: 24, score: 0.5, n: 20, status: "normal" };
    const judgement = (city: string, status: string) => ({
      city,
      source: "simulator",
      timestamp: formatTimestamp(LAST),
      log_offset: 1,
      flags: GOOD,
      usual: { ...usual, status },
      anomalies: [],
    });
    live.currentList = services.currentList.map((one) => ({
      ...one,
      judgement: judgement(
        one.observation.city,
        one.observation.city === "London" ? "normal" : "insufficient data",
      ),
    }));
    expect(verdictNow(live, LAST)).toMatchObject({
      unusual: [{ city: "London", kind: "step" }],
      judged: 1,
      unjudged: [{ city: "Tokyo", days: 0 }],
      answer: "A step in London",
      rest: ", 1 too early to judge until about 30 Jan",
    });
    // What the live judge looked at before the usual temperatures were computed, the result knows better.
    live.currentList = services.currentList.map((one) => ({
      ...one,
      judgement: judgement(one.observation.city, "insufficient data"),
    }));
    expect(verdictNow(live, LAST)).toMatchObject({
      judged: 1,
      answer: "London unusually warm, a step in London",
    });
  });

  test("verdictNow() claims no judgement where the past is too short, and says until when", () => {
    const young = new FakeServices();
    const made = services.analytics.results.get("anomalies");
    const baseline = services.analytics.results.get("baseline");
    if (made === undefined || baseline === undefined) throw new Error("wanted results");
    // Rows are sorted by time, city and kind: Tokyo's newest comes last of the newest.
    const place = [...made.table].findIndex(({ city, kind }) => city === "Tokyo" && kind === "unusual");
    young.analytics.results.set(made.job, { ...made, table: made.table.slice(place, place + 1) });
    young.analytics.results.set(baseline.job, baseline);
    young.cityList = services.cityList.filter(({ name }) => name === "Tokyo");
    young.currentList = services.currentList.filter(({ observation: { city } }) => city === "Tokyo");
    const { verdict, result: shown } = anomaliesOf(young, LAST, LAST);
    expect(shown?.rows).toEqual([]);
    expect(verdict.judged).toBe(0);
    expect(verdict.answer + verdict.rest).toBe(
      "1 city on time, too early to say what is unusual until about 30 Jan",
    );
    expect(verdict.nothing).toEqual({
      what: "Too early to judge.",
      why: "Tokyo cannot be judged by season and hour until about 30 Jan: that needs 10 days with a report at the same hour, of which it has 0.",
    });
  });

  test("USUAL_DAYS is what the judgement needs", async () => {
    const folder = await LakeFolder.make();
    const engine = await openDuckDb({ tempFolder: folder.path, threads: 1 });
    try {
      const views = await analysisViews({ cities: [] });
      const sql = "SELECT samples FROM thresholds WHERE kind = 'unusual'";
      const table = await engine.query(sql, { snapshot: { files: [] }, views });
      expect(Number(table.getChild("samples")?.get(0))).toBe(USUAL_DAYS);
    } finally {
      await engine.close();
      await folder.remove();
    }
  });
});
