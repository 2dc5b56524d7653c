import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Browser } from "playwright-core";
import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/log.ts";
import { DAY_MS } from "../../core/time.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { simulatedRecords } from "../../jobs/sources/simulator.ts";
import { type Config, loadConfig } from "../../server/config/config.ts";
import { loadRecords } from "../../server/wiring/bulk-load.ts";
import { openPorts } from "../../server/wiring/ports.ts";
import { startProgram } from "../../server/program.ts";
import { launchChromium } from "./chromium.ts";
import { PAGES } from "./pages.ts";

/** What goes wrong with the stations of the pictures, so that there is something to find: shares of the observations. */
const FAULTS = { spike: 0.01, gap: 0.01 };
/** Taller pictures are cut, px: they are looked at beside text. */
const TALLEST = 1400;
/** Days of simulated weather behind the pictures: enough for bounds, forecasts and every window. */
const DAYS = 31;
const STEP_MS = 1_800_000;
const DATASET = "simulated";
/** Longest wait for what the pages show, ms. */
const DEADLINE_MS = 600_000;

const SIZES = {
  light: { viewport: { width: 1440, height: 900 }, colorScheme: "light" },
  dark: { viewport: { width: 1440, height: 900 }, colorScheme: "dark" },
  phone: { viewport: { width: 375, height: 812 }, colorScheme: "light" },
} as const;

/**
 * Makes a picture of every page, light, dark and on a phone, in `docs/images/`: of the program itself, over a month of
 * simulated weather. Words on the command line are pages' names: only these are made.
 */
async function main(names: readonly string[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const dataDir = await mkdtemp(join(tmpdir(), "isobar-screenshots-"));
  // The page about the program shows where its data lies: as by default, below the folder in which it is started.
  process.chdir(dataDir);
  try {
    const { config } = loadConfig({ DATASET, WEATHER_SOURCE: "simulator", PORT: "0" }, { isTerminal: false });
    await fill(config);
    const signal = new AbortController().signal;
    const program = await startProgram(config, { clock: systemClock, logger: silentLogger, signal });
    try {
      const { origin } = program.url!;
      await results(origin);
      const browser = await launchChromium();
      try {
        for (const { name, path } of PAGES) {
          if (names.length === 0 || names.includes(name))
            await shoot(browser, origin + path, join(folder, name));
        }
      } finally {
        await browser.close();
      }
    } finally {
      await program.stop();
    }
  } finally {
    process.chdir(tmpdir());
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Puts a month of weather into the lake, and two records that cannot be read. */
async function fill(config: Config): Promise<void> {
  const ports = await openPorts(config, DATASET, { clock: systemClock, logger: silentLogger });
  try {
    const now = systemClock.now();
    await claimDataset(ports.lake, DATASET, "simulated", now);
    const to = Math.floor(now / STEP_MS) * STEP_MS;
    const load = {
      cities: config.cities,
      seed: config.simulatorSeed,
      faults: FAULTS,
      from: to - DAYS * DAY_MS,
      to,
      stepMs: STEP_MS,
    };
    const bad = [`{"city":"London","temperature":"warm"}`, `{"city":"Tokyo",`];
    await loadRecords({
      ports,
      config,
      clock: systemClock,
      logger: silentLogger,
      chunks: (async function* () {
        yield* simulatedRecords(load);
        yield bad.map((value) => ({ key: "London", value }));
      })(),
      signal: new AbortController().signal,
    });
  } finally {
    await ports.close();
  }
}

/** Waits until every job has a result. */
async function results(origin: string): Promise<void> {
  const end = performance.now() + DEADLINE_MS;
  for (;;) {
    const answer = await fetch(`${origin}/api/v1/jobs`);
    const { jobs } = (await answer.json()) as { jobs: { name: string; result: unknown }[] };
    const without = jobs.filter(({ result }) => result === null).map(({ name }) => name);
    if (without.length === 0) return;
    if (performance.now() > end)
      throw new Error(`no result of ${without.join(", ")} within ${DEADLINE_MS} ms`);
    await Bun.sleep(200);
  }
}

async function shoot(browser: Browser, url: string, base: string): Promise<void> {
  for (const [size, options] of Object.entries(SIZES)) {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    await page.goto(url);
    await page.locator("stream-slot[aria-busy]").first().waitFor({ state: "detached" });
    await page.locator("iso-live .st-live").waitFor();
    if ((await page.locator("iso-chart").count()) > 0) await page.waitForSelector("iso-chart canvas");
    const path = `${base}-${size}.png`;
    const height = await page.evaluate<number>("document.documentElement.scrollHeight");
    const { width } = options.viewport;
    await page.screenshot({
      path,
      fullPage: true,
      clip: { x: 0, y: 0, width, height: Math.min(height, TALLEST) },
    });
    console.log(path);
    await context.close();
  }
}

if (import.meta.main) {
  const folder = process.env.SCREENSHOTS_DIR ?? resolve(import.meta.dir, "../../docs/images");
  await main(process.argv.slice(2), folder);
}
