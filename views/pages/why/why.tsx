import type { Place } from "../../../core/city.ts";
import type { Explanation, Stored } from "../../../core/explanation.ts";
import type { Observation } from "../../../core/observation.ts";
import { flagOf, type Limit, QUALITY_TESTS, type QualityTest } from "../../../core/quality.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { attribute } from "../../attribute.ts";
import { formatNumber } from "../../format.ts";
import { impossibleValue, shownVariables, valueLabel } from "../../shown-variables.ts";
import { Fact } from "../../parts/fact.tsx";
import { FlagMark } from "../../parts/flag.tsx";
import { measureClass } from "../../parts/measure.tsx";
import { Empty } from "../../parts/notes.tsx";
import { type Scales, scalesOf, type Units } from "../../units.ts";
import { type ZoneTime, zoneTime } from "../../zone-time.ts";

/** Whose value it is. */
export type WhyPlace = Pick<Place, "name" | "slug" | "zone">;

/** What the page shows below its top. */
export interface WhyRestProps {
  place: WhyPlace;
  /** When it was observed, ms; null where no report of the city is committed. */
  time: number | null;
  units: Units;
  /** One for each source that reported then. */
  sources: readonly Explanation[];
}

/** What each test looks at. */
const TESTS: Record<QualityTest, string> = {
  q_gross: "Extremes",
  q_step: "Changes",
  q_spike: "A value that sticks out",
  q_stuck: "Hours without a change",
  q_level: "Pressure of another height",
  q_consistency: "Contradictions within the report",
  q_time: "When it came",
  q_neighbour: "Other sources of the city",
};

/** The top of the page that says why a value is what it is. */
export function WhyTop({ place }: { place: WhyPlace }): JSX.Element {
  return (
    <>
      <p class="crumb">
        <a href={`/cities/${encodeURIComponent(place.slug)}`} safe>
          {place.name}
        </a>
      </p>
      <div class="headline">
        <h1>
          Why this value?{" "}
          <span class="rest" safe>
            {place.name}
          </span>
        </h1>
        <p class="asof">Where it comes from, how it was judged, and what was computed with it.</p>
      </div>
    </>
  );
}

/** Below it: where the value comes from, how it was judged, what was made of it. */
export function WhyRest({ place, time, units, sources }: WhyRestProps): JSX.Element {
  const clock = zoneTime(units.time === "city" ? place.zone : null);
  const scales = scalesOf(units);
  return (
    <>
      {sources.length === 0 ? (
        <Empty
          what={time === null ? "No report is committed yet." : "No report of that time is committed."}
          why="A new one is within seconds: load the page again."
        />
      ) : (
        sources.map((one, i) => <Source id={`source-${i}`} one={one} scales={scales} clock={clock} />)
      )}
    </>
  );
}

interface SourceProps {
  one: Explanation;
  id: string;
  scales: Scales;
  clock: ZoneTime;
}

function Source(props: SourceProps): JSX.Element {
  const { one, id, clock } = props;
  const observed = parseTimestamp(one.observation.timestamp);
  return (
    <section aria-labelledby={id}>
      <div class="bar">
        <h2 id={id}>
          <span safe>{one.observation.source}</span>{" "}
          <span class="count" safe>
            {`${clock.short(observed)} ${clock.name(observed)}`}
          </span>{" "}
          {one.retraction !== null ? (
            <span class="u">retracted</span>
          ) : one.observation.flag === null ? (
            <span class="u">not judged yet</span>
          ) : (
            <FlagMark flag={one.observation.flag} />
          )}
        </h2>
      </div>
      <div class="split even">
        <div>
          <Values {...props} />
          <Origin {...props} />
        </div>
        <div>
          <Tests {...props} />
          <Results {...props} />
        </div>
      </div>
    </section>
  );
}

function Values({ one: { observation, revisions }, scales, clock, id }: SourceProps): JSX.Element {
  return (
    <div class="scroll" tabindex="0" role="region" aria-label="Values" aria-describedby={id}>
      <table class="num">
        <thead>
          <tr>
            <th scope="col">Variable</th>
            <th scope="col">Value</th>
            <th scope="col">Quality</th>
            {revisions.map(({ record, retraction }) => (
              <th scope="col">
                {retraction === null ? "Before" : "Retracted"}, of{" "}
                <span safe>{clock.clock(parseTimestamp(record.ingested_at))}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shownVariables([observation, ...revisions.map((one) => one.observation)]).map((name) => {
            const { text, unit } = scales[name];
            const shown = (report: Observation) => {
              const came = impossibleValue(report, name);
              return came === undefined ? `${text(report[name])} ${unit}` : `${came}, impossible`;
            };
            const flag = flagOf(observation, name);
            return (
              <tr>
                <th scope="row" safe>
                  {valueLabel(name)}
                </th>
                <td class={measureClass(observation[name])} safe>
                  {shown(observation)}
                </td>
                <td>{flag === null ? "–" : <FlagMark flag={flag} />}</td>
                {revisions.map(({ observation: before }) => (
                  <td class={measureClass(before[name])} safe>
                    {shown(before)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Origin({ one, clock }: SourceProps): JSX.Element {
  const { record, file, commit, observation } = one;
  const received = parseTimestamp(record.ingested_at);
  const why = new URLSearchParams({
    city: observation.city,
    timestamp: observation.timestamp,
    source: observation.source,
  });
  return (
    <dl class="mini facts origin">
      <Fact name="Received" value={`${clock.short(received)} ${clock.name(received)}`} />
      <Fact
        name="Log"
        value={`${record.topic}, partition ${record.partition}, offset ${formatNumber(record.offset, 0)}`}
      />
      <Fact name="File" value={file.path} />
      <Fact name="Commit" value={commit.path} />
      <Fact
        name="Judged"
        value={file.judged === null ? "now, for this page" : `when its day was closed, by ${file.judged}`}
      />
      {[one, ...one.revisions].map((stored) => (
        <Retracted stored={stored} clock={clock} />
      ))}
      <div>
        <dt>All of it</dt>
        <dd>
          <a href={attribute(`/api/v1/observations/why?${why}`)}>as JSON</a>
        </dd>
      </div>
    </dl>
  );
}

/** That a revision was retracted, when and why; nothing where it was not. */
function Retracted({ stored, clock }: { stored: Stored; clock: ZoneTime }): JSX.Element {
  const { record, retraction } = stored;
  if (retraction === null) return <></>;
  const at = parseTimestamp(retraction.at);
  const offset = formatNumber(record.offset, 0);
  return (
    <Fact
      name="Retracted"
      value={`offset ${offset}, ${clock.short(at)} ${clock.name(at)}: ${retraction.reason} (${retraction.path})`}
    />
  );
}

function Tests({ one, id }: SourceProps): JSX.Element {
  return (
    <div class="scroll" tabindex="0" role="region" aria-label="Tests" aria-describedby={id}>
      <table>
        <thead>
          <tr>
            <th scope="col">Test</th>
            <th scope="col">Result</th>
            <th scope="col">Limits here</th>
          </tr>
        </thead>
        <tbody>
          {QUALITY_TESTS.map((test) => {
            const { flag = null, limits = [] } = one.tests.find(({ test: name }) => name === test) ?? {};
            return (
              <tr>
                <th scope="row" safe>
                  {TESTS[test]}
                </th>
                <td>{flag === null ? "–" : <FlagMark flag={flag} />}</td>
                <td class="u">
                  {limits.map((limit) => (
                    <div safe>{limitWords(limit)}</div>
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** A limit in words, in the units of the record: `temperature: suspect below -30 or above 40, fails above 50 °C`. */
function limitWords(limit: Limit): string {
  const bounds = (low: number | null, high: number | null): string =>
    [
      ...(low === null ? [] : [`below ${formatNumber(low, digits(low))}`]),
      ...(high === null ? [] : [`above ${formatNumber(high, digits(high))}`]),
    ].join(" or ");
  const suspect = bounds(limit.suspect_low, limit.suspect_high);
  const fail = bounds(limit.fail_low, limit.fail_high);
  const words = [
    ...(suspect === "" ? [] : [`suspect ${suspect}`]),
    ...(fail === "" ? [] : [`fails ${fail}`]),
  ];
  const within = limit.hours === null ? "" : ` within ${formatNumber(limit.hours, 0)} h`;
  return `${limit.variable.replaceAll("_", " ")}${within}: ${words.join(", ")} ${limit.unit}`;
}

function digits(value: number): number {
  return Number.isInteger(value) ? 0 : 1;
}

function Results({ one: { results } }: SourceProps): JSX.Element {
  if (results.length === 0) return <Empty what="No result yet." why="They come with the first runs." />;
  const list = (used: boolean | null) => results.filter((result) => result.used === used);
  return (
    <>
      <ResultList name="In the newest result of" results={list(true)} />
      <ResultList name="Came after the newest result of" results={list(false)} />
      <ResultList name="Not known any more of" results={list(null)} />
    </>
  );
}

function ResultList({ name, results }: { name: string; results: Explanation["results"] }): JSX.Element {
  if (results.length === 0) return <></>;
  return (
    <p class="u from">
      <span safe>{name}</span>{" "}
      {results.map(({ job }, i) => (
        <>
          {i === 0 ? "" : ", "}
          <a href={`/jobs/${encodeURIComponent(job)}`} safe>
            {job}
          </a>
        </>
      ))}
    </p>
  );
}
