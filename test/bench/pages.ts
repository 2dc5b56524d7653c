import type { Browser, Page } from "playwright-core";
import { textTable } from "../../server/commands/command.ts";
import { DAY_MS } from "../../core/time.ts";
import { simulatedRecords, syntheticCities } from "../../jobs/sources/simulator.ts";
import { HAS_CHROMIUM, launchChromium } from "../browser/chromium.ts";
import { PAGES } from "../browser/pages.ts";
import { type BenchOptions, median, percentile, shown, withFolder } from "./measure.ts";
import { pan, POINTS } from "./pan.ts";
import type { Server } from "./child.ts";
import { post, runJobs, settled, startProgram } from "./program.ts";

const CITIES = 5;
const DAYS = 30;
const STEP_MS = 600_000;
/** Requests before the first byte is measured. */
const WARM = 5;
const CLICKS = 12;
/** How long a page is watched for a larger paint after it has settled, ms. */
const WATCH_MS = 400;
const VIEWPORT = { width: 1440, height: 900 };

/** How a page can be sent, as Accept-Encoding names it. */
const CODINGS = ["identity", "gzip", "br"] as const;

/** What a page costs in one coding. */
interface Sent {
  bytes: number;
  /** CPU time of the whole server for one request, ms. */
  cpu: number;
}

interface Measured {
  name: string;
  sent: Record<(typeof CODINGS)[number], Sent>;
  /** gzipped bytes of everything the page has loaded. */
  scripts: number;
  styles: number;
  /** ms. */
  firstByte: number[];
  bareFirstByte: number[];
  paint: number[];
  barePaint: number[];
}

/**
 * What the pages weigh and how soon they are there, over 30 days of five cities: gzipped scripts and styles, first byte, largest
 * contentful paint in a real Chromium; how soon a click is painted, and how a chart of 100,000 points pans. Beside a bare server
 * that sends the same bytes at once.
 *
 * @throws Error where there is no Chromium
 */
export async function benchPages({ quick, print }: BenchOptions): Promise<void> {
  if (!HAS_CHROMIUM)
    throw new Error("Cannot measure: there is no Chromium; wanted Debian's package chromium");
  const loads = quick ? 2 : 7;
  const requests = quick ? 10 : 60;
  await withFolder(async (folder) => {
    const server = await startProgram(folder, { cities: CITIES, env: { ANALYTICS_CRON: "0 0 1 1 *" } });
    const copy = new Copy(server.url);
    const browser = await launchChromium();
    try {
      const to = Math.floor(Date.now() / STEP_MS) * STEP_MS;
      const load = {
        from: to - DAYS * DAY_MS,
        to,
        stepMs: STEP_MS,
        seed: 1,
        cities: syntheticCities(CITIES),
      };
      let records = 0;
      for (const chunk of simulatedRecords(load)) {
        await post(server, chunk);
        records += chunk.length;
      }
      await settled(server, records);
      await runJobs(server);
      const measured: Measured[] = [];
      for (const { name, path } of PAGES) {
        const own = server.url + path.replace("london", "station-0001");
        const sent = await sentOf(server, own, requests);
        measured.push({ name, sent, ...(await measure({ browser, copy, own, loads, requests })) });
      }
      const clicks = await timesToPaint(browser, server.url);
      const panned = await pan(browser);
      print(
        `Pages: ${shown(records)} rows of ${CITIES} cities in ${DAYS} days, all jobs run; gzipped kB, medians of ${requests} requests (first byte) and ${loads} loads (largest paint), ms\n`,
      );
      print(tableOf(measured));
      print("\nThe page alone, as it is and compressed: kB, and ms of the server's CPU for one request\n");
      print(sentTable(measured));
      print(
        `\nA click on a city's name in the chart of the first page is painted after ${shown(median(clicks))} ms (worst of ${CLICKS}: ${shown(Math.max(...clicks))}).`,
      );
      print(
        `A chart of ${shown(POINTS)} points, half of them in view, pans at ${shown(panned.framesPerSecond)} frames a second: 95 of 100 within ${shown(panned.p95)} ms, ${shown(panned.script)} ms of script in each.\n`,
      );
    } finally {
      await browser.close();
      await copy.stop();
      await server.stop();
    }
  });
}

function tableOf(measured: readonly Measured[]): string {
  return textTable(
    ["page", "scripts kB", "styles kB", "first byte", "p99", "bare", "largest paint", "worst", "bare"],
    measured.map(({ name, scripts, styles, firstByte, bareFirstByte, paint, barePaint }) => [
      name,
      shown(scripts / 1000),
      shown(styles / 1000),
      shown(median(firstByte)),
      shown(percentile(firstByte, 0.99)),
      shown(median(bareFirstByte)),
      shown(median(paint)),
      shown(Math.max(...paint)),
      shown(median(barePaint)),
    ]),
  );
}

function sentTable(measured: readonly Measured[]): string {
  return textTable(
    ["page", "kB", "gzip", "br", "CPU", "gzip", "br"],
    measured.map(({ name, sent }) => [
      name,
      ...CODINGS.map((coding) => shown(sent[coding].bytes / 1000)),
      ...CODINGS.map((coding) => shown(sent[coding].cpu)),
    ]),
  );
}

/** What a page weighs and costs in each coding. The codings take turns, so that whatever else happens strikes all of them. */
async function sentOf(server: Server, url: string, requests: number): Promise<Measured["sent"]> {
  const sent: Measured["sent"] = {
    identity: { bytes: 0, cpu: 0 },
    gzip: { bytes: 0, cpu: 0 },
    br: { bytes: 0, cpu: 0 },
  };
  const rounds = 4;
  const each = Math.ceil(requests / rounds);
  for (let round = -1; round < rounds; round++) {
    for (const coding of CODINGS) {
      const before = await server.cpu();
      for (let i = 0; i < each; i++) {
        const answer = await fetch(url, { headers: { "accept-encoding": coding }, decompress: false });
        sent[coding].bytes = (await answer.bytes()).byteLength;
      }
      // The first round warms up.
      if (round >= 0) sent[coding].cpu += ((await server.cpu()) - before) / (rounds * each);
    }
  }
  return sent;
}

async function measure(work: {
  browser: Browser;
  copy: Copy;
  own: string;
  loads: number;
  requests: number;
}): Promise<Omit<Measured, "name" | "sent">> {
  const { browser, copy, own, loads, requests } = work;
  const firstByte = await firstBytes(own, requests);
  const { paint: first, resources } = await largestPaint(browser, own);
  const weights = await Promise.all(resources.map(gzippedOf));
  const weight = (type: string) =>
    weights.reduce((sum, one) => sum + (one.type.startsWith(type) ? one.bytes : 0), 0);
  const bare = await copy.of(own, resources);
  const bareFirstByte = await firstBytes(bare, requests);
  const paint = [first];
  const barePaint: number[] = [];
  for (let i = 0; i < loads; i++) {
    if (i > 0) paint.push((await largestPaint(browser, own)).paint);
    barePaint.push((await largestPaint(browser, bare)).paint);
  }
  return {
    scripts: weight("text/javascript"),
    styles: weight("text/css"),
    firstByte,
    bareFirstByte,
    paint,
    barePaint,
  };
}

/** ms from a request to the first bytes of its body, one request after the other. */
async function firstBytes(url: string, requests: number): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < WARM + requests; i++) {
    const started = performance.now();
    const answer = await fetch(url);
    if (answer.body === null || !answer.ok) throw new Error(`Cannot measure ${url}: ${answer.status}`);
    const reader = answer.body.getReader();
    await reader.read();
    if (i >= WARM) found.push(performance.now() - started);
    while (!(await reader.read()).done);
  }
  return found;
}

/** Loads a page with nothing kept from before: its largest contentful paint, ms, and the addresses of what it loaded. */
async function largestPaint(browser: Browser, url: string): Promise<{ paint: number; resources: string[] }> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  try {
    const page = await context.newPage();
    await page.addInitScript(
      `globalThis.largest = 0;
       new PerformanceObserver((list) => { for (const { startTime } of list.getEntries()) globalThis.largest = startTime; })
         .observe({ type: "largest-contentful-paint", buffered: true });`,
    );
    await page.goto(url);
    await whole(page);
    await page.waitForTimeout(WATCH_MS);
    const paint = await page.evaluate<number>("globalThis.largest");
    if (paint === 0) throw new Error(`Cannot measure ${url}: the browser tells of no paint`);
    const resources = await page.evaluate<string[]>(
      `performance.getEntriesByType("resource").map(({ name }) => name).filter((name) => name.includes("/assets/"))`,
    );
    return { paint, resources };
  } finally {
    await context.close();
  }
}

/** Waits until every late part of a page is there. */
async function whole(page: Page): Promise<void> {
  await page.waitForFunction("document.querySelector('stream-slot[aria-busy]') === null");
}

async function gzippedOf(url: string): Promise<{ type: string; bytes: number }> {
  const answer = await fetch(url, { headers: { "accept-encoding": "gzip" }, decompress: false });
  const { byteLength } = await answer.bytes();
  return { type: answer.headers.get("content-type") ?? "", bytes: byteLength };
}

/** ms from a click on the first page to the paint that shows it, as the browser counts them: in steps of 8. */
async function timesToPaint(browser: Browser, url: string): Promise<number[]> {
  const page = await browser.newPage({ viewport: VIEWPORT });
  try {
    await page.addInitScript(
      `globalThis.clicks = [];
       new PerformanceObserver((list) => { for (const { name, duration } of list.getEntries()) if (name === "click") clicks.push(duration); })
         .observe({ type: "event", durationThreshold: 16, buffered: true });`,
    );
    await page.goto(url);
    await whole(page);
    await page.waitForSelector("iso-chart canvas");
    const buttons = page.locator("[data-focus]");
    const count = await buttons.count();
    for (let i = 0; i < CLICKS; i++) {
      await buttons.nth((i + 1) % count).click();
      await page.waitForTimeout(100);
    }
    // What takes less than 16 ms is not told of.
    const told = await page.evaluate<number[]>("globalThis.clicks");
    return [...told, ...Array.from({ length: Math.max(0, CLICKS - told.length) }, () => 16)];
  } finally {
    await page.close();
  }
}

/** A bare server that sends copies of pages and of what they load, each at once. */
class Copy {
  readonly #from: string;
  readonly #files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; headers: Record<string, string> }>();
  readonly #server: Bun.Server<undefined>;

  constructor(from: string) {
    this.#from = from;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ url }) => {
        const file = this.#files.get(url.slice(this.#server.url.origin.length));
        if (file === undefined) return new Response(null, { status: 404 });
        return new Response(file.bytes, { headers: file.headers });
      },
    });
  }

  /** Takes copies. @returns the page's address here */
  async of(page: string, resources: readonly string[]): Promise<string> {
    for (const url of [page, ...resources]) {
      const answer = await fetch(url, { headers: { "accept-encoding": "br" }, decompress: false });
      const encoding = answer.headers.get("content-encoding");
      this.#files.set(url.slice(this.#from.length), {
        bytes: new Uint8Array(await answer.arrayBuffer()),
        headers: {
          "content-type": answer.headers.get("content-type") ?? "",
          ...(encoding === null ? {} : { "content-encoding": encoding }),
        },
      });
    }
    return this.#server.url.origin + page.slice(this.#from.length);
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
  }
}
