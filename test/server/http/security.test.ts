import { describe, expect, test } from "bun:test";
import { Elysia } from "elysia";
import { RequestError } from "../../../core/errors.ts";
import { problemOf, problemResponse } from "../../../server/http/problems.ts";
import { CONTENT_SECURITY_POLICY, guard } from "../../../server/http/security.ts";
import { startServer } from "../../../server/http/listen.ts";
import { testApi } from "../../support/api-app.ts";

/** Sends a request to a guarded application; its status. */
async function ask(
  options: { host?: string; allowedHosts?: string[] },
  request: { method?: string; headers: Record<string, string>; path?: string },
): Promise<number> {
  const app = new Elysia()
    .use(guard({ host: options.host ?? "127.0.0.1", allowedHosts: options.allowedHosts ?? [] }))
    .onError(({ error }) => problemResponse(problemOf(error)))
    .get("/", () => "yes")
    .post("/form", () => "yes", { parse: "none" })
    .post("/api/v1/x", () => "yes", { parse: "none" });
  const { method = "GET", headers, path = method === "GET" ? "/" : "/api/v1/x" } = request;
  return (await app.handle(new Request(`http://localhost${path}`, { method, headers }))).status;
}

describe("guard()", () => {
  test.each([
    "localhost",
    "localhost:3000",
    "LOCALHOST:3000",
    "weather.localhost:3000",
    "127.0.0.1:3000",
    "127.0.0.1",
    "[::1]:3000",
    "[::1]",
    "localhost.",
  ])("serves the loopback host %s", async (host) => {
    expect(await ask({}, { headers: { host } })).toBe(200);
  });
  test.each([
    "evil.example",
    "evil.example:3000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1.nip.io",
    "notlocalhost",
    "192.168.1.5:3000",
    "0.0.0.0:3000",
    "[::]:3000",
    "localhost:3000@evil.example",
    "localhost, evil.example",
    "evil.example/localhost",
    "localhost:99999999",
    "[::1",
    " ",
    "",
  ])("refuses the host %p", async (host) => {
    expect(await ask({}, { headers: { host } })).toBe(403);
  });
  test("serves the configured host and the allowed ones, with any port", async () => {
    const options = { host: "192.168.1.5", allowedHosts: ["Weather.example.org", "fd00::5"] };
    for (const host of [
      "192.168.1.5:3000",
      "weather.example.org",
      "WEATHER.example.org:8443",
      "[fd00::5]:80",
    ]) {
      expect([host, await ask(options, { headers: { host } })]).toEqual([host, 200]);
    }
    for (const host of ["192.168.1.6:3000", "example.org", "a.weather.example.org"]) {
      expect([host, await ask(options, { headers: { host } })]).toEqual([host, 403]);
    }
  });
  test("serves literal addresses where it listens on every one, but no names", async () => {
    for (const listening of ["0.0.0.0", "::"]) {
      const options = { host: listening };
      expect(await ask(options, { headers: { host: "192.168.1.5:3000" } })).toBe(200);
      expect(await ask(options, { headers: { host: "[fd00::5]:3000" } })).toBe(200);
      expect(await ask(options, { headers: { host: "evil.example:3000" } })).toBe(403);
    }
  });
  test.each([
    [{}, 200],
    [{ origin: "http://localhost:3000" }, 200],
    [{ origin: "https://localhost:3000" }, 200],
    [{ origin: "http://LOCALHOST:3000" }, 200],
    [{ origin: "http://localhost:3000", "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "none" }, 200],
    [{ origin: "http://localhost:8080" }, 403],
    [{ origin: "http://localhost" }, 403],
    [{ origin: "http://evil.example" }, 403],
    [{ origin: "http://localhost:3000.evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
    [{ origin: "http://localhost:3000", "sec-fetch-site": "cross-site" }, 403],
    [{ "content-type": "application/json" }, 200],
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "TEXT/plain;charset=utf-8" }, 415],
    [{ "content-type": "application/x-www-form-urlencoded" }, 415],
    [{ "content-type": "multipart/form-data; boundary=x" }, 415],
    [{ "content-type": "text/plain", origin: "http://evil.example" }, 403],
  ])("answers a post with %j by %d", async (headers, status) => {
    expect(
      await ask(
        {},
        { method: "POST", headers: { host: "localhost:3000", ...headers } as Record<string, string> },
      ),
    ).toBe(status);
  });
  test("lets a form be posted to a page of its own site, and a page be read from elsewhere", async () => {
    const own = { host: "localhost:3000", origin: "http://localhost:3000" };
    const form = { ...own, "content-type": "application/x-www-form-urlencoded" };
    expect(await ask({}, { method: "POST", path: "/form", headers: form })).toBe(200);
    expect(await ask({}, { headers: { host: "localhost:3000", "sec-fetch-site": "cross-site" } })).toBe(200);
  });
  test.each(["PUT", "PATCH", "DELETE", "POST"])(
    "refuses a %s from elsewhere before it looks for a route",
    async (method) => {
      expect(
        await ask(
          {},
          { method, path: "/nope", headers: { host: "localhost", origin: "http://evil.example" } },
        ),
      ).toBe(403);
    },
  );
});

describe("security headers", () => {
  test.each(["/api/v1/cities", "/api/v1/nope", "/live?x=1", "/api/v1/observations?limit=x"])(
    "stand on %s",
    async (path) => {
      const { call, hub } = testApi();
      const { headers } = await call(path);
      hub.close();
      expect(headers.get("content-security-policy")).toBe(CONTENT_SECURITY_POLICY);
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("referrer-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
      expect(headers.get("permissions-policy")).toContain("geolocation=()");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    },
  );
  test("stand on a refusal by the guard, which is in the one error shape", async () => {
    const { call, hub } = testApi();
    const response = await call("/api/v1/cities", { headers: { host: "evil.example" } });
    hub.close();
    expect(response.headers.get("content-security-policy")).toBe(CONTENT_SECURITY_POLICY);
    expect(await response.json()).toEqual({
      error: {
        code: "forbidden",
        message: 'The host "evil.example" is not served here',
        hint: "Use localhost, or name the host in ALLOWED_HOSTS.",
      },
    });
  });
});

describe("over a real socket", () => {
  /** Sends bytes to a server; everything it answers before it closes. */
  async function raw(port: number, text: string): Promise<string> {
    const done = Promise.withResolvers<string>();
    let answer = "";
    await Bun.connect({
      hostname: "127.0.0.1",
      port,
      socket: {
        open: (socket) => void socket.write(text),
        data: (_socket, bytes) => void (answer += bytes.toString()),
        close: () => done.resolve(answer),
      },
    });
    return done.promise;
  }
  test("refuses a foreign, a doubled and a missing Host", async () => {
    const { app, hub, clock } = testApi();
    const server = startServer({ app, host: "127.0.0.1", port: 0, clock });
    const port = Number(server.url.port);
    try {
      const line = "GET /api/v1/health/live HTTP/1.1\r\nConnection: close\r\n";
      expect(await raw(port, `${line}Host: localhost:${port}\r\n\r\n`)).toStartWith("HTTP/1.1 200");
      expect(await raw(port, `${line}Host: evil.example\r\n\r\n`)).toStartWith("HTTP/1.1 403");
      expect(await raw(port, `${line}Host: localhost\r\nHost: evil.example\r\n\r\n`)).toMatch(
        /^HTTP\/1.1 4\d\d/,
      );
      expect(await raw(port, `${line}Host: \r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
      expect(await raw(port, "GET /api/v1/health/live HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 4\d\d/);
      const absolute = line.replace("/api", "http://localhost/api");
      expect(await raw(port, `${absolute}Host: evil.example\r\n\r\n`)).toMatch(/^HTTP\/1.1 4\d\d/);
    } finally {
      hub.close();
      await server.stop(1_000);
    }
  });
});

test("problemOf() has a status of its own for each code of RequestError", () => {
  const codes = [
    "bad_parameter",
    "unknown_parameter",
    "unauthorized",
    "forbidden",
    "not_found",
    "not_acceptable",
    "conflict",
    "too_large",
    "unsupported_media_type",
  ] as const;
  expect(codes.map((code) => problemOf(new RequestError(code, "x")).status)).toEqual([
    400, 400, 401, 403, 404, 406, 409, 413, 415,
  ]);
});

describe("CORS_ORIGINS", () => {
  const own = { host: "127.0.0.1", allowedHosts: [] };
  const from = (origin: string, method = "GET", more: Record<string, string> = {}) => ({
    method,
    headers: { origin, ...more },
  });
  const ask = async (corsOrigins: string[], path: string, init: RequestInit) => {
    const { call, hub } = testApi({ security: { ...own, corsOrigins } });
    const response = await call(path, init);
    hub.close();
    return response;
  };
  const allowed = (response: Response) => response.headers.get("access-control-allow-origin");
  test("lets pages of the listed origins read, errors included, and no other", async () => {
    const list = ["https://a.example", "http://b.example:8080"];
    for (const path of ["/api/v1/cities", "/api/v1/cities?x=1", "/api/openapi.json"]) {
      const response = await ask(list, path, from("http://b.example:8080"));
      expect(allowed(response)).toBe("http://b.example:8080");
      expect(response.headers.get("access-control-expose-headers")).toContain("link");
      expect(response.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
    }
    expect((await ask(list, "/api/v1/cities", from("https://a.example"))).headers.get("vary")).toContain(
      "origin",
    );
    for (const origin of ["https://a.example:444", "http://a.example", "https://evil.example", "null"]) {
      expect([origin, allowed(await ask(list, "/api/v1/cities", from(origin)))]).toEqual([origin, null]);
    }
    expect(allowed(await ask([], "/api/v1/cities", from("https://a.example")))).toBeNull();
    expect(allowed(await ask(["*"], "/api/v1/cities", from("https://evil.example")))).toBe("*");
    expect(allowed(await ask(["*"], "/nope", from("https://evil.example")))).toBeNull();
  });
  test("answers the question before a read, and not the one before a change", async () => {
    const asks = (method: string) =>
      ask(
        ["*"],
        "/api/v1/observations",
        from("https://a.example", "OPTIONS", { "access-control-request-method": method }),
      );
    const read = await asks("GET");
    expect([read.status, allowed(read)]).toEqual([204, "*"]);
    expect(read.headers.get("access-control-allow-methods")).toBe("GET, HEAD");
    expect(read.headers.get("access-control-allow-headers")).toContain("if-none-match");
    const change = await asks("POST");
    expect([change.status, allowed(change)]).toEqual([405, null]);
    const post = await ask(["*"], "/api/v1/observations", from("https://a.example", "POST"));
    expect([post.status, allowed(post)]).toEqual([403, null]);
  });
});
