import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { JobPage, JobRuns } from "../../views/pages/jobs/job.tsx";
import { Jobs, JobsPage } from "../../views/pages/jobs/jobs.tsx";
import { jobOf, jobPageOf, jobsOf } from "./props/jobs.ts";
import { fragmentResponse, pageResponse, type PagesOptions } from "./frame/page.tsx";
import { Parameters } from "../http/parameters.ts";
import type { JobInfo } from "../../core/analytic-job.ts";

/** The analytic jobs: all of them, one by one, and the buttons of their pages. */
export function jobsPages(options: PagesOptions) {
  const { services, clock } = options;
  const { analytics } = services;
  const find = (name: string): JobInfo => {
    const job = analytics.jobs().find((one) => one.name === name);
    if (job !== undefined) return job;
    throw new RequestError("not_found", `There is no job ${describe(name)}`, { hint: "/jobs lists them." });
  };
  /** Back to the job's page, which shows what became of it. */
  const back = ({ name }: JobInfo) =>
    new Response(null, { status: 303, headers: { location: `/jobs/${encodeURIComponent(name)}` } });
  return new Elysia()
    .get("/jobs", ({ request }) => {
      new Parameters(request, []);
      const page = { path: "/jobs", title: "Jobs" };
      return pageResponse(options, request, page, <JobsPage jobs={jobsOf(services)} now={clock.now()} />);
    })
    .get("/fragments/jobs", ({ request }) =>
      fragmentResponse(request, <Jobs jobs={jobsOf(services)} now={clock.now()} />),
    )
    .get("/jobs/:name", ({ request, params }) => {
      const job = find(params.name);
      const parameters = new Parameters(request, ["city"]);
      const city = parameters.text("city") === "" ? null : parameters.city("city", services.cities());
      const props = { ...jobPageOf(services, job, city), jobs: jobsOf(services), now: clock.now() };
      const page = { path: `/jobs/${job.name}`, title: job.title };
      return pageResponse(options, request, page, <JobPage {...props} />);
    })
    .get("/fragments/jobs/:name", ({ request, params }) =>
      fragmentResponse(request, <JobRuns job={jobOf(analytics, find(params.name))} now={clock.now()} />),
    )
    .post(
      "/jobs/:name/run",
      ({ params }) => {
        const job = find(params.name);
        analytics.start(job.name);
        return back(job);
      },
      { parse: "none" },
    )
    .post(
      "/jobs/:name/cancel",
      async ({ request, params }) => {
        const job = find(params.name);
        const run = analytics.run(String((await request.formData()).get("run")));
        if (run === null || run.job !== job.name) {
          throw new RequestError("not_found", `There is no such run of ${job.name}`, {
            hint: "It may have been forgotten: its page shows the last ones.",
          });
        }
        analytics.cancel(run.id);
        return back(job);
      },
      { parse: "none" },
    );
}
