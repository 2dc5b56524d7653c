import { afterEach, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { tableFromIPC } from "apache-arrow";
import { Elysia } from "elysia";
import { EngineError, LakeError, LogError, RequestError } from "../../core/errors.ts";
import { type Anomaly, FLAG_COLUMNS } from "../../core/quality.ts";
import { formatTimestamp } from "../../core/time.ts";
import { startServer } from "../../server/http/listen.ts";
import { POSITIONS_MAX, decodePositions, encodePositions } from "../../server/http/cursor.ts";
import { type TestApi, testApi } from "../support/api-app.ts";
import { GOOD, NOW, observation, result, row } from "../support/fake-services.ts";

const open: TestApi[] = [];
const api = (...args: Parameters<typeof testApi>) => {
  const made = testApi(...args);
  open.push(made);
  return made;
};
afterEach(() => {
  for (const { hub } of open.splice(0)) hub.close();
});

type Rows = Record<string, unknown>[];

describe("every route", () => {
  const paths = [
    "/api/v1/health/live",
    "/api/v1/health/ready",
    "/api/v1/cities",
    "/api/v1/current",
    "/api/v1/verdict",
    "/api/v1/observations",
    "/api/v1/observations/days",
    "/api/v1/statistics",
    "/api/v1/trends",
    "/api/v1/anomalies",
    "/api/v1/results/wind_rose",
    "/api/v1/jobs",
    "/api/v1/jobs/wind_rose",
    "/api/v1/runs",
    "/api/v1/pipeline",
    "/api/v1/forecast/verification",
  ];
  test.each(paths)("%s answers with a labelled JSON object", async (path) => {
    const { status, body } = await api().json(path);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      generated_at: "2026-01-31T12:00:00Z",
      dataset: "simulated",
      kind: "simulated",
    });
  });
  test.each([...paths, "/live"])("%s refuses a parameter it does not know, by name", async (path) => {
    const { status, body } = await api().json(`${path}?citty=London`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({
      code: "unknown_parameter",
      message: expect.stringContaining('"citty"'),
    });
  });
  test.each([...paths, "/live"])(
    "%s answers HEAD without a body, and DELETE with 405 and Allow",
    async (path) => {
      const { call, json, hub } = api();
      const head = await call(path, { method: "HEAD" });
      expect(head.status).toBe(200);
      expect(await head.text()).toBe("");
      expect(hub.stats.clients).toBe(0);
      const refused = await json(path, { method: "DELETE" });
      expect(refused.status).toBe(405);
      expect(refused.body.error).toMatchObject({ code: "method_not_allowed" });
      expect((await call(path, { method: "DELETE" })).headers.get("allow")).toStartWith("GET, HEAD");
    },
  );
  test("is there in createApp()'s list of routes, so that none escapes these tests", () => {
    const { app } = api();
    const known = new Set([...paths, "/live"]);
    const others = app.routes
      .map(({ method, path }) => `${method} ${path}`)
      .filter((route) => !(route.startsWith("GET ") && known.has(route.slice(4))));
    expect(others.sort()).toEqual([
      "GET /api/openapi.json", // its own test has it
      "GET /api/v1/jobs/:name",
      "GET /api/v1/observations/days/:file", // why.test.ts has these two
      "GET /api/v1/observations/why",
      "GET /api/v1/results/:job",
      "GET /api/v1/runs/:id",
      "POST /api/v1/jobs/:name/runs",
      "POST /api/v1/observations",
      "POST /api/v1/runs/:id/cancel",
    ]);
  });
});

describe("ETag", () => {
  const get = async ({ call }: TestApi, path: string, known?: string) => {
    const response = await call(path, known === undefined ? {} : { headers: { "if-none-match": known } });
    return { status: response.status, etag: response.headers.get("etag") ?? "", text: await response.text() };
  };
  test.each([
    "/api/v1/cities",
    "/api/v1/cities?format=csv",
    "/api/v1/jobs",
    "/api/v1/pipeline",
    "/api/v1/observations",
  ])("of %s stays while only the time passes, and is answered with 304", async (path) => {
    const made = api();
    const first = await get(made, path);
    expect([first.status, first.etag]).toEqual([200, expect.stringMatching(/^W\/"[0-9a-z]+"$/)]);
    await made.clock.advance(5_000);
    expect(await get(made, path, first.etag)).toEqual({ status: 304, etag: first.etag, text: "" });
    expect((await get(made, path, 'W/"other"')).status).toBe(200);
  });
  test("is the same in every coding, and 304 says what the answer depends on", async () => {
    const made = api();
    const known = (await get(made, "/api/v1/jobs")).etag;
    for (const coding of ["gzip", "br"]) {
      const headers = { "accept-encoding": coding, "if-none-match": known };
      const { status, headers: given } = await made.call("/api/v1/jobs", { headers });
      expect([status, given.get("etag"), given.get("content-encoding"), given.get("vary")]).toEqual([
        304,
        known,
        null,
        "accept, accept-encoding, origin",
      ]);
    }
  });
  test("changes with the content, and differs between formats and cities", async () => {
    const made = api();
    const before = await get(made, "/api/v1/cities");
    expect((await get(made, "/api/v1/cities?format=csv", before.etag)).status).toBe(200);
    made.services.cityList = made.services.cityList.slice(1);
    expect((await get(made, "/api/v1/cities", before.etag)).status).toBe(200);
    const ages = await get(made, "/api/v1/current");
    await made.clock.advance(1_000);
    expect((await get(made, "/api/v1/current", ages.etag)).status).toBe(200);
  });
  test("is not given for errors and for what was posted", async () => {
    const made = api();
    expect((await get(made, "/api/v1/runs/nope")).etag).toBe("");
    const posted = await made.call("/api/v1/jobs/wind_rose/runs", { method: "POST" });
    expect([posted.status, posted.headers.get("etag")]).toEqual([202, null]);
  });
});

describe("health/ready", () => {
  const ready = async (change: (made: TestApi) => void) => {
    const made = api();
    change(made);
    return made.json("/api/v1/health/ready");
  };
  test("answers 503 with the reason while a job is failed", async () => {
    const { status, body } = await ready(({ services }) => {
      services.status.jobs[0] = {
        name: "producer",
        state: "failed",
        since: "2026-01-31T11:00:00Z",
        restarts: 2,
        reason: "the key is refused",
      };
    });
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: "not ready",
      reasons: ["The job producer failed: the key is refused"],
    });
  });
  test("answers 503 while the log is away and the consumer fails for the lake", async () => {
    const { status, body } = await ready(({ services }) => {
      services.status.stages[1]!.trouble = "no answer";
      services.status.jobs[1]!.state = "failed";
      services.status.jobs[1]!.reason = "the lake is away";
    });
    expect(status).toBe(503);
    expect(body.reasons).toEqual([
      "The log stands still: no answer",
      "The job consumer failed: the lake is away",
    ]);
  });
  test("answers 200 while a source is away", async () => {
    const { status } = await ready(({ services }) => {
      services.status.jobs[0]!.state = "waiting";
    });
    expect(status).toBe(200);
  });
});

/** The columns of a judgement in which every number is the same. */
const judgement = (value: number | null) =>
  Object.fromEntries(
    [...FLAG_COLUMNS, "temperature_expected", "temperature_lower", "temperature_upper"].map((name) => [
      name,
      value,
    ]),
  );

describe("current", () => {
  test("gives each city's newest observation with its age, and says when it is stale", async () => {
    const { body } = await api().json("/api/v1/current");
    expect(body.units).toMatchObject({ temperature: "°C", pressure: "hPa", rainfall: "mm" });
    expect(body.stale_after_seconds).toBe(1800);
    expect(body.rows).toEqual([
      {
        ...observation(),
        log_offset: 7,
        ingested_at: "2026-01-31T11:50:01Z",
        age_seconds: 600,
        stale: false,
        ...judgement(null),
        anomalies: null,
      },
      {
        ...observation({ city: "Tokyo", timestamp: "2026-01-31T09:00:00Z", temperature: null }),
        log_offset: 3,
        ingested_at: "2026-01-31T09:00:01Z",
        age_seconds: 10_800,
        stale: true,
        ...judgement(null),
        anomalies: null,
      },
    ]);
  });
  test("gives the flags, bounds and anomalies that the live judge found", async () => {
    const { json, services } = api();
    const usual = { expected: 1, lower: 1, upper: 1, score: 4, n: 30, status: "anomaly" };
    const found = (kind: Anomaly["kind"]): Anomaly => ({
      ...usual,
      kind,
      variable: "temperature",
      observed: 7.5,
      method: "of this test",
      severity: 1,
    });
    const anomalies = [found("unusual"), found("step")];
    const { city, source, timestamp } = observation();
    services.currentList[0]!.judgement = {
      city,
      source,
      timestamp,
      log_offset: 7,
      flags: GOOD,
      usual,
      anomalies,
    };
    const { body } = await json("/api/v1/current?city=london");
    expect(body.rows).toMatchObject([{ ...judgement(1), anomalies: "unusual step" }]);
    expect(body.units).toMatchObject({ temperature_lower: "°C" });
  });
  test("does not say that nothing is unusual where it could not be judged", async () => {
    const { json, services } = api();
    const { city, source, timestamp } = observation();
    const usual = {
      expected: null,
      lower: null,
      upper: null,
      score: null,
      n: 2,
      status: "insufficient data",
    };
    const judged = { city, source, timestamp, log_offset: 7, flags: GOOD, usual, anomalies: [] };
    services.currentList[0]!.judgement = judged;
    const first = async () => ((await json("/api/v1/current?city=london")).body.rows as Rows)[0];
    expect(await first()).toMatchObject({ flag: 1, temperature_expected: null, anomalies: null });
    services.currentList[0]!.judgement = { ...judged, usual: { ...usual, status: "normal" } };
    expect(await first()).toMatchObject({ anomalies: "" });
  });
  test("says a recording's real age: it is no weather of now", async () => {
    const { json, services } = api();
    services.about = { ...services.about, kind: "replayed" };
    const { body } = await json("/api/v1/current?city=tokyo");
    expect(body).toMatchObject({ kind: "replayed", rows: [{ age_seconds: 10_800, stale: true }] });
  });
  test("is made anew when a second has passed or a value has come", async () => {
    const { json, services, clock } = api();
    const first = async () => ((await json("/api/v1/current")).body.rows as Rows)[0];
    expect((await first())?.age_seconds).toBe(600);
    await clock.advance(1_000);
    expect((await first())?.age_seconds).toBe(601);
    services.currentList = [
      { observation: observation({ temperature: -40 }), offset: 9, receivedMs: NOW, judgement: null },
    ];
    expect((await first())?.temperature).toBe(-40);
    services.currentList = [
      {
        observation: observation({ timestamp: "2026-01-31T12:30:00Z" }),
        offset: 9,
        receivedMs: NOW,
        judgement: null,
      },
    ];
    expect((await first())?.age_seconds).toBe(0);
  });
  test.each(["tokyo", "Tokyo", "TOKYO"])("finds the city %s by slug or name in any case", async (city) => {
    const { body } = await api().json(`/api/v1/current?city=${city}`);
    expect((body.rows as Rows).map((one) => one.city)).toEqual(["Tokyo"]);
  });
  test("as CSV has a header, CRLF, and nothing for null", async () => {
    const response = await api().call("/api/v1/current?format=csv&city=tokyo");
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8; header=present");
    expect(response.headers.get("x-isobar-kind")).toBe("simulated");
    expect(await response.text()).toBe(
      "timestamp,city,temperature,humidity,pressure,wind_speed,rainfall,weather_main,weather_description,source," +
        "wind_direction,wind_gust,dew_point,clouds,visibility,impossible,log_offset,ingested_at,age_seconds,stale," +
        `${FLAG_COLUMNS.join(",")},temperature_expected,temperature_lower,temperature_upper,anomalies\r\n` +
        "2026-01-31T09:00:00Z,Tokyo,,81,1012.4,4.1,0,Clouds,broken clouds,simulator,,,,,,,3,2026-01-31T09:00:01Z,10800,true" +
        `${",".repeat(FLAG_COLUMNS.length + 4)}\r\n`,
    );
  });
  test("as Arrow has typed columns, nulls and the label", async () => {
    const response = await api().call("/api/v1/current", {
      headers: { accept: "application/vnd.apache.arrow.stream" },
    });
    const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
    expect(table.schema.metadata.get("kind")).toBe("simulated");
    expect(table.schema.fields.map((field) => `${field.name} ${field.type}`).slice(0, 3)).toEqual([
      "timestamp Timestamp<MILLISECOND, UTC>",
      "city Utf8",
      "temperature Float64",
    ]);
    expect(table.numRows).toBe(2);
    expect(table.getChild("timestamp")?.get(0)).toBe(NOW - 600_000);
    expect(table.getChild("temperature")?.toJSON()).toEqual([7.5, null]);
    expect(table.getChild("log_offset")?.toJSON()).toEqual([7n, 3n]);
    expect(table.getChild("stale")?.toJSON()).toEqual([false, true]);
  });
});

describe("observations", () => {
  const filled = () => {
    const made = api();
    made.services.rows = Array.from({ length: 25 }, (_, hour) =>
      row(hour, { timestamp: new Date(NOW - (25 - hour) * 3_600_000).toISOString().replace(".000Z", "Z") }),
    );
    return made;
  };
  test("without a time asks for the 24 h up to the newest observation, itself included", async () => {
    const { json, services } = filled();
    const { body } = await json("/api/v1/observations");
    expect(services.asked).toMatchObject({
      city: null,
      from: NOW - 600_000 + 1 - 86_400_000,
      to: NOW - 600_000 + 1,
      limit: 1000,
    });
    expect(body).toMatchObject({
      from: "2026-01-30T11:50:00.001Z",
      to: "2026-01-31T11:50:00.001Z",
      next: null,
    });
    await json("/api/v1/observations?city=tokyo");
    expect(services.asked).toMatchObject({ city: "Tokyo", to: NOW - 3 * 3_600_000 + 1 });
  });
  test("with from alone asks up to now, with to alone for the 24 h before", async () => {
    const { json, services } = filled();
    await json("/api/v1/observations?from=2026-01-01T00:00:00Z");
    expect(services.asked).toMatchObject({ from: Date.UTC(2026, 0, 1), to: NOW });
    await json("/api/v1/observations?to=1769000000");
    expect(services.asked).toMatchObject({ from: 1769000000_000 - 86_400_000, to: 1769000000_000 });
    const { status, body } = await json("/api/v1/observations?from=2026-02-01T00:00:00%2B02:00");
    expect([status, body.rows]).toEqual([200, []]);
    expect(services.asked?.from).toBe(Date.UTC(2026, 0, 31, 22));
  });
  test("takes a + that arrived as a space for what it was", async () => {
    const { json, services } = filled();
    await json("/api/v1/observations?from=2026-01-31T02:00:00+02:00");
    expect(services.asked?.from).toBe(Date.UTC(2026, 0, 31));
  });
  test("gives every row once when the pages are followed, by body and by Link", async () => {
    const { call } = filled();
    const seen: unknown[] = [];
    let path: string | null =
      "/api/v1/observations?from=2026-01-30T00:00:00Z&to=2026-02-01T00:00:00Z&limit=4";
    let pages = 0;
    while (path !== null) {
      const response: Response = await call(path);
      const body = (await response.json()) as { rows: Rows; next: string | null };
      seen.push(...body.rows.map((one) => one.log_offset));
      expect(response.headers.get("link")).toBe(body.next === null ? null : `<${body.next}>; rel="next"`);
      path = body.next;
      pages++;
    }
    expect(pages).toBe(7);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });
  test("refuses a cursor of another question and one that is made up", async () => {
    const { json } = filled();
    const first = await json("/api/v1/observations?city=london&from=2026-01-30T00:00:00Z&limit=4");
    const cursor = String(first.body.next_cursor);
    expect((await json(`/api/v1/observations?city=london&limit=4&cursor=${cursor}`)).status).toBe(200);
    for (const query of [
      `city=tokyo&cursor=${cursor}`,
      `from=2026-01-29T00:00:00Z&cursor=${cursor}`,
      "cursor=",
      "cursor=abc",
      `cursor=${Buffer.from("[1,2]").toString("base64url")}`,
      `cursor=${Buffer.from('[null,0,1e99,"x","y","z"]').toString("base64url")}`,
    ]) {
      const { status, body } = await json(`/api/v1/observations?${query}`);
      expect([query, status]).toEqual([query, 400]);
      expect(body.error).toMatchObject({ code: "bad_parameter", message: expect.stringContaining("cursor") });
    }
  });
  test("is streamed as CSV and Arrow beyond a page, every row once, and refused in JSON", async () => {
    const { call, json, services } = api();
    services.rows = Array.from({ length: 25_000 }, (_, minute) =>
      row(minute, { timestamp: formatTimestamp(NOW - (25_000 - minute) * 60_000) }),
    );
    const asked: number[] = [];
    const read = services.observations.bind(services);
    services.observations = (query) => {
      asked.push(query.limit);
      return read(query);
    };
    const path = "/api/v1/observations?from=2026-01-01T00:00:00Z&limit";
    const whole = await (await call(`${path}=1000000&format=csv`)).text();
    expect(asked).toEqual([10_000, 10_000, 10_000]);
    const lines = whole.split("\r\n");
    expect([lines.length, lines[0]?.slice(0, 14)]).toEqual([25_002, "timestamp,city"]);
    expect(new Set(lines).size).toBe(25_002);
    const packed = await call(`${path}=1000000&format=csv`, { headers: { "accept-encoding": "gzip" } });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(Buffer.from(Bun.gunzipSync(new Uint8Array(await packed.arrayBuffer()))).toString()).toBe(whole);
    for (const [accepted, format, coding] of [
      ["gzip, deflate, br", "csv", "gzip"],
      ["gzip;q=0.1, br", "csv", "gzip"],
      ["*", "csv", "gzip"],
      ["br", "csv", null],
      ["gzip;q=0, *", "csv", null],
      ["gzip, br", "arrow", null],
      ["gzip, identity;q=0", "arrow", "gzip"],
    ] as const) {
      const answer = await call(`${path}=20001&format=${format}`, {
        headers: { "accept-encoding": accepted },
      });
      expect([accepted, answer.headers.get("content-encoding")]).toEqual([accepted, coding]);
      expect(answer.headers.get("vary")).toBe("accept, accept-encoding, origin");
      await answer.body?.cancel();
    }
    const arrow = await call(`${path}=20001&format=arrow`);
    const table = tableFromIPC(new Uint8Array(await arrow.arrayBuffer()));
    expect([table.numRows, table.batches.length, table.schema.metadata.get("kind")]).toEqual([
      20_001,
      3,
      "simulated",
    ]);
    expect(table.getChild("log_offset")?.toJSON()).toEqual(
      Array.from({ length: 20_001 }, (_, i) => BigInt(i)),
    );
    const { status, body } = await json(`${path}=10001`);
    expect([status, (body.error as { message: string }).message]).toEqual([
      400,
      "The parameter limit is 10001, wanted at most 10000 in JSON; CSV and Arrow take more",
    ]);
  });
  test("reads the next page of a stream only when it is wanted, and breaks off where one cannot be read", async () => {
    const { call, services } = api();
    services.rows = Array.from({ length: 25_000 }, (_, minute) =>
      row(minute, { timestamp: formatTimestamp(NOW - (25_000 - minute) * 60_000) }),
    );
    let reads = 0;
    const read = services.observations.bind(services);
    services.observations = (query) => (++reads === 3 ? Promise.reject(new Error("gone")) : read(query));
    const path = "/api/v1/observations?from=2026-01-01T00:00:00Z&limit=1000000&format=csv";
    const left = (await call(path)).body!.getReader();
    await left.read();
    expect(reads).toBe(1);
    await left.read();
    await left.cancel();
    expect(reads).toBe(1);
    reads = 0;
    const broken = (await call(path)).body!.getReader();
    for (let i = 0; i < 3; i++) expect((await broken.read()).done).toBe(false);
    await expect(broken.read()).rejects.toThrow("gone");
  });
  test("is compressed for who accepts it", async () => {
    const { call } = filled();
    const plain = await call("/api/v1/observations");
    expect(plain.headers.get("content-encoding")).toBeNull();
    const text = await plain.text();
    for (const [accepted, encoding, unpack] of [
      ["br, gzip", "br", brotliDecompressSync],
      ["gzip, deflate, br;q=0.5", "gzip", gunzipSync],
      ["gzip;q=1.0, br;q=0", "gzip", gunzipSync],
      ["x-gzip", "gzip", gunzipSync],
      ["gzip;q=0", null, null],
      ["deflate", null, null],
      ["gzip;q=1, br;q=0.5", "gzip", gunzipSync],
      ["*", "br", brotliDecompressSync],
      ["br;q=0, *", "gzip", gunzipSync],
      ["*;q=0", null, null],
      ["identity, gzip;q=0.5", null, null],
      ["identity;q=0, gzip", "gzip", gunzipSync],
      ["identity;q=0", null, null],
    ] as const) {
      const packed = await call("/api/v1/observations", { headers: { "accept-encoding": accepted } });
      expect(packed.headers.get("vary")).toBe("accept, accept-encoding, origin");
      expect([accepted, packed.headers.get("content-encoding")]).toEqual([accepted, encoding]);
      const bytes = Buffer.from(await packed.arrayBuffer());
      expect((unpack?.(bytes) ?? bytes).toString()).toBe(text);
    }
  });
});

describe("observations since", () => {
  const filled = () => {
    const made = api();
    made.services.rows = ["London", "Tokyo", "London", "London"].map((city, offset) => row(offset, { city }));
    return made;
  };
  type Pull = { rows: Rows; next: string; next_since: string; more: boolean };
  const pull = async ({ json }: TestApi, path: string) => (await json(path)).body as unknown as Pull;
  const offsets = ({ rows }: Pull) => rows.map((one) => one.log_offset);
  test("begin gives every row once when next is followed, and what comes later with the next pull", async () => {
    const made = filled();
    const first = await pull(made, "/api/v1/observations?since=begin&limit=3");
    expect([offsets(first), first.more]).toEqual([[0, 1, 2], true]);
    expect(first).toMatchObject({ from: null, to: null, next_cursor: null });
    expect(first.rows[0]).toMatchObject({ flag: null, q_gross: null });
    const second = await pull(made, first.next);
    expect([offsets(second), second.more]).toEqual([[3], false]);
    expect(offsets(await pull(made, second.next))).toEqual([]);
    made.services.rows.push(row(4), row(5));
    expect(offsets(await pull(made, second.next))).toEqual([4, 5]);
    expect(offsets(await pull(made, `/api/v1/observations?since=${second.next_since}`))).toEqual([4, 5]);
  });
  test("fits into a URL for a thousand partitions with large offsets", () => {
    const positions = new Map(Array.from({ length: 1_000 }, (_, i) => [i, 2_000_000_000_000 + i]));
    const text = encodePositions(positions);
    expect(text.length).toBeLessThanOrEqual(POSITIONS_MAX);
    expect(new URLSearchParams({ text }).toString().length).toBe("text=".length + text.length);
    expect(decodePositions(text)).toEqual(positions);
    expect(decodePositions(encodePositions(new Map()))).toEqual(new Map());
  });
  test("now gives what is to come, and a city goes with the next path", async () => {
    const made = filled();
    const start = await pull(made, "/api/v1/observations?since=now&city=Tokyo&limit=7");
    expect(offsets(start)).toEqual([]);
    made.services.rows.push(row(4), row(5, { city: "Tokyo" }));
    expect(start.next).toContain("limit=7");
    const then = await pull(made, start.next);
    expect([offsets(then), then.rows[0]?.city]).toEqual([[5], "Tokyo"]);
    const csv = await made.call(`${start.next}&format=csv`);
    expect((await csv.text()).split("\r\n")).toHaveLength(3);
    expect(csv.headers.get("link")).toContain(`since=${then.next_since}`);
  });
  test.each([
    "since=",
    "since=yesterday",
    "since=0",
    "since=0.-1",
    "since=0.1_",
    "since=0.1_0.2",
    "since=0.zzzzzzzzzzz",
    "since=0.1%20OR%201",
    `since=${"1.1_".repeat(10_000)}`,
    "since=begin&from=2026-01-01T00:00:00Z",
    "since=begin&to=2026-01-01T00:00:00Z",
    "since=begin&cursor=x",
    "since=begin&limit=10001&format=csv",
  ])("%s is refused", async (query) => {
    const { status, body } = await filled().json(`/api/v1/observations?${query}`);
    expect([status, (body.error as { code: string }).code]).toEqual([400, "bad_parameter"]);
  });
});

describe("bad input", () => {
  test.each([
    ["from", "NaN"],
    ["from", "1e999"],
    ["from", "0001-01-01T00:00:00Z"],
    ["to", "9999-12-31T23:59:59Z"],
    ["to", "253402300799"],
    ["to", "-99999999999"],
    ["from", "2026-02-30T00:00:00Z"],
    ["from", "2026-01-31T06:00:00"],
    ["from", "%00"],
    ["to", ""],
    ["limit", "0"],
    ["limit", "10001"],
    ["limit", "10000001"],
    ["limit", "99999999999999999999"],
    ["limit", "-1"],
    ["limit", "1.5"],
    ["limit", "0x10"],
    ["cursor", "%00"],
    ["format", "xml"],
    ["format", "__proto__"],
    ["city", "'; DROP TABLE observations; --"],
    ["city", "%00"],
    ["city", ""],
    ["city", "%F0%9F%92%A9".repeat(200)],
    ["city", "../../etc/passwd"],
  ])("%s=%s gets a 4xx that names the parameter", async (name, value) => {
    const { json, services } = api();
    const { status, body } = await json(`/api/v1/observations?${name}=${value}`);
    const error = body.error as { code: string; message: string };
    expect(status).toBe(name === "city" ? 404 : 400);
    expect(error.message).toContain(`The parameter ${name} is`);
    expect(error.message.length).toBeLessThan(600);
    expect(services.asked).toBeNull();
  });
  test("from at or after to is refused", async () => {
    const { status, body } = await api().json("/api/v1/observations?from=1769000000&to=1769000000");
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "bad_parameter", message: expect.stringContaining("from") });
  });
  test("a parameter given twice is refused", async () => {
    const { status, body } = await api().json("/api/v1/observations?city=london&city=tokyo");
    expect([status, (body.error as { code: string }).code]).toEqual([400, "bad_parameter"]);
  });
  test("Accept that leaves no format is refused, one with weights is followed, and format= wins", async () => {
    const { call, json } = api();
    const refused = await json("/api/v1/cities", { headers: { accept: "image/png" } });
    expect([refused.status, (refused.body.error as { code: string }).code]).toEqual([406, "not_acceptable"]);
    const type = async (accept: string, query = "") =>
      (await call(`/api/v1/cities${query}`, { headers: { accept } })).headers
        .get("content-type")
        ?.split(";")[0];
    expect(await type("application/json;q=0.5, text/csv")).toBe("text/csv");
    expect(await type("text/html, */*;q=0.8")).toBe("application/json");
    expect(await type("text/*")).toBe("text/csv");
    expect(await type("application/json;q=0, */*")).toBe("text/csv");
    expect(await type("image/png", "?format=arrow")).toBe("application/vnd.apache.arrow.stream");
  });
  test.each([
    "/",
    "/api",
    "/api/v1",
    "/api/v1/nope",
    "/api/v1/runs/a/b",
    "/%zz",
    "/api/v1/jobs/%zz",
    "/api/v1/jobs/%00",
  ])("%s is a 404 in the one shape", async (path) => {
    const { status, body } = await api().json(path);
    expect(status).toBe(404);
    expect(body).toEqual({
      error: expect.objectContaining({ code: "not_found", message: expect.any(String) }),
    });
  });
});

describe("results", () => {
  test("one that is not there yet is empty in JSON and a 404 where there are no columns", async () => {
    const { json } = api();
    const { status, body } = await json("/api/v1/trends?city=london");
    expect([status, body.result, body.rows]).toEqual([200, null, []]);
    expect((await json("/api/v1/trends?format=csv")).body.error).toMatchObject({
      code: "not_found",
      hint: "POST /api/v1/jobs/hourly_trends/runs computes it.",
    });
  });
  test("say when, on which engine, over which commits and how many rows, with units", async () => {
    const { json, services } = api();
    services.analytics.finish(result("city_statistics"));
    const { body } = await json("/api/v1/statistics");
    expect(body).toEqual({
      generated_at: "2026-01-31T11:55:00Z",
      dataset: "simulated",
      kind: "simulated",
      units: { temperature_mean: "°C" },
      result: {
        job: "city_statistics",
        run: "run-1",
        generated_at: "2026-01-31T11:55:00Z",
        engine: "DuckDB 1.5.6",
        commits: { "0": 42 },
        rows_read: 1234,
        duration_ms: 17,
        rows: 3,
      },
      rows: [
        { city: "London", n: 288, temperature_mean: 7.25, until: "2026-01-31T12:00:00Z" },
        { city: "Tokyo", n: 12, temperature_mean: null, until: "2026-01-31T12:00:00.500Z" },
        { city: "London", n: 0, temperature_mean: null, until: null },
      ],
    });
  });
  test("of one city are its rows, in every format", async () => {
    const { json, call, services } = api();
    services.analytics.finish(result("city_statistics"));
    const path = "/api/v1/results/city_statistics?city=london";
    expect((await json(path)).body.rows).toMatchObject([{ n: 288 }, { n: 0 }]);
    expect(await (await call(`${path}&format=csv`)).text()).toBe(
      "city,n,temperature_mean,until\r\nLondon,288,7.25,2026-01-31T12:00:00Z\r\nLondon,0,,\r\n",
    );
    const table = tableFromIPC(new Uint8Array(await (await call(`${path}&format=arrow`)).arrayBuffer()));
    expect(table.getChild("n")?.toJSON()).toEqual([288n, 0n]);
    expect(String(table.schema.fields[3]?.type)).toBe("Timestamp<MICROSECOND, UTC>");
    expect((await json("/api/v1/results/city_statistics?city=dubai")).body.rows).toEqual([]);
    const none = tableFromIPC(
      new Uint8Array(await (await call("/api/v1/statistics?city=dubai&format=arrow")).arrayBuffer()),
    );
    expect([none.numRows, none.numCols]).toEqual([0, 4]);
  });
  test("as Arrow are the kept bytes", async () => {
    const { call, services } = api();
    const made = result("wind_rose");
    services.analytics.finish(made);
    const response = await call("/api/v1/results/wind_rose?format=arrow");
    expect(Buffer.from(await response.arrayBuffer()).equals(made.arrow)).toBe(true);
  });
  test("answer 304 to who has them, until a newer run", async () => {
    const { call, services } = api();
    services.analytics.finish(result("city_statistics"));
    const etag = (await call("/api/v1/statistics")).headers.get("etag") ?? "";
    const again = () => call("/api/v1/statistics", { headers: { "if-none-match": `"x", ${etag}` } });
    const same = await again();
    expect([same.status, await same.text(), same.headers.get("etag")]).toEqual([304, "", etag]);
    for (const other of ["?format=csv", "?city=london"]) {
      const response = await call(`/api/v1/statistics${other}`, { headers: { "if-none-match": etag } });
      expect([other, response.status]).toEqual([other, 200]);
    }
    services.analytics.finish(result("city_statistics", { run: "run-2", rows_read: 99 }));
    const newer = await again();
    expect(newer.status).toBe(200);
    expect((await newer.json()) as object).toMatchObject({ result: { run: "run-2", rows_read: 99 } });
  });
  test("are compressed once and the same inside", async () => {
    const { call, services } = api();
    const table = result("x").table;
    services.analytics.finish(result("city_statistics", { table: table.concat(...Array(40).fill(table)) }));
    const packed = await call("/api/v1/statistics", { headers: { "accept-encoding": "gzip" } });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    const text = Buffer.from(Bun.gunzipSync(new Uint8Array(await packed.arrayBuffer()))).toString();
    expect(text).toBe(await (await call("/api/v1/statistics")).text());
    expect((JSON.parse(text) as { rows: Rows }).rows).toHaveLength(123);
  });
  test("of a job without a city refuse the parameter, and of no job are a 404", async () => {
    const { json, services } = api();
    services.analytics.finish(result("wind_rose", { table: result("x").table.select(["n"]) }));
    const { status, body } = await json("/api/v1/results/wind_rose?city=london");
    expect([status, (body.error as { code: string }).code]).toEqual([400, "unknown_parameter"]);
    expect((await json("/api/v1/results/nope")).body.error).toEqual({
      code: "not_found",
      message: 'There is no job "nope"',
      hint: "/api/v1/jobs lists them.",
    });
  });
});

describe("jobs", () => {
  test("are listed with their last and next run, and one comes with its SQL", async () => {
    const { json, services } = api();
    services.analytics.start("hourly_trends");
    const { body } = await json("/api/v1/jobs");
    expect(body.jobs).toMatchObject([
      { name: "anomalies" },
      { name: "city_statistics", last_run: null, next_run_at: "2026-01-31T12:05:00Z", result: null },
      { name: "hourly_trends", last_run: { id: "run-1", state: "queued" } },
      { name: "wind_rose", schedule: null, next_run_at: null },
    ]);
    expect((body.jobs as Rows)[0]).not.toHaveProperty("sql");
    expect((await json("/api/v1/jobs/wind_rose")).body.job).toMatchObject({
      name: "wind_rose",
      sql: "SELECT 1",
    });
  });
  test("are started with 202 and a Location that tells of the run, which can be cancelled", async () => {
    const { call, json } = api();
    const started = await call("/api/v1/jobs/wind_rose/runs", { method: "POST" });
    expect(started.status).toBe(202);
    const location = started.headers.get("location") ?? "";
    expect((await json(location)).body.run).toMatchObject({
      job: "wind_rose",
      state: "queued",
      trigger: "request",
    });
    const cancelled = await json(`${location}/cancel`, { method: "POST" });
    expect(cancelled.body.run).toMatchObject({ state: "cancelled" });
    expect((await json("/api/v1/runs?job=wind_rose")).body.runs).toHaveLength(1);
    expect((await json("/api/v1/runs?job=hourly_trends")).body.runs).toEqual([]);
  });
  test("and runs that are not there are 404s that name them", async () => {
    const { json } = api();
    for (const [path, method] of [
      ["/api/v1/jobs/nope", "GET"],
      ["/api/v1/jobs/nope/runs", "POST"],
      ["/api/v1/runs/nope", "GET"],
      ["/api/v1/runs/nope/cancel", "POST"],
      ["/api/v1/runs?job=nope", "GET"],
    ] as const) {
      const { status, body } = await json(path, { method });
      expect([path, status]).toEqual([path, 404]);
      expect(body.error).toMatchObject({ code: "not_found", message: expect.stringContaining('"nope"') });
    }
  });
});

describe("POST observations", () => {
  const post = (made: TestApi, body: string | Uint8Array<ArrayBuffer>, type = "application/x-ndjson") =>
    made.json("/api/v1/observations", { method: "POST", body, headers: { "content-type": type } });
  test("appends the lines as they came, also those that are no observations", async () => {
    const made = api();
    const { status, body } = await post(made, '{"a": 1.0}\r\n\n not json \n{"b":2}');
    expect([status, body.appended, body.kind]).toEqual([200, 3, "simulated"]);
    expect(made.services.ingested).toEqual(['{"a": 1.0}', " not json ", '{"b":2}']);
  });
  test("takes a body that is packed with gzip, up to the size it may have unpacked", async () => {
    const made = api();
    const send = (body: Uint8Array<ArrayBuffer>) =>
      made.json("/api/v1/observations", {
        method: "POST",
        body,
        headers: { "content-type": "application/x-ndjson", "content-encoding": "gzip" },
      });
    expect((await send(Bun.gzipSync('{"a":1}\n{"b":2}'))).body.appended).toBe(2);
    expect((await send(Bun.gzipSync("x\n".repeat(2 ** 23 + 1)))).status).toBe(413);
    expect(made.services.ingested).toHaveLength(2);
  });
  test("answers 400 with the reasons where no record is taken, and says how to post history", async () => {
    const made = api();
    made.services.ingest = (lines, { history }) =>
      Promise.resolve(
        history
          ? { appended: lines.length, rejected: 0, reasons: [] }
          : { appended: 0, rejected: 2, reasons: [{ line: 1, reason: "it is old" }] },
      );
    const send = (query: string) =>
      made.json(`/api/v1/observations${query}`, {
        method: "POST",
        body: "{}\n{}",
        headers: { "content-type": "application/x-ndjson" },
      });
    const { status, body } = await send("");
    expect([status, body.error]).toEqual([
      400,
      {
        code: "bad_parameter",
        message: "None of the 2 records is taken. Line 1: it is old",
        hint: "What is older than five years is history: post it with ?history=true.",
      },
    ]);
    expect((await send("?history=true")).body).toMatchObject({ appended: 2, rejected: 0 });
    expect((await send("?history=false")).status).toBe(400);
    expect((await send("?history=yes")).body.error).toMatchObject({ code: "bad_parameter" });
  });
  test("takes one JSON object or an array of them", async () => {
    const made = api();
    expect((await post(made, '{"a":1}', "application/json; charset=utf-8")).body.appended).toBe(1);
    expect((await post(made, '[{"b":1},{"c":null}]', "application/json")).body.appended).toBe(2);
    expect(made.services.ingested).toEqual(['{"a":1}', '{"b":1}', '{"c":null}']);
  });
  test.each([
    ["", "application/x-ndjson", "empty"],
    ["[]", "application/json", "empty"],
    ["{", "application/json", "not JSON"],
    ["7", "application/json", "7"],
    ['[{"temperature":1},{"temperature":1e999}]', "application/json", 'Item 2: "temperature" is Infinity'],
  ])("refuses the body %p (%s)", async (text, type, message) => {
    const made = api();
    const { status, body } = await post(made, text, type);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "bad_parameter", message: expect.stringContaining(message) });
    expect(made.services.ingested).toEqual([]);
  });
  test("refuses a line that is not UTF-8 and appends nothing of the body", async () => {
    const made = api();
    const { status, body } = await post(made, new Uint8Array([0x7b, 0x7d, 0x0a, 0xff, 0xfe]));
    expect([status, (body.error as { message: string }).message]).toEqual([400, "Line 2 is not UTF-8"]);
    expect(made.services.ingested).toEqual([]);
  });
  test("refuses a line above 1 MiB and a body above 16 MiB with a 413 that names the line", async () => {
    const made = api();
    const line = "x".repeat(2 ** 20);
    expect((await post(made, line)).status).toBe(200);
    const long = await post(made, `{}\n${line}x`);
    expect([long.status, (long.body.error as { message: string }).message]).toEqual([
      413,
      "Line 2 is 1048577 bytes long, wanted at most 1048576",
    ]);
    const large = await post(made, `${line}\n`.repeat(16));
    expect([large.status, (large.body.error as { message: string }).message]).toEqual([
      413,
      "The body passes 16777216 bytes in line 16",
    ]);
    expect(made.services.ingested).toHaveLength(1);
  });
  test("refuses other content types with a 415", async () => {
    const made = api();
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "image/png",
    ]) {
      const { status, body } = await post(made, "{}", type);
      expect([type, status, (body.error as { code: string }).code]).toEqual([
        type,
        415,
        "unsupported_media_type",
      ]);
    }
  });
  test("answers 409 where this process does not produce", async () => {
    const made = api();
    made.services.failure = new RequestError("conflict", "This process takes no observations");
    expect((await post(made, "{}")).status).toBe(409);
  });
});

describe("startServer()", () => {
  test("says so when the port is in use", async () => {
    const { app, clock } = api();
    const server = startServer({ app, host: "127.0.0.1", port: 0, clock });
    const port = Number(server.url.port);
    expect(() => startServer({ app, host: "127.0.0.1", port, clock })).toThrow(
      expect.objectContaining({
        code: "port_in_use",
        message: `Cannot listen on 127.0.0.1:${port}: the port is in use`,
      }),
    );
    await server.stop(1_000);
  });
  test("stops at the deadline, whoever is still connected", async () => {
    const { app, clock } = api();
    const server = startServer({ app, host: "127.0.0.1", port: 0, clock });
    const live = await fetch(new URL("/live", server.url));
    const reader = live.body?.getReader();
    await reader?.read();
    const stopped = server.stop(1_000);
    // The heartbeat's is the other sleep.
    await clock.sleepers(2);
    await clock.advance(1_000);
    await stopped;
    await reader?.cancel().catch(() => {});
    await expect(fetch(new URL("/live", server.url))).rejects.toThrow();
  });
});

describe("errors", () => {
  test("an unknown one says nothing outside and everything in the log", async () => {
    const { json, services, lines } = api();
    services.failure = new Error("secret: /home/x?key=123", { cause: new Error("deeper") });
    const { status, body } = await json("/api/v1/observations");
    expect(status).toBe(500);
    expect(body).toEqual({
      error: { code: "internal", message: "Something went wrong here; it was logged." },
    });
    expect(lines.join()).toContain("secret");
    expect(lines.join()).toContain("deeper");
  });
  test("one thrown in a plugin's route does not leak either, nor one that is no Error", async () => {
    const plugin = new Elysia()
      .get("/boom", () => {
        throw new Error("secret");
      })
      .get("/odd", () => {
        throw { secret: "secret", status: 200 };
      });
    const { call } = api({ plugins: [plugin] });
    for (const path of ["/boom", "/odd"]) {
      const response = await call(path);
      expect([path, response.status]).toEqual([path, 500]);
      expect(await response.text()).not.toContain("secret");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
  test.each([
    ["lake", new LakeError("unavailable", "Cannot read /srv/private: EIO")],
    ["log", new LogError("full", "No space in /srv/private")],
    ["engine", new EngineError("out_of_memory", "8 GiB of /srv/private")],
  ] as const)("the %s's become a 503 without their message", async (port, failure) => {
    const message = `The ${port} cannot answer now (${failure.code})`;
    const { call, services } = api();
    services.failure = failure;
    const response = await call("/api/v1/observations");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await response.json()).toEqual({
      error: expect.objectContaining({ code: "unavailable", message }) as object,
    });
  });
  test("of the error page itself do not leak", async () => {
    const { call } = api({
      errorPage: () => {
        throw new Error("secret");
      },
    });
    const response = await call("/nope", { headers: { accept: "text/html" } });
    expect([response.status, (await response.text()).includes("secret")]).toEqual([404, false]);
  });
  test("are pages outside of /api for who wants a page, where there is one", async () => {
    const { call } = api({ errorPage: ({ status, code }) => `<p>${status} ${code}</p>` });
    const headers = { accept: "text/html,*/*;q=0.8" };
    const page = await call("/nope", { headers });
    expect([page.status, await page.text()]).toEqual([404, "<p>404 not_found</p>"]);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("vary")).toBe("accept, accept-encoding");
    for (const request of [call("/nope"), call("/api/v1/nope", { headers })]) {
      expect((await request).headers.get("content-type")).toStartWith("application/json");
    }
    for (const [accept, type] of [
      ["*/*", "application/json"],
      ["application/json, text/html", "application/json"],
      ["application/json;q=0.9, text/html", "text/html"],
      ["text/html;q=0, */*", "application/json"],
      ["text/*", "text/html"],
      ["image/png", "application/json"],
    ] as const) {
      const answer = await call("/nope", { headers: { accept } });
      expect([accept, answer.status, answer.headers.get("content-type")]).toEqual([
        accept,
        404,
        expect.stringContaining(type),
      ]);
      expect(answer.headers.get("vary")).toContain("accept");
    }
  });
  test("are compressed as pages are", async () => {
    const html = "<p>Nothing is here.</p>".repeat(100);
    const { call } = api({ errorPage: () => html });
    const headers = { accept: "text/html", "accept-encoding": "gzip;q=1, br;q=0.5" };
    const page = await call("/nope", { headers });
    expect([page.status, page.headers.get("content-encoding")]).toEqual([404, "gzip"]);
    expect(gunzipSync(await page.bytes()).toString()).toBe(html);
  });
});
