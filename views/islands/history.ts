import type { Observation } from "../../core/observation.ts";
import { addPoint, convertHistory, dropBefore, type History, HISTORY_HOURS, type Series } from "../series.ts";
import { dataNow } from "./clock.ts";
import { newestOf, onLive } from "./live.ts";
import { SCALES } from "./units.ts";

/** The lake is filled in batches: what was on its way when the page was read is there a minute later. */
const CATCH_UP_MS = 60_000;
/** Reading again keeps the lines as thin as the server makes them, however long the page stays open. */
const REFRESH_MS = 300_000;
/** A city without a past gets it shortly after its first observation: by then it has reached the lake. */
const FIRST_MS = 3000;

const WINDOW_S = HISTORY_HOURS * 3600;

/** The temperature of the charted cities over the window, in the reader's unit, from the lake and then from the stream. */
let history: History | undefined;
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;
let loading: AbortController | undefined;
/** Whether the past was read while observations were still on their way to the lake. */
let early = true;

/** The past as it is known now; undefined before it was read. */
export function pastOf(): History | undefined {
  return history;
}

/** Calls back after each change, beginning with the first reading; returns the way to stop it. */
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

/** Adds an observation; says whether it was the first of a charted city. */
function add({ series }: History, { city, timestamp, temperature }: Observation): boolean {
  const line = series.find((candidate) => candidate.city === city);
  if (line === undefined) return false;
  addPoint(line, Date.parse(timestamp) / 1000, SCALES.temperature.of(temperature));
  return line.t.length === 1;
}

/** Reads the past, keeps what the stream told beyond it, and reads it again after a while. */
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

/** Reads the past again in `ms`, and once more when what is on its way has arrived. */
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
