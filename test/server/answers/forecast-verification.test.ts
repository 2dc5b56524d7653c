import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { Float64, Int32, Table, TimestampMillisecond, Utf8, vectorFromArray } from "apache-arrow";
import { LakeError } from "../../../core/errors.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { forecastVerification, verifyForecasts } from "../../../server/answers/forecast-verification.ts";
import type { Hub } from "../../../server/live/hub.ts";
import type { Result } from "../../../jobs/analytics/results.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testApi } from "../../support/api-app.ts";
import { FakeServices, NOW, result, row } from "../../support/fake-services.ts";
import { pageApp, wordsOf } from "../../support/page-app.ts";

/** A forecast of London of 48 hours: `value` °C, give or take 2. */
function forecast(run: string, issued: number, value: number, status = "ok"): Result {
  const leads = Array.from({ length: 48 }, (_, i) => i + 1);
  const all = (number: number) =>
    vectorFromArray(
      leads.map(() => number),
      new Float64(),
    );
  const text = (word: string) =>
    vectorFromArray(
      leads.map(() => word),
      new Utf8(),
    );
  const times = (of: (lead: number) => number) =>
    vectorFromArray(
      leads.map((lead) => new Date(of(lead))),
      new TimestampMillisecond("UTC"),
    );
  const table = new Table({
    city: text("London"),
    source: text("simulator"),
    issued_at: times(() => issued),
    lead: vectorFromArray(leads, new Int32()),
    timestamp: times((lead) => issued + lead * HOUR_MS),
    temperature: all(value),
    lower: all(value - 2),
    upper: all(value + 2),
    status: text(status),
  });
  return result("forecast", { run, table });
}

let services: FakeServices;
const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});
/** Reports of London: minutes before now, °C. */
const report = (...reports: [minutes: number, temperature: number | null, source?: string][]) => {
  services.rows = reports
    .toSorted(([a], [b]) => b - a)
    .map(([minutes, temperature, source = "simulator"], i) =>
      row(i, { timestamp: formatTimestamp(NOW - minutes * 60_000), temperature, source }),
    );
};
const past = (...results: Result[]) => {
  services.analytics.pastResults = results;
  if (results[0] !== undefined) services.analytics.results.set("forecast", results[0]);
};
beforeEach(() => {
  services = new FakeServices();
});
const verify = () => verifyForecasts(services, ["London"], NOW);

describe("verifyForecasts()", () => {
  test("verifies each hour with the nearest report of its own source, 15 minutes before to 44 after", async () => {
    past(forecast("a", NOW - 3 * HOUR_MS, 10));
    report(
      [120, 11], // the first hour: 1 °C warmer, inside
      [110, 30],
      [74, 30], // nearer to the hour before than the next is
      [65, 13], // the second hour: five minutes before it, 3 °C warmer, outside
      [50, 30],
      [60, 10, "metar"], // of another source
      [14, null], // of the third hour, without a value
    );
    const found = await verify();
    expect(found).toMatchObject({ n: 2, within: 1, issues: 1, since: NOW - 3 * HOUR_MS });
    expect(found.leads[0]).toEqual({ from: 1, to: 6, n: 2, within: 1, error: 2, bias: -2 });
    expect(found.leads[3]).toEqual({ from: 25, to: 48, n: 0, within: 0, error: null, bias: null });
    expect(found.misses).toMatchObject([
      { city: "London", lead: 2, value: 10, observed: 13, time: NOW - HOUR_MS },
    ]);
  });

  test("counts the newest of several runs of one hour, and each hour of issue once", async () => {
    past(
      forecast("c", NOW - 2 * HOUR_MS, 10),
      forecast("b", NOW - 2 * HOUR_MS, 99),
      forecast("a", NOW - 30 * HOUR_MS, 12),
    );
    report([60, 10], [0, 10]);
    const found = await verify();
    expect(found).toMatchObject({ n: 4, within: 4, issues: 2 });
    expect(found.leads.map(({ n, error }) => [n, error])).toEqual([
      [2, 0],
      [0, null],
      [0, null],
      [2, 2],
    ]);
  });

  test("leaves out what failed quality control, cities without a forecast, and what has not come", async () => {
    past(forecast("b", NOW, 10), forecast("a", NOW - HOUR_MS, 10, "insufficient data"));
    report([60, 10], [0, 10]);
    expect(await verify()).toMatchObject({ n: 0, issues: 0, since: null, misses: [] });
    past(forecast("c", NOW - HOUR_MS, 10));
    const read = services.observations.bind(services);
    services.observations = async (query) => {
      const page = await read(query);
      return { ...page, rows: page.rows.map((one) => ({ ...one, temperature_flag: 4 as const })) };
    };
    expect(await verify()).toMatchObject({ n: 0 });
  });

  test("rejects when the lake is away", async () => {
    services.analytics.pastFailure = new LakeError("unavailable", "away");
    await expect(verify()).rejects.toThrow("away");
  });
});

test("forecastVerification() verifies once a forecast, and does not keep a failure", async () => {
  const clock = new FakeClock(NOW);
  const read = spyOn(services.analytics, "past");
  const verified = () => forecastVerification(services, clock);
  expect(await verified()).toBeNull();
  past(forecast("a", NOW - 3 * HOUR_MS, 10));
  await Promise.all([verified(), verified()]);
  expect(read).toHaveBeenCalledTimes(1);
  past(forecast("b", NOW - 2 * HOUR_MS, 10));
  services.analytics.pastFailure = new LakeError("unavailable", "away");
  await expect(verified()).rejects.toThrow("away");
  services.analytics.pastFailure = null;
  expect(await verified()).toMatchObject({ n: 0 });
  expect(read).toHaveBeenCalledTimes(3);
});

describe("GET /forecast", () => {
  test("shows hits, misses and the error by lead, in the reader's unit", async () => {
    past(forecast("a", NOW - 3 * HOUR_MS, 10));
    report([120, 11], [60, 13]);
    const app = await pageApp(services);
    const words = wordsOf(await app.text("/forecast"));
    expect(words).toContain("Hits and misses 2 forecast hours since observed");
    expect(words).toContain("50 % inside the interval , 90 % are promised; these are too few to judge by.");
    expect(words).toContain("1 to 6 2 50 % 2.0 −2.0");
    expect(words).toContain("London 13.0 °C, forecast 10.0 (8.0 to 12.0)");
    const fahrenheit = wordsOf(await app.text("/forecast", { cookie: "units=F.ms.hPa.mm.utc.no" }));
    expect(fahrenheit).toContain("1 to 6 2 50 % 3.6 −3.6");
    expect(fahrenheit).toContain("London 55.4 °F, forecast 50.0 (46.4 to 53.6)");
  });

  test("says when there is not enough yet, and shows the rest while the lake is away", async () => {
    past(forecast("a", NOW, 10));
    const app = await pageApp(services);
    expect(wordsOf(await app.text("/forecast"))).toContain("Not enough yet.");
    services.analytics.pastFailure = new LakeError("unavailable", "Cannot list /secret");
    past(forecast("b", NOW, 10));
    const html = await app.text("/forecast");
    expect(wordsOf(html)).toContain("Cannot read the forecasts of before.");
    expect(wordsOf(html)).toContain("Next 48 hours");
    expect(html).not.toContain("/secret");
    expect(app.lines[0]).toContain("/secret");
  });
});

describe("GET /api/v1/forecast/verification", () => {
  test("answers with what the page shows", async () => {
    past(forecast("a", NOW - 3 * HOUR_MS, 10));
    report([120, 11], [60, 13]);
    const { call, hub } = testApi({ services });
    hubs.push(hub);
    expect(await (await call("/api/v1/forecast/verification")).json()).toMatchObject({
      kind: "simulated",
      verification: {
        n: 2,
        within: 1,
        issues: 1,
        since: "2026-01-31T09:00:00Z",
        leads: [
          { from: 1, to: 6, n: 2, within: 1, error: 2, bias: -2 },
          { n: 0, error: null },
          { n: 0 },
          { n: 0 },
        ],
        misses: [
          {
            city: "London",
            issued_at: "2026-01-31T09:00:00Z",
            timestamp: "2026-01-31T11:00:00Z",
            lead: 2,
            temperature: 10,
            lower: 8,
            upper: 12,
            observed: 13,
          },
        ],
      },
    });
    expect((await call("/api/v1/forecast/verification?city=london")).status).toBe(400);
  });

  test("says null before the first forecast, and 503 while the lake is away", async () => {
    const { call, hub } = testApi({ services });
    hubs.push(hub);
    expect(await (await call("/api/v1/forecast/verification")).json()).toMatchObject({ verification: null });
    past(forecast("a", NOW - 3 * HOUR_MS, 10));
    services.analytics.pastFailure = new LakeError("unavailable", "away");
    expect((await call("/api/v1/forecast/verification")).status).toBe(503);
  });
});
