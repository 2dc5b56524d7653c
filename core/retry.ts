import type { Clock } from "./clock.ts";

/** How long to wait before the next try. */
export interface Backoff {
  /** First wait, ms. */
  baseMs: number;
  /** Longest wait, ms. */
  maxMs: number;
}

/**
 * Exponential backoff with full jitter: a random wait in [base, base × 2^attempt], capped. Full jitter spreads the
 * clients of a service that comes back (M. Brooker, "Exponential Backoff And Jitter", 2015).
 *
 * @param attempt 0 for the wait after the first failure
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const top = Math.min(backoff.maxMs, backoff.baseMs * 2 ** Math.min(attempt, 30));
  return Math.round(backoff.baseMs + random() * Math.max(0, top - backoff.baseMs));
}

/**
 * Runs `action` until it succeeds, `tries` are used up, `retryable` says no, or `signal` aborts.
 *
 * @param options.waitMs a wait asked for by the failure itself (Retry-After), ms, or undefined
 * @returns what `action` returns
 * @throws the last error
 */
export async function retry<T>(
  action: (attempt: number) => Promise<T>,
  options: {
    tries: number;
    backoff: Backoff;
    clock: Clock;
    retryable: (error: unknown) => boolean;
    waitMs?: (error: unknown) => number | undefined;
    random?: () => number;
    signal?: AbortSignal;
  },
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      if (attempt + 1 >= options.tries || options.signal?.aborted || !options.retryable(error)) throw error;
      const wait = options.waitMs?.(error) ?? backoffMs(attempt, options.backoff, options.random);
      await options.clock.sleep(wait, options.signal);
      if (options.signal?.aborted) throw error;
    }
  }
}

/**
 * Wraps an action that needs to succeed only once. Concurrent calls share a try. After a failure the next call tries again;
 * after a success all calls get its result.
 */
export function succeedOnce<T>(action: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () =>
    (result ??= action().catch((error: unknown) => {
      result = undefined;
      throw error;
    }));
}
