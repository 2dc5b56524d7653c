import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { GAP, analysedWorld, usualAt } from "../../support/analysed-world.ts";
import { FakeServices, NOW } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let world: FakeServices;
let app: PageApp;
let empty: PageApp;
beforeAll(async () => {
  world = await analysedWorld(NOW);
  empty = await pageApp(new FakeServices());
}, 60_000);
beforeEach(async () => {
  app = await pageApp(world);
});

const FAHRENHEIT = { cookie: "units=F.ms.hPa.mm.utc" };
const NONSENSE = /NaN|undefined|\[object|Invalid|Infinity/;

describe("GET /anomalies", () => {
  test("lists each with observed, expected, bounds, method and n, and leads to its course and row", async () => {
    const html = await app.text("/anomalies");
    const words = wordsOf(html);
    expect(words).toMatch(/London \d+\.\d° \+1\d\.\d°/);
    expect(words).toMatch(
      /Observed \d+\.\d °C Expected \d+\.\d °C Bounds \d+\.\d to \d+\.\d °C Method robust z by hour of day and season Score \d/,
    );
    expect(words).not.toMatch(NONSENSE);
    expect(html).toContain(`href="/cities/london?range=24h"`);
    expect(html).toMatch(/href="\/why\?city=london&amp;timestamp=[^"]+"/);
    expect(html).toContain("/api/v1/observations?city=london&amp;from=2026-01-31T12%3A00%3A00Z");
  });

  test("keeps its filter in the address, and says what the filter leaves out", async () => {
    const all = /Anomalies (\d+) of (\d+)/.exec(wordsOf(await app.text("/anomalies")));
    expect(all?.[1]).toBe(all?.[2] ?? "");
    const unusual = await app.text("/anomalies?city=london&kind=unusual&severity=&hours=");
    expect(unusual).toContain(`<option value="london" selected>London</option>`);
    expect(unusual).toContain(`<option value="unusual" selected>`);
    expect(wordsOf(unusual)).toContain(`Anomalies 1 of ${all?.[2]}`);
    const none = await app.text("/anomalies?city=sydney&kind=stuck");
    expect(wordsOf(none)).toContain("None of these.");
    expect(none).toContain(`<a href="/anomalies">Show all</a>`);
    expect(wordsOf(await app.text("/anomalies?hours=6&severity=3"))).not.toMatch(NONSENSE);
  });

  test("refuses wrong filters by name", async () => {
    for (const query of ["kind=warm", "severity=4", "hours=5", "kind=constructor"]) {
      const response = await app.get(`/anomalies?${query}`);
      expect([query, response.status]).toEqual([query, 400]);
      expect(await response.text()).toContain(`The parameter ${query.split("=")[0]}`);
    }
    expect((await app.get("/anomalies?city=atlantis")).status).toBe(404);
    expect((await app.get("/anomalies?town=x")).status).toBe(400);
  });

  test("says that nothing is judged yet", async () => {
    expect(wordsOf(await empty.text("/anomalies"))).toContain("No judgement yet.");
  });
});

describe("GET /trends", () => {
  test("draws every city, and its usual day as a table of numbers", async () => {
    const html = await app.text("/trends?range=48h");
    expect(html.match(/class="line s\d"/g)).toHaveLength(5);
    const words = wordsOf(html);
    expect(words).not.toMatch(NONSENSE);
    // New York's mean at midnight UTC is of two nights, one of which has a gap at other hours.
    const midnights = [12, 36].map((ago) => usualAt(0, NOW - ago * 3_600_000));
    expect(GAP.from).toBeGreaterThan(36);
    const expected = Math.round(midnights.reduce((a, b) => a + b) / 2);
    expect(words).toMatch(new RegExp(`22 23 New York (${expected}|–) `));
    expect(words).toMatch(/Temperature in London \+1\d\.\d °C in 3 hours/);
  });

  test("shows other variables, units and clocks", async () => {
    const wind = wordsOf(await app.text("/trends?variable=wind&range=24h"));
    expect(wind).toContain("Wind m/s, hourly");
    expect(wordsOf(await app.text("/trends", FAHRENHEIT))).toContain("Temperature °F, hourly");
    const local = await app.text("/trends", { cookie: "units=C.ms.hPa.mm.city" });
    expect(wordsOf(local)).toContain("local time of each city");
  });

  test("refuses what it does not know, and says that there is no trend yet", async () => {
    expect((await app.get("/trends?variable=rain")).status).toBe(400);
    expect((await app.get("/trends?range=1y")).status).toBe(400);
    expect(wordsOf(await empty.text("/trends"))).toContain("No trend yet.");
  });
});

describe("GET /forecast", () => {
  test("shows 48 hours of each city with the interval, in the reader's unit", async () => {
    const html = await app.text("/forecast");
    const words = wordsOf(html);
    expect(words).toMatch(/From \d+° in [\w ]+ to \d+° in [\w ]+/);
    expect(words).not.toMatch(NONSENSE);
    expect(html.match(/class="ribbon"/g)).toHaveLength(5);
    expect(html.match(/class="band interval"/g)).toHaveLength(5);
    expect(words).toMatch(/\d+ ±\d/);
    expect(wordsOf(await app.text("/forecast", FAHRENHEIT))).toContain("Next 48 hours °F");
  });

  test("says that there is no forecast yet, or none of a city", async () => {
    expect(wordsOf(await empty.text("/forecast"))).toContain("No forecast yet.");
    const more = new FakeServices();
    more.cityList = [...world.cityList, { ...world.cityList[0]!, name: "Bern", slug: "bern" }];
    more.analytics.results = world.analytics.results;
    expect(wordsOf(await (await pageApp(more)).text("/forecast"))).toContain("Bern None.");
  });
});
