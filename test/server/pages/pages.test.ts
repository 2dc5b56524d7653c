import { beforeEach, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { slugOf } from "../../../core/slug.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { buildAssets } from "../../../server/pages/frame/assets.ts";
import { CONTENT_SECURITY_POLICY } from "../../../server/http/security.ts";
import { type FakeServices, NOW, observation, row, why } from "../../support/fake-services.ts";
import { forbiddenIn, pageApp, type PageApp } from "../../support/page-app.ts";
import { appOf, FakeLive, worldOf } from "../../support/world.ts";

const CITIES = ["Oslo", "Rome", "Cairo", "Lima", "Quito"];
const EVIL = `<script>alert("1")</script>`;

let services: FakeServices;
let app: PageApp;
beforeEach(async () => {
  services = worldOf(CITIES, NOW);
  app = await pageApp(services);
});

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
      const response = await app.get(path);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toStartWith("text/html");
      expect(response.headers.get("content-security-policy")).toBe(CONTENT_SECURITY_POLICY);
      expect(forbiddenIn(await response.text())).toEqual([]);
    }
  });

  test("compresses pages, fragments and the chart's data as the reader's browser takes them", async () => {
    const unpack: Record<string, (bytes: Uint8Array) => Uint8Array> = {
      br: brotliDecompressSync,
      gzip: gunzipSync,
      identity: (bytes) => bytes,
    };
    // Late parts come in the order in which they finish.
    const partsOf = (html: string) => html.split(/(?=<template>|<\/body>)/).toSorted();
    const large = ["/fragments/statistics", "/fragments/pipeline", "/chart/temperature?hours=24"];
    for (const path of [...PAGES, ...large]) {
      const whole = await app.text(path);
      for (const [accepted, coding] of [
        ["gzip, deflate, br, zstd", "br"],
        ["gzip;q=1, br;q=0.5", "gzip"],
        ["*", "br"],
        ["gzip;q=0", "identity"],
        ["identity;q=0", "identity"],
        ["gzip, identity;q=0", "gzip"],
      ] as const) {
        const response = await app.get(path, { "accept-encoding": accepted });
        expect([path, accepted, response.headers.get("content-encoding") ?? "identity"]).toEqual([
          path,
          accepted,
          coding,
        ]);
        expect(response.headers.get("vary")).toBe("accept-encoding, cookie");
        const bytes = await response.bytes();
        expect(partsOf(Buffer.from(unpack[coding]!(bytes)).toString())).toEqual(partsOf(whole));
        if (coding !== "identity") expect(bytes.length).toBeLessThan(whole.length / 2);
      }
    }
  });

  test("sends a small fragment as it is, unless that is refused", async () => {
    const sent = async (accepted: string) =>
      (await app.get("/fragments/headline", { "accept-encoding": accepted })).headers.get("content-encoding");
    expect((await app.text("/fragments/headline")).length).toBeLessThan(1_024);
    expect(await sent("gzip, br")).toBeNull();
    expect(await sent("gzip, identity;q=0")).toBe("gzip");
  });

  test("answers HEAD with the headers of GET and no body, streamed or not", async () => {
    const { fetch: answer } = appOf(services, new FakeLive(services), await buildAssets());
    const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
    try {
      for (const path of ["/", "/cities/rome", "/pipeline", "/fragments/statistics"]) {
        const asked = { headers: { "accept-encoding": "br" }, decompress: false };
        const [got, head] = await Promise.all([
          fetch(new URL(path, server.url), asked),
          fetch(new URL(path, server.url), { ...asked, method: "HEAD" }),
        ]);
        for (const name of ["content-type", "content-encoding", "cache-control", "vary"]) {
          expect([path, name, head.headers.get(name)]).toEqual([path, name, got.headers.get(name)]);
        }
        expect([head.status, head.headers.get("content-encoding")]).toEqual([200, "br"]);
        expect((await head.bytes()).length).toBe(0);
        expect((await got.bytes()).length).toBeGreaterThan(500);
      }
    } finally {
      await server.stop(true);
    }
  });

  test("serves every file a page refers to", async () => {
    for (const path of PAGES) {
      const html = await app.text(path);
      const files = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, file]) => file ?? "");
      expect(files.length).toBeGreaterThanOrEqual(5);
      for (const file of files) {
        const response = await app.get(file, { "accept-encoding": "gzip" });
        expect(response.status).toBe(200);
        expect(response.headers.get("cache-control")).toContain("immutable");
      }
    }
    expect((await app.get("/assets/boot-00000000.js")).status).toBe(404);
  });

  test("escapes what people and sources write, on every page and fragment", async () => {
    services = worldOf([EVIL, "Rome"], NOW);
    app = await pageApp(services);
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
        const html = await app.text(path);
        expect(html).not.toContain("<script>");
        expect(html).not.toContain("javascript:");
        expect(html).not.toContain(`alert("1")`);
      }
    }
  });

  test("labels simulated and replayed data on every page, and names a real source", async () => {
    for (const kind of ["simulated", "replayed"] as const) {
      services.about.kind = kind;
      for (const path of PAGES)
        expect(await app.text(path)).toMatch(new RegExp(`class="badge"[^>]*>${kind}<`));
    }
    services.about.kind = "observed";
    services.about.dataset = "main";
    services.about.source = {
      name: "open-meteo",
      reason: "no key is set",
      credit: { text: "Weather data by Open-Meteo.com, CC BY 4.0", url: "https://open-meteo.com/" },
    };
    for (const path of PAGES) {
      const html = await app.text(path);
      expect(html).toMatch(/class="badge is-real"[^>]*>open-meteo</);
      expect(html).toContain(
        `<a href="https://open-meteo.com/">Weather data by Open-Meteo.com, CC BY 4.0</a>`,
      );
      const inUse = path === "/about" ? html.slice(0, html.indexOf("<main")) : html;
      expect(inUse).not.toContain("simulated");
    }
  });
});
