import { beforeEach, describe, expect, test } from "bun:test";
import { LakeError } from "../../../core/errors.ts";
import { HOUR_MS } from "../../../core/time.ts";
import type { ObservationPage } from "../../../server/answers/services.ts";
import { analysedWorld } from "../../support/analysed-world.ts";
import { type FakeServices, NOW } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";
import { unpackerOf } from "../../support/unpacker.ts";
import { worldOf } from "../../support/world.ts";

const CITIES = ["Oslo", "Rome", "Cairo", "Lima", "Quito"];

let services: FakeServices;
let app: PageApp;
beforeEach(async () => {
  services = worldOf(CITIES, NOW);
  app = await pageApp(services);
});

describe("GET /", () => {
  test("sends the shell while the lake is still being read, and the rest when it was", async () => {
    const lake = Promise.withResolvers<ObservationPage>();
    services.observations = () => lake.promise;
    const reader = ((await app.get("/")).body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let html = "";
    const until = async (wanted: string) => {
      while (!html.includes(wanted)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`The page ended without ${wanted}`);
        html += decoder.decode(value, { stream: true });
      }
    };
    await until("</footer>");
    expect(html).toContain(`<stream-slot name="chart" aria-busy="true">`);
    await until(`<stream-fill for="statistics">`);
    await until(`<stream-fill for="anomalies">`);
    expect(html).not.toContain(`<stream-fill for="chart">`);
    lake.resolve({ rows: [], more: false });
    await until(`<stream-fill for="course-4">`);
    await until(`<stream-fill for="chart">`);
    await until("</html>");
    expect((await reader.read()).done).toBe(true);
  });

  test.each(["br", "gzip"])(
    "sends the whole shell with %s while the lake is still being read",
    async (coding) => {
      const lake = Promise.withResolvers<ObservationPage>();
      services.observations = () => lake.promise;
      const response = await app.get("/", { "accept-encoding": coding });
      expect(response.headers.get("content-encoding")).toBe(coding);
      const reader = response.body!.getReader();
      const { push } = unpackerOf(coding);
      let html = "";
      const until = async (wanted: string) => {
        while (!html.includes(wanted)) {
          const { done, value } = await reader.read();
          if (done) throw new Error(`The page ended without ${wanted}`);
          html += await push(value);
        }
      };
      html += await push((await reader.read()).value!);
      expect(html).toStartWith("<!doctype html>");
      expect(html).toContain("</footer>");
      await until(`<stream-fill for="statistics">`);
      await until(`<stream-fill for="anomalies">`);
      expect(html).not.toContain(`<stream-fill for="chart">`);
      lake.resolve({ rows: [], more: false });
      await until(`<stream-fill for="chart">`);
      await until("</html>");
      for (let last = await reader.read(); !last.done; last = await reader.read()) {
        expect(await push(last.value)).toBe("");
      }
    },
  );

  test("shows what failed in its place, logs why, and ends the page", async () => {
    services.failure = new LakeError("unavailable", "Cannot list /secret/folder: wanted a folder");
    services.analytics.results.delete("city_statistics");
    const html = await app.text("/");
    expect(html).toContain("Cannot read the last 24 hours.");
    expect(html).toContain("No statistics yet.");
    expect(html).toContain("+11.0°");
    expect(html).not.toContain("secret");
    expect(html).toEndWith("</html>\n");
    expect(app.lines).toHaveLength(1);
    expect(app.lines[0]).toContain("Cannot list /secret/folder");
  });

  test("shows a failure where a result lacks a column", async () => {
    const made = services.analytics.results.get("city_statistics");
    if (made === undefined) throw new Error("wanted a result");
    made.table = made.table.select(["city", "n_temperature"]);
    expect(await app.text("/?whole=1")).toContain("Cannot show the statistics.");
    expect(app.lines[0]).toContain(`it has no column "coverage"`);
  });

  test("puts everything in its place where no script moves it", async () => {
    const html = await app.text("/?whole=1");
    expect(html).not.toContain("<template>");
    expect(html).not.toContain("stream-slot");
    expect(html).toContain("204\u2009936");
    expect(html.match(/class="line s\d"/g)).toHaveLength(5);
    expect(await app.text("/")).toContain(`<noscript><meta http-equiv="refresh" content="0; url=/?whole=1"`);
  });

  test("answers the headline, stale and unusual cities in words", async () => {
    expect(await app.text("/fragments/headline")).toContain("Oslo unusually warm, Cairo is late");
  });

  test("of two days of history it does not say that nothing is unusual, though a silence was judged", async () => {
    app = await pageApp(await analysedWorld(NOW, 2));
    const words = wordsOf(await app.text("/fragments/headline"));
    expect(words).toContain("Tokyo is late , 4 too early to judge until about 8 Feb");
    expect(words).not.toContain("as expected");
    const list = wordsOf(await app.text("/fragments/anomalies"));
    expect(list).toContain("New York silent for 7 h");
  });

  test("measures a recording's ages by the recording", async () => {
    services = worldOf(CITIES, NOW - 8 * 365 * 24 * HOUR_MS);
    services.about.kind = "replayed";
    app = await pageApp(services);
    const html = await app.text("/?whole=1");
    expect(html).toContain("2018");
    expect(html).not.toContain("days<");
    expect(html.match(/class="card is-stale"/g)).toHaveLength(1);
    const words = wordsOf(html);
    expect(words).toMatch(/Oslo unusually warm, Cairo ends before the recording does .*Recorded until /);
    expect(words).toContain("1 ended earlier");
    expect(words).toContain("0 s before the end");
    expect(words).toContain("2 h 20 min before the end");
    expect(words).not.toMatch(/\blive\b|on time|\blate\b/);
  });
});
