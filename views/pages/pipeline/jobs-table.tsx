import { parseTimestamp } from "../../../core/time.ts";
import { formatNumber } from "../../format.ts";
import type { JobStatus } from "../../../core/pipeline-status.ts";
import { Age } from "../../parts/age.tsx";
import { Icon, type IconName } from "../../parts/icons.tsx";
import { Empty } from "../../parts/notes.tsx";

const STATES: Record<JobStatus["state"], { icon: IconName; style: string }> = {
  starting: { icon: "wait", style: "st-wait" },
  running: { icon: "run", style: "st-run" },
  waiting: { icon: "wait", style: "st-wait" },
  failed: { icon: "fail", style: "st-err" },
  stopped: { icon: "wait", style: "st-wait" },
};

/** The background jobs of this process and how they are. `now` is the real time, ms. */
export function JobsTable({ jobs, now }: { jobs: JobStatus[]; now: number }): JSX.Element {
  return (
    <section aria-labelledby="h-jobs">
      <div class="bar">
        <h2 id="h-jobs">Background jobs</h2>
        <a class="more" href="/jobs">
          Analytic jobs
        </a>
      </div>
      {jobs.length === 0 ? (
        <Empty what="No job runs here." why="This process only shows; ROLES says what a process does." />
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col">Since</th>
              <th scope="col" class="right">
                Restarts
              </th>
            </tr>
          </thead>
          <tbody>
            {jobs.map((job) => (
              <tr>
                <th scope="row" safe>
                  {job.name}
                </th>
                <td>
                  <span class={`st ${STATES[job.state].style}`}>
                    <Icon name={STATES[job.state].icon} />
                    {job.state}
                  </span>
                  {job.reason === null ? "" : <small safe>{job.reason}</small>}
                </td>
                <td class="nw">
                  <Age time={parseTimestamp(job.since)} now={now} wall />
                </td>
                <td class="right" safe>
                  {formatNumber(job.restarts, 0)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
