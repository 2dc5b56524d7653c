import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

/** Where Debian's package puts it. */
const PATH = "/usr/bin/chromium";

/** Whether a browser is there to test with. */
export const HAS_CHROMIUM: boolean = existsSync(PATH);

/** Starts a browser that talks to this machine only. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Collects what a page says to the console as an error or a warning, and what its scripts throw. */
export function collectComplaints(page: Page, complaints: string[]): void {
  page.on("console", (message) => {
    // A test's own reading of a canvas is no complaint of the page.
    const own = message.text().startsWith("Canvas2D: Multiple readback");
    if (["error", "warning"].includes(message.type()) && !own) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
}
