import { parseTimestamp } from "../../core/time.ts";
import type { Services } from "./services.ts";

/**
 * The clock of a page, ms: the newest observation's time where data is replayed, so that a year-old recording is not
 * called a year late; else now.
 */
export function pageClock(services: Services, now: number): number {
  if (services.about.kind !== "replayed") return now;
  const times = services.current().map(({ observation }) => parseTimestamp(observation.timestamp));
  return times.length === 0 ? now : times.reduce((a, b) => Math.max(a, b));
}
