import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { parseAlertsFile } from "../../core/alert-rule.ts";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { newId } from "../../core/random.ts";
import { Alerts } from "../../jobs/alerts/alerts.ts";
import { deliverer } from "../../jobs/alerts/channels.ts";
import { AlertStore } from "../../jobs/alerts/store.ts";
import { type Assets, buildAssets } from "../../server/pages/frame/assets.ts";
import { GOOD, type FakeServices } from "../support/fake-services.ts";
import { collectComplaints, HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { appOf, FakeLive, worldOf } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

describe.skipIf(!HAS_CHROMIUM)("the page of alerts in Chromium", () => {
  let browser: Browser;
  let assets: Assets;
  beforeAll(async () => {
    [browser, assets] = await Promise.all([launchChromium(), buildAssets()]);
  });
  afterAll(() => browser.close());

  let folder: string;
  let services: FakeServices;
  let live: FakeLive;
  let store: AlertStore;
  let alerts: Alerts;
  let stopJob: () => Promise<void>;
  let server: RunningServer;
  let hook: Bun.Server<undefined>;
  /** What the webhook got. */
  let got: { type: string; text: string }[];
  let arrival: PromiseWithResolvers<void>;
  let complaints: string[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "isobar-alerts-"));
    got = [];
    complaints = [];
    arrival = Promise.withResolvers();
    hook = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        got.push((await request.json()) as { type: string; text: string });
        arrival.resolve();
        arrival = Promise.withResolvers();
        return new Response(null, { status: 204 });
      },
    });
    services = worldOf(["Oslo", "Rome"], Date.now());
    live = new FakeLive(services);
    store = new AlertStore(join(folder, "a.sqlite"));
    const channels = [{ name: "ops", type: "webhook", url: hook.url.href }];
    alerts = new Alerts({
      file: parseAlertsFile({ channels }),
      store,
      deliver: deliverer({ smtp: null, webhookHosts: ["127.0.0.1"] }),
      label: { dataset: "main", kind: "observed" },
      staleAfterSeconds: services.about.staleAfterSeconds,
      // Every city's newest observation has passed every test.
      current: () =>
        services.currentList.map(({ observation, offset }) => {
          const { city, source, timestamp } = observation;
          const judgement = {
            city,
            source,
            timestamp,
            log_offset: offset,
            flags: GOOD,
            usual: null,
            anomalies: [],
          };
          return { observation, judgement };
        }),
      lock: () => Promise.resolve({ release: () => {} }),
      clock: systemClock,
      logger: silentLogger,
      newId,
    });
    const abort = new AbortController();
    const ended = alerts.backgroundJob().run({ signal: abort.signal, running: () => {}, waiting: () => {} });
    stopJob = async () => {
      abort.abort();
      await ended;
    };
    const app = appOf(services, live, assets, systemClock, alerts);
    server = serveApp(app);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    live.close();
    await stopJob();
    await Promise.all([server.stop(0), hook.stop(true)]);
    store.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    collectComplaints(page, complaints);
    await page.goto(`${server.url.origin}/alerts`);
    return page;
  };

  test.each([true, false])(
    "takes a rule from the form to the webhook, and deletes it (script: %p)",
    async (javaScriptEnabled) => {
      const page = await open({ javaScriptEnabled });
      await page.getByLabel("Name").fill("Not so cold");
      await page.getByLabel("City, empty for every city").fill("Oslo");
      await page.getByLabel("Limit", { exact: true }).fill("-90");
      const alert = arrival.promise;
      await page.getByRole("button", { name: "Make the rule" }).click();
      await page.getByText("The rule is made.").waitFor();
      await alert;
      expect(got[0]).toMatchObject({ type: "alert" });
      expect(got[0]?.text).toStartWith("Not so cold: Oslo, temperature ");
      const closing = arrival.promise;
      await page.getByRole("button", { name: "Delete the rule Not so cold" }).click();
      await page.getByText("The rule is deleted.").waitFor();
      await closing;
      expect(got[1]).toMatchObject({ type: "recovery" });
      expect(complaints).toEqual([]);
    },
  );

  test("sends a test, and shows what became of it", async () => {
    const page = await open();
    const sent = arrival.promise;
    await page.getByRole("button", { name: "Send a test to ops" }).click();
    await page.getByText("The test message is on its way").waitFor();
    await sent;
    expect(got[0]).toMatchObject({ type: "test", text: "Test: the channel ops works" });
    await page.reload();
    expect(await page.getByText("Test: the channel ops works").count()).toBe(1);
  });

  test("keeps what was typed when it is refused", async () => {
    const page = await open();
    await page.getByLabel("Name").fill("Heat");
    await page.getByLabel("Limit", { exact: true }).fill("hot");
    await page.getByRole("button", { name: "Make the rule" }).click();
    await page.getByText('above is "hot", wanted a number').waitFor();
    expect(await page.getByLabel("Name").inputValue()).toBe("Heat");
    expect(alerts.rules()).toEqual([]);
  });

  test("fits a phone without sideways scroll", async () => {
    alerts.addRule({
      name: "A rule with a rather long name",
      variable: "temperature",
      above: 60,
      channels: ["ops"],
    });
    const page = await open({ viewport: { width: 375, height: 800 } });
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBeLessThanOrEqual(375);
  });
});
