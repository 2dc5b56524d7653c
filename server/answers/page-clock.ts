import { parseTimestamp } from "../../core/time.ts";
import type { Services } from "./services.ts";

/**
 * The present time of a page, ms. For replayed data it is the time of the newest observation, so that a recording of last
 * year is not stale; otherwise it is now.
 */
export function pageClock(services: Services, now: number): number {
  if (services.about.kind !== "replayed") return now;
  const times = services.current().map(({ observation }) => parseTimestamp(observation.timestamp));
  return times.length === 0 ? now : times.reduce((a, b) => Math.max(a, b));
}
