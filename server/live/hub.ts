import type { Clock } from "../../core/clock.ts";
import { Broadcast, type Message } from "./broadcast.ts";
import type { LiveFilter } from "./live-filter.ts";

/** An event on its way to the live clients. */
export interface LiveEvent {
  /** Its type, as `EventSource` dispatches it. */
  name: string;
  /** Its payload, sent as one line of JSON. */
  data: object;
  /** Where it stands: larger with each event that has one. A client that was away asks by it. */
  id?: number;
  /** False when the next of its name says it all, so that a client that was away need not have it. Default true. */
  replay?: boolean;
}

/** What a {@link Hub} is made of. */
export interface HubOptions {
  /** Changes when ids begin anew: the log's incarnation. */
  epoch: string;
  /** The state that replaces every event so far. */
  snapshot: () => object;
  clock: Clock;
  /** Most past events kept. Default 2,000. */
  ring?: number;
  /** Most bytes of past events kept. Default 4 MiB. */
  ringBytes?: number;
  /** Most bytes sent to a client that resumes; where it missed more it gets a snapshot. Default 1 MiB. */
  missedBytes?: number;
  /** Events a client may leave unread, beyond what the system's buffers hold, before it is dropped. Default 128. */
  unread?: number;
  /** Time between comments that keep a quiet connection open, ms. Default 10,000. */
  heartbeatMs?: number;
}

/** An event and how it is sent to who wants all. */
interface Encoded {
  bytes: Uint8Array;
  event: LiveEvent;
}

interface Past {
  /** The newest id when it was published; its own where it has one. */
  at: number;
  hasId: boolean;
  bytes: Uint8Array;
}

/** Reconnect after this many ms. */
const RETRY = 1000;
/** A snapshot serves all who need one within this time, ms, while nothing with an id happens. */
const SNAPSHOT_MS = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEARTBEAT = encoder.encode(":\n\n");

/**
 * Server-sent events to any number of clients. An event is encoded once, and every client gets the same bytes. A client
 * that reconnects gets what it missed from the ring of past events, or a `snapshot` event where the ring does not reach
 * back; a new one begins with a snapshot. Clients with the same filter share what is encoded for them. An event with an id goes
 * out at once, others may gather for a moment ({@link Broadcast}). A client that does not read is dropped, not buffered: it
 * reconnects and resumes.
 */
export class Hub {
  readonly #epoch: string;
  readonly #snapshotOf: () => object;
  readonly #clock: Clock;
  readonly #ringMax: number;
  readonly #ringBytesMax: number;
  readonly #missedBytesMax: number;
  readonly #clients: Broadcast;
  readonly #closing = new AbortController();
  #ring: Past[] = [];
  #ringBytes = 0;
  /** Whoever has seen this id misses only what the ring holds; null while that is not known. */
  #floor: number | null = null;
  #newest: number | null = null;
  #resetting = false;
  #snapshot: (Encoded & { atMs: number }) | null = null;

  constructor(options: HubOptions) {
    // It is part of a line of the stream.
    if (!/^[\x21-\x7e]+$/.test(options.epoch)) {
      throw new TypeError(
        `Cannot make a hub: the epoch is ${JSON.stringify(options.epoch)}, wanted ASCII without spaces`,
      );
    }
    this.#epoch = options.epoch;
    this.#snapshotOf = options.snapshot;
    this.#clock = options.clock;
    this.#ringMax = options.ring ?? 2_000;
    this.#ringBytesMax = options.ringBytes ?? 4 * 2 ** 20;
    this.#missedBytesMax = options.missedBytes ?? 2 ** 20;
    this.#clients = new Broadcast({ clock: options.clock, unread: options.unread ?? 128 });
    void this.#beat(options.heartbeatMs ?? 10_000);
  }

  /**
   * Sends an event to everyone who is connected.
   *
   * @throws TypeError when its id is not above the last one, or its name is no plain word
   */
  publish(event: LiveEvent): void {
    if (this.#closing.signal.aborted) return;
    if (!/^[a-z][a-z0-9_-]*$/.test(event.name)) {
      throw new TypeError(
        `Cannot publish ${JSON.stringify(event.name)}: wanted a name of lower-case letters`,
      );
    }
    const { id } = event;
    if (id !== undefined && !(Number.isSafeInteger(id) && id >= 0 && id > (this.#newest ?? -1))) {
      throw new TypeError(`Cannot publish the event ${id}: wanted an id above ${this.#newest}`);
    }
    const bytes = this.#encode(event);
    if (id !== undefined) {
      this.#newest = id;
      this.#snapshot = null;
    }
    if (this.#floor === null) {
      // The first one after the start or a gap: nobody can know what came just before it.
      if (id !== undefined) this.#floor = id;
    } else if (event.replay !== false) {
      this.#keep({ at: this.#newest ?? 0, hasId: id !== undefined, bytes });
    }
    this.#send({ bytes, event });
  }

  /**
   * Events were left out: nobody can resume across the gap, and within a second everyone gets a snapshot. Gaps that follow
   * closely share one, so that a flood of records is no flood of snapshots.
   */
  reset(): void {
    this.#ring = [];
    this.#ringBytes = 0;
    this.#floor = null;
    this.#snapshot = null;
    if (this.#resetting) return;
    this.#resetting = true;
    const { signal } = this.#closing;
    void this.#clock.sleep(SNAPSHOT_MS, signal).then(() => {
      this.#resetting = false;
      if (!signal.aborted && this.stats.clients > 0) this.#send(this.#snapshotNow());
    });
  }

  /**
   * A stream for a new client. What it starts with and its place among the receivers are settled before this returns,
   * so nothing is left out or sent twice between the two.
   *
   * @param lastEventId what the client says it has seen: the `Last-Event-ID` header, or null
   * @param signal aborts when the client leaves
   * @param filter what it wants; null for everything
   */
  connect(
    lastEventId: string | null,
    signal: AbortSignal,
    filter: LiveFilter | null = null,
  ): ReadableStream<Uint8Array> {
    const begin = [encoder.encode(`retry: ${RETRY}\n\n`), ...this.#beginning(lastEventId, filter)];
    return this.#clients.connect(begin, signal, filter);
  }

  /** The largest id so far; null before the first. */
  get newest(): number | null {
    return this.#newest;
  }

  /** How many are connected, and how many were dropped because they did not read. */
  get stats(): { clients: number; dropped: number } {
    return this.#clients.stats;
  }

  /** Ends every stream and takes no new client. */
  close(): void {
    this.#closing.abort();
    this.#clients.close();
    this.#ring = [];
  }

  /** What a client begins with. */
  #beginning(lastEventId: string | null, filter: LiveFilter | null): Uint8Array[] {
    const missed = this.#missed(lastEventId);
    if (filter === null) return missed ?? [this.#snapshotNow().bytes];
    const events = missed?.map((bytes) => this.#decode(bytes)) ?? [this.#snapshotNow().event];
    return events.flatMap((event) => this.#narrowed(event, filter) ?? []);
  }

  /** What a client has missed, or null where the ring cannot say. */
  #missed(lastEventId: string | null): Uint8Array[] | null {
    const match = lastEventId === null ? null : /^(.+)-(\d{1,16})$/.exec(lastEventId);
    if (match?.[1] !== this.#epoch || this.#floor === null || this.#newest === null) return null;
    const seen = Number(match[2]);
    if (seen < this.#floor || seen > this.#newest) return null;
    const missed = this.#ring
      .filter(({ at, hasId }) => (hasId ? at > seen : at >= seen))
      .map(({ bytes }) => bytes);
    const size = missed.reduce((sum, bytes) => sum + bytes.byteLength, 0);
    return size > this.#missedBytesMax ? null : missed;
  }

  #keep(past: Past): void {
    this.#ring.push(past);
    this.#ringBytes += past.bytes.byteLength;
    if (this.#ring.length <= this.#ringMax && this.#ringBytes <= this.#ringBytesMax) return;
    // An eighth more than needed, so that the array is not moved at every event.
    const length = this.#ringMax - (this.#ringMax >> 3);
    const size = this.#ringBytesMax - (this.#ringBytesMax >> 3);
    let cut = 0;
    while (this.#ring.length - cut > length || this.#ringBytes > size) {
      const oldest = this.#ring[cut];
      if (oldest === undefined) break;
      this.#ringBytes -= oldest.bytes.byteLength;
      // Who saw that id saw it all, unless the one cut had no id: then only who saw the next one did.
      this.#floor = oldest.hasId ? oldest.at : oldest.at + 1;
      cut++;
    }
    this.#ring = this.#ring.slice(cut);
  }

  #snapshotNow(): Encoded {
    const now = this.#clock.now();
    if (this.#snapshot === null || Math.abs(now - this.#snapshot.atMs) >= SNAPSHOT_MS) {
      const id = this.#newest === null ? {} : { id: this.#newest };
      const event: LiveEvent = { name: "snapshot", data: this.#snapshotOf(), ...id };
      this.#snapshot = { bytes: this.#encode(event), event, atMs: now };
    }
    return this.#snapshot;
  }

  #encode({ name, data, id }: LiveEvent): Uint8Array {
    const idLine = id === undefined ? "" : `id: ${this.#epoch}-${id}\n`;
    return encoder.encode(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
  }

  /** The event of bytes of {@link #encode}: only bytes are kept of what is past. */
  #decode(bytes: Uint8Array): LiveEvent {
    const [, name = "", id, data = ""] =
      /^event: (.*)\n(?:id: .*-(\d+)\n)?data: (.*)\n\n$/.exec(decoder.decode(bytes)) ?? [];
    return { name, data: JSON.parse(data) as object, ...(id === undefined ? {} : { id: Number(id) }) };
  }

  /** An event as a client with a filter gets it; null where it gets nothing of it. */
  #narrowed(event: LiveEvent, filter: LiveFilter): Uint8Array | null {
    const data = filter.narrow(event.name, event.data);
    return data === null ? null : this.#encode({ ...event, data });
  }

  /** Sends an event, to each client what it wants of it. */
  #send({ bytes, event }: Encoded): void {
    const message: Message = (filter) => (filter === null ? bytes : this.#narrowed(event, filter));
    // A snapshot tells of events that were left out, so that it is as urgent as they.
    this.#clients.send(message, { urgent: event.id !== undefined || event.name === "snapshot" });
  }

  async #beat(everyMs: number): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await this.#clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      // Who gets little of what happens would come back with an id that is no longer kept.
      const place =
        this.#newest === null ? null : encoder.encode(`:\nid: ${this.#epoch}-${this.#newest}\n\n`);
      this.#clients.send((filter) => (filter === null ? HEARTBEAT : (place ?? HEARTBEAT)), { urgent: false });
    }
  }
}
