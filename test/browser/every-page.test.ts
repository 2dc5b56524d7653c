import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { systemClock } from "../../core/clock.ts";
import { HOUR_MS } from "../../core/time.ts";
import { buildAssets } from "../../server/pages/frame/assets.ts";
import { analysedWorld } from "../support/analysed-world.ts";
import type { FakeServices } from "../support/fake-services.ts";
import { alertsToShow } from "./alerts-world.ts";
import { collectComplaints, HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { PAGES } from "./pages.ts";
import { appOf, FakeLive } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
const WIDE = { width: 1440, height: 900 };
const PHONE = { width: 375, height: 800 };
/** WCAG 2.2, levels A and AA, as axe names them. */
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const AXE = Bun.resolveSync("axe-core/axe.min.js", import.meta.dir);

describe.skipIf(!HAS_CHROMIUM)("every page in Chromium", () => {
  let browser: Browser;
  let services: FakeServices;
  let live: FakeLive;
  let server: RunningServer;
  let axe: string;
  let complaints: string[] = [];

  beforeAll(async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const [started, assets, world, source] = await Promise.all([
      launchChromium(),
      buildAssets(),
      analysedWorld(now),
      Bun.file(AXE).text(),
    ]);
    browser = started;
    services = world;
    axe = source;
    live = new FakeLive(services);
    const app = appOf(services, live, assets, systemClock, alertsToShow(now));
    server = serveApp(app);
  });
  afterAll(async () => {
    await browser.close();
    live.close();
    await server.stop(0);
  });
  afterEach(async () => {
    complaints = [];
    for (const context of browser.contexts()) await context.close();
  });

  const open = async (path: string, options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: WIDE, ...options });
    const page = await context.newPage();
    collectComplaints(page, complaints);
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
    });
    const response = await page.goto(server.url.origin + path);
    expect(response?.headers()["content-security-policy"]).toContain("default-src 'none'");
    expect(response?.headers()["content-security-policy"]).not.toContain("unsafe");
    return page;
  };
  const settled = async (page: Page) => {
    await page.locator(".st-live").waitFor();
    await page.waitForFunction("document.querySelector('stream-slot[aria-busy]') === null");
  };
  /** What axe finds, in words. It comes by the debugger, which no policy holds up. */
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe);
    return page.evaluate(
      `axe.run({ runOnly: ${JSON.stringify(WCAG)} }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`,
    );
  };

  for (const { name, path } of PAGES) {
    test(`${name}: no complaint and no violation of WCAG 2.2 AA in light and dark, and fits a phone`, async () => {
      const page = await open(path, { colorScheme: "light" });
      await settled(page);
      expect(await violations(page)).toEqual([]);
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await violations(page)).toEqual([]);
      await page.setViewportSize(PHONE);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(PHONE.width);
      expect(complaints).toEqual([]);
    });
  }

  test("every page reads without a script", async () => {
    const page = await open("/about", { javaScriptEnabled: false });
    for (const { path } of PAGES) {
      await page.goto(server.url.origin + path);
      if (path === "/") await page.waitForURL("**/?whole=1");
      expect((await page.locator("h1").innerText()).length).toBeGreaterThanOrEqual("API".length);
      expect((await page.locator("main").innerText()).length).toBeGreaterThan(100);
      expect(await page.locator("[aria-busy]").count()).toBe(0);
    }
    expect(complaints).toEqual([]);
  });

  test("the keyboard reaches the content, every page of the navigation, and what opens", async () => {
    const page = await open("/anomalies");
    await settled(page);
    const focused = () => page.evaluate("document.activeElement?.getAttribute('href')");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("#main");
    await page.keyboard.press("Tab");
    const reached: unknown[] = [];
    const pages = ["/", "/anomalies", "/trends", "/forecast", "/alerts", "/jobs", "/pipeline", "/about"];
    for (const _ of pages) {
      await page.keyboard.press("Tab");
      reached.push(await focused());
    }
    expect(reached).toEqual(pages);
    await page.locator(".opening summary").first().focus();
    await page.keyboard.press("Enter");
    await page.locator(".opened").first().waitFor({ state: "visible" });
    expect(await page.locator(".opened").first().innerText()).toContain("Expected");
    await page.locator(`nav[aria-label="Main"] a[href="/trends"]`).focus();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/trends");
  });

  test("a filter stands in the address, and the back button undoes it", async () => {
    const page = await open("/anomalies");
    await page.locator("#city").selectOption("london");
    await page.locator("form.filter button").click();
    await page.waitForURL(/city=london/);
    expect(await page.locator("#city").inputValue()).toBe("london");
    for (const city of await page.locator(".opening summary b:first-of-type").allInnerTexts()) {
      expect(city).toBe("London");
    }
    await page.goBack();
    await page.waitForURL(/\/anomalies$/);
  });

  test("units are chosen by a plain form, remembered, and hold for what arrives live", async () => {
    const plain = await open("/units?back=/cities/london", { javaScriptEnabled: false });
    await plain.locator(`[name="temperature"][value="F"]`).check();
    await plain.locator(`[name="wind"][value="mph"]`).check();
    await plain.locator("form.choices button").click();
    await plain.waitForURL("**/cities/london");
    expect(await plain.locator("main").innerText()).not.toContain("°C");
    const { cookies } = await plain.context().storageState();
    const page = await open("/cities/london", { storageState: { cookies, origins: [] } });
    await settled(page);
    await live.connected();
    const newest = services.currentList.find(({ observation }) => observation.city === "London")!;
    live.observe({
      ...newest.observation,
      timestamp: new Date(Date.now()).toISOString(),
      temperature: 100,
      wind_speed: 44.704,
    });
    await page.locator(".cityhead .temp data", { hasText: "212.0" }).waitFor();
    expect(await page.locator(`[data-field="wind_speed"] data`).innerText()).toBe("100");
    expect(complaints).toEqual([]);
  });

  test("a job is run and cancelled from its page without a script", async () => {
    const page = await open("/jobs/records", { javaScriptEnabled: false });
    await page.getByRole("button", { name: "Run now: records" }).click();
    await page.waitForURL("**/jobs/records");
    const [run] = services.analytics.runList;
    expect(run).toMatchObject({ job: "records", state: "queued" });
    await page.getByRole("button", { name: "Cancel the run of records" }).click();
    await page.getByRole("button", { name: "Run now: records" }).waitFor();
    expect(services.analytics.runList[0]?.state).toBe("cancelled");
    expect(complaints).toEqual([]);
  });
});
