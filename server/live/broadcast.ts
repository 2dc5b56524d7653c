import type { Clock } from "../../core/clock.ts";
import type { LiveFilter } from "./live-filter.ts";
import { giveWay } from "../../core/give-way.ts";

/** Bytes for a client with a filter, or with none; null where it gets nothing. */
export type Message = (filter: LiveFilter | null) => Uint8Array | null;

interface Client {
  controller: ReadableStreamDefaultController<Uint8Array>;
  filter: LiveFilter | null;
  /** How many messages there were when it got its last one. */
  seen: number;
}

/** Clients that are served in one go: about 5 ms, which everybody else waits. */
const SLICE = 256;
/** Messages that are not urgent wait so long for others to go with them where there are more clients than that, ms. */
const GATHER_MS = 100;

/**
 * Sends messages to any number of clients, to each in order. Each write costs, so what waits for a client goes in one: an
 * urgent message goes to everyone at once, and takes along what waits; others gather for a moment, and go to a few clients at
 * a time, so that an urgent one never waits for them.
 */
export class Broadcast {
  readonly #clock: Clock;
  readonly #unreadMax: number;
  readonly #clients = new Set<Client>();
  readonly #closing = new AbortController();
  /** The last messages, which somebody has not got yet. */
  #waiting: Message[] = [];
  /** How many messages there were so far. */
  #sent = 0;
  /** What waits, by how much of it and the filter: made once for all who want the same. */
  #merged = new Map<string, Uint8Array | null>();
  #sweeping = false;
  #dropped = 0;

  /**
   * @param options.unread writes a client may leave unread, beyond what the system's buffers hold, before it is dropped.
   *   Writes and not bytes: all who are behind share these, and a stream that counts bytes costs each client 8 kB.
   */
  constructor(options: { clock: Clock; unread: number }) {
    this.#clock = options.clock;
    this.#unreadMax = options.unread;
  }

  /** How many are connected, and how many were dropped because they did not read. */
  get stats(): { clients: number; dropped: number } {
    return { clients: this.#clients.size, dropped: this.#dropped };
  }

  /**
   * A stream for a new client: it gets every message from now on.
   *
   * @param begin what it begins with; not held against it
   * @param signal aborts when the client leaves
   */
  connect(
    begin: readonly Uint8Array[],
    signal: AbortSignal,
    filter: LiveFilter | null,
  ): ReadableStream<Uint8Array> {
    let client: Client | undefined;
    const leave = () => {
      if (client === undefined || !this.#clients.delete(client)) return;
      client.controller.close();
    };
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          if (this.#closing.signal.aborted || signal.aborted) return controller.close();
          for (const chunk of begin) controller.enqueue(chunk);
          client = { controller, filter, seen: this.#sent };
          this.#clients.add(client);
          signal.addEventListener("abort", leave, { once: true });
        },
        cancel: () => {
          if (client !== undefined) this.#clients.delete(client);
          signal.removeEventListener("abort", leave);
        },
      },
      { highWaterMark: this.#unreadMax + begin.length },
    );
  }

  /** Sends a message to everyone who is connected. */
  send(message: Message, { urgent }: { urgent: boolean }): void {
    if (this.#clients.size === 0) return;
    this.#waiting.push(message);
    this.#sent++;
    this.#merged.clear();
    if (urgent || this.#clients.size <= SLICE) {
      for (const client of this.#clients) this.#serve(client);
      this.#waiting = [];
    } else void this.#sweep();
  }

  /** Ends every stream and takes no new client. */
  close(): void {
    this.#closing.abort();
    for (const { controller } of this.#clients) controller.close();
    this.#clients.clear();
    this.#waiting = [];
  }

  /** Serves everyone, a few at a time, until nothing waits. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { signal } = this.#closing;
    while (this.#waiting.length > 0 && !signal.aborted) {
      await this.#clock.sleep(GATHER_MS, signal);
      const sent = this.#sent;
      let served = 0;
      for (const client of this.#clients) {
        if (this.#serve(client) && ++served % SLICE === 0) await giveWay();
      }
      // Everyone has now what there was when it began.
      const later = this.#sent - sent;
      this.#waiting = later === 0 ? [] : this.#waiting.slice(-later);
    }
    this.#sweeping = false;
  }

  /** Sends a client what waits for it, and drops it where it does not read. Whether there was anything. */
  #serve(client: Client): boolean {
    const count = this.#sent - client.seen;
    if (count === 0) return false;
    client.seen = this.#sent;
    const bytes = this.#mergedOf(count, client.filter);
    if (bytes === null) return false;
    const { controller } = client;
    if ((controller.desiredSize ?? 0) > 0) {
      controller.enqueue(bytes);
      return true;
    }
    this.#clients.delete(client);
    this.#dropped++;
    controller.close();
    return true;
  }

  /** The last messages, so many of them, as one. */
  #mergedOf(count: number, filter: LiveFilter | null): Uint8Array | null {
    const key = `${count} ${filter?.key ?? ""}`;
    let merged = this.#merged.get(key);
    if (merged === undefined) {
      const parts = this.#waiting.slice(-count).flatMap((message) => message(filter) ?? []);
      merged = parts.length === 0 ? null : parts.length === 1 ? parts[0]! : Buffer.concat(parts);
      this.#merged.set(key, merged);
    }
    return merged;
  }
}
