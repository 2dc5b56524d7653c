import type { Row } from "../../core/observation.ts";
import { DAY_MS, formatTimestamp, parseTimestamp } from "../../core/time.ts";
import { markdownTable } from "../../core/markdown.ts";
import { type EvaluationContext, readCsv, writeDays } from "./context.ts";
import { judgeSeries, type Score } from "./judged-series.ts";

/** The hourly temperatures of an office in which a system failed twice, and the windows of these faults. */
const FILE = "nab_ambient_temperature.csv";
const WINDOWS = [
  ["2013-12-15T07:00:00Z", "2013-12-30T09:00:00Z"],
  ["2014-03-29T15:00:00Z", "2014-04-20T22:00:00Z"],
] as const;
/** The first rows are for learning: this share of them, at most so many. */
const LEARNING = { share: 0.15, most: 750 };
/** Weight of a false positive in the standard profile. */
const FALSE_POSITIVE = 0.11;

/**
 * The raw score of the Numenta Anomaly Benchmark in its standard profile (Lavin and Ahmad, 2015, "Evaluating Real-time Anomaly
 * Detection Algorithms"): the earlier a window is hit, the better; a window without a hit costs 1, a false positive up
 * to 0.11, the less the closer it follows a window.
 *
 * @param alarms one a row
 * @param windows first and last row of each labelled fault, in order
 * @returns at most the number of windows
 */
export function nabScore(
  alarms: readonly boolean[],
  windows: readonly (readonly [first: number, last: number])[],
): number {
  const first = Math.min(Math.floor(LEARNING.share * alarms.length), LEARNING.most);
  const sigmoid = (position: number) => 2 / (1 + Math.exp(5 * position)) - 1;
  let score = 0;
  for (const [left, right] of windows) {
    let best = -1;
    for (let i = Math.max(first, left); i <= right; i++) {
      if (alarms[i] !== true) continue;
      best = Math.max(best, sigmoid(-(right - i + 1) / (right - left + 1)) / sigmoid(-1));
    }
    score += best;
  }
  for (let i = first; i < alarms.length; i++) {
    if (alarms[i] !== true || windows.some(([left, right]) => i >= left && i <= right)) continue;
    const before = windows.findLast(([, right]) => right < i);
    // A window's width is its number of rows.
    const position = before === undefined ? Infinity : (i - before[1]) / (before[1] - before[0]);
    score += position > 3 ? -FALSE_POSITIVE : FALSE_POSITIVE * sigmoid(position);
  }
  return score;
}

/**
 * Judges the benchmark's file as the program does, with the thresholds it ships with, and scores it.
 *
 * @param alert of each kind: from this score on it raises an alarm
 * @returns Markdown, and the score of each kind
 * @throws ConfigError when the file cannot be read
 */
export async function scoreNab(
  context: EvaluationContext,
  alert: Readonly<Record<string, number>>,
): Promise<{ markdown: string; scores: Record<string, number> }> {
  const [, ...lines] = await readCsv(context, FILE);
  const rows = lines.map(([time, value], log_offset): Row => {
    const timestamp = formatTimestamp(Date.parse(`${time!.replace(" ", "T")}Z`));
    return {
      timestamp,
      city: "office",
      temperature: (Number(value) - 32) / 1.8,
      humidity: null,
      pressure: null,
      wind_speed: null,
      rainfall: null,
      weather_main: null,
      weather_description: null,
      source: "nab",
      log_offset,
      ingested_at: timestamp,
    };
  });
  const times = rows.map(({ timestamp }) => parseTimestamp(timestamp));
  const windows = WINDOWS.map(([left, right]): [number, number] => [
    times.findIndex((time) => time >= Date.parse(left)),
    times.findLastIndex((time) => time <= Date.parse(right)),
  ]).filter(([left, right]) => left !== -1 && right >= left);
  const files = await writeDays(context, "nab", rows);
  const from = formatTimestamp(times[0]! + 31 * DAY_MS).slice(0, 10);
  const [series] = await judgeSeries(context, "nab", files, [], { from, everyDays: 1 });
  if (series === undefined) throw new Error(`none of the ${rows.length} rows of ${FILE} was judged`);
  const place = new Map(times.map((time, index) => [time, index]));
  const kinds: [name: string, kinds: Score[]][] = [
    ["unusual", ["unusual"]],
    ["step", ["step"]],
    ["spike", ["spike"]],
    ["stuck", ["stuck"]],
    ["silent", ["silent"]],
    ["all kinds", ["unusual", "step", "spike", "stuck", "silent"]],
  ];
  const scores: Record<string, number> = {};
  const table = kinds.map(([name, own]) => {
    const alarms = rows.map(() => false);
    for (const [i, time] of series.times.entries()) {
      if (own.some((kind) => series.scores[kind][i]! >= alert[kind]!)) alarms[place.get(time)!] = true;
    }
    const inWindow = (i: number) => windows.some(([left, right]) => i >= left && i <= right);
    const hit = windows.filter(([left, right]) => alarms.slice(left, right + 1).includes(true)).length;
    const outside = alarms.filter((alarm, i) => alarm && !inWindow(i)).length;
    scores[name] = nabScore(alarms, windows);
    return [name, scores[name].toFixed(2), `${hit} of ${windows.length}`, outside];
  });
  const markdown = markdownTable(
    ["raised by", "score (at most 2)", "windows hit", "reports outside that alarm"],
    table,
  );
  return { markdown, scores };
}
