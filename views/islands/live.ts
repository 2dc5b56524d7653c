import type { Observation } from "../../core/observation.ts";
import { observed } from "./clock.ts";

/** Events of the live stream, by name. */
export interface LiveEvents {
  /** New observations, in the order of the log. */
  observations: readonly Observation[];
  /** The stream restarted with a gap: the listener must read the missed data again. */
  restarted: null;
  /** State of the connection; `since` is ms since the epoch. */
  connection: { live: boolean; since: number };
}

type Listener<K extends keyof LiveEvents> = (event: LiveEvents[K]) => void;

/** Debounce time: a connection loss shorter than this, ms, is not shown. */
const GRACE_MS = 1000;
/** Exponential backoff after the browser itself has given up, ms. */
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
 * Subscribes to the events of a name. All islands of a page share one connection. A late subscriber gets the present state at
 * once.
 *
 * @returns a function that unsubscribes
 */
export function onLive<K extends keyof LiveEvents>(name: K, listener: Listener<K>): () => void {
  listeners[name].add(listener);
  if (name === "observations" && newest.size > 0) (listener as Listener<"observations">)(newestOf());
  if (name === "connection" && connection !== undefined) (listener as Listener<"connection">)(connection);
  return () => void listeners[name].delete(listener);
}

/** The newest observation of each city received since the page was loaded. */
export function newestOf(): Observation[] {
  return [...newest.values()];
}

/** Arrival time of the last observation, ms by this machine's clock; undefined before the first. */
export function lastHeard(): number | undefined {
  return heard;
}

/** Opens or reopens the page's only connection. */
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
  listen("status", () => tellHtmx("status"));
  listen<{ job: string }>("result", ({ job }) => {
    tellHtmx(`result-${job}`);
    jobChanged(job);
  });
  listen<{ run: { job: string } }>("run", ({ run }) => jobChanged(run.job));
}

/** Closes the connection. */
export function disconnect(): void {
  clearTimeout(grace);
  clearTimeout(retry);
  source?.close();
}

/** Dispatches an event on the body, where htmx listens. */
export function tellHtmx(name: string): void {
  document.body?.dispatchEvent(new CustomEvent(name));
}

function jobChanged(job: string): void {
  tellHtmx("jobs-changed");
  tellHtmx(`job-${job}`);
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
  // Called for each failed try; the first sets the time of the loss.
  if (lost === undefined) {
    const since = (lost = Date.now());
    grace = setTimeout(() => {
      tell(false, since);
    }, GRACE_MS);
  }
  // After an answer that is no event stream (such as a proxy's 502) the browser does not retry by itself.
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
