import type { Run } from "../../../core/analytic-job.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { formatAge, formatCount, formatNumber } from "../../format.ts";
import { Age } from "../../parts/age.tsx";
import { CityChoice } from "../../parts/city-choice.tsx";
import { Formats } from "../../parts/formats.tsx";
import { JobChartPart } from "./job-chart.tsx";
import { JobTablePart } from "./job-table.tsx";
import { Empty, Failed } from "../../parts/notes.tsx";
import { ResultLine } from "../../parts/result.tsx";
import { activeRun, percent, RunControls, RunState, tookOf } from "./run.tsx";
import { Sql } from "./sql.tsx";
import { nextOf } from "./jobs.tsx";
import type { JobPageProps, JobProps } from "./jobs-props.ts";

/** One analytic job: how it runs, what it found, and the SQL that finds it. */
export function JobPage(props: JobPageProps): JSX.Element {
  const { now, job, jobs, sql } = props;
  return (
    <>
      <p class="crumb">
        <a href="/jobs">Jobs</a>
      </p>
      <div class="jobgrid">
        <nav class="side" aria-label="Jobs">
          <ul>
            {jobs.map((one) => (
              <li>
                <a
                  href={`/jobs/${encodeURIComponent(one.name)}`}
                  aria-current={one.name === job.name ? "page" : undefined}
                  safe
                >
                  {one.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div>
          <div class="headline">
            <h1 safe>{job.title}</h1>
            <p class="asof" safe>
              {job.question}
            </p>
          </div>
          <div
            hx-get={`/fragments/jobs/${encodeURIComponent(job.name)}`}
            hx-trigger={`job-${job.name} from:body throttle:500ms, every 30s`}
            hx-swap="innerMorph"
          >
            <JobRuns job={job} now={now} />
          </div>
          <ResultPart {...props} />
          <section aria-labelledby="h-sql">
            <div class="bar">
              <h2 id="h-sql">
                SQL <span class="count" safe>{`spark/${job.name}.sql`}</span>
              </h2>
            </div>
            <Sql text={sql} />
          </section>
        </div>
      </div>
    </>
  );
}

/** How a job runs: what goes on now, and the runs before. `now` is the real time, ms. */
export function JobRuns({ job, now }: { job: JobProps; now: number }): JSX.Element {
  const run = activeRun(job);
  const ended = job.runs.find(({ finished_at }) => finished_at !== null);
  return (
    <section aria-label="Runs">
      <div class="running">
        {run === null ? (
          <p>
            <RunState run={ended} />
          </p>
        ) : (
          <div class="progress">
            <p id="progress-label">
              <RunState run={run} />{" "}
              {run.started_at === null ? (
                <span class="u">waits for the run before it</span>
              ) : (
                <span class="u">
                  for <Age time={parseTimestamp(run.started_at)} now={now} wall />
                </span>
              )}
            </p>
            <progress
              max="100"
              value={String(percent(run.progress))}
              aria-labelledby="progress-label"
            ></progress>
          </div>
        )}
        <RunControls job={job} />
      </div>
      {run === null && ended?.error != null ? (
        <Failed
          what={`${ended.error}.`}
          todo="The last result stays below. Run it again when the cause is gone."
        />
      ) : (
        ""
      )}
      <RunFacts job={job} ended={ended} now={now} />
      {job.runs.length === 0 ? (
        ""
      ) : (
        <ul class="runs" aria-label="Last runs">
          {job.runs.slice(0, 5).map((one) => (
            <RunItem run={one} now={now} />
          ))}
        </ul>
      )}
    </section>
  );
}

/** When a job runs, and what its last run took and read. */
function RunFacts({ job, ended, now }: { job: JobProps; ended: Run | undefined; now: number }): JSX.Element {
  return (
    <dl class="mini facts">
      <div>
        <dt>Schedule</dt>
        <dd>
          {job.schedule === null ? (
            "on demand"
          ) : (
            <>
              <code safe>{job.schedule}</code> <span class="u">UTC</span>
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Next</dt>
        <dd safe>{nextOf(job, now)}</dd>
      </div>
      <div>
        <dt>Last took</dt>
        <dd safe>{ended === undefined ? "–" : tookOf(ended, now)}</dd>
      </div>
      <div>
        <dt>Rows read</dt>
        <dd safe>{formatNumber(job.result?.info.rows_read, 0)}</dd>
      </div>
      <div>
        <dt>Engine</dt>
        <dd safe>{job.result?.info.engine ?? "–"}</dd>
      </div>
    </dl>
  );
}

function RunItem({ run, now }: { run: Run; now: number }): JSX.Element {
  const words = [
    run.trigger === "request" ? "asked for" : run.trigger === "start" ? "at the start" : "by schedule",
    tookOf(run, now),
    ...(run.rows === null ? [] : [formatCount(run.rows, "row", "rows")]),
  ];
  return (
    <li>
      <RunState run={run} />
      <span class="u" safe>
        {words.join(" · ")}
      </span>
      <Age time={parseTimestamp(run.finished_at ?? run.started_at ?? run.queued_at)} now={now} wall ago />
    </li>
  );
}

function ResultPart({ now, job, city, cities, chart, table }: JobPageProps): JSX.Element {
  const path = `/api/v1/results/${encodeURIComponent(job.name)}`;
  return (
    <section aria-labelledby="h-result">
      <div class="bar">
        <h2 id="h-result">
          Last result{" "}
          <span class="count" safe>
            {city === null ? "" : city}
          </span>
        </h2>
        {job.result === null ? "" : <Formats path={path} of={job.title} />}
      </div>
      {job.result === null || table === null ? (
        <Empty
          what="No result yet."
          why={`It comes with the first run${job.next === null ? ": run it now" : `, ${job.next <= now ? "which is due" : `in ${formatAge(job.next - now)}`}`}.`}
        />
      ) : (
        <>
          {cities.length < 2 ? "" : <CityForm job={job} cities={cities} city={city} />}
          {chart === null ? "" : <JobChartPart chart={chart} of={city} />}
          {table.rows === 0 ? (
            <Empty what="No row." why="The newest run found nothing that answers the question." />
          ) : (
            <JobTablePart table={table} />
          )}
          <p class="u from">
            {table.more > 0 ? (
              <span
                safe
              >{`${formatCount(table.more, "more row is", "more rows are")} in JSON, CSV and Arrow. `}</span>
            ) : (
              ""
            )}
            <span>Times are UTC, values in the units of the record.</span>
          </p>
          <ResultLine info={job.result.info} now={now} />
        </>
      )}
    </section>
  );
}

/** A plain form, so that the city stands in the address. */
function CityForm({
  job,
  cities,
  city,
}: {
  job: JobProps;
  cities: JobPageProps["cities"];
  city: string | null;
}): JSX.Element {
  return (
    <form class="filter" method="get" action={`/jobs/${encodeURIComponent(job.name)}`}>
      <label for="city">City</label>
      <CityChoice
        name="city"
        none={job.series ? null : "all"}
        cities={cities}
        chosen={cities.find(({ name }) => name === city)?.slug ?? null}
      />
      <button type="submit">Show</button>
    </form>
  );
}
