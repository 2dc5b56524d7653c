import type { Clock } from "../../core/clock.ts";
import { Broadcast, type Message } from "./broadcast.ts";
import { readEventId, writeEventId } from "./event-id.ts";
import type { LiveFilter } from "./live-filter.ts";

/** An event for the live clients. */
export interface LiveEvent {
  /** Its type, as `EventSource` dispatches it. */
  name: string;
  /** Its payload, sent as one line of JSON. */
  data: object;
  /** Its id, which increases from event to event. A client that reconnects sends the last one as `Last-Event-ID`. */
  id?: number;
  /** False if the next event of this name replaces it, so that a client that reconnects does not need it. Default true. */
  replay?: boolean;
}

/** Options of a {@link Hub}. */
export interface HubOptions {
  /** Prefix of the ids. It changes when the ids start again: the log's incarnation. */
  epoch: string;
  /** The state that replaces every event so far. */
  snapshot: () => object;
  clock: Clock;
  /** Largest number of past events kept for replay. Default 2,000. */
  ring?: number;
  /** Largest size of the past events kept, bytes. Default 4 MiB. */
  ringBytes?: number;
  /** Largest replay for a client that resumes, bytes. If it missed more it gets a snapshot. Default 1 MiB. */
  missedBytes?: number;
  /** Backpressure limit: unread events, beyond the system's buffers, before a client is dropped. Default 128. */
  unread?: number;
  /** Time between comments that keep a quiet connection open, ms. Default 10,000. */
  heartbeatMs?: number;
}

/** An event, and its bytes for clients without a filter. */
interface Encoded {
  bytes: Uint8Array;
  event: LiveEvent;
}

interface Past {
  /** Its own id, or the newest id at the time it was published. */
  at: number;
  hasId: boolean;
  bytes: Uint8Array;
}

/** Reconnect after this many ms. */
const RETRY = 1000;
/** Clients share a snapshot for this time, ms, as long as no event with an id is published. */
const SNAPSHOT_MS = 1000;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEARTBEAT = encoder.encode(":\n\n");

/**
 * Server-sent events for any number of clients. An event is encoded once for all clients with the same filter. A new client
 * starts with a `snapshot` event. A client that reconnects gets the events it missed from a ring buffer, or a snapshot if the
 * ring does not reach back far enough. An event with an id is sent at once; events without an id may be debounced
 * ({@link Broadcast}). A client that does not read is dropped, not buffered: it reconnects and resumes.
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
  /** The oldest id from which the ring can resume; null while it is not known. */
  #floor: number | null = null;
  #newest: number | null = null;
  #resetting = false;
  #snapshot: (Encoded & { atMs: number }) | null = null;

  constructor(options: HubOptions) {
    // The epoch is part of an `id:` line, so it must not break the line.
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
   * Sends an event to all connected clients.
   *
   * @throws TypeError when its id is not larger than the last one, or its name is no plain word
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
      // The first event with an id since the start or a gap. What came before it is unknown, so the ring starts after it, and
      // no client with an older id can resume.
      if (id !== undefined) this.#floor = id;
    } else if (event.replay !== false) {
      this.#keep({ at: this.#newest ?? 0, hasId: id !== undefined, bytes });
    }
    this.#send({ bytes, event });
  }

  /**
   * Reports a gap: events were skipped. No client can resume across it, and all get a snapshot within a second. The snapshot
   * is debounced: gaps in quick succession share one.
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
   * Opens a stream for a client. Its start (replay or snapshot) and its registration happen synchronously, so that no event
   * between the two is lost or sent twice.
   *
   * @param lastEventId the `Last-Event-ID` header, or null
   * @param signal aborts when the client disconnects
   * @param filter the events it wants; null for all
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

  /** Number of connected clients, and of clients dropped because they did not read. */
  get stats(): { clients: number; dropped: number } {
    return this.#clients.stats;
  }

  /** Ends every stream and accepts no new client. */
  close(): void {
    this.#closing.abort();
    this.#clients.close();
    this.#ring = [];
  }

  /** The first chunks of a client's stream. */
  #beginning(lastEventId: string | null, filter: LiveFilter | null): Uint8Array[] {
    const missed = this.#missed(lastEventId);
    if (filter === null) return missed ?? [this.#snapshotNow().bytes];
    const events = missed?.map((bytes) => this.#decode(bytes)) ?? [this.#snapshotNow().event];
    return events.flatMap((event) => this.#narrowed(event, filter) ?? []);
  }

  /** The events that a client has missed; null if the ring does not hold all of them. */
  #missed(lastEventId: string | null): Uint8Array[] | null {
    const seen = readEventId(this.#epoch, lastEventId);
    if (seen === null || this.#floor === null || this.#newest === null) return null;
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
    // Cut the array to seven eighths at once, so that it is not moved at every event.
    const length = this.#ringMax - (this.#ringMax >> 3);
    const size = this.#ringBytesMax - (this.#ringBytesMax >> 3);
    let cut = 0;
    while (this.#ring.length - cut > length || this.#ringBytes > size) {
      const oldest = this.#ring[cut];
      if (oldest === undefined) break;
      this.#ringBytes -= oldest.bytes.byteLength;
      // The oldest event is removed. If it had an id, a client that has seen this id can still resume. If it had none, only a
      // client that has seen the next id can.
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
    const idLine = id === undefined ? "" : `id: ${writeEventId(this.#epoch, id)}\n`;
    return encoder.encode(`event: ${name}\n${idLine}data: ${JSON.stringify(data)}\n\n`);
  }

  /** The reverse of {@link #encode}: the ring keeps only bytes. */
  #decode(bytes: Uint8Array): LiveEvent {
    const [, name = "", id, data = ""] =
      /^event: (.*)\n(?:id: .*-(\d+)\n)?data: (.*)\n\n$/.exec(decoder.decode(bytes)) ?? [];
    return { name, data: JSON.parse(data) as object, ...(id === undefined ? {} : { id: Number(id) }) };
  }

  /** The bytes of an event for a client with a filter; null if nothing is left of it. */
  #narrowed(event: LiveEvent, filter: LiveFilter): Uint8Array | null {
    const data = filter.narrow(event.name, event.data);
    return data === null ? null : this.#encode({ ...event, data });
  }

  /** Sends an event to each client, filtered. */
  #send({ bytes, event }: Encoded): void {
    const message: Message = (filter) => (filter === null ? bytes : this.#narrowed(event, filter));
    // A snapshot replaces events that were skipped, so it is as urgent as they were.
    this.#clients.send(message, { urgent: event.id !== undefined || event.name === "snapshot" });
  }

  async #beat(everyMs: number): Promise<void> {
    const { signal } = this.#closing;
    for (;;) {
      await this.#clock.sleep(everyMs, signal);
      if (signal.aborted) return;
      // A client with a narrow filter gets few events, and would reconnect with an id that is too old for the ring. So its
      // heartbeat carries the newest id.
      const place =
        this.#newest === null
          ? null
          : encoder.encode(`:\nid: ${writeEventId(this.#epoch, this.#newest)}\n\n`);
      this.#clients.send((filter) => (filter === null ? HEARTBEAT : (place ?? HEARTBEAT)), { urgent: false });
    }
  }
}
