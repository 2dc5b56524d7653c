import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Hex } from "../../../core/checksum.ts";
import { LogError } from "../../../core/errors.ts";
import { createLogger } from "../../../core/log.ts";
import { parseStations } from "../../../core/station.ts";
import type { DatasetKind } from "../../../core/dataset-kind.ts";
import type { NewRecord } from "../../../jobs/log/log.ts";
import type { Log } from "../../../jobs/log/log.ts";
import { startServer } from "../../../server/http/listen.ts";
import { loadConfig } from "../../../server/config/config.ts";
import { isStationPath, withoutKey } from "../../../server/http/station-paths.ts";
import { openStationPushes } from "../../../server/wiring/station-pushes.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testApi } from "../../support/api-app.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isobar-stations-"));
});
afterAll(() => rm(folder, { recursive: true }));

const KEY = "2345678abcdefgh2345678ab";
const stations = parseStations([
  {
    id: "garden",
    city: "London",
    key_sha256: sha256Hex(KEY),
    periods: [{ from: "2026-01-01", latitude: 51.5, longitude: -0.1 }],
  },
]);
const WU = "/weatherstation/updateweatherstation.php";
const push = "action=updateraw&dateutc=now&tempf=46.4&humidity=81&baromin=29.92&rainin=0";
const wu = (key = KEY, rest = push) => `${WU}?ID=garden&PASSWORD=${key}&${rest}`;
const form = (body: string, headers: Record<string, string> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
  body,
});
const ecowitt = (passkey: string) =>
  `PASSKEY=${passkey}&stationtype=GW2000A&dateutc=2026-01-31+11:59:00&tempf=46.4&humidity=81&baromrelin=29.92&hourlyrainin=0`;

/** The answer to a request as it goes over the wire: `fetch` would put its path right. */
async function answerOf(url: URL, text: string): Promise<string> {
  const answer = Promise.withResolvers<string>();
  let bytes = "";
  await Bun.connect({
    hostname: "127.0.0.1",
    port: Number(url.port),
    socket: {
      open: (socket) => void socket.write(text),
      data: (_socket, data) => void (bytes += data.toString()),
      close: () => answer.resolve(bytes),
    },
  });
  return answer.promise;
}

/** The whole application with stations that push into a log the test sees. */
function setUp(kind: DatasetKind = "observed") {
  const appended: NewRecord[] = [];
  const lines: string[] = [];
  const logger = createLogger({ level: "debug", format: "json", write: (line) => lines.push(line) });
  const state = { failure: null as Error | null, claim: Promise.resolve() };
  const log = {
    append: async (records: readonly NewRecord[]) => {
      if (state.failure !== null) throw state.failure;
      appended.push(...records);
    },
  } as Partial<Log> as Log;
  const { config } = loadConfig(
    { DATA_DIR: join(folder, crypto.randomUUID()), STATIONS_LISTEN: "127.0.0.1:0" },
    { isTerminal: false },
  );
  const deps = {
    dataset: "observed",
    kind,
    log,
    claimed: () => state.claim,
    clock: new FakeClock(),
    logger,
  };
  const opened = openStationPushes(stations, config, deps)!;
  const api = testApi({ logger, plugins: [opened.routes] });
  const observations = () => appended.map(({ value }) => JSON.parse(value) as Record<string, unknown>);
  return { ...api, opened, appended, observations, lines, state };
}

describe("a push", () => {
  test("of the Weather Underground protocol is answered with success once it is in the log", async () => {
    const t = setUp();
    const response = await t.call(wu());
    expect([response.status, await response.text()]).toEqual([200, "success\n"]);
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(t.observations()).toMatchObject([
      { city: "London", source: "station:garden", temperature: 8, pressure: 1013.21, rainfall: 0 },
    ]);
  });

  test.each([
    ["in its path", `/data/report/${KEY}`, ecowitt("0123456789ABCDEF0123456789ABCDEF")],
    ["in its path, with a slash behind", `/data/report/${KEY}/`, ecowitt("ABC")],
    ["as its PASSKEY", "/data/report/", ecowitt(KEY)],
    ["as its PASSKEY, without the slash", "/data/report", ecowitt(KEY)],
    ["as its PASSKEY, at the other protocol's path", WU, ecowitt(KEY)],
    ["in the query of its path", `/data/report/?PASSWORD=${KEY}`, ecowitt("ABC")],
  ])("of the Ecowitt protocol is taken with the key %s", async (_, path, body) => {
    const t = setUp();
    const response = await t.call(path, form(body));
    expect([response.status, await response.text()]).toEqual([200, "success\n"]);
    expect(t.observations()).toMatchObject([{ timestamp: "2026-01-31T11:59:00Z", source: "station:garden" }]);
  });

  test("with a wrong key is answered with 401, also with a known id", async () => {
    const t = setUp();
    for (const answer of [
      await t.call(wu("wrong")),
      await t.call(`${WU}?ID=garden&${push}`),
      await t.call(`${WU}?ID=other&PASSWORD=${KEY}&${push}`),
      await t.call("/data/report/wrong", form(ecowitt(KEY))),
      await t.call("/data/report/", form(ecowitt("wrong"))),
    ]) {
      expect(answer.status).toBe(401);
      expect(answer.headers.get("www-authenticate")).toBe("StationKey");
      expect(await answer.json()).toMatchObject({ error: { code: "unauthorized" } });
    }
    expect(t.appended).toEqual([]);
  });

  test("with a broken value is answered with success and says what is impossible", async () => {
    const t = setUp();
    const response = await t.call(wu(KEY, "dateutc=now&tempf=50&humidity=255&windspeedmph=--"));
    expect([response.status, await response.text()]).toEqual([
      200,
      'success\nLeft out: humidity is "255", wanted humidity as a number from 0 to 110 %\n' +
        'Left out: windspeedmph is "--", wanted wind_speed as a number from 0 to 1000 m/s\n',
    ]);
    expect(t.observations()).toMatchObject([
      { temperature: 10, humidity: null, impossible: '{"humidity":"255","wind_speed":"--"}' },
    ]);
  });

  test("that is malformed is answered with 400 and a reason, and the next one is taken", async () => {
    const t = setUp();
    const bad = await t.call(wu(KEY, "dateutc=yesterday&tempf=50"));
    expect(bad.status).toBe(400);
    expect(await bad.json()).toEqual({
      error: {
        code: "bad_parameter",
        message: 'The parameter dateutc is "yesterday", wanted now or YYYY-MM-DD HH:MM:SS in UTC',
      },
    });
    for (const body of ["", "\u0000\u0001", "&&&=&", "dateutc&tempf"])
      expect((await t.call(`/data/report/${KEY}`, form(body))).status).toBe(400);
    const binary = { ...form(""), body: new Uint8Array([0xff, 0xfe]) };
    expect((await t.call(`/data/report/${KEY}`, binary)).status).toBe(400);
    expect(t.appended).toEqual([]);
    expect((await t.call(wu())).status).toBe(200);
  });

  test.each([
    ["GET", `/?ID=garden&PASSWORD=${KEY}&${push}`],
    ["GET", `/updateweatherstation.php?ID=garden&PASSWORD=${KEY}&${push}`],
    ["GET", `/data/report/updateweatherstation.php?ID=garden&PASSWORD=${KEY}&${push}`],
    ["POST", `//data/report/`],
    ["POST", `//data/report/${KEY}`],
    ["POST", `/data/report/${KEY}/more`],
  ])(
    "to a wrong path is answered with 404, not 401, and logged without a key: %s %s",
    async (method, path) => {
      const t = setUp();
      const server = t.opened.listen()!;
      try {
        const body = method === "POST" ? ecowitt(KEY) : "";
        const response = await t.call(path, method === "POST" ? form(body) : {});
        const head = `Host: pi\r\nConnection: close\r\nContent-Length: ${body.length}`;
        const answer = await answerOf(server.url, `${method} ${path} HTTP/1.1\r\n${head}\r\n\r\n${body}`);
        expect(response.status).toBe(404);
        expect(answer).toStartWith("HTTP/1.1 404 ");
        expect(`${answer}${await response.text()}`).not.toContain(KEY);
        const logged = t.lines.filter((line) => line.includes("A push came to a path that takes none"));
        expect(logged).toHaveLength(1); // one a minute
        expect(logged[0]).toContain(
          "/weatherstation/updateweatherstation.php, or /data/report/ followed by the key",
        );
        expect(t.lines.join("\n")).not.toContain(KEY);
        expect(t.appended).toEqual([]);
      } finally {
        await server.stop(1_000);
        t.hub.close();
      }
    },
  );

  test("with a wrong last part of the path says that this is what is wrong", async () => {
    const t = setUp();
    const response = await t.call("/data/report/wrong", form(ecowitt(KEY)));
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringMatching(/^The last part of the path is no station's key/) as string },
    });
  });

  test("that is packed with gzip is taken; what is no gzip, too long unpacked or packed otherwise is refused", async () => {
    const t = setUp();
    const path = `/data/report/${KEY}`;
    const packed = (body: Uint8Array<ArrayBuffer>, encoding: string | null) => ({
      ...form("", encoding === null ? {} : { "content-encoding": encoding }),
      body,
    });
    const gzip = Bun.gzipSync(ecowitt("ABC"));
    expect((await t.call(path, packed(gzip, "gzip"))).status).toBe(200);
    expect(t.observations()).toMatchObject([{ temperature: 8 }]);
    for (const [body, encoding, status, message] of [
      [gzip, null, 400, "The body is gzip, and no Content-Encoding says so"],
      [Buffer.from("tempf=50"), "gzip", 400, "The body is not gzip, as its Content-Encoding says"],
      [gzip.slice(0, 40), "gzip", 400, "The body is not gzip, as its Content-Encoding says"],
      [gzip, "br", 415, 'The content encoding is "br", wanted gzip or none'],
      [Bun.gzipSync("x".repeat(10_000_000)), "gzip", 413, "The body passes 16384 bytes in line 1"],
    ] as const) {
      const response = await t.call(path, packed(new Uint8Array(body), encoding));
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ error: { message } });
    }
    expect(t.appended).toHaveLength(1);
  });

  test("whose URL or form is too long is answered with 413", async () => {
    const t = setUp();
    expect((await t.call(wu(KEY, `${push}&junk=${"x".repeat(8_192)}`))).status).toBe(413);
    const long = form(`${ecowitt("ABC")}&junk=${"x".repeat(16_384)}`);
    expect((await t.call(`/data/report/${KEY}`, long)).status).toBe(413);
    expect(t.appended).toEqual([]);
  });

  test("that the log does not take is answered with 503, so that the station sends again", async () => {
    const t = setUp();
    t.state.failure = new LogError("full", "Cannot append to /secret/place: the disk is full");
    for (const response of [
      await t.call(wu()),
      await t.call(`/data/report/${KEY}`, form(ecowitt("ABC"))),
      await t.call(`/data/report/${KEY}/`, form(ecowitt("ABC"))),
    ]) {
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("5");
      expect(await response.text()).not.toContain("secret");
    }
    const logged = t.lines.join("\n");
    expect(logged).toContain("Cannot answer GET /weatherstation/updateweatherstation.php:");
    expect(logged).toContain("Cannot answer POST /data/report/…");
    expect(logged).not.toContain(KEY);
    t.state.failure = null;
    expect((await t.call(wu())).status).toBe(200);
  });

  test("waits for the lake's word on what the data set is, and never goes into simulated data", async () => {
    const t = setUp();
    const claim = Promise.withResolvers<void>();
    t.state.claim = claim.promise;
    const answer = t.call(wu());
    await Bun.sleep(0);
    expect(t.appended).toEqual([]);
    claim.resolve();
    expect((await answer).status).toBe(200);

    const simulated = setUp("simulated");
    const refused = await simulated.call(wu());
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({
      error: {
        message: 'Cannot take observations of a station: the data set "observed" holds simulated data',
      },
    });
    expect(simulated.appended).toEqual([]);
  });

  test("may name any host and come from anywhere: its key is what counts; the other routes stay guarded", async () => {
    const t = setUp();
    const foreign = { host: "rtupdate.wunderground.com" };
    expect((await t.call(wu(), { headers: foreign })).status).toBe(200);
    const headers = { ...foreign, origin: "http://evil.example", "sec-fetch-site": "cross-site" };
    expect((await t.call(`/data/report/${KEY}`, form(ecowitt("ABC"), headers))).status).toBe(200);
    expect((await t.call(`/data/report/x`, form(ecowitt("ABC"), headers))).status).toBe(401);
    for (const path of [
      "/api/v1/current",
      "/data/report/a/b",
      "/data/reports",
      "/data",
      "/weatherstation/",
      "/live",
    ])
      expect([path, (await t.call(path, { headers: foreign })).status]).toEqual([path, 403]);
    expect((await t.call("/api/v1/observations", form("x", headers))).status).toBe(403);
    t.hub.close();
  });
});

describe("STATIONS_LISTEN", () => {
  test("is served on a socket of its own, with nothing but the stations' paths behind it", async () => {
    const t = setUp();
    const server = t.opened.listen()!;
    try {
      const ask = async (path: string, init?: RequestInit) => {
        const response = await fetch(new URL(path, server.url), init);
        return [response.status, await response.text()] as const;
      };
      expect(await ask(wu())).toEqual([200, "success\n"]);
      expect(await ask(`/data/report/${KEY}`, form(ecowitt("ABC")))).toEqual([200, "success\n"]);
      expect((await ask(wu("wrong")))[0]).toBe(401);
      for (const path of ["/", "/api/v1/current", "/api/v1/pipeline", "/live"])
        expect([path, (await ask(path))[0]]).toEqual([path, 404]);
      expect((await ask(WU, { method: "DELETE" }))[0]).toBe(405);
    } finally {
      await server.stop(1_000);
      t.opened.close();
    }
    expect(t.appended).toHaveLength(2);
  });
});

describe("over a real socket", () => {
  const line = `GET ${wu()} HTTP/1.1`;
  const body = ecowitt("ABC");
  const post = `POST /data/report/${KEY} HTTP/1.1\r\nHost: pi\r\nConnection: close\r\nContent-Length: ${body.length}`;
  test.each([
    ["that names no host", `GET ${wu()} HTTP/1.0\r\n\r\n`],
    ["that names a host of one letter", `${line}\r\nHost: x\r\nConnection: close\r\n\r\n`],
    ["that names a host that is none", `${line}\r\nHost: a b\r\nConnection: close\r\n\r\n`],
    ["that names an address", `${line}\r\nHost: 192.168.1.5\r\nConnection: close\r\n\r\n`],
    ["that posts", `${post}\r\n\r\n${body}`],
  ])("a push %s is taken, by both servers", async (_, text) => {
    const t = setUp();
    const servers = [
      t.opened.listen()!,
      startServer({ app: t.app, host: "127.0.0.1", port: 0, clock: t.clock }),
    ];
    try {
      for (const { url } of servers) {
        expect(await answerOf(url, text)).toMatch(/^HTTP\/1\.1 200 [\s\S]*success\n$/);
      }
      expect(t.appended).toHaveLength(2);
    } finally {
      t.hub.close();
      for (const server of servers) await server.stop(1_000);
    }
  });
});

describe("the stations' paths", () => {
  test.each([
    [WU, true],
    [`${WU}/`, true],
    ["/data/report", true],
    ["/data/report/", true],
    ["/data/report/key", true],
    ["/data/report/key/", true],
    ["/data/report/key/more", false],
    ["/data/report/../../api/v1/current", false],
    ["//data/report", false],
    [`/x${WU}`, false],
    ["/weatherstation/updateweatherstationXphp", false],
  ])("isStationPath(%p) is %p", (path, wanted) => {
    expect(isStationPath(path)).toBe(wanted);
  });

  test("withoutKey() blacks out the key", () => {
    expect(withoutKey("/data/report/s3cret")).toBe("/data/report/…");
    expect(withoutKey("/data/report/s3cret/")).toBe("/data/report/…/");
    expect(withoutKey(WU)).toBe(WU);
  });
});

test("openStations() makes nothing where no station has a key", () => {
  const { config } = loadConfig({}, { isTerminal: false });
  const quiet = stations.map((station) => ({ ...station, keySha256: null }));
  expect(openStationPushes(quiet, config, {} as never)).toBeNull();
  expect(openStationPushes([], config, {} as never)).toBeNull();
});
