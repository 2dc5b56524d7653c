import { describe, expect, test } from "bun:test";
import { SourceError } from "../../../core/errors.ts";
import { WeatherHttp } from "../../../jobs/sources/http.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { JumpingClock, never, rejection, serveProvider } from "./provider.ts";

const KEY = "s3cret/key+0123";

function httpOf(
  clock: JumpingClock | FakeClock,
  extra: Partial<ConstructorParameters<typeof WeatherHttp>[0]> = {},
) {
  return new WeatherHttp({
    provider: "Example",
    limits: [{ calls: 1000, windowMs: 60_000 }],
    maxWaitMs: 300_000,
    unauthorizedHint: "Set EXAMPLE_KEY.",
    secret: KEY,
    clock,
    random: () => 0,
    ...extra,
  });
}

const urlOf = (endpoint: string) => new URL(`${endpoint}/data?appid=${encodeURIComponent(KEY)}&lat=1`);

describe("WeatherHttp.getJson()", () => {
  test("gets JSON with one call", async () => {
    await using server = serveProvider(() => Response.json({ ok: [1] }));
    const clock = new JumpingClock();
    expect(await httpOf(clock).getJson(urlOf(server.endpoint), never)).toEqual({ ok: [1] });
    expect(server.calls).toHaveLength(1);
    expect(server.calls[0]?.searchParams.get("appid")).toBe(KEY);
    expect(clock.jumps).toEqual([]);
  });

  test("tries again on 500, an error page and a broken body, and then succeeds", async () => {
    await using server = serveProvider((_, call) => {
      if (call === 1) return new Response("oops", { status: 500 });
      if (call === 2)
        return new Response("<html>Bad gateway</html>", { headers: { "content-type": "text/html" } });
      if (call === 3) return new Response('{"temp": 1', { headers: { "content-type": "application/json" } });
      return Response.json({ temp: 1 });
    });
    const clock = new JumpingClock();
    expect(await httpOf(clock).getJson(urlOf(server.endpoint), never)).toEqual({ temp: 1 });
    expect(server.calls).toHaveLength(4);
    expect(clock.jumps).toEqual([500, 500, 500]); // no jitter: random is 0
  });

  test("waits between tries with exponential backoff and jitter", async () => {
    await using server = serveProvider(() => new Response("", { status: 503 }));
    const clock = new JumpingClock();
    const http = httpOf(clock, { random: () => 0.5 });
    expect((await rejection(http.getJson(urlOf(server.endpoint), never))).code).toBe("unavailable");
    expect(clock.jumps).toEqual([500, 750, 1250]);
  });

  test("gives up after four tries with the last failure", async () => {
    await using server = serveProvider(() => new Response("busy", { status: 502 }));
    const error = await rejection(httpOf(new JumpingClock()).getJson(urlOf(server.endpoint), never));
    expect(server.calls).toHaveLength(4);
    expect(error).toBeInstanceOf(SourceError);
    expect(error.message).toContain("answered 502");
  });

  test("waits as long as Retry-After says in seconds", async () => {
    await using server = serveProvider((_, call) =>
      call === 1
        ? Response.json({ cod: 429, message: "slow down" }, { status: 429, headers: { "retry-after": "17" } })
        : Response.json(1),
    );
    const clock = new JumpingClock();
    expect(await httpOf(clock).getJson(urlOf(server.endpoint), never)).toBe(1);
    expect(clock.jumps).toEqual([17_000]);
  });

  test("waits until the HTTP date that Retry-After says", async () => {
    const clock = new JumpingClock();
    const date = new Date(clock.now() + 42_000).toUTCString();
    await using server = serveProvider((_, call) =>
      call === 1 ? new Response("", { status: 503, headers: { "retry-after": date } }) : Response.json(1),
    );
    await httpOf(clock).getJson(urlOf(server.endpoint), never);
    expect(clock.jumps).toEqual([42_000]);
  });

  test("believes Retry-After for five minutes at most", async () => {
    await using server = serveProvider((_, call) =>
      call === 1 ? new Response("", { status: 429, headers: { "retry-after": "86400" } }) : Response.json(1),
    );
    const clock = new JumpingClock();
    await httpOf(clock).getJson(urlOf(server.endpoint), never);
    expect(clock.jumps).toEqual([300_000]);
  });

  test("a Retry-After beyond the poll interval ends the call, and later calls keep to it", async () => {
    await using server = serveProvider((_, call) =>
      call === 1 ? new Response("", { status: 429, headers: { "retry-after": "90" } }) : Response.json(1),
    );
    const clock = new JumpingClock();
    const http = httpOf(clock, { maxWaitMs: 60_000 });
    expect((await rejection(http.getJson(urlOf(server.endpoint), never))).code).toBe("rate_limited");
    expect((await rejection(http.getJson(urlOf(server.endpoint), never))).code).toBe("rate_limited");
    expect(server.calls).toHaveLength(1);
    clock.pass(60_000);
    expect(await http.getJson(urlOf(server.endpoint), never)).toBe(1);
    expect(clock.jumps).toEqual([30_000]);
  });

  test("a provider that hangs is a time-out after 10 s, and is asked again", async () => {
    const hung = Promise.withResolvers<Response>();
    await using server = serveProvider((_, call) => (call === 1 ? hung.promise : Response.json(2)));
    const clock = new FakeClock();
    const result = httpOf(clock).getJson(urlOf(server.endpoint), never);
    await server.arrived(1);
    await clock.advance(10_000);
    while (clock.nextWakeMs !== 500) await new Promise((resolve) => setImmediate(resolve)); // the backoff
    await clock.advance(500);
    expect(await result).toBe(2);
    hung.resolve(Response.json(1));
  });

  test("a body that never ends is a time-out", async () => {
    await using server = serveProvider(
      () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array([91])) })),
    );
    const clock = new FakeClock();
    const result = rejection(
      httpOf(clock).getJson(urlOf(server.endpoint), never, { tries: 1, timeoutMs: 3000 }),
    );
    await server.arrived(1);
    await clock.advance(3000);
    const error = await result;
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain("no answer within 3 s");
  });

  test("a body longer than 1 MB is refused and not asked for again", async () => {
    await using server = serveProvider(() => new Response(`[${" ".repeat(1024 * 1024)}]`));
    const error = await rejection(httpOf(new JumpingClock()).getJson(urlOf(server.endpoint), never));
    expect(error.code).toBe("bad_response");
    expect(error.message).toContain("longer than 1048576 bytes");
    expect(server.calls).toHaveLength(1);
  });

  test.each([
    [401, "unauthorized"],
    [403, "unauthorized"],
    [404, "not_found"],
    [400, "bad_response"],
  ])("does not ask again after %d (%s)", async (status, code) => {
    await using server = serveProvider(() =>
      Response.json({ cod: String(status), message: "no way" }, { status }),
    );
    const error = await rejection(httpOf(new JumpingClock()).getJson(urlOf(server.endpoint), never));
    expect(error.code).toBe(code);
    expect(error.message).toContain(`answered ${status} (no way)`);
    expect(error.hint).toBe(code === "unauthorized" ? "Set EXAMPLE_KEY." : undefined);
    expect(server.calls).toHaveLength(1);
  });

  test("never shows the key, whoever repeats it", async () => {
    const seen: string[] = [];
    const show = async (promise: Promise<unknown>) => {
      const error = await rejection(promise);
      seen.push(Bun.inspect(error), error.message, String(error.stack), JSON.stringify(error));
    };
    const bodies = [`bad key ${KEY}`, `?appid=${KEY}`, encodeURIComponent(KEY), "x".repeat(70) + KEY];
    for (const body of [...bodies, "x".repeat(190) + KEY]) {
      await using server = serveProvider((_, call) =>
        call === 1 ? Response.json({ message: body }, { status: 401 }) : new Response(body),
      );
      await show(httpOf(new JumpingClock()).getJson(urlOf(server.endpoint), never));
      await show(httpOf(new JumpingClock()).getJson(urlOf(server.endpoint), never));
    }
    const gone = serveProvider(() => Response.json(1));
    await gone[Symbol.asyncDispose]();
    await show(httpOf(new JumpingClock()).getJson(urlOf(gone.endpoint), never));
    const echo = () => Promise.reject(new TypeError(`cannot fetch http://x/?appid=${KEY}&lat=1`));
    await show(httpOf(new JumpingClock(), { fetch: echo }).getJson(urlOf("http://x"), never));
    expect(seen).toHaveLength(48);
    for (const text of seen) {
      expect(text).not.toContain(KEY);
      expect(text).not.toContain(encodeURIComponent(KEY));
      expect(text).not.toContain("s3c");
    }
  });

  test("a connection that fails is unavailable and tried again", async () => {
    let calls = 0;
    const fetch = () => {
      calls++;
      return Promise.reject(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }));
    };
    const error = await rejection(
      httpOf(new JumpingClock(), { fetch }).getJson(new URL("http://127.0.0.1/x"), never),
    );
    expect(error.code).toBe("unavailable");
    expect(error.message).toBe("Cannot get http://127.0.0.1/x: the connection failed (ECONNREFUSED)");
    expect(calls).toBe(4);
  });

  test("stops at once when the signal aborts", async () => {
    await using server = serveProvider(() => new Promise<Response>(() => {}));
    const abort = new AbortController();
    const result = rejection(httpOf(new FakeClock()).getJson(urlOf(server.endpoint), abort.signal));
    await server.arrived(1);
    abort.abort();
    const error = await result;
    expect(error.code).toBe("unavailable");
    expect(error.message).toContain("it was stopped");
    expect(server.calls).toHaveLength(1);
  });

  test("counts second tries against the budget", async () => {
    await using server = serveProvider(() => new Response("", { status: 500 }));
    const clock = new JumpingClock();
    const http = httpOf(clock, { limits: [{ calls: 2, windowMs: 60_000 }] });
    await rejection(http.getJson(urlOf(server.endpoint), never));
    expect(clock.jumps).toEqual([500, 500, 59_000, 500]);
  });
});
