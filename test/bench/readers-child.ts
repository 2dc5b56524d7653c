// Many readers of a stream of server-sent events, in a process of their own: raw sockets, so that reading costs little.

/** What the process is started with, as JSON. */
export interface ReadersInput {
  /** Of the stream. */
  url: string;
  /** Connections that read. */
  readers: number;
  /** Connections that never read. */
  silent: number;
  /** Time of the first observation that counts, ms; the observation of event `i` is `i` seconds later. */
  base: number;
  /** Events to wait for. */
  events: number;
}

/** What it says: first that everyone reads, then, when it is asked, when each event arrived. */
export type FromReaders = { connected: number } | { arrivals: number[][]; closed: number };

/** Connections being made at once: a listener's queue is short. */
const CONNECTING = 100;

/** Now, in ms of one clock for all processes. */
export function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

interface Reader {
  /** What came after the last whole event. */
  rest: string;
  begun: boolean;
}

async function main(input: ReadersInput): Promise<void> {
  const { hostname, port, pathname } = new URL(input.url);
  const request = `GET ${pathname} HTTP/1.1\r\nhost: ${hostname}:${port}\r\naccept: text/event-stream\r\n\r\n`;
  const arrivals = Array.from({ length: input.events }, (): number[] => []);
  let closed = 0;
  const connect = (reads: boolean): Promise<void> => {
    const begun = Promise.withResolvers<void>();
    Bun.connect<Reader>({
      hostname,
      port: Number(port),
      socket: {
        open(socket) {
          socket.data = { rest: "", begun: false };
          socket.write(request);
          if (reads) return;
          socket.pause();
          begun.resolve();
        },
        data(socket, bytes) {
          const at = nowMs();
          const reader = socket.data;
          if (!reader.begun) {
            reader.begun = true;
            begun.resolve();
          }
          const events = (reader.rest + bytes.toString("latin1")).split("\n\n");
          reader.rest = events.pop() ?? "";
          for (const event of events) take(event, at);
        },
        close() {
          closed++;
          begun.reject(new Error(`Cannot read ${input.url}: the connection was closed`));
        },
        error: (_socket, error) => begun.reject(error),
        connectError: (_socket, error) => begun.reject(error),
      },
    }).catch(begun.reject);
    return begun.promise;
  };
  const take = (event: string, at: number) => {
    if (!event.includes("event: observations\n")) return;
    const time = /"timestamp":"([^"]+)"/.exec(event)?.[1];
    if (time === undefined) return;
    arrivals[(Date.parse(time) - input.base) / 1000]?.push(at);
  };
  for (let i = 0; i < input.silent; i++) await connect(false);
  for (let i = 0; i < input.readers; i += CONNECTING) {
    const length = Math.min(CONNECTING, input.readers - i);
    await Promise.all(Array.from({ length }, () => connect(true)));
  }
  const send = (message: FromReaders) => process.send?.(message);
  process.on("message", () => send({ arrivals, closed }));
  process.on("disconnect", () => process.exit(0));
  send({ connected: input.readers });
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "") as ReadersInput);
