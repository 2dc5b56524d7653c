import { formatTimestamp } from "../../core/time.ts";
import { attribute } from "../attribute.ts";
import { formatAge, formatCount, formatNumber } from "../format.ts";
import { Age } from "../parts/age.tsx";
import { anomalyReasons, anomalyWords, levelOf } from "../parts/anomalies.tsx";
import { Formats } from "../parts/formats.tsx";
import { Icon } from "../parts/icons.tsx";
import { Empty } from "../parts/notes.tsx";
import { ResultLine } from "../parts/result.tsx";
import { plotScale } from "../plot.ts";
import type { Anomaly, ResultInfo } from "../props.ts";
import { type Scale, scalesOf, type Units } from "../units.ts";
import { zoneTime } from "../zone-time.ts";

/** Kinds of anomalies, as they stand in the address, and what each means. */
export const KINDS = {
  unusual: "unusual for the season and hour",
  spike: "a spike: up and back at once",
  step: "a step: further than reports usually go",
  stuck: "stuck: the same value for too long",
  silent: "silent: no report",
} as const satisfies Record<Anomaly["kind"], string>;

/** Severities from which on is shown. */
export const SEVERITIES = { 1: "all", 2: "alert and severe", 3: "severe" } as const;

/** Time windows, hours back. */
export const WINDOWS = { 6: "6 hours", 24: "24 hours", 48: "48 hours" } as const;

/** What is let through; null for everything. */
export interface AnomalyFilter {
  kind: Anomaly["kind"] | null;
  severity: number | null;
  hours: number | null;
}

/** What the page of anomalies shows. */
export interface AnomaliesPageProps {
  /** The page's clock, and the real time, ms. */
  asOf: number;
  now: number;
  units: Units;
  filter: AnomalyFilter;
  /** Slug of the city that is let through; null for all. */
  city: string | null;
  cities: { name: string; slug: string }[];
  /** Null before the job's first run. */
  result: {
    info: ResultInfo;
    /** How many there are, and how many of them the filter lets through. */
    total: number;
    matching: number;
    /** Newest first. */
    rows: (Anomaly & { slug: string | null; zone: string | null })[];
  } | null;
}

/** Every anomaly, with filters in the address; each opens to what was expected. */
export function AnomaliesPage(props: AnomaliesPageProps): JSX.Element {
  const { result, city, now } = props;
  return (
    <>
      <div class="headline">
        <h1 safe>{answerOf(props)}</h1>
        <p class="asof">Each report against what is usual there for the season and hour.</p>
      </div>
      <section aria-labelledby="h-list">
        <div class="bar">
          <h2 id="h-list">
            Anomalies{" "}
            <span class="count" safe>
              {result === null
                ? ""
                : `${formatNumber(result.matching, 0)} of ${formatNumber(result.total, 0)}`}
            </span>
          </h2>
          <Formats
            path={`/api/v1/anomalies${city === null ? "" : `?city=${encodeURIComponent(city)}`}`}
            of="anomalies"
          />
        </div>
        <Filters {...props} />
        {result === null ? (
          <Empty what="No judgement yet." why="It comes with the first run of the job anomalies." />
        ) : result.rows.length === 0 ? (
          <Nothing total={result.total} />
        ) : (
          <ul class="anoms opening">
            {result.rows.map((anomaly) => (
              <Item anomaly={anomaly} props={props} />
            ))}
          </ul>
        )}
        {result === null ? (
          ""
        ) : (
          <>
            {result.matching > result.rows.length ? (
              <p class="u from" safe>
                {`${formatCount(result.matching - result.rows.length, "more is", "more are")} in JSON, CSV and Arrow.`}
              </p>
            ) : (
              ""
            )}
            <ResultLine info={result.info} now={now} />
          </>
        )}
      </section>
    </>
  );
}

function answerOf({ result }: AnomaliesPageProps): string {
  if (result === null) return "Not judged yet";
  if (result.total === 0) return "Nothing unusual";
  const severe = result.rows.filter(({ severity }) => severity === 3).length;
  const shown = formatCount(result.matching, "anomaly", "anomalies");
  return severe === 0 ? shown : `${shown}, ${formatNumber(severe, 0)} severe`;
}

function Nothing({ total }: { total: number }): JSX.Element {
  return total === 0 ? (
    <Empty
      what="Nothing unusual."
      why="No report of the last days lies outside its bounds, or the past is still too short to judge by: bounds need ten days."
    />
  ) : (
    <p class="note">
      <span>
        <b>None of these.</b> <span safe>{formatCount(total, "other is", "others are")}</span> left out by the
        filter. <a href="/anomalies">Show all</a>
      </span>
    </p>
  );
}

function Filters({ filter, city, cities }: AnomaliesPageProps): JSX.Element {
  return (
    <form class="filter" method="get" action="/anomalies">
      <Choice
        name="city"
        label="City"
        any="every city"
        value={city}
        options={cities.map(({ name, slug }) => [slug, name])}
      />
      <Choice name="kind" label="Kind" any="every kind" value={filter.kind} options={Object.entries(KINDS)} />
      <Choice
        name="severity"
        label="Severity"
        any="any"
        value={filter.severity === null ? null : String(filter.severity)}
        options={Object.entries(SEVERITIES).slice(1)}
      />
      <Choice
        name="hours"
        label="Within"
        any="all that is kept"
        value={filter.hours === null ? null : String(filter.hours)}
        options={Object.entries(WINDOWS)}
      />
      <button type="submit">Filter</button>
    </form>
  );
}

function Choice({
  name,
  label,
  any,
  value,
  options,
}: {
  name: string;
  label: string;
  any: string;
  value: string | null;
  options: [string, string][];
}): JSX.Element {
  return (
    <span class="choice">
      <label for={name} safe>
        {label}
      </label>
      <select id={name} name={name}>
        <option value="" safe>
          {any}
        </option>
        {options.map(([one, words]) => (
          <option value={attribute(one)} selected={one === value} safe>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}

function Item({
  anomaly,
  props,
}: {
  anomaly: NonNullable<AnomaliesPageProps["result"]>["rows"][number];
  props: AnomaliesPageProps;
}): JSX.Element {
  const { units, asOf } = props;
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
            <b safe>{anomaly.city}</b> <b safe>{what}</b>{" "}
            <span class="delta" safe>
              {delta}
            </span>
          </span>
          <Age time={anomaly.time} now={asOf} ago />
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

function Fact({ name, value }: { name: string; value: string }): JSX.Element {
  return (
    <div>
      <dt safe>{name}</dt>
      <dd safe>{value}</dd>
    </div>
  );
}

const MINUTE_MS = 60_000;

/** What was observed, expected and its bounds, in the unit of the kind. */
function measured({ kind, observed, expected, lower, upper }: Anomaly, scale: Scale): [string, string][] {
  if (kind === "silent") {
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
function Bounds({ anomaly, scale }: { anomaly: Anomaly; scale: Scale }): JSX.Element {
  const { kind, observed, expected, lower, upper } = anomaly;
  if (kind === "silent" || kind === "stuck" || observed === null || lower === null || upper === null)
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

function rowOf({ slug, time }: { slug: string | null; time: number }): string {
  const query = new URLSearchParams({
    ...(slug === null ? {} : { city: slug }),
    from: formatTimestamp(time),
    to: formatTimestamp(time + 1000),
  });
  return attribute(`/api/v1/observations?${query}`);
}
