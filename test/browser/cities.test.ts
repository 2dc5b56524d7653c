import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { buildAssets } from "../../server/pages/frame/assets.ts";
import { FakeServices, NOW, observation } from "../support/fake-services.ts";
import { HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { appOf, FakeLive } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
describe.skipIf(!HAS_CHROMIUM)("two thousand cities in Chromium", () => {
  let browser: Browser;
  let live: FakeLive;
  let server: RunningServer;

  beforeAll(async () => {
    const services = new FakeServices();
    services.cityList = Array.from({ length: 2000 }, (_, i) => ({
      name: `Station ${i}`,
      slug: `station-${i}`,
      latitude: null,
      longitude: null,
      zone: null,
    }));
    services.currentList = services.cityList.map(({ name }, offset) => ({
      observation: observation({ city: name }),
      offset,
      receivedMs: NOW,
      judgement: null,
    }));
    const [started, assets] = await Promise.all([launchChromium(), buildAssets()]);
    browser = started;
    live = new FakeLive(services);
    server = serveApp(appOf(services, live, assets));
  });
  afterAll(async () => {
    await browser.close();
    live.close();
    await server.stop(0);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  const open = async (options: BrowserContextOptions): Promise<Page> => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(server.url.origin);
    return page;
  };
  const firstCard = (page: Page) => page.locator(".card").first().getAttribute("data-city");

  for (const javaScriptEnabled of [true, false]) {
    test(`a search finds a city of a late page, and a favourite comes first and stays, ${javaScriptEnabled ? "with" : "without"} a script`, async () => {
      const page = await open({ javaScriptEnabled });
      if (!javaScriptEnabled) await page.waitForURL("**/?whole=1");
      await page.locator("#q").fill("station 1987");
      await page.locator("#q").press("Enter");
      await page.waitForURL(/q=station\+1987/);
      expect(await page.locator("tbody tr[data-city]").count()).toBe(1);
      await page.getByRole("button", { name: "Favourite: Station 1987" }).click();
      await page.locator(`.card[data-city="Station 1987"]`).waitFor();
      await page.goto(server.url.origin);
      expect(await firstCard(page)).toBe("Station 1987");
      const star = page.locator(".card").first().getByRole("button", { name: "Favourite: Station 1987" });
      expect(await star.getAttribute("aria-pressed")).toBe("true");
      await star.click();
      await page.locator(`.card[data-city="Station 0"]`).first().waitFor();
      await page.locator(`.card[data-city="Station 1987"]`).waitFor({ state: "detached" });
      expect(await firstCard(page)).toBe("Station 0");
    });
  }

  test("pages lead on and back, by the keyboard alone", async () => {
    const page = await open({});
    const first = () => page.locator("tr[data-city]").first().getAttribute("data-city");
    expect(await first()).toBe("Station 8");
    await page.locator("a[rel=next]").focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(/page=2/);
    expect(await first()).toBe("Station 58");
    await page.goBack();
    await page.waitForURL((url) => url.search === "");
    expect(await first()).toBe("Station 8");
  });
});
