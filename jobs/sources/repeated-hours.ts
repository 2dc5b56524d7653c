import { type Draft, type DraftLine, isDraft } from "./draft.ts";
import { HeldLines } from "./held-lines.ts";

/** A line whose time has two meanings, beside what it says. */
interface Doubtful {
  held: DraftLine;
  draft: Draft;
}

/** What is known of a series of lines. */
interface Series {
  /** The newest line's time that is certain, ms; NaN before the first. */
  last: number;
  /** Lines of that time, one after the other. */
  count: number;
  /** Lines in a repeated hour that wait for the next time that is certain. */
  run: Doubtful[];
}

/** The two meanings of a time in an hour that the clocks repeat. */
const first = ({ draft }: Doubtful): number => draft.times[0]!;
const second = ({ draft }: Doubtful): number => draft.times.at(-1)!;

/**
 * Settles which time is meant in an hour (or half an hour) that the clocks repeat, by the lines before and after it. It
 * serves files in either order, with several lines of one time too. Lines come out in the order in which they go in.
 */
export class RepeatedHours {
  readonly #held = new HeldLines<DraftLine>();
  readonly #series = new Map<string, Series>();

  /** Takes the next line of the file, and returns those that wait for nothing. */
  push(line: DraftLine): DraftLine[] {
    if (!isDraft(line.read)) {
      this.#held.add(line, true);
    } else {
      const draft = line.read;
      const series = this.#seriesOf(draft.series);
      const isCertain = draft.times.length === 1;
      const [run] = series.run;
      if (isCertain) this.#settle(series, draft.times[0]!);
      else if (run !== undefined && !isSameHour(run.draft, draft)) this.#settle(series, draft.times[0]!);
      this.#held.add(line, isCertain);
      if (isCertain) {
        series.count = draft.times[0] === series.last ? series.count + 1 : 1;
        series.last = draft.times[0]!;
      } else series.run.push({ held: line, draft });
    }
    const overdue = this.#held.overdue();
    if (overdue !== undefined && isDraft(overdue.read))
      this.#settle(this.#seriesOf(overdue.read.series), NaN);
    return this.#held.take();
  }

  /** Returns the last lines: the file has ended. */
  end(): DraftLine[] {
    for (const series of this.#series.values()) this.#settle(series, NaN);
    return this.#held.take();
  }

  #seriesOf(name: string): Series {
    let series = this.#series.get(name);
    if (series === undefined) this.#series.set(name, (series = { last: NaN, count: 1, run: [] }));
    return series;
  }

  /** Settles the lines that wait. @param next the time after them, ms; NaN when it is not known */
  #settle(series: Series, next: number): void {
    const { run } = series;
    if (run.length === 0) return;
    const times = meant(run, series, next);
    for (const [index, { held, draft }] of run.entries()) {
      held.read = { ...draft, times: [times[index]!] };
      this.#held.settle(held);
    }
    series.last = times.at(-1)!;
    series.count = times.filter((time) => time === series.last).length;
    series.run = [];
  }
}

/** Whether two times lie in the same repeated hour. */
function isSameHour(a: Draft, b: Draft): boolean {
  const length = a.times[1]! - a.times[0]!;
  return length === b.times[1]! - b.times[0]! && Math.abs(a.times[0]! - b.times[0]!) < length;
}

/** The time that each line of a repeated hour means. */
function meant(run: readonly Doubtful[], { last, count }: Series, next: number): number[] {
  if (isAscending(run, last, next)) return meantAscending(run, last, next, count);
  return meantAscending(run.toReversed(), next, last, count).toReversed();
}

/** Whether the file goes forwards in time here, by the nearer of the times around it, or else by its own. */
function isAscending(run: readonly Doubtful[], last: number, next: number): boolean {
  const from = first(run[0]!);
  const fromNext = first(run.at(-1)!);
  const isNextNearer = !(Math.abs(last - from) <= Math.abs(next - fromNext));
  if (isNextNearer && !Number.isNaN(next)) return next > fromNext;
  if (!Number.isNaN(last)) return last < from;
  let steps = 0;
  for (const [index, line] of run.entries())
    if (index > 0) steps += Math.sign(first(line) - first(run[index - 1]!));
  return steps >= 0;
}

/**
 * The times of lines that go forwards.
 *
 * @param before the time before them, ms; NaN when it is not known
 * @param after the time after them, likewise
 * @param count lines that the file has of one time
 */
function meantAscending(run: readonly Doubtful[], before: number, after: number, count: number): number[] {
  // Where the clock falls back most, the second hour begins.
  let begin = 0;
  let fall = 0;
  for (const [index, line] of run.entries()) {
    const step = index === 0 ? 0 : first(line) - first(run[index - 1]!);
    if (step < fall) [begin, fall] = [index, step];
  }
  if (begin > 0) return run.map((line, index) => (index < begin ? first(line) : second(line)));
  // It does not fall back, but shows the same time more often than elsewhere: in hourly lines, or sorted by the clock.
  const seen = new Map<number, number>();
  const nth = run.map((line) => {
    const n = (seen.get(first(line)) ?? 0) + 1;
    seen.set(first(line), n);
    return n;
  });
  if (nth.some((n) => n > count))
    return run.map((line, i) => (nth[i]! <= count ? first(line) : second(line)));
  // Only one of the two hours is there: the one that is nearer to a time beside it. An unknown time is none.
  const gap = (from: number, to: number) => (Number.isNaN(to - from) ? Infinity : to - from);
  const gapOf = (of: (line: Doubtful) => number) =>
    Math.min(gap(before, of(run[0]!)), gap(of(run.at(-1)!), after));
  return run.map(gapOf(second) < gapOf(first) ? second : first);
}
