import { readLimits } from "./limits.ts";

const age = (await readLimits()).find(({ test, variable }) => test === "time" && variable === "age");

/**
 * How far an observation's time may be ahead of the clock when the log takes it, ms: the bound of the test of time in
 * `limits.csv`. Beyond it the time fails and takes part in nothing but the count of failures (`views/in_time.sql`).
 */
export const AHEAD_MS: number = -60_000 * (age?.fail_low ?? 0);

/** Whether an observation's time fails because it was ahead of the clock when the log took it. Both are ms. */
export function isAhead(observedMs: number, receivedMs: number): boolean {
  return observedMs - receivedMs > AHEAD_MS;
}
