import { addressName } from "../../../core/city-name.ts";
import { attribute } from "../../attribute.ts";
import { formatCount, formatNumber } from "../../format.ts";
import { AnomalyItem, KINDS, type PlacedAnomaly } from "./anomaly-item.tsx";
import { CityChoice } from "../../parts/city-choice.tsx";
import { Formats } from "../../parts/formats.tsx";
import { Empty } from "../../parts/notes.tsx";
import { ResultLine } from "../../parts/result.tsx";
import type { CityAnomaly } from "../../city-facts.ts";
import type { ResultOrigin } from "../../../core/analytic-job.ts";
import type { Verdict } from "../../../core/verdict.ts";
import type { Units } from "../../units.ts";

/** Severities from which on is shown. */
export const SEVERITIES = { 1: "all", 2: "alert and severe", 3: "severe" } as const;

/** Time windows, hours back. */
export const WINDOWS = { 6: "6 hours", 24: "24 hours", 48: "48 hours" } as const;

/** What is let through; null for everything. */
export interface AnomalyFilter {
  kind: CityAnomaly["kind"] | null;
  severity: number | null;
  hours: number | null;
}

/** What the page of anomalies shows. */
export interface AnomaliesPageProps {
  /** The page's clock, and the real time, ms. */
  asOf: number;
  now: number;
  /** What can be said of the cities that are let through. */
  verdict: Verdict;
  units: Units;
  filter: AnomalyFilter;
  /** Slug of the city that is let through; null for all. */
  city: string | null;
  cities: { name: string; slug: string }[];
  /** Null before the job's first run. */
  result: {
    info: ResultOrigin;
    /** How many there are, and how many of them the filter lets through. */
    total: number;
    matching: number;
    /** How many of the matching are severe. */
    severe: number;
    /** The newest of the matching, newest first. */
    rows: PlacedAnomaly[];
  } | null;
}

/** Every anomaly, with filters in the address; each opens to what was expected. */
export function AnomaliesPage(props: AnomaliesPageProps): JSX.Element {
  const { result, now, verdict } = props;
  const place = props.cities.find(({ slug }) => slug === props.city);
  const asked = place === undefined ? null : addressName(place, props.cities);
  return (
    <>
      <div class="headline">
        <h1 safe>{answerOf(props)}</h1>
        <p class="asof" safe>
          {`Each report against what is usual there for the season and hour.${verdict.tooEarly === null ? "" : ` ${verdict.tooEarly}`}`}
        </p>
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
            path={`/api/v1/anomalies${asked === null ? "" : `?city=${encodeURIComponent(asked)}`}`}
            of="anomalies"
          />
        </div>
        <Filters {...props} />
        {result === null ? (
          <Empty what="No judgement yet." why="It comes with the first run of the job anomalies." />
        ) : result.rows.length === 0 ? (
          <Nothing total={result.total} verdict={verdict} />
        ) : (
          <ul class="anoms opening">
            {result.rows.map((anomaly) => (
              <AnomalyItem
                anomaly={anomaly}
                units={props.units}
                asOf={props.asOf}
                recorded={verdict.isRecording}
              />
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

function answerOf({ result, verdict }: AnomaliesPageProps): string {
  if (result === null) return "Not judged yet";
  if (result.total === 0) return verdict.nothing.what.replace(/\.$/, "");
  const found = formatCount(result.matching, "anomaly", "anomalies");
  return result.severe === 0 ? found : `${found}, ${formatNumber(result.severe, 0)} severe`;
}

function Nothing({ total, verdict }: { total: number; verdict: Verdict }): JSX.Element {
  return total === 0 ? (
    <Empty {...verdict.nothing} />
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
      <span class="choice">
        <label for="city">City</label>
        <CityChoice name="city" none="every city" cities={cities} chosen={city} />
      </span>
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
