import { formatTimestamp } from "../../../core/time.ts";
import { isSilence } from "../../../core/quality.ts";
import { attribute } from "../../attribute.ts";
import { formatAge, formatNumber } from "../../format.ts";
import { plotScale } from "../../plot.ts";
import type { CityAnomaly } from "../../city-facts.ts";
import { type Scale, scalesOf, type Units } from "../../units.ts";
import { zoneTime } from "../../zone-time.ts";
import { Age } from "../../parts/age.tsx";
import { anomalyPlace, anomalyReasons, anomalyWords, levelOf } from "../../parts/anomalies.tsx";
import { Fact } from "../../parts/fact.tsx";
import { Icon } from "../../parts/icons.tsx";

/** Kinds of anomalies, as they stand in the address, and what each means. */
export const KINDS = {
  unusual: "unusual for the season and hour",
  spike: "a spike: up and back at once",
  step: "a step: further than reports usually go",
  stuck: "stuck: the same value for too long",
  silent: "silent: no report",
  outage: "outage: most are silent at once",
} as const satisfies Record<CityAnomaly["kind"], string>;

/** An anomaly with its city's slug, the name a query has for it (`addressName`) and zone; null where the city is not known. */
export type PlacedAnomaly = CityAnomaly & { slug: string | null; asked: string | null; zone: string | null };

/** An anomaly that opens to what was observed and expected. `asOf` is the page's clock, ms. */
export function AnomalyItem({
  anomaly,
  units,
  asOf,
  recorded,
}: {
  anomaly: PlacedAnomaly;
  units: Units;
  asOf: number;
  recorded: boolean;
}): JSX.Element {
  const { temperature } = scalesOf(units);
  const level = levelOf(anomaly.severity);
  const { what, delta } = anomalyWords(anomaly, temperature);
  const time = zoneTime(units.time === "city" ? anomaly.zone : null);
  return (
    <li>
      <details>
        <summary>
          <span class="sev">
            <Icon name={level.icon} />
            <span class="vh">{level.word}</span>
          </span>
          <span>
            <b safe>{anomalyPlace(anomaly)}</b> <b safe>{what}</b>{" "}
            <span class="delta" safe>
              {delta}
            </span>
          </span>
          <Age time={anomaly.time} now={asOf} ago recorded={recorded} />
        </summary>
        <div class="opened">
          <dl class="mini facts">
            <Fact name="Kind" value={KINDS[anomaly.kind] ?? anomaly.kind} />
            <Fact name="When" value={`${time.short(anomaly.time)} ${time.name(anomaly.time)}`} />
            {measured(anomaly, temperature).map(([name, value]) => (
              <Fact name={name} value={value} />
            ))}
            <Fact name="Method" value={anomaly.method} />
            <Fact name="Score" value={formatNumber(anomaly.score, 1)} />
            <Fact name="n" value={formatNumber(anomaly.n, 0)} />
          </dl>
          <Bounds anomaly={anomaly} scale={temperature} />
          <p>
            {anomaly.slug === null ? (
              ""
            ) : (
              <a
                href={`/cities/${encodeURIComponent(anomaly.slug)}?range=${rangeOf(asOf - anomaly.time)}`}
                safe
              >
                {`Its course in ${anomaly.city}`}
              </a>
            )}{" "}
            {anomaly.asked === null || isSilence(anomaly.kind) ? (
              ""
            ) : (
              <a href={whyOf(anomaly.asked, anomaly.time)} aria-label={attribute(`Why? ${anomaly.city}`)}>
                Why?
              </a>
            )}{" "}
            <a href={rowOf(anomaly)} aria-label={attribute(`The report of ${anomaly.city} as JSON`)}>
              The report as JSON
            </a>
          </p>
        </div>
      </details>
      <p class="why u" safe>
        {anomalyReasons(anomaly, temperature).join(" · ")}
      </p>
    </li>
  );
}

const MINUTE_MS = 60_000;

/** What was observed, expected and its bounds, in the unit of the kind. */
function measured({ kind, observed, expected, lower, upper }: CityAnomaly, scale: Scale): [string, string][] {
  if (isSilence(kind)) {
    return [
      ["Silent for", observed === null ? "–" : formatAge(observed * MINUTE_MS)],
      ["A report is usual every", expected === null ? "–" : formatAge(expected * MINUTE_MS)],
    ];
  }
  if (kind === "stuck") {
    return [
      ["Without a change for", `${formatNumber(observed, 0)} h`],
      ["Usual at most", `${formatNumber(upper, 0)} h`],
    ];
  }
  return [
    ["Observed", `${scale.text(observed)} ${scale.unit}`],
    ["Expected", `${scale.text(expected)} ${scale.unit}`],
    ["Bounds", `${scale.text(lower)} to ${scale.text(upper)} ${scale.unit}`],
  ];
}

const BOX = { width: 400, height: 22 };

/** Where the observed value lies beside its bounds. */
function Bounds({ anomaly, scale }: { anomaly: CityAnomaly; scale: Scale }): JSX.Element {
  const { kind, observed, expected, lower, upper } = anomaly;
  if (isSilence(kind) || kind === "stuck" || observed === null || lower === null || upper === null)
    return <></>;
  const { min, max } = plotScale([observed, lower, upper], 1);
  const x = (value: number) => Math.round(((value - min) / (max - min)) * BOX.width * 10) / 10;
  return (
    <svg
      class="bounds"
      viewBox={`0 0 ${BOX.width} ${BOX.height}`}
      width={BOX.width}
      height={BOX.height}
      role="img"
      aria-label={attribute(
        `observed ${scale.text(observed)}, bounds ${scale.text(lower)} to ${scale.text(upper)} ${scale.unit}`,
      )}
    >
      <path class="track" d={`M0 11H${BOX.width}`} />
      <path class="usual" d={`M${x(lower)} 11H${x(upper)}`} />
      {expected === null ? "" : <path class="tick" d={`M${x(expected)} 4V18`} />}
      <circle class="mark-ring" cx={x(observed)} cy="11" r="5" />
    </svg>
  );
}

/** The shortest range of a city's page that shows it. */
function rangeOf(ageMs: number): string {
  return ageMs < 24 * 3_600_000 ? "24h" : ageMs < 7 * 24 * 3_600_000 ? "7d" : "30d";
}

/** The page that tells where a report comes from. */
function whyOf(city: string, time: number): string {
  return attribute(`/why?${new URLSearchParams({ city, timestamp: formatTimestamp(time) })}`);
}

function rowOf({ asked, time }: { asked: string | null; time: number }): string {
  const query = new URLSearchParams({
    ...(asked === null ? {} : { city: asked }),
    from: formatTimestamp(time),
    to: formatTimestamp(time + 1000),
  });
  return attribute(`/api/v1/observations?${query}`);
}
