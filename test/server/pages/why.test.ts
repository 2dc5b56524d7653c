import { beforeEach, describe, expect, spyOn, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { FakeServices, row, why } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let services: FakeServices;
let app: PageApp;
beforeEach(async () => {
  services = new FakeServices();
  services.rows = [row(3, { temperature: 55 }), row(7)];
  services.whyList = [why(row(7), row(3, { temperature: 55 }))];
  app = await pageApp(services);
});

describe("GET /why", () => {
  test("says that it cannot be told while the lake is away, and logs why", async () => {
    services.failure = new LakeError("unavailable", "Cannot list /secret");
    const html = await app.text("/why?city=london");
    expect(wordsOf(html)).toContain("Cannot show the rest of this page.");
    expect(html).toEndWith("</html>\n");
    expect(html).not.toContain("/secret");
    expect(app.lines[0]).toContain("/secret");
  });

  test("tells of the newest report: values, flags, limits, origin, what it replaced and who used it", async () => {
    const html = await app.text("/why?city=london");
    const words = wordsOf(html);
    for (const wanted of [
      "Why this value? London",
      "simulator Sat 31 Jan, 11:50 UTC good",
      "Temperature 7.5 °C good 55.0 °C",
      "Log weather, partition 0, offset 7",
      "File observations/date=2026-01-31/hour=11/weather+0+7.jsonl",
      "A value that sticks out good temperature: suspect above 3, fails above 6 °C",
      "In the newest result of anomalies",
      "Came after the newest result of records",
    ]) {
      expect(words).toContain(wanted);
    }
    const { timestamp } = services.rows[0]!;
    const query = new URLSearchParams({ city: "London", timestamp, source: "simulator" });
    expect(html).toContain(`/api/v1/observations/why?${query}`.replaceAll("&", "&amp;"));
  });

  test("shows an impossible value as it came, also of a variable that is not always there", async () => {
    const broken = row(7, { humidity: null, impossible: '{"humidity":"255","clouds":"<b>"}' });
    delete broken.clouds;
    services.rows = [broken];
    services.whyList = [why(broken)];
    const html = await app.text("/why?city=london");
    expect(wordsOf(html)).toContain("Humidity 255, impossible");
    expect(html).toContain("&lt;b&gt;, impossible");
  });

  test("takes the newest report that is committed, also where a newer one is not yet or none came for hours", async () => {
    const newest = services.currentList[0]!.observation;
    for (const ago of [60_000, 5 * 3_600_000]) {
      const timestamp = formatTimestamp(Date.parse(newest.timestamp) - ago);
      services.rows = [row(7, { timestamp })];
      const asked = spyOn(services, "why");
      await app.text("/why?city=london");
      expect(asked.mock.lastCall).toMatchObject([{ timestamp: Date.parse(timestamp), source: null }]);
      asked.mockRestore();
    }
  });

  test("says of a retracted report that it is, when and why", async () => {
    const told = why(row(3), row(7, { temperature: 55 }));
    const retraction = {
      path: "commits/weather/0/000000000009.json",
      at: "2026-01-31T12:01:00Z",
      reason: "<b> swapped",
    };
    Object.assign(told.others[0]!, { retractedBy: 9, retraction });
    services.rows = [row(3)];
    services.whyList = [told];
    const html = await app.text("/why?city=london");
    const words = wordsOf(html);
    expect(words).toContain("Retracted, of 11:50");
    expect(words).toContain("Retracted offset 7, Sat 31 Jan, 12:01 UTC: ");
    expect(html).toContain("&lt;b&gt; swapped (commits/weather/0/000000000009.json)");
    Object.assign(told.newest, { retractedBy: 9, retraction });
    expect(wordsOf(await app.text("/why?city=london"))).toContain(
      "simulator Sat 31 Jan, 11:50 UTC retracted",
    );
  });

  test("shows a reader's units", async () => {
    const words = wordsOf(await app.text("/why?city=london", { cookie: "units=F.mph.inHg.in.utc.no" }));
    expect(words).toContain("Temperature 45.5 °F good 131.0 °F");
  });

  test("says what is not committed or not reported yet, and refuses a city that is not there", async () => {
    services.whyList = [];
    const { timestamp } = services.rows[0]!;
    const words = wordsOf(await app.text(`/why?city=london&timestamp=${timestamp}`));
    expect(words).toContain("No report of that time is committed.");
    for (const city of ["london", "dubai"]) {
      services.rows = [];
      expect(wordsOf(await app.text(`/why?city=${city}`))).toContain("No report is committed yet.");
    }
    expect((await app.get("/why?city=atlantis")).status).toBe(404);
    expect((await app.get("/why")).status).toBe(400);
    expect((await app.get("/why?city=london&timestamp=noon")).status).toBe(400);
  });
});

test("a city's page leads to it", async () => {
  expect(await app.text("/cities/london")).toContain(`href="/why?city=london"`);
});
