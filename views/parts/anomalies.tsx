import { isSilence } from "../../core/quality.ts";
import { formatAge, formatNumber } from "../format.ts";
import type { CityAnomaly } from "../city-facts.ts";
import { type Scale, scalesOf, type Units } from "../units.ts";
import { Age } from "./age.tsx";
import { Icon } from "./icons.tsx";
import { Empty } from "./notes.tsx";
import { ResultLine } from "./result.tsx";
import type { ResultOrigin } from "../../core/analytic-job.ts";
import type { Verdict } from "../../core/verdict.ts";

/** The newest anomalies; `result` is null before the job's first run. */
export interface AnomaliesProps {
  /** The page's clock, ms. */
  asOf: number;
  /** Now, ms. */
  now: number;
  /** What can be said of these cities. */
  verdict: Verdict;
  result: {
    info: ResultOrigin;
    rows: CityAnomaly[];
  } | null;
}

/** How a severity is shown: by one, two or three bars. */
const LEVELS = {
  1: { icon: "sev-1", word: "unusual" },
  2: { icon: "sev-2", word: "alert" },
  3: { icon: "sev-3", word: "severe" },
} as const;

/** The look of a severity; what has none is shown as the least. */
export function levelOf(severity: number | null): (typeof LEVELS)[1 | 2 | 3] {
  return severity === 3 || severity === 2 ? LEVELS[severity] : LEVELS[1];
}

const MINUTE_MS = 60_000;

/** The newest anomalies, each with what was expected. */
export function Anomalies({
  asOf,
  now,
  verdict,
  result,
  units,
}: AnomaliesProps & { units: Units }): JSX.Element {
  const { temperature } = scalesOf(units);
  if (result === null) {
    return <Empty what="No judgement yet." why="It comes with the first run of the job anomalies." />;
  }
  return (
    <>
      {result.rows.length === 0 ? (
        <Empty {...verdict.nothing} />
      ) : (
        <ul class="anoms">
          {result.rows.map((anomaly) => (
            <Item anomaly={anomaly} asOf={asOf} recorded={verdict.isRecording} scale={temperature} />
          ))}
        </ul>
      )}
      <ResultLine info={result.info} now={now} />
    </>
  );
}

function Item({
  anomaly,
  asOf,
  recorded,
  scale,
}: {
  anomaly: CityAnomaly;
  asOf: number;
  recorded: boolean;
  scale: Scale;
}): JSX.Element {
  const level = levelOf(anomaly.severity);
  const { what, delta } = anomalyWords(anomaly, scale);
  return (
    <li>
      <span class="sev" title={level.word}>
        <Icon name={level.icon} />
        <span class="vh">{level.word}</span>
      </span>
      <p>
        <b safe>{anomalyPlace(anomaly)}</b> <b safe>{what}</b>{" "}
        <span class="delta" safe>
          {delta}
        </span>
      </p>
      <Age time={anomaly.time} now={asOf} ago recorded={recorded} />
      <p class="why u" safe>
        {anomalyReasons(anomaly, scale).join(" · ")}
      </p>
    </li>
  );
}

/** What an anomaly is of: a city, or of an outage nothing but itself. */
export function anomalyPlace({ kind, city }: CityAnomaly): string {
  return kind === "outage" ? "Outage" : city;
}

/** What was found, and how far it lies from what was expected, in words. */
export function anomalyWords(
  { kind, observed, expected, n }: CityAnomaly,
  scale: Scale,
): { what: string; delta: string } {
  if (observed === null) return { what: kind, delta: "" };
  if (kind === "outage")
    return {
      what: `${formatNumber(n, 0)} series silent at once`,
      delta: `for ${formatAge(observed * MINUTE_MS)}`,
    };
  if (isSilence(kind)) return { what: "silent", delta: `for ${formatAge(observed * MINUTE_MS)}` };
  if (kind === "stuck") return { what: "stuck", delta: `for ${formatNumber(observed, 0)} h` };
  const delta = expected === null ? "" : `${scale.signed(observed - expected)}°`;
  return { what: `${scale.text(observed)}°`, delta: kind === "unusual" ? delta : `${delta} ${kind}` };
}

/** What was expected, by which method, and how sure that is. */
export function anomalyReasons(
  { kind, city, expected, lower, upper, score, method, n }: CityAnomaly,
  scale: Scale,
): string[] {
  const why: string[] = [];
  if (kind === "outage") why.push(`${city} for the longest`);
  if (isSilence(kind)) {
    if (expected !== null) why.push(`a report is usual every ${formatAge(expected * MINUTE_MS)}`);
  } else if (kind === "stuck") {
    if (upper !== null) why.push(`no more than ${formatNumber(upper, 0)} h are usual`);
  } else if (expected !== null) {
    const bounds = lower === null || upper === null ? "" : ` (${scale.text(lower)} to ${scale.text(upper)})`;
    why.push(`expected ${scale.text(expected)}°${bounds}`);
  }
  if (kind === "outage") return why;
  return [...why, `${method} ${formatNumber(score, 1)}`, `n ${formatNumber(n, 0)}`];
}
