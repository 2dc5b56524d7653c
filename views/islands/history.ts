import type { Observation } from "../../core/observation.ts";
import { HISTORY_HOURS, type History, type Series } from "../../core/chart-history.ts";
import { addPoint, convertHistory, dropBefore } from "../series.ts";
import { dataNow } from "./clock.ts";
import { newestOf, onLive } from "./live.ts";
import { SCALES } from "./units.ts";

/** Second read after this time, ms: the lake is filled in batches, so the newest rows may be missing in the first. */
const CATCH_UP_MS = 60_000;
/** Interval of further reads, ms: the server downsamples, so that the number of points stays bounded. */
const REFRESH_MS = 300_000;
/** Delay of the read after the first observation of a new city, ms: by then the observation is in the lake. */
const FIRST_MS = 3000;

const WINDOW_S = HISTORY_HOURS * 3600;

/** The temperatures of the charted cities in the window, in the reader's unit: from the lake, then from the stream. */
let history: History | undefined;
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;
let loading: AbortController | undefined;
/** Whether the history may lack observations that were not committed to the lake yet. */
let early = true;

/** The present history; undefined before the first read. */
export function pastOf(): History | undefined {
  return history;
}

/** Calls back after each change, the first read included. @returns a function that unsubscribes */
export function onHistory(watcher: () => void): () => void {
  watchers.add(watcher);
  if (history !== undefined) watcher();
  else if (loading === undefined) void load();
  return () => void watchers.delete(watcher);
}

onLive("restarted", () => {
  if (history !== undefined) soon(0);
});
onLive("observations", (observations) => {
  if (history === undefined) return;
  let first = false;
  for (const observation of observations) first = add(history, observation) || first;
  if (first) soon(FIRST_MS);
  changed(history);
});

/** Adds an observation. @returns whether it was the first of a charted city */
function add({ series }: History, { city, timestamp, temperature }: Observation): boolean {
  const line = series.find((candidate) => candidate.city === city);
  if (line === undefined) return false;
  addPoint(line, Date.parse(timestamp) / 1000, SCALES.temperature.of(temperature));
  return line.t.length === 1;
}

/** Reads the history, keeps newer points from the stream, and schedules the next read. */
async function load(): Promise<void> {
  loading?.abort();
  const { signal } = (loading = new AbortController());
  try {
    const response = await fetch(`/chart/temperature?hours=${HISTORY_HOURS}`, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    const read = convertHistory((await response.json()) as History, SCALES.temperature.of);
    for (const line of read.series) keepNewer(line);
    for (const observation of newestOf()) add(read, observation);
    history = read;
    changed(history);
    schedule(early ? CATCH_UP_MS : REFRESH_MS);
    early = false;
  } catch (error) {
    if (signal.aborted) return;
    console.warn("Cannot read the chart's past, trying again:", error);
    schedule(CATCH_UP_MS);
  }
}

/** Schedules a read in `ms`, and another one when pending observations have been committed. */
function soon(ms: number): void {
  early = true;
  schedule(ms);
}

function schedule(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void load(), ms);
}

function keepNewer(line: Series): void {
  const known = history?.series.find((candidate) => candidate.city === line.city);
  const end = line.t.at(-1) ?? -Infinity;
  known?.t.forEach((t, i) => {
    const v = known.v[i] ?? null;
    if (t > end && v !== null) addPoint(line, t, v);
  });
}

function changed(now: History): void {
  const ends = now.series.map((line) => line.t.at(-1) ?? 0);
  now.to = Math.max(dataNow() / 1000, ...ends);
  now.from = now.to - WINDOW_S;
  for (const line of now.series) dropBefore(line, now.from);
  for (const watcher of watchers) watcher();
}
