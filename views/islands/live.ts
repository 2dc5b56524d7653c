import type { Observation } from "../../core/observation.ts";
import { observed } from "./clock.ts";

/** What the live stream says, by name. */
export interface LiveEvents {
  /** New observations, in the order of the log. */
  observations: readonly Observation[];
  /** The stream began anew: what was missed is not told, so read it again. */
  restarted: null;
  /** Whether the stream stands; `since` is ms since the epoch. */
  connection: { live: boolean; since: number };
}

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void;

/** A lost stream that comes back within this time, ms, is no news. */
const GRACE_MS = 1000;
/** Waits between tries where the browser itself has given up, ms: doubled up to the longest. */
const RETRY_MS = { first: 1000, longest: 15_000 };

const listeners: { [K in keyof LiveEvents]: Set<Listener<K>> } = {
  observations: new Set(),
  restarted: new Set(),
  connection: new Set(),
};
let source: EventSource | undefined;
let connection: LiveEvents["connection"] | undefined;
let heard: number | undefined;
let lost: number | undefined;
let grace: ReturnType<typeof setTimeout> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let wait = RETRY_MS.first;

const newest = new Map<string, Observation>();

/**
 * Calls back on each event of a name; returns the way to stop it. All islands of a page share one connection; one that
 * comes late is told at once how things stand.
 */
export function onLive<K extends keyof LiveEvents>(name: K, listener: Listener<K>): () => void {
  listeners[name].add(listener);
  if (name === "observations" && newest.size > 0) (listener as Listener<"observations">)(newestOf());
  if (name === "connection" && connection !== undefined) (listener as Listener<"connection">)(connection);
  return () => void listeners[name].delete(listener);
}

/** The newest observation of each city that was told since the page began. */
export function newestOf(): Observation[] {
  return [...newest.values()];
}

/** When an observation last arrived, ms by this machine's clock; undefined before the first. */
export function lastHeard(): number | undefined {
  return heard;
}

/** Opens the page's one connection, or opens it anew. */
export function connect(): void {
  clearTimeout(retry);
  source?.close();
  source = new EventSource(document.documentElement.dataset.live ?? "/live");
  source.addEventListener("open", opened);
  source.addEventListener("error", failed);
  listen<{ current: { observation: Observation }[] }>("snapshot", ({ current }) => {
    emit("restarted", null);
    take(current.map(({ observation }) => observation));
  });
  listen<{ observations: Observation[] }>("observations", ({ observations }) => {
    heard = Date.now();
    take(observations);
  });
  listen("status", () => announce("status"));
  listen<{ job: string }>("result", ({ job }) => {
    announce(`result-${job}`);
    jobChanged(job);
  });
  listen<{ run: { job: string } }>("run", ({ run }) => jobChanged(run.job));
}

/** Ends the connection, for good when the page is left. */
export function disconnect(): void {
  clearTimeout(grace);
  clearTimeout(retry);
  source?.close();
}

/** Tells htmx, which listens on the body. */
export function announce(name: string): void {
  document.body?.dispatchEvent(new CustomEvent(name));
}

function jobChanged(job: string): void {
  announce("jobs-changed");
  announce(`job-${job}`);
}

function listen<T>(name: string, take: (data: T) => void): void {
  source?.addEventListener(name, (event: MessageEvent<string>) => take(JSON.parse(event.data) as T));
}

function take(observations: readonly Observation[]): void {
  for (const observation of observations) {
    const at = Date.parse(observation.timestamp);
    observed(at);
    const known = newest.get(observation.city);
    if (known === undefined || Date.parse(known.timestamp) <= at) newest.set(observation.city, observation);
  }
  emit("observations", observations);
}

function opened(): void {
  clearTimeout(grace);
  lost = undefined;
  wait = RETRY_MS.first;
  if (connection?.live !== true) tell(true, Date.now());
}

function failed(): void {
  // Each try that fails comes here; the first one counts.
  if (lost === undefined) {
    const since = (lost = Date.now());
    grace = setTimeout(() => {
      tell(false, since);
    }, GRACE_MS);
  }
  // An answer that is no stream (a proxy's 502, say) ends the browser's own tries.
  if (source?.readyState !== EventSource.CLOSED) return;
  clearTimeout(retry);
  retry = setTimeout(connect, wait);
  wait = Math.min(wait * 2, RETRY_MS.longest);
}

function tell(live: boolean, since: number): void {
  connection = { live, since };
  emit("connection", connection);
}

function emit<K extends keyof LiveEvents>(name: K, event: LiveEvents[K]): void {
  for (const listener of listeners[name]) listener(event);
}
