import { Bool, Float64, Table, TimestampMillisecond, Utf8, vectorFromArray } from "apache-arrow";
import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { analysedWorld } from "../../support/analysed-world.ts";
import { FakeServices, NOW, result } from "../../support/fake-services.ts";
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

  test("counts all that are severe, also those that have no room on the page", async () => {
    const many = new FakeServices();
    const kinds = Array.from({ length: 250 }, (_, i) => i);
    const column = (value: (i: number) => number) => vectorFromArray(kinds.map(value), new Float64());
    const text = (value: string) =>
      vectorFromArray(
        kinds.map(() => value),
        new Utf8(),
      );
    const yes = vectorFromArray(
      kinds.map(() => true),
      new Bool(),
    );
    const table = new Table({
      timestamp: vectorFromArray(
        kinds.map((i) => NOW - i * 60_000),
        new TimestampMillisecond(),
      ),
      city: text("London"),
      kind: text("step"),
      method: text("a step"),
      status: text("anomaly"),
      observed: column(() => 9),
      expected: column(() => 4),
      lower: column(() => 3),
      upper: column(() => 5),
      score: column(() => 8),
      n: column(() => 400),
      severity: column((i) => (i % 5 === 0 ? 2 : 3)),
      is_anomaly: yes,
      is_newest: yes,
    });
    many.analytics.results.set("anomalies", result("anomalies", { table }));
    const words = wordsOf(await (await pageApp(many)).text("/anomalies"));
    expect(words).toContain("250 anomalies, 200 severe");
    expect(words).toContain("150 more are in JSON, CSV and Arrow.");
  });

  test("of two days of history it says who cannot be judged yet and until when", async () => {
    const words = wordsOf(await (await pageApp(await analysedWorld(NOW, 2))).text("/anomalies"));
    expect(words).toContain(
      "4 cities cannot be judged by season and hour until about 8 Feb: that needs 10 days with a report at the same hour.",
    );
    expect(words).not.toContain("Nothing unusual");
  });

  test("says that nothing is judged yet", async () => {
    expect(wordsOf(await empty.text("/anomalies"))).toContain("No judgement yet.");
  });
});
