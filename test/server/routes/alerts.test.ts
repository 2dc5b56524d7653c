import { afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Table } from "apache-arrow";
import { Elysia } from "elysia";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAlertsFile } from "../../../core/alert-rule.ts";
import { slugOf } from "../../../core/slug.ts";
import { silentLogger } from "../../../core/log.ts";
import { Alerts } from "../../../jobs/alerts/alerts.ts";
import { AlertStore } from "../../../jobs/alerts/store.ts";
import { type Assets, buildAssets } from "../../../server/pages/frame/assets.ts";
import { problemOf, problemResponse } from "../../../server/http/problems.ts";
import { alertRoutes } from "../../../server/routes/alerts/alerts.ts";
import { alertPages } from "../../../server/pages/alerts.tsx";
import { guard } from "../../../server/http/security.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { judgementOf, NOW, rowOf } from "../../jobs/alerts/reports.ts";
import { FakeServices, result } from "../../support/fake-services.ts";

const EVIL = `<script>alert("1")</script>`;
const FILE = {
  channels: [
    { name: "ops", type: "webhook", url: "https://hooks.example.org/secret", headers: { "x-key": "secret" } },
    {
      name: "mail",
      type: "email",
      to: ["whose@ex&ample.org"],
      quiet_hours: { from: "22:00", to: "07:05", zone: "Europe/London" },
    },
  ],
  rules: [{ name: EVIL, city: "London", variable: "temperature", below: 0, channels: ["ops"] }],
};

let assets: Assets;
beforeAll(async () => {
  assets = await buildAssets();
});

let folder: string;
let store: AlertStore;
let alerts: Alerts;
let services: FakeServices;
const clock = new FakeClock();
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-alerts-"));
  services = new FakeServices();
  store = new AlertStore(join(folder, "a.sqlite"));
  let ids = 0;
  alerts = new Alerts({
    file: parseAlertsFile(FILE),
    store,
    deliver: () => Promise.resolve(),
    label: { dataset: "main", kind: "observed" },
    staleAfterSeconds: 1800,
    current: () => [],
    lock: () => Promise.resolve({ release: () => {} }),
    clock,
    logger: silentLogger,
    newId: () => `id${++ids}`,
  });
});
afterEach(async () => {
  store.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the job until what it was told is kept. */
async function evaluate(): Promise<void> {
  const stop = new AbortController();
  const ended = alerts.backgroundJob().run({ signal: stop.signal, running: () => {}, waiting: () => {} });
  alerts.see([rowOf({ temperature: -1 })]);
  alerts.judged([judgementOf({ temperature: -1 })]);
  await clock.advance(0);
  await clock.advance(0);
  stop.abort();
  await ended;
}

function call(path: string, init: RequestInit = {}, with_: Alerts | null = alerts): Promise<Response> {
  const app = new Elysia()
    .use(guard({ host: "127.0.0.1", allowedHosts: [] }))
    .onError(({ error }) => problemResponse(problemOf(error)))
    .use(alertRoutes({ services, alerts: with_, clock }))
    .use(alertPages({ services, assets, clock, alerts: with_ }));
  return Promise.resolve(app.handle(new Request(`http://localhost${path}`, init)));
}
type Json = Record<string, unknown> & { error: Record<string, unknown> };
async function json(path: string, init: RequestInit = {}, with_: Alerts | null = alerts) {
  const response = await call(path, init, with_);
  return { status: response.status, body: (await response.json()) as Json };
}
const post = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});
const form = (fields: Record<string, string>, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  body: new URLSearchParams(fields).toString(),
});

describe("/api/v1/alerts", () => {
  test("lists rules, what is active, channels without keys, and messages", async () => {
    await evaluate();
    expect((await json("/api/v1/alerts")).body).toMatchObject({
      generated_at: "2026-01-31T12:00:00Z",
      kind: "simulated",
      alerts: [
        {
          rule: { id: `file:${EVIL}`, name: EVIL },
          city: "London",
          source: "open-meteo",
          since: "2026-01-31T12:00:00Z",
          raised_at: "2026-01-31T12:00:00Z",
        },
      ],
    });
    expect((await json("/api/v1/alerts/rules")).body.rules).toEqual([
      {
        id: `file:${EVIL}`,
        origin: "file",
        active: 1,
        name: EVIL,
        city: "London",
        variable: "temperature",
        below: 0,
        for_minutes: 0,
        channels: ["ops"],
      },
    ]);
    const channels = await call("/api/v1/alerts/channels");
    const text = await channels.text();
    expect(text).not.toContain("secret");
    expect((JSON.parse(text) as Json).channels).toEqual([
      { name: "ops", type: "webhook", target: "hooks.example.org", quiet_hours: null },
      { name: "mail", type: "email", target: "…@ex&ample.org", quiet_hours: "22:00–07:05 Europe/London" },
    ]);
    expect((await json("/api/v1/alerts/messages?limit=1")).body.messages).toMatchObject([
      { channel: "ops", type: "alert", state: "sent", tries: 1, error: null },
    ]);
  });

  test("makes a rule for a city by its slug, and deletes it", async () => {
    const rule = { name: "Heat", city: "new-york", variable: "temperature", above: 35, channels: ["ops"] };
    const made = await json("/api/v1/alerts/rules", post(rule));
    expect(made.status).toBe(201);
    expect(made.body.rule).toMatchObject({ ...rule, city: "New York", origin: "page", active: 0 });
    const { id } = made.body.rule as { id: string };
    expect((await json(`/api/v1/alerts/rules/${id}`, { method: "DELETE" })).body.deleted).toBe(id);
    expect((await json(`/api/v1/alerts/rules/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  test("makes a rule for the city of an exact name, though another has it as its slug", async () => {
    const place = { latitude: null, longitude: null, zone: null };
    services.cityList = ["Oslo", "oslo"].map((name) => ({ name, slug: slugOf(name), ...place }));
    const rule = { name: "Heat", city: "oslo", variable: "temperature", above: 35, channels: ["ops"] };
    expect((await json("/api/v1/alerts/rules", post(rule))).body.rule).toMatchObject({ city: "oslo" });
  });

  test("sends a test message", async () => {
    const { status, body } = await json("/api/v1/alerts/channels/mail/test", { method: "POST" });
    expect([status, body.message]).toEqual([202, "id1"]);
    expect(alerts.messages(1)[0]).toMatchObject({ id: "id1", channel: "mail", type: "test" });
    expect((await json("/api/v1/alerts/channels/pager/test", { method: "POST" })).status).toBe(404);
  });

  test("refuses what is wrong, by name", async () => {
    const rule = { name: "Heat", variable: "temperature", above: 35, channels: ["ops"] };
    const message = async (body: unknown) =>
      (await json("/api/v1/alerts/rules", post(body))).body.error.message;
    expect(await message({ ...rule, city: "Atlantis" })).toContain(
      'city is "Atlantis", wanted the name or slug',
    );
    expect(await message({ ...rule, above: "35" })).toContain('above is "35", wanted a number');
    expect(await message([])).toContain("the rule is []");
    expect(await message({ ...rule, url: "http://127.0.0.1/" })).toContain('"url" is not known');
    expect((await json("/api/v1/alerts/rules", { ...post(rule), body: "{" })).status).toBe(400);
    expect((await json("/api/v1/alerts/rules", form({}))).status).toBe(415);
    expect((await json("/api/v1/alerts/rules", { ...post(rule), body: "x".repeat(20_000) })).status).toBe(
      413,
    );
    expect(
      (await json(`/api/v1/alerts/rules/${encodeURIComponent(`file:${EVIL}`)}`, { method: "DELETE" })).status,
    ).toBe(409);
    expect((await json("/api/v1/alerts/messages?limit=0")).status).toBe(400);
    expect((await json("/api/v1/alerts?all=1")).status).toBe(400);
  });

  test("has empty lists without ALERTS_FILE, and says so to who wants a rule", async () => {
    for (const name of ["", "/rules", "/channels", "/messages"]) {
      const { status, body } = await json(`/api/v1/alerts${name}`, {}, null);
      expect([status, Object.values(body).at(-1)]).toEqual([200, []]);
    }
    const { status, body } = await json("/api/v1/alerts/rules", post({ name: "x" }), null);
    expect([status, body.error.message]).toEqual([409, "There are no alerts here: ALERTS_FILE is not set"]);
  });

  test("is changed from this site alone", async () => {
    for (const path of [
      "/api/v1/alerts/rules",
      "/api/v1/alerts/channels/ops/test",
      "/alerts/channels/ops/test",
    ]) {
      const init = {
        ...post({}),
        headers: { "content-type": "application/json", origin: "https://evil.example" },
      };
      expect((await call(path, init)).status).toBe(403);
    }
  });
});

describe("GET /alerts", () => {
  test("shows everything, escaped, and no key", async () => {
    await evaluate();
    services.cityList = [{ name: EVIL, slug: "evil", latitude: null, longitude: null, zone: null }];
    const response = await call("/alerts");
    const html = await response.text();
    expect(response.status).toBe(200);
    expect(html).not.toContain("<script>alert");
    expect(html).not.toContain(`alert("1")`);
    expect(html).not.toContain("secret");
    expect(html).not.toContain("whose");
    expect(html).toContain("1 alert is active");
    expect(html).toContain("&lt;script&gt;");
    expect(html).toContain("…@ex&amp;ample.org");
    expect(html).toContain("temperature below 0 °C");
    // A form's Origin is null without it, and the guard refuses that.
    expect(response.headers.get("referrer-policy")).toBe("same-origin");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test("says of a rule about what is unusual where it cannot be met yet", async () => {
    const early = "No rule about what is unusual can be met where it is too early to judge. London cannot be";
    expect(await (await call("/alerts")).text()).not.toContain(early);
    await json("/api/v1/alerts/rules", post({ name: "Odd", anomaly: "unusual", channels: ["ops"] }));
    services.analytics.results.set("baseline", result("baseline", { table: new Table({}) }));
    expect(await (await call("/alerts")).text()).toContain(early);
  });

  test("says what to do where there is no file", async () => {
    const html = await (await call("/alerts", {}, null)).text();
    expect(html).toContain("There are no channels yet.");
    expect(html).toContain("ALERTS_FILE");
    expect(html).not.toContain("<form");
  });

  test("makes rules of both kinds by a plain form, and comes back by GET", async () => {
    const threshold = {
      name: "Heat",
      city: "london",
      watch: "threshold",
      variable: "temperature",
      side: "above",
      limit: "30,5",
      for_minutes: "",
      anomaly: "spike",
      severity: "2",
      channel: "ops",
    };
    const made = await call("/alerts/rules", form(threshold, { origin: "http://localhost" }));
    expect([made.status, made.headers.get("location")]).toEqual([303, "/alerts?done=made"]);
    await call(
      "/alerts/rules",
      form({ ...threshold, name: "Odd", city: "", watch: "anomaly", severity: "3" }),
    );
    expect(
      alerts
        .rules()
        .slice(1)
        .map(({ rule: { name, city, condition } }) => ({ name, city, condition })),
    ).toEqual([
      {
        name: "Heat",
        city: "London",
        condition: { type: "threshold", variable: "temperature", side: "above", limit: 30.5, forMinutes: 0 },
      },
      { name: "Odd", city: null, condition: { type: "anomaly", kind: "spike", severity: 3 } },
    ]);
    expect(await (await call("/alerts?done=made")).text()).toContain("The rule is made.");
    expect(await (await call(`/alerts?done=${EVIL}`)).text()).not.toContain("<script>alert");
    const [, heat] = alerts.rules();
    const deleted = await call(`/alerts/rules/${heat?.rule.id}/delete`, form({}));
    expect(deleted.status).toBe(303);
    expect(alerts.rules().map(({ rule }) => rule.name)).toEqual([EVIL, "Odd"]);
  });

  test("shows a refused form with what was typed and what is wrong", async () => {
    const typed = {
      name: `Heat "${EVIL}`,
      watch: "threshold",
      variable: "humidity",
      side: "below",
      limit: "hot",
    };
    const response = await call("/alerts/rules", form({ ...typed, channel: "mail" }));
    const html = await response.text();
    expect(response.status).toBe(400);
    expect(html).toContain("below is &quot;hot&quot;, wanted a number");
    expect(html).not.toContain("<script>alert");
    expect(html).toMatch(/<option value="humidity" selected/);
    expect(html).toMatch(/name="channel" value="mail" checked/);
    expect(html).not.toMatch(/name="channel" value="ops" checked/);
    expect((await call("/alerts/rules", form(typed))).status).toBe(400);
    expect(alerts.rules()).toHaveLength(1);
  });

  test("tests a channel", async () => {
    const response = await call("/alerts/channels/ops/test", form({}));
    expect([response.status, response.headers.get("location")]).toEqual([303, "/alerts?done=tested"]);
    const html = await (await call("/alerts?done=tested")).text();
    expect(html).toContain("Test: the channel ops works");
    expect(NOW).toBe(clock.now());
  });
});
