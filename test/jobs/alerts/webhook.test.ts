import { afterEach, describe, expect, test } from "bun:test";
import { DeliveryError } from "../../../core/errors.ts";
import { postWebhook, type WebhookOptions } from "../../../jobs/alerts/webhook.ts";
import { CERTIFICATE, PRIVATE_KEY } from "./certificate.ts";

const servers: Bun.Server<undefined>[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true);
});

interface Got {
  method: string;
  path: string;
  headers: Headers;
  body: string;
}

/** A receiver on loopback, and what it got. */
function receiver(
  answer: () => Response | Promise<Response> = () => new Response(null, { status: 204 }),
  tls = false,
) {
  const got: Got[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    ...(tls ? { tls: { cert: CERTIFICATE, key: PRIVATE_KEY } } : {}),
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      got.push({ method: request.method, path: pathname + search, headers: request.headers, body });
      return answer();
    },
  });
  servers.push(server);
  return { port: server.port, got };
}

const never = new AbortController().signal;
const loopback = () => Promise.resolve(["127.0.0.1"]);

function post(url: string, options: Partial<WebhookOptions> = {}): Promise<void> {
  return postWebhook(
    { url, headers: { "content-type": "text/plain", "x-own": "1" }, body: "5 °C" },
    { allowedHosts: [], signal: never, ...options },
  );
}

/** The error of a POST that must fail. */
async function refusal(posted: Promise<void>): Promise<DeliveryError> {
  const error = await posted.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeliveryError)) throw new Error(`wanted a DeliveryError, got ${String(error)}`);
  return error;
}

describe("postWebhook()", () => {
  test("posts body and headers to a host that is allowed by name, by its own name", async () => {
    const { port, got } = receiver();
    await post(`http://hook.test:${port}/a/b?c=1`, { allowedHosts: ["hook.test"], resolve: loopback });
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ method: "POST", path: "/a/b?c=1", body: "5 °C" });
    expect(got[0]?.headers.get("host")).toBe(`hook.test:${port}`);
    expect(got[0]?.headers.get("x-own")).toBe("1");
    expect(got[0]?.headers.get("content-length")).toBe("5");
  });

  test.each([
    ["http://127.0.0.1:PORT/"],
    ["http://localhost:PORT/"],
    ["http://127.1:PORT/"],
    ["http://2130706433:PORT/"],
    ["http://0x7f000001:PORT/"],
    ["http://[::ffff:127.0.0.1]:PORT/"],
    ["http://0.0.0.0:PORT/"],
    ["http://localhost.:PORT/"],
  ])("does not reach %s", async (url) => {
    const { port, got } = receiver();
    const error = await refusal(post(url.replace("PORT", String(port))));
    expect(error.code).toBe("refused");
    expect(error.message).toContain("is an inner address");
    expect(got).toEqual([]);
  });

  test.each([["169.254.169.254"], ["fd00:ec2::254"], ["10.0.0.1"], ["fe80::1"]])(
    "does not connect to %s, to which a name leads",
    async (address) => {
      const error = await refusal(post("http://meta.test/", { resolve: () => Promise.resolve([address]) }));
      expect(error.message).toBe(
        `Cannot reach the webhook at meta.test: ${address} is an inner address, wanted one of the internet`,
      );
    },
  );

  test("refuses a name if one of its addresses is an inner one", async () => {
    const { port, got } = receiver();
    const resolve = () => Promise.resolve(["2606:4700::1", "127.0.0.1"]);
    expect((await refusal(post(`http://hook.test:${port}/`, { resolve }))).code).toBe("refused");
    expect(got).toEqual([]);
  });

  test("resolves a name once: a DNS answer that changes afterwards has no effect", async () => {
    const { port, got } = receiver();
    let asked = 0;
    // First a server that is allowed, then, for who asks again, another.
    const resolve = () => Promise.resolve([asked++ === 0 ? "127.0.0.1" : "127.0.0.2"]);
    await post(`http://hook.test:${port}/`, { allowedHosts: ["hook.test"], resolve });
    expect(asked).toBe(1);
    expect(got).toHaveLength(1);
  });

  test("allows by name, not by address: another name of the same address is refused", async () => {
    const { port } = receiver();
    const options = { allowedHosts: ["hook.test"], resolve: loopback };
    expect((await refusal(post(`http://hook.test.evil.test:${port}/`, options))).code).toBe("refused");
    expect((await refusal(post(`http://127.0.0.1:${port}/`, options))).code).toBe("refused");
  });

  test("follows no redirect", async () => {
    const { port, got } = receiver(
      () => new Response(null, { status: 307, headers: { location: "/other" } }),
    );
    const error = await refusal(post(`http://127.0.0.1:${port}/`, { allowedHosts: ["127.0.0.1"] }));
    expect(error.message).toBe("The webhook at 127.0.0.1 answered 307: a redirect, which is not followed");
    expect(got).toHaveLength(1);
  });

  test("names the status of another answer, and nothing of the URL but its host", async () => {
    const { port } = receiver(() => new Response("secret", { status: 500 }));
    const error = await refusal(post(`http://127.0.0.1:${port}/secret`, { allowedHosts: ["127.0.0.1"] }));
    expect(error.message).toBe("The webhook at 127.0.0.1 answered 500: wanted 2xx");
  });

  test("tries the next address when the first cannot be reached", async () => {
    const { port, got } = receiver();
    const resolve = () => Promise.resolve(["127.0.0.3", "127.0.0.1"]);
    await post(`http://hook.test:${port}/`, { allowedHosts: ["hook.test"], resolve });
    expect(got).toHaveLength(1);
  });

  test("says why nobody is there", async () => {
    const refused = await refusal(post("http://127.0.0.1:1/", { allowedHosts: ["127.0.0.1"] }));
    expect(refused).toMatchObject({ code: "unavailable" });
    expect(refused.message).toContain("127.0.0.1: ECONNREFUSED");
    const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    const unknown = await refusal(post("http://hook.test/", { resolve }));
    expect(unknown.message).toBe("Cannot find the webhook's host hook.test: ENOTFOUND");
    const none = await refusal(post("http://hook.test/", { resolve: () => Promise.resolve([]) }));
    expect(none.message).toContain("it has no address");
  });

  test("requires a certificate for the host name, whatever the address", async () => {
    const { port, got } = receiver(undefined, true);
    const options = { resolve: loopback, ca: CERTIFICATE };
    await post(`https://hook.test:${port}/`, { ...options, allowedHosts: ["hook.test"] });
    expect(got).toHaveLength(1);
    const other = await refusal(
      post(`https://other.test:${port}/`, { ...options, allowedHosts: ["other.test"] }),
    );
    expect(other.code).toBe("unavailable");
    const untrusted = post(`https://hook.test:${port}/`, { resolve: loopback, allowedHosts: ["hook.test"] });
    expect((await refusal(untrusted)).code).toBe("unavailable");
    expect(got).toHaveLength(1);
  });

  test("ends with the signal, while it waits for an answer or a name", async () => {
    const arrived = Promise.withResolvers<void>();
    const { port } = receiver(() => {
      arrived.resolve();
      return new Promise<Response>(() => {});
    });
    const stop = new AbortController();
    const waiting = post(`http://127.0.0.1:${port}/`, { allowedHosts: ["127.0.0.1"], signal: stop.signal });
    await arrived.promise;
    stop.abort(new Error("stopped"));
    expect(waiting).rejects.toThrow("stopped");
    const late = new AbortController();
    const asking = post("http://hook.test/", { resolve: () => new Promise(() => {}), signal: late.signal });
    late.abort(new Error("stopped too"));
    expect(asking).rejects.toThrow("stopped too");
    await Promise.allSettled([waiting, asking]);
  });
});
