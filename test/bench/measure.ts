import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What every benchmark is run with. */
export interface BenchOptions {
  /** Less of everything: a look in about a minute, not a figure to quote. */
  quick: boolean;
  /** A recording to load as well, or null. */
  file: string | null;
  print: (text: string) => void;
}

/** The middle value; of two middle ones the upper. NaN of none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** The value below which a share (0 to 1) of the values lies, by nearest rank. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** A number for a table: three digits that matter, or whole. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/** How many times as much `value` is. */
export function times(value: number, bare: number): string {
  return `${shown(value / bare)}×`;
}

/** Asks for something as it is, without compression. @throws Error when the answer is no success */
export async function timedFetch(url: string): Promise<{ ms: number; bytes: number }> {
  const started = performance.now();
  const answer = await fetch(url, { headers: { "accept-encoding": "identity" } });
  const { byteLength } = await answer.bytes();
  if (!answer.ok) throw new Error(`Cannot measure ${url}: ${answer.status}`);
  return { ms: performance.now() - started, bytes: byteLength };
}

const folders = new Set<string>();

/** Runs `action` with a folder that is deleted afterwards, or when the process ends before that. */
export async function withFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "isobar-bench-"));
  folders.add(folder);
  try {
    return await action(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    folders.delete(folder);
  }
}

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Waits until `check` gives something, asking every 50 ms. @throws Error naming `what` after `seconds` */
export async function until<T>(
  what: string,
  seconds: number,
  check: () => Promise<T | null | undefined | false>,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const found = await check();
    if (found !== null && found !== undefined && found !== false) return found;
    await Bun.sleep(50);
  }
  throw new Error(`Cannot go on: ${what} did not happen within ${seconds} s`);
}
