import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { analysedWorld } from "../../support/analysed-world.ts";
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

  test("of two days of history it says what a forecast needs, and when the first comes", async () => {
    const words = wordsOf(await (await pageApp(await analysedWorld(NOW, 2))).text("/forecast"));
    expect(words).toContain(
      "No forecast yet. It needs 240 hours with a report, which is ten days. There are 48: it comes about 8 Feb if every hour has one.",
    );
    expect(words).not.toContain("few days");
  });
});
