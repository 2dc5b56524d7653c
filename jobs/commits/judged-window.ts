import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { JUDGED_AFTER_MS, JUDGED_PAST_MS } from "../../spark/judging.ts";
import type { FileInfo, Retraction } from "./entry.ts";
import { offsetsOf, placeOf } from "./names.ts";
import { retractionsWithin, type RetractedRange } from "./retracted-range.ts";

/** From (inclusive) to (exclusive), ms since the epoch. */
export interface TimeSpan {
  from: number;
  to: number;
}

/** The time a data file covers: its hour, or its day. */
export function spanOf(path: string): TimeSpan {
  const { date, hour } = placeOf(path);
  const from = Date.parse(`${date}T${hour ?? "00"}:00:00Z`);
  return { from, to: from + (hour === null ? DAY_MS : HOUR_MS) };
}

/** The time whose rows the flags of a file's rows depend on. */
export function windowOf(path: string): TimeSpan {
  const { from, to } = spanOf(path);
  return { from: from - JUDGED_PAST_MS, to: to + JUDGED_AFTER_MS };
}

/** Whether two spans of time overlap. */
export function overlap(a: TimeSpan, b: TimeSpan): boolean {
  return a.from < b.to && b.from < a.to;
}

/** The live files of a chain, by path. */
type Live<File extends FileInfo> = ReadonlyMap<string, File>;

/** Live files that can hold rows of a time. */
export function filesWithin<File extends FileInfo>(live: Live<File>, span: TimeSpan): File[] {
  return [...live.values()].filter(({ path }) => overlap(spanOf(path), span));
}

/** Up to where a chain had been read when something was judged: the first offset not committed, and how much was retracted. */
export interface JudgedAt {
  next: number | null;
  retractions: number;
}

/**
 * Whether flags that were computed over a state of the chain still stand in a later one: nothing was stored since in the time
 * that they depend on, and nothing was retracted.
 *
 * @param path of the file with the flags
 */
export function stillStands(
  state: { live: Live<FileInfo>; retractions: readonly Retraction[] },
  path: string,
  judged: JudgedAt,
): boolean {
  if (state.retractions.length !== judged.retractions) return false;
  return filesWithin(state.live, windowOf(path)).every(
    (file) => offsetsOf(file.path).last < (judged.next ?? 0),
  );
}

/** Takes back the flags that new files change: of those that depend on the time of one. */
export function takeBackByFiles<File extends FileInfo>(
  live: Map<string, File>,
  paths: readonly string[],
): void {
  const spans = paths.map(spanOf);
  for (const file of live.values()) {
    if (file.judged === undefined) continue;
    const window = windowOf(file.path);
    if (!spans.some((span) => overlap(span, window))) continue;
    const unjudged = { ...file };
    delete unjudged.judged;
    live.set(file.path, unjudged);
  }
}

/** Takes back the flags that a retraction changes: of those that depend on a file which may hold rows of it. */
export function takeBackByRetraction<File extends FileInfo>(
  live: Map<string, File>,
  range: RetractedRange,
): void {
  const paths = [...live.keys()].filter((path) => retractionsWithin([range], offsetsOf(path)).length > 0);
  takeBackByFiles(live, paths);
}
