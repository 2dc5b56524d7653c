import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/log.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { Hub } from "../live/hub.ts";
import type { ResultCache } from "./result-cache.ts";
import type { Services } from "../answers/services.ts";
import type { About } from "../../core/about.ts";

/** What the routes work with. */
export interface WebContext {
  services: Services;
  hub: Hub;
  clock: Clock;
  logger: Logger;
  results: ResultCache;
}

/** What every JSON answer says about itself. */
export interface Label {
  /** When the content was made, ISO 8601 UTC. */
  generated_at: string;
  dataset: string;
  /** Whether the data is real. */
  kind: About["kind"];
}

/** The label of an answer made now. */
export function labelOf({ services, clock }: Pick<WebContext, "services" | "clock">): Label {
  const { dataset, kind } = services.about;
  return { generated_at: formatTimestamp(clock.now()), dataset, kind };
}
