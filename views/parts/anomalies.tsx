import { formatNumber, formatSigned } from "../format.ts";
import type { AnomaliesProps, Anomaly } from "../props.ts";
import { Age } from "./age.tsx";
import { Icon } from "./icons.tsx";
import { Empty } from "./notes.tsx";
import { ResultLine } from "./result.tsx";

/** From these z-scores on a value is unusual, strongly so, or an alert: one, two or three bars. */
const LEVELS = [
  { from: 6.5, icon: "sev-3", word: "alert" },
  { from: 5, icon: "sev-2", word: "strong" },
  { from: 0, icon: "sev-1", word: "unusual" },
] as const;

/** The newest values outside their bounds, each with what was expected. */
export function Anomalies({ asOf, now, result }: AnomaliesProps): JSX.Element {
  if (result === null) {
    return <Empty what="No judgement yet." why="It comes with the first run of temperature_anomalies." />;
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
      {result.method === "" ? "" : <p class="u from" safe>{`expected: ${result.method}`}</p>}
      <ResultLine info={result.info} now={now} />
    </>
  );
}

function Quiet({ judged }: { judged: boolean }): JSX.Element {
  return judged ? (
    <Empty what="Nothing unusual." why="No temperature of the last days lies outside its bounds." />
  ) : (
    <Empty what="Too early to judge." why="Bounds need ten days of the same hour; they come by themselves." />
  );
}

function Item({ anomaly, asOf }: { anomaly: Anomaly; asOf: number }): JSX.Element {
  const level = LEVELS.find(({ from }) => Math.abs(anomaly.z) >= from) ?? LEVELS[2];
  const { lower, upper } = anomaly;
  const bounds =
    lower === null || upper === null ? "" : ` (${formatNumber(lower, 1)} to ${formatNumber(upper, 1)})`;
  const why = [
    `expected ${formatNumber(anomaly.expected, 1)}°${bounds}`,
    `z ${formatNumber(anomaly.z, 1)}`,
    `n ${formatNumber(anomaly.n, 0)}`,
  ];
  return (
    <li>
      <span class="sev" title={level.word}>
        <Icon name={level.icon} />
        <span class="vh">{level.word}</span>
      </span>
      <p>
        <b safe>{anomaly.city}</b> <b safe>{`${formatNumber(anomaly.temperature, 1)}°`}</b>{" "}
        <span class="delta" safe>{`${formatSigned(anomaly.temperature - anomaly.expected, 1)}°`}</span>
      </p>
      <Age time={anomaly.time} now={asOf} ago />
      <p class="why u" safe>
        {why.join(" · ")}
      </p>
    </li>
  );
}
