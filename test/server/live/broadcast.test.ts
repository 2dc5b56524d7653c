import { afterEach, describe, expect, test } from "bun:test";
import { Broadcast } from "../../../server/live/broadcast.ts";
import type { LiveFilter } from "../../../server/live/live-filter.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** More than are served in one go, and not a multiple of it. */
const MANY = 600;

const open: Broadcast[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

function make(clients: number, filters: readonly (LiveFilter | null)[] = [null], unread = 16) {
  const clock = new FakeClock();
  const broadcast = new Broadcast({ clock, unread });
  open.push(broadcast);
  const readers = Array.from({ length: clients }, (_, i) =>
    broadcast.connect([], new AbortController().signal, filters[i % filters.length] ?? null).getReader(),
  );
  const say = (text: string, urgent = false) => broadcast.send(() => Buffer.from(text), { urgent });
  const read = async (reader: (typeof readers)[number] | undefined) =>
    Buffer.from((await reader?.read())?.value ?? []).toString();
  return { broadcast, clock, readers, say, read };
}

describe("Broadcast", () => {
  test("sends a few clients each message at once", async () => {
    const { readers, say, read } = make(3);
    say("a");
    say("b");
    for (const reader of readers) expect([await read(reader), await read(reader)]).toEqual(["a", "b"]);
  });

  test("debounces messages that are not urgent: one write for each of many clients", async () => {
    const { clock, readers, say, read } = make(MANY);
    say("a");
    say("b");
    await clock.advance(50);
    say("c");
    await clock.advance(50);
    expect(new Set(await Promise.all(readers.map(read)))).toEqual(new Set(["abc"]));
  });

  test("sends an urgent message at once, after what waits, and to nobody twice", async () => {
    const { clock, readers, say, read } = make(MANY);
    say("a");
    say("!", true);
    expect(new Set(await Promise.all(readers.map(read)))).toEqual(new Set(["a!"]));
    await clock.advance(100);
    say("b", true);
    expect(new Set(await Promise.all(readers.map(read)))).toEqual(new Set(["b"]));
  });

  test("an urgent message does not wait for the clients that are still to be served", async () => {
    const { clock, readers, say, read } = make(MANY);
    say("a");
    const served = read(readers[0]);
    await clock.advance(100);
    expect(await served).toBe("a"); // the first slice is through, the others are not
    const last = read(readers.at(-1));
    say("!", true);
    expect([await read(readers[0]), await last]).toEqual(["!", "a!"]);
  });

  test("messages that arrive during a sweep reach everyone, in order", async () => {
    const { clock, readers, say, read } = make(MANY);
    say("a");
    const served = read(readers[0]);
    await clock.advance(100);
    await served;
    say("b");
    await clock.sleepers();
    await clock.advance(100);
    const got = await Promise.all(
      readers.map(async (reader, i) => {
        let text = i === 0 ? "a" : "";
        while (!text.endsWith("b")) text += await read(reader);
        return text;
      }),
    );
    expect(new Set(got)).toEqual(new Set(["ab"]));
  });

  test("encodes a message once for each filter, and writes nothing to a client whose filter excludes it", async () => {
    const odd: LiveFilter = { key: "odd", narrow: () => null };
    const { broadcast, clock, readers, say, read } = make(MANY, [null, odd]);
    let made = 0;
    broadcast.send(
      (filter) => {
        made++;
        return filter === null ? Buffer.from("even") : null;
      },
      { urgent: false },
    );
    await clock.advance(100);
    await read(readers[598]);
    expect(made).toBe(2);
    say("!", true);
    expect(await read(readers[599])).toBe("!");
  });

  test("drops a client that leaves too much unread, and does not count the first chunks", async () => {
    const { broadcast, clock, readers, say } = make(MANY, [null], 2);
    for (let i = 0; i < 3; i++) say(String(i), true);
    expect(broadcast.stats).toEqual({ clients: 0, dropped: MANY });
    await clock.advance(1_000);
    const begin = [1, 2, 3].map((n) => Buffer.from(String(n)));
    broadcast.connect(begin, new AbortController().signal, null);
    say("a", true);
    expect(broadcast.stats.clients).toBe(1);
    await readers[0]?.cancel();
  });
});
