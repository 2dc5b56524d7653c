import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatTimestamp, HOUR_MS } from "../../../../core/time.ts";
import { anomaliesOf } from "../../../../server/pages/props/anomalies.ts";
import { headlineOf } from "../../../../server/pages/props/headline.ts";
import { statisticsOf } from "../../../../server/pages/props/statistics.ts";
import { openDuckDb } from "../../../../spark/duckdb.ts";
import { readSqlJobs, runJob } from "../../../../spark/sql-job.ts";
import { analysisViews } from "../../../../spark/views.ts";
import { LakeFolder } from "../../../support/lake-files.ts";
import { FakeServices, observation, result, row } from "../../../support/fake-services.ts";

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
      if (!["anomalies", "city_statistics"].includes(job.name)) continue;
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
    const shown = anomaliesOf(services, LAST, LAST).result;
    expect(shown?.judged).toBe(true);
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

  test("headlineOf() calls a city unusual for an hour after its newest judgement", () => {
    expect(headlineOf(services, LAST)).toMatchObject({
      late: [],
      silent: [],
      unusual: [{ city: "London", warm: true }],
      judged: true,
    });
    expect(headlineOf(services, LAST + HOUR_MS + 1)).toMatchObject({
      unusual: [],
      late: ["London", "Tokyo"],
    });
  });

  test("headlineOf() claims no judgement where the past is too short", () => {
    const young = new FakeServices();
    const made = services.analytics.results.get("anomalies");
    if (made === undefined) throw new Error("wanted a result");
    // Rows are sorted by time, city and kind: Tokyo's newest comes last of the newest.
    const place = [...made.table].findIndex(({ city, kind }) => city === "Tokyo" && kind === "unusual");
    young.analytics.results.set(made.job, { ...made, table: made.table.slice(place, place + 1) });
    expect(headlineOf(young, LAST).judged).toBe(false);
    expect(anomaliesOf(young, LAST, LAST).result).toMatchObject({ judged: false, rows: [] });
  });
});
