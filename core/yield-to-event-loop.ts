import { EngineError } from "./errors.ts";

/**
 * Yields to the event loop, so that requests and timers that are due run first.
 *
 * @throws EngineError `cancelled` when `signal` has aborted
 */
export async function yieldToEventLoop(signal?: AbortSignal): Promise<void> {
  await new Promise<void>((turn) => setImmediate(turn));
  if (signal?.aborted) throw new EngineError("cancelled", "The computation was cancelled");
}
