import { describe, expect, test } from "bun:test";
import { parseChannels } from "../../../core/alert-channel.ts";
import { DeliveryError } from "../../../core/errors.ts";
import { deliverer } from "../../../jobs/alerts/channels.ts";
import { wantsTls } from "../../../jobs/alerts/email.ts";
import { alertMessage, testMessage } from "../../../jobs/alerts/message.ts";
import { NOW, report, rule } from "./reports.ts";
import { startSmtp } from "./smtp-server.ts";

const LABEL = { dataset: "main", kind: "observed" } as const;
const never = new AbortController().signal;
const MESSAGE = alertMessage(
  {
    type: "raised",
    isQuiet: false,
    rule: rule({ name: "Größter Frost" }),
    alert: { id: "a1", rule: "r1", city: "London", source: "open-meteo", since: NOW, at: NOW },
    report: report({ temperature: -3.2 }),
  },
  "m1",
  LABEL,
);

function channelOf(json: object) {
  const [channel] = parseChannels([{ name: "one", ...json }]);
  if (channel === undefined) throw new Error("wanted a channel");
  return channel;
}

/** A receiver that keeps what it gets. */
function receiver(answer: () => Response | Promise<Response> = () => new Response("ok")) {
  const got: { headers: Headers; body: string }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => {
      got.push({ headers: request.headers, body: await request.text() });
      return answer();
    },
  });
  return { url: server.url.href, got, [Symbol.asyncDispose]: () => server.stop(true) };
}

async function failure(delivery: Promise<void>): Promise<unknown> {
  return delivery.then(
    () => new Error("it was delivered"),
    (error: unknown) => error,
  );
}

describe("deliverer()", () => {
  test("posts a message as JSON to a webhook, with its id as idempotency key", async () => {
    await using hook = receiver();
    const deliver = deliverer({ smtp: null, webhookHosts: ["127.0.0.1"] });
    const channel = channelOf({ type: "webhook", url: hook.url, headers: { authorization: "Bearer k" } });
    await deliver(channel, MESSAGE, never);
    const [got] = hook.got;
    expect(JSON.parse(got?.body ?? "")).toEqual({ ...MESSAGE });
    expect(MESSAGE).toMatchObject({
      id: "m1",
      type: "alert",
      alert_id: "a1",
      observed: -3.2,
      unit: "°C",
      text: "Größter Frost: London, temperature -3.2 °C (limit: below 0 °C) at 2026-01-31T12:00:00Z",
    });
    expect(got?.headers.get("content-type")).toBe("application/json; charset=utf-8");
    expect(got?.headers.get("idempotency-key")).toBe("m1");
    expect(got?.headers.get("authorization")).toBe("Bearer k");
  });

  test("posts an SMS gateway's own body", async () => {
    await using hook = receiver();
    const channel = channelOf({
      type: "sms",
      url: hook.url,
      content_type: "application/x-www-form-urlencoded",
      body: "To=%2B4912345&Body={{text}}",
    });
    await deliverer({ smtp: null, webhookHosts: ["127.0.0.1"] })(channel, MESSAGE, never);
    expect(Object.fromEntries(new URLSearchParams(hook.got[0]?.body))).toEqual({
      To: "+4912345",
      Body: MESSAGE.text,
    });
  });

  test("labels simulated and replayed data", () => {
    expect(testMessage("one", "m2", { dataset: "simulated", kind: "simulated" }).text).toBe(
      "[simulated] Test: the channel one works",
    );
  });

  test("gives up a webhook after the timeout", async () => {
    await using hook = receiver(() => new Promise(() => {}));
    const deliver = deliverer({ smtp: null, webhookHosts: ["127.0.0.1"], timeoutMs: 50 });
    const error = await failure(deliver(channelOf({ type: "webhook", url: hook.url }), MESSAGE, never));
    expect(error).toBeInstanceOf(DeliveryError);
    expect((error as Error).message).toBe("The webhook at 127.0.0.1 did not answer within 50 ms");
  });

  test("hands an e-mail to an SMTP server, as who it is", async () => {
    await using server = await startSmtp();
    const url = `smtp://me:p%40ss@127.0.0.1:${server.port}`;
    const deliver = deliverer({ smtp: { url, from: "isobar@example.org" }, webhookHosts: [] });
    await deliver(channelOf({ type: "email", to: ["a@example.org", "b@example.org"] }), MESSAGE, never);
    const [email] = server.taken;
    expect(email).toMatchObject({
      from: "isobar@example.org",
      to: ["a@example.org", "b@example.org"],
      login: "me:p@ss",
    });
    expect(email?.text).toContain("Message-ID: <m1@example.org>");
    expect(email?.text).toContain("Auto-Submitted: auto-generated");
    expect(email?.text).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(email?.text).toContain("Observed at: 2026-01-31T12:00:00Z");
  });

  test("says what an SMTP server answered, and why it is not there, without a password", async () => {
    const channel = channelOf({ type: "email", to: ["a@example.org"] });
    {
      await using server = await startSmtp({ refuse: "550 no such user" });
      const smtp = { url: `smtp://me:s3cret@127.0.0.1:${server.port}`, from: "isobar@example.org" };
      const error = await failure(deliverer({ smtp, webhookHosts: [] })(channel, MESSAGE, never));
      expect(error).toMatchObject({
        code: "refused",
        message: "Cannot hand the e-mail to 127.0.0.1: it answered 550",
      });
    }
    const smtp = { url: "smtp://me:s3cret@127.0.0.1:1", from: "isobar@example.org" };
    const error = await failure(deliverer({ smtp, webhookHosts: [] })(channel, MESSAGE, never));
    expect(error).toMatchObject({ code: "unavailable" });
    expect(String(error)).not.toContain("s3cret");
    const none = await failure(deliverer({ smtp: null, webhookHosts: [] })(channel, MESSAGE, never));
    expect(String(none)).toContain("SMTP_URL is not set");
  });
});

test.each([
  ["smtp://me:secret@mail.example.org:587", true],
  ["smtp://me:secret@127.0.0.1.example.org", true],
  ["smtp://me:secret@127.0.0.1:25", false],
  ["smtp://me:secret@localhost", false],
  ["smtp://me:secret@[::1]:25", false],
  ["smtp://mail.example.org", false],
  ["smtps://me:secret@mail.example.org", false], // TLS from the start
])("wantsTls() of %s is %p", (url, wanted) => {
  expect(wantsTls(new URL(url))).toBe(wanted);
});
