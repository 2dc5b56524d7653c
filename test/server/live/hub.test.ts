import { afterEach, describe, expect, test } from "bun:test";
import { startServer } from "../../../server/http/listen.ts";
import { Hub, type HubOptions } from "../../../server/live/hub.ts";
import { liveFilter } from "../../../server/live/live-filter.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { testApi } from "../../support/api-app.ts";

const hubs: Hub[] = [];
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close();
});

/** A hub whose snapshot is the list of ids published through `send`. */
function make(options: Partial<HubOptions> = {}) {
  const clock = new FakeClock();
  const ids: number[] = [];
  const hub = new Hub({ epoch: "e1", clock, snapshot: () => ({ ids: [...ids] }), ...options });
  hubs.push(hub);
  const send = (id: number, more: object = {}) => {
    ids.push(id);
    hub.publish({ name: "observations", data: { id, ...more }, id });
  };
  return { hub, clock, send };
}

interface Received {
  event: string;
  id: string | null;
  data: Record<string, unknown>;
}

/** Reads the events of a stream as EventSource does. */
class Reader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #text = "";
  /** Lines that are no part of an event. */
  readonly comments: string[] = [];
  readonly retries: string[] = [];
  readonly abort: AbortController;

  constructor(stream: ReadableStream<Uint8Array>, abort = new AbortController()) {
    this.#chunks = stream[Symbol.asyncIterator]();
    this.abort = abort;
  }

  /** The next event, or null at the end. */
  async next(): Promise<Received | null> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end === -1) {
        const chunk = await this.#chunks.next();
        if (chunk.done === true) return null;
        this.#text += Buffer.from(chunk.value).toString();
        continue;
      }
      const received: Received = { event: "message", id: null, data: {} };
      let isEvent = false;
      for (const line of this.#text.slice(0, end).split("\n")) {
        const value = line.slice(line.indexOf(":") + 2);
        if (line.startsWith("event: ")) received.event = value;
        else if (line.startsWith("id: ")) received.id = value;
        else if (line.startsWith("retry: ")) this.retries.push(value);
        else if (line.startsWith("data: ")) {
          received.data = JSON.parse(value) as Record<string, unknown>;
          isEvent = true;
        } else this.comments.push(line);
      }
      this.#text = this.#text.slice(end + 2);
      if (isEvent) return received;
      if (this.comments.length > 0) return { ...received, event: "comment" };
    }
  }

  /** The next `count` events. */
  async take(count: number): Promise<Received[]> {
    const events: Received[] = [];
    for (let i = 0; i < count; i++) {
      const event = await this.next();
      if (event === null) throw new Error(`the stream ended after ${i} of ${count} events`);
      events.push(event);
    }
    return events;
  }
}

const connect = (hub: Hub, lastEventId: string | null = null) => {
  const abort = new AbortController();
  return new Reader(hub.connect(lastEventId, abort.signal), abort);
};

describe("Hub.connect()", () => {
  test("begins a new client with a snapshot under the newest id, then every event, none twice", async () => {
    const { hub, send } = make();
    send(1);
    send(2);
    const reader = connect(hub);
    send(5);
    expect(await reader.take(2)).toEqual([
      { event: "snapshot", id: "e1-2", data: { ids: [1, 2] } },
      { event: "observations", id: "e1-5", data: { id: 5 } },
    ]);
    expect(reader.retries).toEqual(["1000"]);
  });
  test("sends a snapshot without an id while nothing was published", async () => {
    const { hub } = make();
    expect(await connect(hub).next()).toEqual({ event: "snapshot", id: null, data: { ids: [] } });
  });
  test("makes one snapshot for all who come within a second, and a new one after an event", async () => {
    let made = 0;
    const { hub, send, clock } = make({ snapshot: () => ({ made: ++made }) });
    const next = async () => (await connect(hub).next())?.data.made;
    expect([await next(), await next()]).toEqual([1, 1]);
    send(1);
    expect([await next(), await next()]).toEqual([2, 2]);
    await clock.advance(1_000);
    expect(await next()).toBe(3);
  });
  test("resumes after Last-Event-ID without gap or double, wherever the client left", async () => {
    const { hub, send } = make();
    for (let id = 0; id < 20; id++) send(id * 3);
    const readers = Array.from({ length: 20 }, (_, seen) => connect(hub, `e1-${seen * 3}`));
    send(60);
    for (const [seen, reader] of readers.entries()) {
      const missed = Array.from({ length: 20 - seen }, (_, i) => (seen + 1 + i) * 3);
      expect((await reader.take(missed.length)).map(({ data }) => data.id)).toEqual(missed);
    }
  });
  test.each([
    ["another epoch", "e2-15"],
    ["an id above the newest", "e1-99"],
    ["an id before the ring", "e1-1"],
    ["no number", "e1-x"],
    ["a negative number", "e1--1"],
    ["nothing", ""],
    ["the epoch only", "e1"],
    ["a large number", `e1-${"9".repeat(400)}`],
  ])("sends a snapshot to who comes with %s", async (_what, id) => {
    const { hub, send } = make({ ring: 8 });
    for (let n = 1; n <= 20; n++) send(n);
    expect(await connect(hub, id).next()).toMatchObject({ event: "snapshot", id: "e1-20" });
  });
  test("resumes from exactly where the ring begins, and gives a snapshot one before", async () => {
    for (const limits of [{ ring: 8 }, { ringBytes: 600 }]) {
      const { hub, send } = make(limits);
      for (let n = 1; n <= 100; n++) send(n);
      const kinds = [];
      for (let n = 1; n <= 99; n++) {
        const first = await connect(hub, `e1-${n}`).next();
        kinds.push(first?.event === "snapshot" ? "s" : "o");
        if (first?.event === "observations") expect(first.data.id).toBe(n + 1);
      }
      expect(kinds.join("")).toMatch(/^s{80,}o{4,}$/);
    }
  });
  test("sends a snapshot when the missed events exceed the limit of a replay", async () => {
    const { hub, send } = make({ missedBytes: 1_000 });
    for (let n = 1; n <= 30; n++) send(n, { text: "x".repeat(100) });
    expect((await connect(hub, "e1-2").next())?.event).toBe("snapshot");
    expect((await connect(hub, "e1-27").next())?.data.id).toBe(28);
  });
  test("replays events without an id in order, but not those that the next of their name replaces", async () => {
    const { hub, send } = make();
    send(1);
    hub.publish({ name: "result", data: { job: "a" } });
    hub.publish({ name: "status", data: {}, replay: false });
    send(2);
    hub.publish({ name: "result", data: { job: "b" } });
    const names = async (id: string, count: number) =>
      (await connect(hub, id).take(count)).map(
        ({ event, data }) => `${event} ${String(data.job ?? data.id)}`,
      );
    expect(await names("e1-1", 3)).toEqual(["result a", "observations 2", "result b"]);
    expect(await names("e1-2", 1)).toEqual(["result b"]);
  });
  test("never resumes across events that left the ring, with or without an id", async () => {
    const { hub, send } = make({ ring: 4 });
    send(1);
    for (let i = 0; i < 10; i++) hub.publish({ name: "result", data: { job: `j${i}` } });
    expect((await connect(hub, "e1-1").next())?.event).toBe("snapshot");
    send(2);
    expect((await connect(hub, "e1-1").next())?.event).toBe("snapshot");
    send(3);
    expect((await connect(hub, "e1-2").next())?.data.id).toBe(3);
  });
  test("ends at once when the client has left already or the hub is closed", async () => {
    const { hub } = make();
    expect(await new Reader(hub.connect(null, AbortSignal.abort())).next()).toBeNull();
    const reader = connect(hub);
    await reader.take(1);
    hub.close();
    expect(await reader.next()).toBeNull();
    expect(await connect(hub).next()).toBeNull();
    expect(hub.stats.clients).toBe(0);
  });
  test("forgets a client that leaves, by its signal or by cancelling", async () => {
    const { hub, send } = make();
    const reader = connect(hub);
    const stream = hub.connect(null, new AbortController().signal);
    expect(hub.stats.clients).toBe(2);
    reader.abort.abort();
    await stream.cancel();
    expect(hub.stats).toEqual({ clients: 0, dropped: 0 });
    send(1);
  });
});

describe("Hub.publish()", () => {
  test("gives every client the same bytes", async () => {
    const { hub, send } = make();
    const readers = [0, 1].map(() => hub.connect(null, new AbortController().signal).getReader());
    send(1);
    const chunks: Uint8Array[][] = [];
    for (const reader of readers) {
      const own: Uint8Array[] = [];
      for (let i = 0; i < 3; i++) own.push((await reader.read()).value ?? new Uint8Array());
      chunks.push(own);
    }
    expect(chunks[0]?.[2]?.byteLength).toBeGreaterThan(10);
    expect(chunks[0]?.[2]).toBe(chunks[1]?.[2] as Uint8Array);
  });
  test("writes one line of data, whatever is in it", async () => {
    const { hub } = make();
    const reader = connect(hub);
    const text = "a\r\nevent: evil\n\ndata: x\u2028";
    hub.publish({ name: "observations", data: { text }, id: 1 });
    expect((await reader.take(2))[1]).toEqual({ event: "observations", id: "e1-1", data: { text } });
  });
  test("refuses an id that does not grow, and a name or epoch that would break the stream", () => {
    const { hub, send } = make();
    send(5);
    for (const id of [5, 4, -1, 5.5, NaN]) {
      expect(() => hub.publish({ name: "observations", data: {}, id })).toThrow(TypeError);
    }
    expect(() => hub.publish({ name: "a\nid: 9", data: {} })).toThrow(TypeError);
    expect(() => make({ epoch: "a b\n" })).toThrow(TypeError);
  });
  test("drops a client that leaves too many events unread, while the others go on", async () => {
    const { hub, send } = make({ unread: 20 });
    const slow = hub.connect(null, new AbortController().signal);
    const quick = connect(hub);
    await quick.take(1);
    let sent = 0;
    while (hub.stats.dropped === 0 && sent < 1_000) {
      send(++sent, { text: "x".repeat(200) });
      expect((await quick.next())?.data.id).toBe(sent);
    }
    expect(hub.stats).toEqual({ clients: 1, dropped: 1 });
    expect(sent).toBeLessThan(25);
    send(++sent);
    expect((await quick.next())?.data.id).toBe(sent);
    // What it got ends cleanly at an event, so that it resumes from there.
    let last: Received | null = null;
    const late = new Reader(slow);
    for (let event = await late.next(); event !== null; event = await late.next()) last = event;
    expect(last?.id).toBe(`e1-${sent - 2}`);
    expect((await connect(hub, String(last?.id)).take(2)).map(({ data }) => data.id)).toEqual([
      sent - 1,
      sent,
    ]);
  });
  test("does not drop a client because of a large snapshot", async () => {
    const { hub, send } = make({ unread: 2, snapshot: () => ({ text: "x".repeat(10_000) }) });
    const reader = connect(hub);
    send(1);
    expect((await reader.take(2))[1]?.data.id).toBe(1);
    expect(hub.stats.dropped).toBe(0);
  });
});

describe("Hub with filters", () => {
  const of = (city: string, ...more: string[]) =>
    [city, ...more].map((one, i) => ({ city: one, temperature: i }));
  const snapshot = () => ({
    current: [{ observation: { city: "London" } }, { observation: { city: "Tokyo" } }],
  });
  const world = () => {
    const made = make({ snapshot });
    const say = (name: string, data: object, id?: number) =>
      made.hub.publish({ name, data, ...(id === undefined ? {} : { id }) });
    const join = (wanted: Parameters<typeof liveFilter>[0], lastEventId: string | null = null) => {
      const abort = new AbortController();
      return new Reader(made.hub.connect(lastEventId, abort.signal, liveFilter(wanted)), abort);
    };
    return { ...made, say, join };
  };
  test("sends only the events of a city, and everything to a client without a filter", async () => {
    const { say, join } = world();
    const london = join({ cities: ["London"], types: null });
    const twin = join({ cities: ["London"], types: null });
    const all = join({ cities: null, types: null });
    say("observations", { observations: of("Tokyo") }, 1);
    say("observations", { observations: of("Tokyo", "London") }, 2);
    say("judgements", { judgements: of("Tokyo") });
    say("judgements", { judgements: of("London") });
    say("result", { job: "anomalies" });
    const expected = [
      { event: "snapshot", id: null, data: { current: [{ observation: { city: "London" } }] } },
      { event: "observations", id: "e1-2", data: { observations: [{ city: "London", temperature: 1 }] } },
      { event: "judgements", id: null, data: { judgements: of("London") } },
      { event: "result", id: null, data: { job: "anomalies" } },
    ];
    expect(await london.take(4)).toEqual(expected);
    expect(await twin.take(4)).toEqual(expected);
    expect((await all.take(6)).map(({ event }) => event)).toEqual([
      "snapshot",
      "observations",
      "observations",
      "judgements",
      "judgements",
      "result",
    ]);
  });
  test("sends what concerns several cities in one event", async () => {
    const { say, join } = world();
    const both = join({ cities: ["Tokyo", "London"], types: ["observations"] });
    say("observations", { observations: of("Tokyo", "Rome", "London") }, 1);
    say("observations", { observations: of("Rome") }, 2);
    const [first, second] = await both.take(2);
    expect(first).toMatchObject({ event: "snapshot", data: snapshot() });
    expect(second?.data).toEqual({
      observations: [
        { city: "Tokyo", temperature: 0 },
        { city: "London", temperature: 2 },
      ],
    });
  });
  test("sends the types that are wanted, and a snapshot whatever is wanted", async () => {
    const { hub, say, join, clock } = world();
    const reader = join({ cities: null, types: ["result"] });
    say("observations", { observations: of("London") }, 1);
    say("result", { job: "a" });
    expect((await reader.take(2)).map(({ event }) => event)).toEqual(["snapshot", "result"]);
    hub.reset();
    await clock.advance(1_000);
    expect((await reader.next())?.event).toBe("snapshot");
  });
  test("resumes with what was missed of that city, under the ids of all", async () => {
    const { say, join } = world();
    for (const id of [1, 2, 3, 4, 5])
      say("observations", { observations: of(id % 2 === 0 ? "London" : "Tokyo") }, id);
    const london = join({ cities: ["London"], types: null }, "e1-2");
    say("observations", { observations: of("London") }, 6);
    expect((await london.take(2)).map(({ id }) => id)).toEqual(["e1-4", "e1-6"]);
  });
  test("sends the newest id with the heartbeat, so that a client without events can resume", async () => {
    const { say, join, clock } = world();
    const london = join({ cities: ["London"], types: null });
    await london.take(1);
    say("observations", { observations: of("Tokyo") }, 7);
    await clock.advance(10_000);
    expect(await london.next()).toMatchObject({ event: "comment", id: "e1-7" });
  });
});

describe("Hub.reset()", () => {
  test("sends everyone one snapshot within a second, and nobody resumes across the gap", async () => {
    const { hub, send, clock } = make();
    send(1);
    send(2);
    const reader = connect(hub);
    await reader.take(1);
    hub.reset();
    send(7);
    hub.reset();
    send(9);
    send(10);
    await clock.advance(1_000);
    expect((await reader.take(4)).map(({ event, id }) => `${event} ${id}`)).toEqual([
      "observations e1-7",
      "observations e1-9",
      "observations e1-10",
      "snapshot e1-10",
    ]);
    hub.reset();
    await clock.advance(1_000);
    send(11);
    expect((await reader.take(2)).map(({ event }) => event)).toEqual(["snapshot", "observations"]);
    hub.reset();
    send(19);
    send(20);
    for (const id of ["e1-2", "e1-18"]) expect((await connect(hub, id).next())?.event).toBe("snapshot");
    expect((await connect(hub, "e1-19").next())?.data.id).toBe(20);
  });
});

describe("Hub's heartbeat", () => {
  test("is a comment every ten seconds", async () => {
    const { hub, clock } = make();
    const reader = connect(hub);
    await reader.take(1);
    for (let beats = 1; beats <= 3; beats++) {
      await clock.advance(9_999);
      expect(clock.nextWakeMs).toBe(1);
      await clock.advance(1);
      expect((await reader.next())?.event).toBe("comment");
      expect(reader.comments).toHaveLength(beats);
    }
  });
  test("drops a client that no longer reads, also when nothing else happens", async () => {
    const { hub, clock } = make({ unread: 4 });
    hub.connect(null, new AbortController().signal);
    for (let beats = 0; beats < 10; beats++) await clock.advance(10_000);
    expect(hub.stats).toEqual({ clients: 0, dropped: 1 });
  });
  test("stops with the hub", async () => {
    const { hub, clock } = make();
    hub.close();
    await clock.advance(1);
    expect(clock.nextWakeMs).toBeUndefined();
  });
});

describe("GET /live?city=", () => {
  test("takes slugs and names, and refuses too many and one that is not there, by name", async () => {
    const api = testApi();
    hubs.push(api.hub);
    const ask = (city: string) =>
      api.app.handle(
        new Request(`http://localhost/live?city=${encodeURIComponent(city)}`, { method: "HEAD" }),
      );
    const errorOf = async (city: string) => {
      const answer = await api.app.handle(
        new Request(`http://localhost/live?city=${encodeURIComponent(city)}`),
      );
      return [answer.status, ((await answer.json()) as { error: { message: string } }).error.message];
    };
    expect((await ask("london,New York")).status).toBe(200);
    expect(await errorOf("london,atlantis")).toEqual([
      404,
      'The parameter city is "atlantis", wanted the name or slug of a city',
    ]);
    expect(await errorOf(Array(101).fill("london").join(","))).toEqual([
      400,
      expect.stringContaining("wanted at most 100 cities"),
    ]);
  });
});

describe("GET /live over real sockets", () => {
  async function serve() {
    const api = testApi();
    hubs.push(api.hub);
    const server = startServer({ app: api.app, host: "127.0.0.1", port: 0, clock: api.clock });
    const open = async (headers: Record<string, string> = {}) => {
      const abort = new AbortController();
      const response = await fetch(new URL("/live", server.url), { headers, signal: abort.signal });
      return { response, reader: new Reader(response.body as ReadableStream<Uint8Array>, abort) };
    };
    return { ...api, server, open };
  }
  /** Waits until the server has noticed something, however long that takes. */
  async function until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve));
  }
  test("streams events, notices who leaves, and resumes who comes back", async () => {
    const { hub, server, open } = await serve();
    const first = await open({ "accept-encoding": "gzip" });
    expect(first.response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(first.response.headers.get("content-encoding")).toBeNull();
    expect(first.response.headers.get("cache-control")).toBe("no-store");
    expect(first.response.headers.get("x-content-type-options")).toBe("nosniff");
    hub.publish({ name: "observations", data: { n: 1 }, id: 1 });
    expect((await first.reader.take(2)).map(({ id }) => id)).toEqual([null, "e1-1"]);
    first.reader.abort.abort();
    await until(() => hub.stats.clients === 0);
    hub.publish({ name: "observations", data: { n: 2 }, id: 2 });
    hub.publish({ name: "observations", data: { n: 3 }, id: 3 });
    const again = await open({ "last-event-id": "e1-1" });
    expect((await again.reader.take(2)).map(({ data }) => data.n)).toEqual([2, 3]);
    hub.close();
    expect(await again.reader.next()).toBeNull();
    await server.stop(5_000);
  });
  test("drops a socket that is never read, while another goes on", async () => {
    const { hub, server, open } = await serve();
    const connected = Promise.withResolvers<void>();
    const socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: Number(server.url.port),
      socket: {
        open: (own) => void own.write("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        data: (own) => {
          own.pause();
          connected.resolve();
        },
      },
    });
    await connected.promise;
    const { reader } = await open();
    await reader.take(1);
    const text = "x".repeat(100_000);
    let id = 0;
    while (hub.stats.dropped === 0 && id < 1_000) {
      hub.publish({ name: "observations", data: { text }, id: ++id });
      expect((await reader.next())?.id).toBe(`e1-${id}`);
    }
    expect(hub.stats).toEqual({ clients: 1, dropped: 1 });
    socket.terminate();
    hub.close();
    await server.stop(5_000);
  });
});
