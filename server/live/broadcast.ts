import type { Clock } from "../../core/clock.ts";
import type { LiveFilter } from "./live-filter.ts";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";

/** The bytes of a message for a client with this filter (null: no filter); null if the client gets nothing. */
export type Message = (filter: LiveFilter | null) => Uint8Array | null;

interface Client {
  controller: ReadableStreamDefaultController<Uint8Array>;
  filter: LiveFilter | null;
  /** Total number of messages at the time of its last write. */
  seen: number;
}

/** Clients served before it yields to the event loop: about 5 ms. */
const SLICE = 256;

/** Debounce time of messages that are not urgent, ms, if there are more clients than one slice. */
const GATHER_MS = 100;

/**
 * Sends messages to any number of clients, to each in order. Writes are expensive, so all waiting messages of a client are
 * batched into one write. An urgent message is sent to everyone at once, together with the waiting ones. Other messages are
 * debounced and sent to one slice of the clients at a time, so that an urgent message never waits for them.
 */
export class Broadcast {
  readonly #clock: Clock;
  readonly #unreadMax: number;
  readonly #clients = new Set<Client>();
  readonly #closing = new AbortController();
  /** The newest messages that at least one client has not received yet. */
  #waiting: Message[] = [];
  /** Total number of messages so far. */
  #sent = 0;
  /** Cache of merged messages, by number of messages and filter, shared by clients with the same filter. */
  #merged = new Map<string, Uint8Array | null>();
  #sweeping = false;
  #dropped = 0;

  /**
   * @param options.unread backpressure limit: unread writes, beyond the system's buffers, before a client is dropped. It
   *   counts writes and not bytes: slow clients share the buffers, and a stream that counts bytes costs 8 kB a client.
   */
  constructor(options: { clock: Clock; unread: number }) {
    this.#clock = options.clock;
    this.#unreadMax = options.unread;
  }

  /** Number of connected clients, and of clients dropped because they did not read. */
  get stats(): { clients: number; dropped: number } {
    return { clients: this.#clients.size, dropped: this.#dropped };
  }

  /**
   * Opens a stream for a new client. It gets every message from now on.
   *
   * @param begin the first chunks of the stream; they do not count as unread
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

  /** Ends every stream and accepts no new client. */
  close(): void {
    this.#closing.abort();
    for (const { controller } of this.#clients) controller.close();
    this.#clients.clear();
    this.#waiting = [];
  }

  /** Serves all clients, slice by slice, until no message waits. */
  async #sweep(): Promise<void> {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const { signal } = this.#closing;
    while (this.#waiting.length > 0 && !signal.aborted) {
      await this.#clock.sleep(GATHER_MS, signal);
      const sent = this.#sent;
      let served = 0;
      for (const client of this.#clients) {
        if (this.#serve(client) && ++served % SLICE === 0) await yieldToEventLoop();
      }
      // Every client now has the messages that existed when this sweep began.
      const later = this.#sent - sent;
      this.#waiting = later === 0 ? [] : this.#waiting.slice(-later);
    }
    this.#sweeping = false;
  }

  /** Sends a client its waiting messages, or drops it if it does not read. @returns whether there were any */
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

  /** The newest `count` messages, merged for a filter. */
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
