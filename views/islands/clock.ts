const root = document.documentElement;

/** A smaller difference between this machine's clock and the server's is the time the page took to get here. */
const SKEW_MS = 2000;
const skew = Number(root.dataset.now) - Date.now();
const offset = Math.abs(skew) > SKEW_MS ? skew : 0;

/** Data that is replayed ages against its own newest time, ms; undefined where data ages by the real time. */
let newest: number | undefined = root.dataset.kind === "replayed" ? 0 : undefined;

/** After this many ms a value is stale. */
export const STALE_MS = Number(root.dataset.stale) * 1000;

/** The server's time, ms since the epoch. */
export function wallNow(): number {
  return Date.now() + offset;
}

/** The time against which observations age, ms since the epoch. */
export function dataNow(): number {
  return newest ?? wallNow();
}

/** Tells the clock of an observation's time, ms. */
export function observed(ms: number): void {
  if (newest !== undefined && ms > newest) newest = ms;
}
