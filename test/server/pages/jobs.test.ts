import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { RequestError } from "../../../core/errors.ts";
import { jobChart, parseChartHeader } from "../../../server/pages/props/job-chart.ts";
import { analysedWorld } from "../../support/analysed-world.ts";
import { FakeServices, NOW } from "../../support/fake-services.ts";
import { pageApp, type PageApp, wordsOf } from "../../support/page-app.ts";

let world: FakeServices;
beforeAll(async () => {
  world = await analysedWorld(NOW);
});

let services: FakeServices;
let app: PageApp;
beforeEach(async () => {
  services = new FakeServices();
  app = await pageApp(services);
});

describe("GET /jobs", () => {
  test("lists every job with its question, state, schedule and a button", async () => {
    const run = services.analytics.start("anomalies");
    run.state = "running";
    run.started_at = "2026-01-31T11:59:30Z";
    run.progress = 0.62;
    const words = wordsOf(await app.text("/jobs"));
    expect(words).toContain("No job has a result yet , anomalies running");
    for (const wanted of ["62 %", "Cancel", "Run now", "in 5 min", "on demand", "none yet"]) {
      expect(words).toContain(wanted);
    }
  });

  test("says first what failed, and why", async () => {
    const run = services.analytics.start("wind_rose");
    Object.assign(run, { state: "failed", finished_at: "2026-01-31T11:59:30Z", error: `no column <b>"x"` });
    const html = await app.text("/jobs");
    expect(wordsOf(html)).toContain(`wind rose failed`);
    expect(wordsOf(html)).toContain(`no column <b>"x"`);
    expect(html).not.toContain("column <b>");
  });
});

describe("a job's buttons", () => {
  test("run it and lead back to its page; cancel ends the run", async () => {
    const started = await app.post("/jobs/anomalies/run");
    expect([started.status, started.headers.get("location")]).toEqual([303, "/jobs/anomalies"]);
    const [run] = services.analytics.runList;
    expect(run?.job).toBe("anomalies");
    const page = await app.text("/jobs/anomalies");
    expect(page).toContain(`name="run" value="${run?.id}"`);
    const cancelled = await app.post("/jobs/anomalies/cancel", { run: run?.id ?? "" });
    expect(cancelled.status).toBe(303);
    expect(services.analytics.runList[0]?.state).toBe("cancelled");
  });

  test("refuse what is not there, another job's run, and what another site sends", async () => {
    expect((await app.post("/jobs/none/run")).status).toBe(404);
    services.analytics.start("anomalies");
    expect((await app.post("/jobs/wind_rose/cancel", { run: "run-1" })).status).toBe(404);
    expect((await app.post("/jobs/anomalies/cancel")).status).toBe(404);
    services.analytics.start = () => {
      throw new RequestError("conflict", "This process runs no analytics");
    };
    expect((await app.post("/jobs/anomalies/run")).status).toBe(409);
  });
});

describe("GET /jobs/:name", () => {
  test("shows every real job's result as a table, its chart where its header has one, and its SQL", async () => {
    app = await pageApp(world);
    for (const { name, title, chart } of world.analytics.jobs()) {
      const html = await app.text(`/jobs/${name}`);
      const words = wordsOf(html);
      expect(words).toContain(title);
      expect(words).toContain("SELECT");
      expect(words).not.toMatch(/NaN|undefined|\[object|Invalid/);
      const rows = html.match(/<tr>/g)?.length ?? 0;
      expect([name, rows > 1]).toEqual([name, true]);
      expect([name, /class="plot"|class="bars"/.test(html)]).toEqual([name, chart !== null]);
    }
  });

  test("shows the city asked for, and the first where a chart has one for each", async () => {
    app = await pageApp(world);
    expect(wordsOf(await app.text("/jobs/hourly_trends"))).toContain("Last result New York");
    const words = wordsOf(await app.text("/jobs/hourly_trends?city=tokyo"));
    expect(words).toContain("Last result Tokyo");
    expect(words).toContain("temperature mean, Tokyo");
    expect((await app.get("/jobs/hourly_trends?city=atlantis")).status).toBe(404);
    expect((await app.get("/jobs/none")).status).toBe(404);
  });

  test("says when the first result comes", async () => {
    expect(wordsOf(await app.text("/jobs/anomalies"))).toContain("comes with the first run, in 5 min.");
    expect(wordsOf(await app.text("/jobs/wind_rose"))).toContain("comes with the first run: run it now.");
  });

  test("shows why the last run failed, and what to do", async () => {
    const run = services.analytics.start("anomalies");
    Object.assign(run, { state: "failed", finished_at: "2026-01-31T11:59:30Z", error: "no <answer>" });
    const html = await app.text("/fragments/jobs/anomalies");
    expect(html).toContain("no &lt;answer&gt;.");
    expect(html).toContain("Run it again");
  });
});

test("jobChart() draws nothing for a kind or columns it does not know", () => {
  const table = world.analytics.result("hourly_trends")!.table;
  expect(parseChartHeader("line x=hour y=n")).toEqual({ kind: "line", columns: { x: "hour", y: "n" } });
  expect(jobChart(table, "pie x=hour y=n", null)).toBeNull();
  expect(jobChart(table, "line x=hour y=nothing", null)).toBeNull();
  expect(jobChart(table, null, null)).toBeNull();
});

test("jobChart() breaks a line where hours are missing", () => {
  const { table } = world.analytics.result("hourly_trends")!;
  const chart = jobChart(table, "line x=hour y=temperature_mean series=city", "New York");
  if (chart?.kind !== "course") throw new Error("wanted a course");
  expect(chart.points.filter(({ y }) => y === null)).toHaveLength(1);
});
