import { EngineError } from "./errors.ts";

/**
 * Lets whatever else is due in this thread run first.
 *
 * @throws EngineError `cancelled` when `signal` has aborted
 */
export async function giveWay(signal?: AbortSignal): Promise<void> {
  await new Promise<void>((turn) => setImmediate(turn));
  if (signal?.aborted) throw new EngineError("cancelled", "The computation was cancelled");
}
