import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { formatTimestamp } from "../../core/time.ts";
import { type Assets, buildAssets } from "../../server/pages/frame/assets.ts";
import type { FakeServices } from "../support/fake-services.ts";
import { collectComplaints, HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { appOf, FakeLive, observationAt, worldOf } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

const CITIES = ["Oslo", "Rome", "Cairo", "Lima", "Quito", "Delhi", "Seoul", "Perth", "Accra", "Hanoi"];
/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 375, height: 800 };

describe.skipIf(!HAS_CHROMIUM)("the first page in Chromium", () => {
  let browser: Browser;
  let assets: Assets;
  beforeAll(async () => {
    [browser, assets] = await Promise.all([launchChromium(), buildAssets()]);
  });
  afterAll(() => browser.close());

  let services: FakeServices;
  let live: FakeLive;
  let server: RunningServer;
  /** What the page complained about: console errors, uncaught exceptions, blocked resources, failed answers. */
  let complaints: string[];
  let now: number;

  const serve = (port: number) => {
    server = serveApp(appOf(services, live, assets), port);
  };
  const stop = async () => {
    live.close();
    await server.stop(0);
  };
  const open = async (options: BrowserContextOptions = {}, path = "/"): Promise<Page> => {
    const context = await browser.newContext({ viewport: WIDE, ...options });
    const page = await context.newPage();
    collectComplaints(page, complaints);
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(server.url.origin + path);
    return page;
  };
  const drawn = (page: Page) => page.waitForSelector("iso-chart canvas");
  /** How many pixels of the chart are not empty, and a sum that changes when they do. */
  const pixels = (page: Page) =>
    page.$eval("iso-chart canvas", (element) => {
      const canvas = element as unknown as {
        width: number;
        height: number;
        getContext(kind: "2d"): {
          getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
        };
      };
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      let count = 0;
      let sum = 0;
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 0) continue;
        count++;
        sum = (sum * 31 + i + (data[i] ?? 0)) % 2_147_483_647;
      }
      return { count, sum };
    });

  beforeEach(() => {
    now = Date.now();
    services = worldOf(CITIES, now);
    live = new FakeLive(services);
    complaints = [];
    serve(0);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await stop();
  });

  test.each([1280, 1440])(
    "keeps what a card shows inside the card, five side by side on %i px",
    async (width) => {
      services = worldOf(CITIES.slice(0, 5), now);
      await stop();
      live = new FakeLive(services);
      serve(0);
      const page = await open({ viewport: { width, height: 900 } });
      await drawn(page);
      const edges = await page.$$eval(".card", (cards) =>
        cards.map((card) => {
          const right = (element: { getBoundingClientRect(): { right: number } }) =>
            element.getBoundingClientRect().right;
          const shown = card.querySelectorAll(".lead .trend, .lead .spark, .mini dt, .mini dd");
          return { card: right(card), content: Math.max(...[...shown].map(right)) };
        }),
      );
      expect(edges).toHaveLength(5);
      for (const { card, content } of edges) expect(content).toBeLessThanOrEqual(card + 1);
    },
  );

  test("draws the chart, fills every slot and complains about nothing", async () => {
    const page = await open();
    await drawn(page);
    expect((await pixels(page)).count).toBeGreaterThan(5000);
    expect(await page.locator("stream-slot[aria-busy], stream-fill, template").count()).toBe(0);
    expect(await page.locator(".card .spark path").first().getAttribute("d")).toStartWith("M");
    expect(await page.locator("#h-statistics >> xpath=../..").locator("tbody tr").count()).toBe(
      CITIES.length,
    );
    expect(await page.locator("h1").innerText()).toContain("Oslo unusually warm, Cairo is late");
    expect(complaints).toEqual([]);
  });

  test("shows the shell of a compressed page while the lake is still being read", async () => {
    const lake = Promise.withResolvers<void>();
    const read = services.observations.bind(services);
    services.observations = async (query) => {
      await lake.promise;
      return read(query);
    };
    const page = await browser.newPage({ viewport: WIDE });
    try {
      collectComplaints(page, complaints);
      // The page is not whole before the lake was read, and would not be waited for otherwise.
      const response = await page.goto(server.url.origin, { waitUntil: "commit" });
      expect(response?.headers()["content-encoding"]).toMatch(/^(br|gzip)$/);
      expect(await page.locator("h1").innerText()).toContain("Oslo unusually warm");
      await page.waitForSelector("footer");
      await page.waitForSelector("#h-statistics >> xpath=../.. >> css=tbody tr");
      expect(await page.locator(`stream-slot[name="chart"]`).getAttribute("aria-busy")).toBe("true");
      expect(await page.evaluate<string>("document.readyState")).toBe("loading");
      lake.resolve();
      await drawn(page);
      await page.waitForFunction("document.readyState === 'complete'");
      expect(await page.locator("stream-slot[aria-busy]").count()).toBe(0);
      expect(complaints).toEqual([]);
    } finally {
      lake.resolve();
    }
  });

  test("a live observation changes its card, the legend and the chart, and nothing shifts", async () => {
    const page = await open();
    await drawn(page);
    await live.connected();
    const card = page.locator(`.card[data-city="Rome"]`);
    const box = await page.locator("#h-statistics").boundingBox();
    const before = await pixels(page);
    live.observe({
      ...observationAt("Rome", 1, now),
      timestamp: formatTimestamp(now),
      temperature: 33.4,
      humidity: null,
      weather_description: `<b>hot</b>`,
    });
    await card.locator(".temp data", { hasText: "33.4" }).waitFor();
    expect(await card.locator(`[data-field="humidity"]`).getAttribute("class")).toBe("missing");
    expect(await card.locator(`[data-field="humidity"] data`).innerText()).toBe("–");
    expect(await card.locator(".cond").innerText()).toBe("<b>hot</b>");
    await page.locator(`[data-focus="Rome"] output`, { hasText: "33.4" }).waitFor();
    await page.locator(".trend", { hasText: "+" }).first().waitFor();
    const after = await pixels(page);
    expect(after.sum).not.toBe(before.sum);
    expect(await page.locator("#h-statistics").boundingBox()).toEqual(box);
    expect(complaints).toEqual([]);
  });

  test("a late city is no longer stale once it reports, and an older observation changes nothing", async () => {
    const page = await open();
    await drawn(page);
    await live.connected();
    const card = page.locator(`.card[data-city="Cairo"]`);
    expect(await card.getAttribute("class")).toContain("is-stale");
    live.observe(
      { ...observationAt("Cairo", 2, now), timestamp: formatTimestamp(now), temperature: 21.5 },
      { ...observationAt("Oslo", 0, now - 7_200_000), temperature: 99.9 },
    );
    await card.locator(".temp data", { hasText: "21.5" }).waitFor();
    expect(await card.getAttribute("class")).toBe("card");
    expect(await page.locator(`.card[data-city="Oslo"] .temp data`).innerText()).not.toBe("99.9");
  });

  test("fills itself from nothing: cards, headline and the past that reached the lake meanwhile", async () => {
    const { rows, currentList } = services;
    services.rows = [];
    services.currentList = [];
    const page = await open();
    await drawn(page);
    await live.connected();
    expect(await page.locator("h1").innerText()).toBe("Waiting for the first observation");
    expect(await page.locator("iso-chart + ul output").allInnerTexts()).toEqual(Array(8).fill("–"));
    const empty = await pixels(page);
    services.rows = rows;
    services.currentList = currentList;
    live.observe(...currentList.map(({ observation }) => observation));
    await page.locator("h1", { hasText: "Oslo unusually warm" }).waitFor();
    expect(await page.locator("[data-part=never]").count()).toBe(0);
    await page.locator(`.card[data-city="Rome"] .trend`, { hasText: "/3 h" }).waitFor();
    expect((await pixels(page)).count).toBeGreaterThan(empty.count + 3000);
    expect(complaints).toEqual([]);
  });

  test("a new result refreshes its fragment", async () => {
    const page = await open();
    await drawn(page);
    await live.connected();
    const made = services.analytics.results.get("city_statistics");
    if (made === undefined) throw new Error("wanted a result");
    made.rows_read = 777;
    live.send("result", { job: "city_statistics" });
    await page.locator(".from", { hasText: "over 777 rows" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("says that the stream is lost, keeps its values, and resumes by itself", async () => {
    const page = await open();
    await drawn(page);
    await live.connected();
    const port = Number(server.url.port);
    await page.locator(".st-live").waitFor();
    await stop();
    await page.locator("#offline").waitFor({ state: "visible" });
    expect(await page.locator(".st-offline").innerText()).toBe("offline");
    expect(await page.locator(`.card[data-city="Oslo"] .temp data`).innerText()).toMatch(/^−?\d+\.\d$/);
    live = new FakeLive(services);
    serve(port);
    await page.locator("#offline").waitFor({ state: "hidden" });
    await live.connected();
    live.observe({ ...observationAt("Oslo", 0, now), timestamp: formatTimestamp(now), temperature: -7.7 });
    await page.locator(`.card[data-city="Oslo"] .temp data`, { hasText: "−7.7" }).waitFor();
  });

  test("the legend brings a city forward, and the theme is remembered", async () => {
    const page = await open();
    await drawn(page);
    const before = await pixels(page);
    await page.locator(`[data-focus="Rome"]`).click();
    expect(await page.locator(`[data-focus="Rome"]`).getAttribute("aria-pressed")).toBe("true");
    expect(await page.locator(`[aria-pressed="true"]`).count()).toBe(1);
    expect((await pixels(page)).sum).not.toBe(before.sum);
    await page.locator("[data-theme-toggle]").click();
    await page.locator("[data-theme-toggle]").click();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    await page.reload();
    expect(await page.locator("html").getAttribute("data-theme")).toBe("dark");
    expect(await page.locator("[data-theme-toggle]").innerText()).toBe("Dark");
  });

  test("fits a phone without sideways scroll", async () => {
    for (const path of ["/", "/pipeline"]) {
      const page = await open({ viewport: PHONE }, path);
      if (path === "/") await drawn(page);
      const width = await page.evaluate("document.documentElement.scrollWidth");
      expect(width).toBeLessThanOrEqual(PHONE.width);
    }
  });

  test("reads without a script", async () => {
    const page = await open({ javaScriptEnabled: false });
    await page.waitForURL("**/?whole=1");
    const text = await page.locator("main").innerText();
    for (const wanted of ["Oslo unusually warm", "Mostly", "expected 15.9°", "no data", "204\u2009936"]) {
      expect(text).toContain(wanted);
    }
    expect(await page.locator("iso-chart path").count()).toBe(8);
    expect(await page.locator("iso-live").isVisible()).toBe(false);
  });

  test("the pipeline page follows status events", async () => {
    const page = await open({}, "/pipeline");
    await page.locator(".st-live").waitFor();
    services.status.partitions = services.status.partitions.map((one) => ({
      ...one,
      duplicates: 5,
      next: 13,
    }));
    live.send("status", services.status);
    await page.locator(".proof", { hasText: "13 offsets = 8 rows + 5 duplicates + 0 rejected" }).waitFor();
    expect(complaints).toEqual([]);
  });
});
