import { beforeAll, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import { slugOf } from "../../../core/slug.ts";
import { HOUR_MS } from "../../../core/time.ts";
import { readCityHistory } from "../../../server/pages/props/city-history.ts";
import { analysedWorld } from "../../support/analysed-world.ts";
import { FakeServices, GOOD, NOW, observation, row } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let world: FakeServices;
let app: PageApp;
beforeAll(async () => {
  world = await analysedWorld(NOW);
});
beforeEach(async () => {
  world.failure = null;
  app = await pageApp(world);
});

describe("GET /cities/:slug", () => {
  test("shows now, history, forecast, days, anomalies, statistics, records and quality of the city", async () => {
    const html = await app.text("/cities/london");
    const words = wordsOf(html);
    for (const wanted of [
      "51.51° N, 0.13° W",
      "History and forecast 7 days, next 48 h, UTC",
      "below each half the width of its 90 % interval",
      "Warmest",
      "Coldest",
      "Rain in all",
    ]) {
      expect(words).toContain(wanted);
    }
    expect(words).toMatch(/London \d+\.\d° \+1\d\.\d° .*expected \d+\.\d° \(.* to .*\) · robust z/);
    expect(words).not.toMatch(/NaN|undefined|\[object|Invalid|Infinity/);
    expect(html.match(/class="panel"/g)).toHaveLength(5);
    expect(html).toContain("mark-ring");
  });

  test("leads from a city's name, and from the slug of an older version, to its slug", async () => {
    const cityList = world.cityList;
    const zurich = { ...cityList[0]!, name: "Zürich", slug: slugOf("Zürich") };
    world.cityList = [...cityList, zurich];
    try {
      for (const path of ["zurich", "Z%C3%BCrich", "z%C3%BCrich"]) {
        const response = await app.get(`/cities/${path}?range=24h`);
        expect([path, response.status]).toEqual([path, 302]);
        expect(response.headers.get("location")).toBe(`/cities/${zurich.slug}?range=24h`);
      }
      expect((await app.get("/cities/New%20York")).headers.get("location")).toBe("/cities/new-york");
      expect((await app.get("/cities/city")).status).toBe(404);
    } finally {
      world.cityList = cityList;
    }
  });

  test("links to what is of its city, though another is called as its slug is", async () => {
    const cityList = world.cityList;
    world.cityList = [...cityList, { ...cityList[0]!, name: "london", slug: slugOf("london") }];
    try {
      const html = await app.text("/cities/london?compare=Tokyo");
      expect(html).toContain("<title>London");
      const asked = [...html.matchAll(/[?]city=([^"&]*)/g)].map(([, city]) => city);
      expect(asked.length).toBeGreaterThan(3);
      expect(new Set(asked)).toEqual(new Set(["London"]));
      expect(await app.text("/cities/dubai")).toContain(`<option value="London">London</option>`);
      expect(wordsOf(await app.text("/why?city=London"))).toContain("London");
    } finally {
      world.cityList = cityList;
    }
  });

  test("keeps range and other city in the address, and its links lead on", async () => {
    const html = await app.text("/cities/london?range=24h&compare=dubai");
    expect(html).toMatch(/href="\/cities\/london\?range=30d&amp;compare=dubai"/);
    expect(html).toMatch(/aria-current="true"[^>]*>24 h|>24 h<\/a>/);
    expect(html).toContain(`<option value="dubai" selected>Dubai</option>`);
    expect(wordsOf(html)).toContain("last 24 h");
    expect((await app.get("/cities/london?range=7d&compare=")).status).toBe(200);
  });

  test("shows a part of the past that stands in the address, and links lead on from there without a script", async () => {
    const day = "from=2026-01-29T00:00:00Z&to=2026-01-30T00:00:00Z";
    const html = await app.text(`/cities/london?range=30d&${day}&compare=dubai`);
    const words = wordsOf(html);
    expect(words).toContain("History and forecast Thu 29 Jan, 00:00 to Fri 30 Jan, 00:00, UTC");
    expect(words).toContain("Quality reports of the time shown above");
    expect(words).toContain("Temperature 24 none none none"); // of 24 hours
    expect(html).not.toContain(`class="band interval" d="M`); // the forecast lies beyond
    const link = (name: string) =>
      new RegExp(`data-zoom="${name}" href="([^"]*)"`).exec(html)?.[1]?.replaceAll("&amp;", "&");
    const base = "/cities/london?range=30d";
    expect(link("in")).toBe(
      `${base}&from=2026-01-29T06%3A00%3A00Z&to=2026-01-29T18%3A00%3A00Z&compare=dubai`,
    );
    expect(link("earlier")).toBe(
      `${base}&from=2026-01-28T12%3A00%3A00Z&to=2026-01-29T12%3A00%3A00Z&compare=dubai`,
    );
    expect(link("all")).toBe(`${base}&compare=dubai`);
    expect(wordsOf(await app.text(link("in") ?? ""))).toContain("Thu 29 Jan, 06:00 to Thu 29 Jan, 18:00");
    expect(html).toContain(`<input type="hidden" name="from" value="2026-01-29T00:00:00Z"`);
  });

  test("has no address for a step that leads nowhere, and says where there is no report", async () => {
    const whole = await app.text("/cities/london?range=7d");
    expect(whole).toMatch(/data-zoom="later" role="link" aria-disabled="true"/);
    expect(whole).toMatch(/data-zoom="all" role="link" aria-disabled="true"/);
    const silent = await app.text("/cities/london?from=2024-01-01T00:00:00Z&to=2024-01-02T00:00:00Z");
    expect(wordsOf(silent)).toContain("No report from Mon 1 Jan, 00:00 to Tue 2 Jan, 00:00.");
    const coming = await app.text("/cities/london?from=2026-02-01T00:00:00Z&to=2026-02-02T00:00:00Z");
    expect(coming).toContain(`class="band interval" d="M`);
    expect(coming.match(/class="panel"/g)).toHaveLength(1);
  });

  test("of two days of history it says nothing of what is usual, and when it will", async () => {
    const young = await pageApp(await analysedWorld(NOW, 2));
    const html = await young.text("/cities/dubai");
    const words = wordsOf(html);
    expect(words).toContain("Expected – °C");
    expect(words).not.toContain("usual for the season and hour");
    expect(html).not.toContain(`class="band usual" d="M`);
    expect(words).toContain(
      "Too early to judge. Dubai cannot be judged by season and hour until about 8 Feb: that needs 10 days with a report at the same hour, of which it has 2.",
    );
    expect(words).toContain(
      "No forecast of this city yet. It needs 240 hours with a report, which is ten days. There are 48: it comes about 8 Feb if every hour has one.",
    );
    const none = wordsOf(await (await pageApp(new FakeServices())).text("/cities/dubai"));
    expect(none).toContain("No forecast yet. It needs 240 hours with a report, which is ten days.");
    const old = await app.text("/cities/dubai");
    expect(wordsOf(old)).toMatch(/Expected \d+\.\d ± \d/);
    expect(wordsOf(old)).toContain("usual for the season and hour");
    expect(old).toContain(`class="band usual" d="M`);
  });

  test("refuses a part of the past that is none, by the parameter's name", async () => {
    for (const [query, name] of [
      ["from=yesterday&to=2026-01-30T00:00:00Z", "from"],
      ["to=2026-01-30T00:00:00Z", "from"],
      ["from=2026-01-30T00:00:00Z", "to"],
      ["from=2026-01-30T00:00:00Z&to=2026-01-30T00:01:00Z", "to"],
      ["from=2024-01-30T00:00:00Z&to=2026-01-30T00:00:00Z", "to"],
    ]) {
      const answer = await app.get(`/cities/london?${query}`);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain(`The parameter ${name} `);
    }
  });

  test("refuses a city, a range or another city that is not there, by name", async () => {
    expect((await app.get("/cities/atlantis")).status).toBe(404);
    const wrong = await app.get("/cities/london?range=9d");
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain("24h, 7d, 30d");
    expect((await app.get("/cities/london?compare=atlantis")).status).toBe(404);
  });

  test("hatches a gap, and says what a source does not report instead of 0", async () => {
    const newYork = await app.text("/cities/new-york");
    expect(newYork).toContain(`class="gap"`);
    expect(wordsOf(newYork)).toContain("no data, 1 time");
    const sydney = wordsOf(await app.text("/cities/sydney"));
    expect(sydney).toContain("Not reported by this source: rain of the last hour.");
    expect(sydney).toContain("Rain 0 none none 169"); // good, suspect, failed, missing
    expect(sydney).toContain("Rain in all – ");
  });

  test("shows an old value as stale", async () => {
    expect(await app.text("/cities/tokyo")).toContain(`class="cityhead is-stale"`);
  });

  test("sends what it is like now before the history is read", async () => {
    const asked = Promise.withResolvers<void>();
    const read = spyOn(world, "observations").mockReturnValue(
      asked.promise.then(() => ({ rows: [], more: false })),
    );
    const body = (await app.get("/cities/london")).body!.getReader();
    const next = async () => new TextDecoder().decode((await body.read()).value);
    const first = await next();
    expect(first).toContain(`class="cityhead"`);
    expect(first).not.toContain("h-history");
    asked.resolve();
    expect(await next()).toMatch(/^<iso-zoom[\s\S]*h-history[\s\S]*<\/html>\n$/);
    expect((await body.read()).done).toBe(true);
    read.mockRestore();
  });

  test("shows the rest while the lake is away, and logs why", async () => {
    world.failure = new LakeError("unavailable", "Cannot list /secret");
    const html = await app.text("/cities/london?range=24h");
    expect(html).toContain("Cannot read the last 24 h.");
    expect(html).toContain("Warmest");
    expect(html).not.toContain("/secret");
    expect(app.lines[0]).toContain("/secret");
  });

  test("says of a new city what is not there yet, and when it comes", async () => {
    app = await pageApp(new FakeServices());
    const words = wordsOf(await app.text("/cities/london"));
    for (const wanted of [
      "No report in the last 7 days.",
      "No forecast yet.",
      "No days yet.",
      "No statistics yet.",
      "No records yet.",
      "No judgement yet.",
    ]) {
      expect(words).toContain(wanted);
    }
  });
});

test("readCityHistory() counts flags, leaves failed values out of the line, and keeps extremes", async () => {
  const services = new FakeServices();
  services.rows = Array.from({ length: 5000 }, (_, i) =>
    row(i, {
      timestamp: new Date(NOW - (5000 - i) * 60_000).toISOString().replace(".000Z", "Z"),
      temperature: i === 2500 ? 44 : 5,
      rainfall: null,
    }),
  );
  const flagged = services.observations.bind(services);
  services.observations = async (query) => {
    const page = await flagged(query);
    const rows = page.rows.map((one) => ({
      ...one,
      ...GOOD,
      rainfall_flag: 9 as const,
      temperature_flag:
        one.log_offset === 1000 ? (4 as const) : one.log_offset === 7 ? (3 as const) : (1 as const),
      temperature: one.log_offset === 1000 ? -90 : one.temperature,
    }));
    return { ...page, rows };
  };
  const { lines, quality, rows } = await readCityHistory(services, {
    city: observation().city,
    from: NOW - 90 * HOUR_MS,
    to: NOW,
  });
  expect(rows).toBe(5000);
  const [temperature] = lines;
  const values = temperature?.points.map(({ y }) => y) ?? [];
  expect(values).toContain(44);
  expect(values).not.toContain(-90);
  expect(values.length).toBeLessThanOrEqual(3000);
  expect(quality[0]).toMatchObject({ good: 4998, suspect: 1, failed: 1, missing: 0 });
  expect(quality[4]).toMatchObject({ variable: "rainfall", good: 0, missing: 5000 });
});
