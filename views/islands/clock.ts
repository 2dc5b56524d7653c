const root = document.documentElement;

/** Differences to the server's clock up to this, ms, are ignored: they are the loading time of the page. */
const SKEW_MS = 2000;
const skew = Number(root.dataset.now) - Date.now();
const offset = Math.abs(skew) > SKEW_MS ? skew : 0;

/** For replayed data: its newest observation time, ms, which counts as now. Undefined for other data. */
let newest: number | undefined = root.dataset.kind === "replayed" ? 0 : undefined;

/** Age at which a value is stale, ms. */
export const STALE_MS = Number(root.dataset.stale) * 1000;

/** The server's time, ms since the epoch. */
export function wallNow(): number {
  return Date.now() + offset;
}

/** The present time for the ages of observations, ms since the epoch. */
export function dataNow(): number {
  return newest ?? wallNow();
}

/** Advances the clock of replayed data to an observation's time, ms. */
export function observed(ms: number): void {
  if (newest !== undefined && ms > newest) newest = ms;
}
