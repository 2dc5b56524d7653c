import { parseTimestamp } from "../../../core/time.ts";
import { formatAge, formatCount, formatNumber } from "../../format.ts";
import { Age } from "../../parts/age.tsx";
import { activeRun, RunControls, RunState, RunTicks, tookOf } from "./run.tsx";
import type { JobProps } from "./jobs-props.ts";

/** Every analytic job: what it answers, when it runs, how it went. `now` is the real time, ms. */
export function JobsPage(props: { jobs: JobProps[]; now: number }): JSX.Element {
  return (
    <div
      hx-get="/fragments/jobs"
      hx-trigger="jobs-changed from:body throttle:500ms, every 30s"
      hx-swap="innerMorph"
    >
      <Jobs {...props} />
    </div>
  );
}

/** The answer in words: what failed, what runs, else that all went well. */
export function jobsAnswer(jobs: readonly JobProps[]): { answer: string; rest: string } {
  const named = (list: readonly JobProps[]) =>
    list.length > 2 ? formatCount(list.length, "job", "jobs") : list.map(({ title }) => title).join(" and ");
  const failed = jobs.filter(
    ({ runs }) => runs.find(({ finished_at }) => finished_at !== null)?.state === "failed",
  );
  const running = jobs.filter(({ runs }) => runs[0]?.state === "running");
  const rest = running.length === 0 ? "" : `, ${named(running)} running`;
  if (failed.length > 0) return { answer: `${named(failed)} failed`, rest };
  const without = jobs.filter(({ result }) => result === null).length;
  if (without === jobs.length) return { answer: "No job has a result yet", rest };
  if (without > 0) return { answer: `${formatCount(without, "job has", "jobs have")} no result yet`, rest };
  return { answer: "Every job has a result", rest };
}

/** The table of the jobs. */
export function Jobs({ jobs, now }: { jobs: JobProps[]; now: number }): JSX.Element {
  const { answer, rest } = jobsAnswer(jobs);
  return (
    <>
      <div class="headline">
        <h1>
          <span safe>{answer}</span>
          <span class="rest" safe>
            {rest}
          </span>
        </h1>
        <p class="asof">Each is one file of SQL over everything stored; its result is kept.</p>
      </div>
      <section aria-labelledby="h-jobs">
        <h2 id="h-jobs" class="vh">
          Jobs
        </h2>
        <div class="scroll" tabindex="0" role="region" aria-labelledby="h-jobs">
          <table class="jobs">
            <thead>
              <tr>
                <th scope="col">Job</th>
                <th scope="col">State</th>
                <th scope="col" class="wide">
                  Last runs
                </th>
                <th scope="col" class="wide right">
                  Took
                </th>
                <th scope="col" class="wide right">
                  Rows
                </th>
                <th scope="col" class="right">
                  Result
                </th>
                <th scope="col" class="wide right">
                  Next
                </th>
                <th scope="col">
                  <span class="vh">Action</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {jobs.map((job) => (
                <Row job={job} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
    </>
  );
}

function Row({ job, now }: { job: JobProps; now: number }): JSX.Element {
  const [newest] = job.runs;
  return (
    <tr>
      <th scope="row">
        <a href={`/jobs/${encodeURIComponent(job.name)}`} safe>
          {job.title}
        </a>
        <small class="wide" safe>
          {job.question}
        </small>
      </th>
      <td>
        <RunState run={newest} />
        {newest?.error == null ? "" : <small safe>{newest.error}</small>}
      </td>
      <td class="wide">
        <RunTicks runs={job.runs} />
      </td>
      <td class="wide right">
        {newest === undefined ? (
          "–"
        ) : newest.state === "running" && newest.started_at !== null ? (
          <Age time={parseTimestamp(newest.started_at)} now={now} wall />
        ) : (
          <span safe>{tookOf(newest, now)}</span>
        )}
      </td>
      <td class="wide right" safe>
        {formatNumber(job.result?.rows, 0)}
      </td>
      <td class="right">
        {job.result === null ? (
          <span class="missing">none yet</span>
        ) : (
          <Age time={parseTimestamp(job.result.info.generated_at)} now={now} wall ago />
        )}
      </td>
      <td class="wide right" safe>
        {nextOf(job, now)}
      </td>
      <td class="right">
        <RunControls job={job} />
      </td>
    </tr>
  );
}

/** When a job runs next, in words. */
export function nextOf(job: JobProps, now: number): string {
  if (activeRun(job) !== null) return "now";
  if (job.next === null) return job.schedule === null ? "on demand" : "in another process";
  return job.next <= now ? "due" : `in ${formatAge(job.next - now)}`;
}
