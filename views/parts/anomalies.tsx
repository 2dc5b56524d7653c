import { formatAge, formatNumber, formatSigned } from "../format.ts";
import type { AnomaliesProps, Anomaly } from "../props.ts";
import { Age } from "./age.tsx";
import { Icon } from "./icons.tsx";
import { Empty } from "./notes.tsx";
import { ResultLine } from "./result.tsx";

/** How a severity is shown: by one, two or three bars. */
const LEVELS = {
  1: { icon: "sev-1", word: "unusual" },
  2: { icon: "sev-2", word: "alert" },
  3: { icon: "sev-3", word: "severe" },
} as const;

const MINUTE_MS = 60_000;

/** The newest anomalies, each with what was expected. */
export function Anomalies({ asOf, now, result }: AnomaliesProps): JSX.Element {
  if (result === null) {
    return <Empty what="No judgement yet." why="It comes with the first run of the job anomalies." />;
  }
  return (
    <>
      {result.rows.length === 0 ? (
        <Quiet judged={result.judged} />
      ) : (
        <ul class="anoms">
          {result.rows.map((anomaly) => (
            <Item anomaly={anomaly} asOf={asOf} />
          ))}
        </ul>
      )}
      <ResultLine info={result.info} now={now} />
    </>
  );
}

function Quiet({ judged }: { judged: boolean }): JSX.Element {
  return judged ? (
    <Empty what="Nothing unusual." why="No report of the last days lies outside its bounds." />
  ) : (
    <Empty what="Too early to judge." why="Bounds need ten days of the same hour; they come by themselves." />
  );
}

function Item({ anomaly, asOf }: { anomaly: Anomaly; asOf: number }): JSX.Element {
  const level = anomaly.severity === 3 || anomaly.severity === 2 ? LEVELS[anomaly.severity] : LEVELS[1];
  const { what, delta } = headlineOf(anomaly);
  return (
    <li>
      <span class="sev" title={level.word}>
        <Icon name={level.icon} />
        <span class="vh">{level.word}</span>
      </span>
      <p>
        <b safe>{anomaly.city}</b> <b safe>{what}</b>{" "}
        <span class="delta" safe>
          {delta}
        </span>
      </p>
      <Age time={anomaly.time} now={asOf} ago />
      <p class="why u" safe>
        {whyOf(anomaly).join(" · ")}
      </p>
    </li>
  );
}

function headlineOf({ kind, observed, expected }: Anomaly): { what: string; delta: string } {
  if (observed === null) return { what: kind, delta: "" };
  if (kind === "silent") return { what: "silent", delta: `for ${formatAge(observed * MINUTE_MS)}` };
  if (kind === "stuck") return { what: "stuck", delta: `for ${formatNumber(observed, 0)} h` };
  const delta = expected === null ? "" : `${formatSigned(observed - expected, 1)}°`;
  return { what: `${formatNumber(observed, 1)}°`, delta: kind === "unusual" ? delta : `${delta} ${kind}` };
}

function whyOf({ kind, expected, lower, upper, score, method, n }: Anomaly): string[] {
  const why: string[] = [];
  if (kind === "silent") {
    if (expected !== null) why.push(`a report is usual every ${formatAge(expected * MINUTE_MS)}`);
  } else if (kind === "stuck") {
    if (upper !== null) why.push(`no more than ${formatNumber(upper, 0)} h are usual`);
  } else if (expected !== null) {
    const bounds =
      lower === null || upper === null ? "" : ` (${formatNumber(lower, 1)} to ${formatNumber(upper, 1)})`;
    why.push(`expected ${formatNumber(expected, 1)}°${bounds}`);
  }
  return [...why, `${method} ${formatNumber(score, 1)}`, `n ${formatNumber(n, 0)}`];
}
