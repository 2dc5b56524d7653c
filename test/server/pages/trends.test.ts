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
});
beforeEach(async () => {
  app = await pageApp(world);
});

const FAHRENHEIT = { cookie: "units=F.ms.hPa.mm.utc" };
const NONSENSE = /NaN|undefined|\[object|Invalid|Infinity/;

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
    expect(words).toMatch(/Temperature in London rose by 1\d\.\d °C within 3 hours/);
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
