import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { HOUR_MS } from "../../core/time.ts";
import { buildAssets } from "../../server/pages/frame/assets.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { analysedWorld } from "../support/analysed-world.ts";
import { collectComplaints, HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { appOf, FakeLive } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
const WIDE = { width: 1440, height: 900 };

describe.skipIf(!HAS_CHROMIUM)("the history of a city in Chromium", () => {
  let browser: Browser;
  let live: FakeLive;
  let server: RunningServer;
  let complaints: string[] = [];

  beforeAll(async () => {
    const now = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const [started, assets, services] = await Promise.all([
      launchChromium(),
      buildAssets(),
      analysedWorld(now),
    ]);
    browser = started;
    live = new FakeLive(services);
    server = serveApp(appOf(services, live, assets, new FakeClock(now)));
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
    await page.goto(server.url.origin + path);
    if (options.javaScriptEnabled !== false) await page.locator("[data-zoom=view][tabindex]").waitFor();
    return page;
  };
  /** The temperature as it is drawn. */
  const drawn = (page: Page) =>
    page.locator(".panel").first().locator("path.line.s1:not(.forecast)").getAttribute("d");
  /** What the address asks for, ms. */
  const shown = (page: Page): { from: number; to: number } => {
    const { searchParams } = new URL(page.url());
    return {
      from: Date.parse(searchParams.get("from") ?? ""),
      to: Date.parse(searchParams.get("to") ?? ""),
    };
  };
  /** Resolves when what was fetched stands on the page. */
  const settled = async (page: Page, before: string) => {
    await page.waitForURL((url) => url.href !== before);
    await page.locator("iso-zoom:not(.is-moving):not([aria-busy])").waitFor();
  };
  const viewBox = (page: Page) => page.locator(".plot-xy > svg[viewBox]").first().getAttribute("viewBox");
  const width = ({ from, to }: { from: number; to: number }) => to - from;

  test("a drag moves the time shown at once and its address when let go; the back button undoes it", async () => {
    const page = await open("/cities/london?range=7d");
    const before = { url: page.url(), line: await drawn(page), box: await viewBox(page) };
    const plot = (await page.locator(".plot-xy").first().boundingBox())!;
    const y = plot.y + plot.height / 2;
    await page.mouse.move(plot.x + plot.width * 0.4, y);
    await page.mouse.down();
    await page.mouse.move(plot.x + plot.width * 0.9, y, { steps: 4 });
    expect(await viewBox(page)).not.toBe(before.box);
    expect(page.url()).toBe(before.url);
    await page.mouse.up();
    await settled(page, before.url);
    const hours = width(shown(page)) / HOUR_MS;
    expect(hours).toBeCloseTo(7 * 24 + 48, 0);
    expect(await drawn(page)).not.toBe(before.line);
    expect(await viewBox(page)).toBe(before.box);
    expect(await page.locator("#h-history").innerText()).toContain(" to ");
    expect(await page.locator("#h-quality").innerText()).toContain("time shown above");
    const moved = page.url();
    await page.goBack();
    await settled(page, moved);
    expect(page.url()).toBe(before.url);
    expect(await drawn(page)).toBe(before.line);
    expect(complaints).toEqual([]);
  });

  test("the wheel zooms where the pointer is once the chart has the focus, and scrolls the page else", async () => {
    const page = await open("/cities/london?range=7d");
    const url = page.url();
    const line = await drawn(page);
    const plot = (await page.locator(".plot-xy").first().boundingBox())!;
    await page.mouse.move(plot.x + plot.width / 4, plot.y + 20);
    await page.mouse.wheel(0, 120);
    await page.waitForFunction(() => Number((globalThis as unknown as { scrollY: number }).scrollY) > 0);
    await page.evaluate("scrollTo(0, 0)");
    expect(await viewBox(page)).toStartWith("0 0 ");
    await page.locator("[data-zoom=view]").focus();
    const at = await page.locator("iso-zoom").evaluate((element) => {
      const { from, to } = (element as unknown as { dataset: Record<string, string> }).dataset;
      return Number(from) + (Number(to) - Number(from)) / 4;
    });
    const placed = (await page.locator(".plot-xy").first().boundingBox())!;
    await page.mouse.move(placed.x + placed.width / 4, placed.y + 20);
    await page.mouse.wheel(0, -600);
    await settled(page, url);
    const now = shown(page);
    expect(width(now)).toBeLessThan(100 * HOUR_MS);
    expect(now.from + width(now) / 4).toBeCloseTo(at, -6);
    expect(await drawn(page)).not.toBe(line);
    expect(complaints).toEqual([]);
  });

  test("the keyboard does the same: plus, minus, arrows and 0, and the focus stays", async () => {
    const page = await open("/cities/london?range=7d");
    const start = page.url();
    const line = await drawn(page);
    const focused = () => page.evaluate("document.activeElement?.getAttribute('data-zoom')");
    await page.locator("[data-zoom=view]").focus();
    await page.keyboard.press("+");
    await settled(page, start);
    const near = shown(page);
    expect(width(near)).toBe(108 * HOUR_MS);
    expect(await drawn(page)).not.toBe(line);
    expect(await focused()).toBe("view");
    let url = page.url();
    await page.keyboard.press("ArrowLeft");
    await settled(page, url);
    expect(shown(page)).toEqual({ from: near.from - 54 * HOUR_MS, to: near.to - 54 * HOUR_MS });
    url = page.url();
    await page.keyboard.press("0");
    await settled(page, url);
    expect(page.url()).toBe(start);
    expect(await drawn(page)).toBe(line);
    await page.locator("a[data-zoom=in]").focus();
    await page.keyboard.press("Enter");
    await settled(page, start);
    expect(shown(page)).toEqual(near);
    expect(await focused()).toBe("in");
    expect(complaints).toEqual([]);
  });

  test("two fingers zoom", async () => {
    const page = await open("/cities/london?range=7d", { hasTouch: true });
    const url = page.url();
    const plot = (await page.locator(".plot-xy").first().boundingBox())!;
    const [middle, y] = [plot.x + plot.width / 2, plot.y + plot.height / 2];
    const session = await page.context().newCDPSession(page);
    const fingers = (apart: number) => [
      { x: middle - apart, y, id: 0 },
      { x: middle + apart, y, id: 1 },
    ];
    await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: fingers(60) });
    for (const apart of [120, 180, 240]) {
      await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: fingers(apart) });
    }
    await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await settled(page, url);
    expect(width(shown(page)) / HOUR_MS).toBeCloseTo(216 / 4, 0);
    expect(complaints).toEqual([]);
  });

  test("a zoomed address is a deep link, and its links work without a script", async () => {
    const page = await open("/cities/london?range=7d", { javaScriptEnabled: false });
    const line = await drawn(page);
    await page.locator("a[data-zoom=in]").click();
    await page.waitForURL(/from=/);
    expect(width(shown(page))).toBe(108 * HOUR_MS);
    expect(await drawn(page)).not.toBe(line);
    const deep = await open(new URL(page.url()).pathname + new URL(page.url()).search);
    expect(await drawn(deep)).toBe(await drawn(page));
    await page.locator("a[data-zoom=all]").click();
    await page.waitForURL((url) => !url.search.includes("from="));
    expect(await drawn(page)).toBe(line);
  });
});
