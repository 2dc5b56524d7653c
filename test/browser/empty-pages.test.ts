import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { createApp } from "../../server/app.ts";
import { buildAssets } from "../../server/pages/frame/assets.ts";
import { Hub } from "../../server/live/hub.ts";
import { pagesRoutes } from "../../server/pages/pages.ts";
import { problemPage } from "../../server/pages/problem.tsx";
import { FakeServices } from "../support/fake-services.ts";
import { HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { SHOWN } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
/** WCAG 2.2, levels A and AA, as axe names them. */
const WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const AXE = Bun.resolveSync("axe-core/axe.min.js", import.meta.dir);

/** Pages of a program that was started a moment ago and has nothing to show. */
const EMPTY = [
  "/",
  "/?q=atlantis",
  "/cities/london",
  "/cities/london?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z",
  "/anomalies",
  "/trends",
  "/forecast",
  "/jobs",
  "/jobs/anomalies",
  "/pipeline",
];
/** Addresses where there is nothing, and what is said there. */
const PROBLEMS = [
  { path: "/nowhere", status: 404, words: "Nothing is here" },
  { path: "/cities/atlantis", status: 404, words: "There is no city" },
  { path: "/cities/london?range=9d", status: 400, words: "This page cannot be shown" },
  { path: "/anomalies?colour=red", status: 400, words: "colour" },
];

describe.skipIf(!HAS_CHROMIUM)("pages with nothing to show in Chromium", () => {
  const services = new FakeServices();
  const hub = new Hub({ epoch: "test", snapshot: () => ({ current: [] }), clock: systemClock });
  let browser: Browser;
  let server: RunningServer;
  let axe: string;
  let complaints: string[] = [];

  beforeAll(async () => {
    services.currentList = [];
    services.status = {
      ...services.status,
      stages: services.status.stages.map((stage) => ({ ...stage, watermark: null })),
      jobs: [],
      partitions: [],
      rates: { log: null, lake: null },
    };
    const [started, assets, source] = await Promise.all([
      launchChromium(),
      buildAssets(),
      Bun.file(AXE).text(),
    ]);
    browser = started;
    axe = source;
    const pages = { services, assets, clock: systemClock, logger: silentLogger, alerts: null, ...SHOWN };
    const app = createApp({
      services,
      hub,
      clock: systemClock,
      logger: silentLogger,
      security: { host: "127.0.0.1", allowedHosts: [], corsOrigins: [] },
      plugins: [pagesRoutes(pages)],
      errorPage: problemPage(pages),
    });
    server = serveApp(app);
  });
  afterAll(async () => {
    await browser.close();
    hub.close();
    await server.stop(0);
  });
  afterEach(async () => {
    complaints = [];
    for (const context of browser.contexts()) await context.close();
  });

  const open = async (path: string): Promise<{ page: Page; status: number | undefined }> => {
    const context = await browser.newContext({ colorScheme: "light" });
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    const response = await page.goto(server.url.origin + path);
    await page.locator(".st-live").waitFor();
    await page.waitForFunction(() => {
      const { document } = globalThis as unknown as { document: { querySelector(css: string): unknown } };
      return document.querySelector("stream-slot[aria-busy]") === null;
    });
    return { page, status: response?.status() };
  };
  /** What axe finds in both themes, in words. */
  const violations = async (page: Page): Promise<string[]> => {
    await page.evaluate(axe);
    const found: string[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      found.push(
        ...(await page.evaluate<string[]>(
          `axe.run({ runOnly: ${JSON.stringify(WCAG)} }).then(({ violations }) => violations.flatMap(({ id, nodes }) =>
            nodes.map(({ html, failureSummary }) => id + ": " + html.slice(0, 200) + " " + failureSummary)))`,
        )),
      );
    }
    return found;
  };

  for (const path of EMPTY) {
    test(`${path}: says what there is not yet, and breaks no rule of WCAG 2.2 AA in either theme`, async () => {
      const { page, status } = await open(path);
      expect(status).toBe(200);
      expect(await page.locator("main").innerText()).not.toMatch(/NaN|undefined|\[object|Invalid|Infinity/);
      expect((await page.locator("h1").innerText()).length).toBeGreaterThan(3);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  }

  for (const { path, status, words } of PROBLEMS) {
    test(`${path}: says what is wrong and leads on, and breaks no rule of WCAG 2.2 AA in either theme`, async () => {
      const { page, status: got } = await open(path);
      expect(got).toBe(status);
      expect(await page.locator("main").innerText()).toContain(words);
      expect(await page.locator(`main a[href="/"]`).count()).toBe(1);
      expect(await violations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  }
});
