import type { Clock } from "../../../core/clock.ts";

/** A weather provider for tests: a real HTTP server on loopback that notes what it is asked. */
export function serveProvider(answer: (url: URL, call: number) => Response | Promise<Response>): {
  endpoint: string;
  calls: URL[];
  /** Resolves when the call of that number (from 1) has arrived. */
  arrived(call: number): Promise<void>;
} & AsyncDisposable {
  const calls: URL[] = [];
  let waiting: { call: number; resolve: () => void }[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const url = new URL(request.url);
      calls.push(url);
      waiting = waiting.filter((w) => {
        if (calls.length < w.call) return true;
        w.resolve();
        return false;
      });
      return answer(url, calls.length);
    },
  });
  return {
    endpoint: `http://127.0.0.1:${server.port}`,
    calls,
    arrived: (call) =>
      calls.length >= call ? Promise.resolve() : new Promise((resolve) => waiting.push({ call, resolve })),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/**
 * A clock on which waiting takes no time: it jumps ahead and notes how far. The time-outs of calls are not waited for: a
 * call on loopback answers first.
 */
export class JumpingClock implements Clock {
  readonly jumps: number[] = [];
  #now: number;

  /** @param now ms since the epoch */
  constructor(now = Date.UTC(2026, 0, 31, 12)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** Moves on without anybody waiting. */
  pass(ms: number): void {
    this.#now += ms;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms === 10_000 || ms === 3_000 || ms === 45_000)
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
    this.jumps.push(ms);
    this.#now += ms;
    return Promise.resolve();
  }
}

/** What a promise is rejected with; fails where it is not. */
export async function rejection(
  promise: Promise<unknown>,
): Promise<Error & { code?: string; hint?: string }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError(`rejected with ${String(error)}, wanted an Error`, { cause: error });
  }
  throw new Error("resolved, wanted a rejection");
}

/** A signal that never aborts. */
export const never = new AbortController().signal;
