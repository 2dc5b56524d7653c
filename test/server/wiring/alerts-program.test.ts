import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DEFAULT_CITIES } from "../../../core/city.ts";
import { startSmtp } from "../../jobs/alerts/smtp-server.ts";
import {
  eventually,
  getJson,
  type Json,
  postLines,
  startHere,
  temporaryFolder,
} from "../../support/running.ts";

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

/** A webhook's receiver on loopback: what it got, and a wait for the next that fits. */
function receiver() {
  const got: Json[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      got.push(await request.json());
      return new Response(null, { status: 204 });
    },
  });
  servers.push(server);
  return { url: `http://localhost:${server.port}/hook`, got };
}

/** A record of a city's wind some seconds ago, which quality control finds possible. */
function record(windSpeed: number, secondsAgo: number): string {
  const timestamp = `${new Date(Date.now() - secondsAgo * 1000).toISOString().slice(0, 19)}Z`;
  return JSON.stringify({ timestamp, city: "London", wind_speed: windSpeed, source: "roof" });
}

describe("a program with alerts", () => {
  test("brings a rule's alert to a webhook and by e-mail, and its end, also across a restart", async () => {
    await using folder = await temporaryFolder();
    await using smtp = await startSmtp();
    const hook = receiver();
    const file = join(folder.path, "alerts.json");
    const channels = [
      { name: "ops", type: "webhook", url: hook.url },
      { name: "mail", type: "email", to: ["someone@example.org"] },
    ];
    await Bun.write(file, JSON.stringify({ channels }));
    // One city: its invented past is judged before what is posted.
    const cities = DEFAULT_CITIES.filter(({ name }) => name === "London");
    await Bun.write(join(folder.path, "cities.json"), JSON.stringify(cities));
    const env = {
      DATA_DIR: join(folder.path, "data"),
      CITIES_FILE: join(folder.path, "cities.json"),
      POLL_SECONDS: "3600",
      ALERTS_FILE: file,
      ALERT_WEBHOOK_HOSTS: "localhost",
      SMTP_URL: `smtp://me:s3cret@127.0.0.1:${smtp.port}`,
      SMTP_FROM: "isobar@example.org",
    };
    {
      await using here = await startHere(env);
      const rule = {
        name: "Storm",
        city: "london",
        variable: "wind_speed",
        above: 20,
        channels: ["ops", "mail"],
      };
      const made = await getJson(here.url, "/api/v1/alerts/rules", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(rule),
      });
      expect(made.status).toBe(201);
      await postLines(here.url, [record(20.4, 60)]);
      const alert = await eventually("the alert arrives", () => hook.got[0]);
      expect(alert).toMatchObject({
        type: "alert",
        rule: "Storm",
        city: "London",
        observed: 20.4,
        kind: "simulated",
      });
      const email = await eventually("the e-mail arrives", () => smtp.taken[0]);
      expect(email.text).toContain("Storm: London, wind speed 20.4 m/s");
      const { body } = await here.get("/api/v1/alerts");
      expect(body.alerts.map((one: Json) => [one.rule.name, one.source])).toEqual([["Storm", "roof"]]);
      expect(here.lines.join("\n")).not.toContain("s3cret");
      await here.program.stop();
    }
    await using again = await startHere(env);
    await postLines(again.url, [record(20.3, 30), record(19.8, 5)]);
    const over = await eventually("the recovery arrives", () =>
      hook.got.find(({ type }) => type === "recovery"),
    );
    expect(over.alert_id).toBe(hook.got[0].alert_id);
    expect(hook.got.map(({ type }) => type)).toEqual(["alert", "recovery"]);
    const { body } = await again.get("/api/v1/alerts/messages");
    expect(body.messages.filter((one: Json) => one.channel === "ops")).toHaveLength(2);
  });

  test("refuses a webhook on loopback that nobody allowed, and shows why", async () => {
    await using folder = await temporaryFolder();
    const hook = receiver();
    const file = join(folder.path, "alerts.json");
    await Bun.write(file, JSON.stringify({ channels: [{ name: "ops", type: "webhook", url: hook.url }] }));
    await using here = await startHere({ DATA_DIR: join(folder.path, "data"), ALERTS_FILE: file });
    const { status } = await here.get("/api/v1/alerts/channels/ops/test", { method: "POST" });
    expect(status).toBe(202);
    const failed = await eventually("the test has failed", async () => {
      const { body } = await here.get("/api/v1/alerts/messages");
      return body.messages.find((one: Json) => one.state === "failed");
    });
    expect(failed.error).toMatch(/^Cannot reach the webhook at localhost: \S+ is an inner address/);
    expect(hook.got).toEqual([]);
  });
});
