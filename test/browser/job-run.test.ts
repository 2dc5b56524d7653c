import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import type { RunningServer } from "../../server/http/listen.ts";
import { systemClock } from "../../core/clock.ts";
import { buildAssets } from "../../server/pages/frame/assets.ts";
import { announce } from "../../server/live/feed.ts";
import { Hub } from "../../server/live/hub.ts";
import type { Run } from "../../core/analytic-job.ts";
import { FakeServices } from "../support/fake-services.ts";
import { collectComplaints, HAS_CHROMIUM, launchChromium } from "./chromium.ts";
import { appOf } from "../support/world.ts";
import { serveApp } from "../support/serve.ts";

/** A browser on a busy machine takes its time; each wait ends as soon as what it waits for is there. */
describe.skipIf(!HAS_CHROMIUM)("a job run in Chromium", () => {
  const services = new FakeServices();
  const hub = new Hub({ epoch: "test", snapshot: () => ({ current: [] }), clock: systemClock });
  const stop = new AbortController();
  let announcing: Promise<void>;
  let browser: Browser;
  let server: RunningServer;

  beforeAll(async () => {
    const [started, assets] = await Promise.all([launchChromium(), buildAssets()]);
    browser = started;
    const live = {
      open: (request: Request) =>
        new Response(hub.connect(request.headers.get("last-event-id"), request.signal, null), {
          headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
        }),
    };
    server = serveApp(appOf(services, live, assets));
    announcing = announce({ services, hub, clock: systemClock, signal: stop.signal });
  });
  afterAll(async () => {
    await browser.close();
    stop.abort();
    await announcing;
    hub.close();
    await server.stop(0);
  });

  test("job run with progress: the live stream tells its pages, which ask for nothing while nothing happens", async () => {
    const context = await browser.newContext();
    const complaints: string[] = [];
    const asked: string[] = [];
    const open = async (path: string) => {
      const page = await context.newPage();
      collectComplaints(page, complaints);
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await page.goto(server.url.origin + path);
      await page.locator(".st-live").waitFor();
      return page;
    };
    const [all, one] = [await open("/jobs"), await open("/jobs/anomalies")];
    expect(asked.filter((path) => path.startsWith("/fragments/"))).toEqual([]);

    const run = services.analytics.start("anomalies");
    const set = (changes: Partial<Run>) => {
      Object.assign(run, changes);
      services.analytics.changed("anomalies");
    };
    await one.locator(".progress", { hasText: "queued" }).waitFor();
    await all.locator("tbody tr", { hasText: "queued" }).waitFor();
    set({ state: "running", progress: 0.42, started_at: new Date().toISOString() });
    await one.locator(".progress", { hasText: "42 %" }).waitFor();
    expect(await one.locator("progress").getAttribute("value")).toBe("42");
    await all.locator("tbody tr", { hasText: "42 %" }).waitFor();
    expect(await all.getByRole("button", { name: "Cancel the run of anomalies" }).count()).toBe(1);
    set({ state: "succeeded", progress: 1, rows: 35, finished_at: new Date().toISOString() });
    await one.locator(".runs", { hasText: "35 rows" }).waitFor();
    await all.locator("tbody tr", { hasText: "done" }).waitFor();
    expect(await one.getByRole("button", { name: "Run now: anomalies" }).count()).toBe(1);
    expect(new Set(asked.filter((path) => path.startsWith("/fragments/")))).toEqual(
      new Set(["/fragments/jobs", "/fragments/jobs/anomalies"]),
    );
    expect(complaints).toEqual([]);
    await context.close();
  });
});
