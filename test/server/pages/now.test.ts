import { beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { slugOf } from "../../../core/city.ts";
import { LakeError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { formatTimestamp, HOUR_MS } from "../../../core/time.ts";
import { type Assets, buildAssets } from "../../../server/pages/frame/assets.ts";
import { problemOf, problemResponse } from "../../../server/http/problems.ts";
import { pagesRoutes, problemPage } from "../../../server/pages/now.tsx";
import { CONTENT_SECURITY_POLICY, guard } from "../../../server/http/security.ts";
import type { RowQuery } from "../../../jobs/readers/lake-queries.ts";
import type { ObservationPage } from "../../../server/answers/services.ts";
import type { History } from "../../../core/chart-history.ts";
import { SHOWN, worldOf } from "../../support/world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { FakeServices, NOW, observation, row, why } from "../../support/fake-services.ts";

const CITIES = ["Oslo", "Rome", "Cairo", "Lima", "Quito"];
const EVIL = `<script>alert("1")</script>`;

let assets: Assets;
beforeAll(async () => {
  assets = await buildAssets();
});

let services: FakeServices;
let lines: string[];
beforeEach(() => {
  services = worldOf(CITIES, NOW);
  lines = [];
});

function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
  const logger = createLogger({ level: "error", format: "text", write: (line) => lines.push(line) });
  const app = new Elysia()
    .use(guard({ host: "127.0.0.1", allowedHosts: [] }))
    .onError(({ error }) => problemResponse(problemOf(error)))
    .use(pagesRoutes({ services, assets, clock: new FakeClock(NOW), logger, ...SHOWN }));
  return Promise.resolve(app.handle(new Request(`http://localhost${path}`, { headers })));
}
const text = async (path: string): Promise<string> => (await get(path)).text();

/** What a strict Content-Security-Policy would block. */
function forbiddenIn(html: string): string[] {
  return [
    ...html.matchAll(/<[^>]*\sstyle\s*=/gi),
    ...html.matchAll(/<style/gi),
    ...html.matchAll(/<[^>]*\son[a-z]+\s*=/gi),
    ...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>/gi),
    ...html.matchAll(/<[^>]*\shx-(on|vals|headers)[^>]*/gi),
    ...html.matchAll(/href="javascript:[^"]*"/gi),
    // A link to elsewhere is no resource from elsewhere.
    ...html.matchAll(/src="(?:javascript:|https?:)[^"]*"|<link[^>]*href="https?:[^"]*"/gi),
  ].map(([found]) => found);
}

const PAGES = [
  "/",
  "/?whole=1",
  "/jobs",
  "/jobs/anomalies",
  "/pipeline",
  "/about",
  "/cities/rome",
  "/why?city=rome",
  "/anomalies",
  "/trends",
  "/forecast",
  "/units",
];
const FRAGMENTS = [
  "/fragments/headline",
  "/fragments/statistics",
  "/fragments/anomalies",
  "/fragments/pipeline",
  "/fragments/jobs",
  "/fragments/jobs/anomalies",
];

describe("pagesRoutes()", () => {
  test("serves pages and fragments that a strict policy lets through", async () => {
    for (const path of [...PAGES, ...FRAGMENTS]) {
      const response = await get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toStartWith("text/html");
      expect(response.headers.get("content-security-policy")).toBe(CONTENT_SECURITY_POLICY);
      expect(forbiddenIn(await response.text())).toEqual([]);
    }
  });

  test("serves every file a page refers to", async () => {
    for (const path of PAGES) {
      const html = await text(path);
      const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file ?? "");
      expect(files.length).toBeGreaterThanOrEqual(5);
      for (const file of files) {
        const response = await get(file, { "accept-encoding": "gzip" });
        expect(response.status).toBe(200);
        expect(response.headers.get("cache-control")).toContain("immutable");
      }
    }
    expect((await get("/assets/boot-00000000.js")).status).toBe(404);
  });

  test("escapes what people and sources write, on every page and fragment", async () => {
    services = worldOf([EVIL, "Rome"], NOW);
    services.about = { ...services.about, dataset: EVIL, version: EVIL };
    services.about.source = {
      name: EVIL,
      reason: EVIL,
      credit: { text: EVIL, url: `javascript:alert("1")` },
    };
    services.currentList = [
      {
        observation: observation({ city: EVIL, weather_description: EVIL }),
        offset: 1,
        receivedMs: NOW,
        judgement: null,
      },
    ];
    services.status.jobs = [
      { name: EVIL, state: "waiting", since: formatTimestamp(NOW), restarts: 0, reason: EVIL },
    ];
    services.analytics.jobList = services.analytics.jobList.map((job) => ({
      ...job,
      title: EVIL,
      question: EVIL,
      schedule: EVIL,
      sql: `SELECT '${EVIL}' -- ${EVIL}`,
    }));
    Object.assign(services.analytics.start("anomalies"), {
      state: "failed",
      finished_at: formatTimestamp(NOW),
      error: EVIL,
    });
    services.whyList = [why(row(1, { city: EVIL, source: EVIL }), row(0, { city: EVIL, source: EVIL }))];
    services.rejectedList = [
      { partition: 0, offset: 1, reason: EVIL, ingested_at: formatTimestamp(NOW), record: EVIL },
    ];
    for (const kind of ["observed", "simulated"] as const) {
      services.about.kind = kind;
      for (const path of [...PAGES, `/cities/${slugOf(EVIL)}`, `/why?city=${slugOf(EVIL)}`, ...FRAGMENTS]) {
        const html = await text(path);
        expect(html).not.toContain("<script>");
        expect(html).not.toContain("javascript:");
        expect(html).not.toContain(`alert("1")`);
      }
    }
  });

  test("labels simulated and replayed data on every page, and names a real source", async () => {
    for (const kind of ["simulated", "replayed"] as const) {
      services.about.kind = kind;
      for (const path of PAGES) expect(await text(path)).toMatch(new RegExp(`class="badge"[^>]*>${kind}<`));
    }
    services.about.kind = "observed";
    services.about.dataset = "main";
    services.about.source = {
      name: "open-meteo",
      reason: "no key is set",
      credit: { text: "Weather data by Open-Meteo.com, CC BY 4.0", url: "https://open-meteo.com/" },
    };
    for (const path of PAGES) {
      const html = await text(path);
      expect(html).toMatch(/class="badge is-real"[^>]*>open-meteo</);
      expect(html).toContain(
        `<a href="https://open-meteo.com/">Weather data by Open-Meteo.com, CC BY 4.0</a>`,
      );
      const inUse = path === "/about" ? html.slice(0, html.indexOf("<main")) : html;
      expect(inUse).not.toContain("simulated");
    }
  });

  test("sends the shell while the lake is still being read, and the rest when it was", async () => {
    const lake = Promise.withResolvers<ObservationPage>();
    services.observations = () => lake.promise;
    const reader = ((await get("/")).body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let html = "";
    const until = async (wanted: string) => {
      while (!html.includes(wanted)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`The page ended without ${wanted}`);
        html += decoder.decode(value, { stream: true });
      }
    };
    await until("</footer>");
    expect(html).toContain(`<stream-slot name="chart" aria-busy="true">`);
    await until(`<stream-fill for="statistics">`);
    await until(`<stream-fill for="anomalies">`);
    expect(html).not.toContain(`<stream-fill for="chart">`);
    lake.resolve({ rows: [], more: false });
    await until(`<stream-fill for="course-4">`);
    await until(`<stream-fill for="chart">`);
    await until("</html>");
    expect((await reader.read()).done).toBe(true);
  });

  test("shows what failed in its place, logs why, and ends the page", async () => {
    services.failure = new LakeError("unavailable", "Cannot list /secret/folder: wanted a folder");
    services.analytics.results.delete("city_statistics");
    const html = await text("/");
    expect(html).toContain("Cannot read the last 24 hours.");
    expect(html).toContain("No statistics yet.");
    expect(html).toContain("+11.0°");
    expect(html).not.toContain("secret");
    expect(html).toEndWith("</html>\n");
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("Cannot list /secret/folder");
  });

  test("shows a failure where a result lacks a column", async () => {
    const made = services.analytics.results.get("city_statistics");
    if (made === undefined) throw new Error("wanted a result");
    made.table = made.table.select(["city", "n_temperature"]);
    expect(await text("/?whole=1")).toContain("Cannot show the statistics.");
    expect(lines[0]).toContain(`it has no column "coverage"`);
  });

  test("puts everything in its place where no script moves it", async () => {
    const html = await text("/?whole=1");
    expect(html).not.toContain("<template>");
    expect(html).not.toContain("stream-slot");
    expect(html).toContain("204\u2009936");
    expect(html.match(/class="line s\d"/g)).toHaveLength(5);
    expect(await text("/")).toContain(`<noscript><meta http-equiv="refresh" content="0; url=/?whole=1"`);
  });

  test("answers the headline, stale and unusual cities in words", async () => {
    expect(await text("/fragments/headline")).toContain("Oslo unusually warm, Cairo is late");
  });

  test("measures a recording's ages by the recording", async () => {
    services = worldOf(CITIES, NOW - 8 * 365 * 24 * HOUR_MS);
    services.about.kind = "replayed";
    const html = await text("/?whole=1");
    expect(html).toContain("2018");
    expect(html).not.toContain("days<");
    expect(html.match(/class="card is-stale"/g)).toHaveLength(1);
  });
});

describe("GET /chart/temperature", () => {
  test("gives at most eight cities, each with a break for its gap", async () => {
    services = worldOf(["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"], NOW);
    const body = (await (await get("/chart/temperature?hours=24")).json()) as History;
    expect(body.series.map(({ city }) => city)).toEqual([..."ABCDEFGH"]);
    expect(body.to - body.from).toBeCloseTo(86_400, 1);
    const [whole, gap] = body.series;
    expect(whole?.t).toHaveLength(145);
    expect(whole?.v).not.toContain(null);
    expect(whole?.t.at(-1)).toBe(NOW / 1000);
    expect(gap?.v.filter((v) => v === null)).toHaveLength(1);
  });

  test("asks the lake for the hours wanted", async () => {
    const asked: RowQuery[] = [];
    services.observations = (query) => {
      asked.push(query);
      return Promise.resolve({ rows: [], more: false });
    };
    await get("/chart/temperature?hours=6");
    expect(asked).toHaveLength(CITIES.length);
    for (const { from } of asked) expect(from).toBe(NOW - 6 * HOUR_MS);
  });

  test("refuses wrong and unknown parameters by name", async () => {
    for (const query of ["hours=0", "hours=169", "hours=x", "hours=1&hours=2"]) {
      const response = await get(`/chart/temperature?${query}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("The parameter hours");
    }
    expect((await get("/chart/temperature?hour=1")).status).toBe(400);
    expect((await get("/?x=1")).status).toBe(400);
  });
});

test("problemPage() shows a problem inside the frame, escaped", async () => {
  const page = problemPage({ services, assets, clock: new FakeClock(NOW) });
  const html = await page({ status: 404, code: "not_found", message: `There is nothing at "${EVIL}"` });
  expect(html).toContain("Nothing is here");
  expect(html).not.toContain("<script>");
  expect(forbiddenIn(html)).toEqual([]);
});
