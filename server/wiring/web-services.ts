import type { About } from "../../core/about.ts";
import type { City } from "../../core/city.ts";
import type { Clock } from "../../core/clock.ts";
import { RequestError } from "../../core/errors.ts";
import type { Analytics } from "../../jobs/analytics/analytics.ts";
import type { KeptViews } from "../../jobs/analytics/kept-views.ts";
import { appendLines } from "../../jobs/posted-lines.ts";
import { queryArrivals } from "../../jobs/readers/lake-arrivals.ts";
import { LakeDays } from "../../jobs/readers/lake-days.ts";
import { queryRows, rowsMark } from "../../jobs/readers/lake-queries.ts";
import type { JudgedRows } from "../../jobs/readers/judged-rows.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import { newestRejected } from "../../jobs/readers/rejected.ts";
import { whyOf } from "../answers/origin.ts";
import type { Services } from "../answers/services.ts";
import type { CurrentState } from "../live/current.ts";
import type { PipelineMonitor } from "../live/monitor.ts";
import type { Places } from "../live/places.ts";
import type { Ports } from "./ports.ts";

/** What the web's services are made of. */
export interface ServiceParts {
  about: About;
  /** The configured cities. */
  cities: readonly City[];
  ports: Ports;
  reader: LakeReader;
  analytics: Analytics;
  /** The rows of closed days with their flags. */
  judged: JudgedRows;
  keptViews: KeptViews;
  current: CurrentState;
  places: Places;
  monitor: PipelineMonitor;
  clock: Clock;
  /** Resolves once the data set may be written to; null where this process does not produce. */
  mayAppend: (() => Promise<void>) | null;
}

/** What the web sees of the rest of the program: short reads by the engine of this process, and state from memory. */
export function webServices(parts: ServiceParts): Services {
  const { about, cities, reader, analytics, judged, keptViews, current, places, monitor, clock, mayAppend } =
    parts;
  const { log, promptLake: lake, reads: engine } = parts.ports;
  return {
    about,
    cities: () => places.list(),
    current: () => current.list(),
    observations: async (query) =>
      queryRows(reader, engine, { judged, views: () => keptViews.list("quality") }, query),
    rowsMark: async (range) => {
      try {
        return `${await rowsMark(reader, range, judged.version)} ${analytics.result("level")?.run ?? ""}`;
      } catch {
        return null; // reading them says why
      }
    },
    why: (key) => whyOf({ reader, lake, engine, version: judged.version, analytics }, key),
    days: new LakeDays({ reader, lake, engine }),
    arrivals: (query) => queryArrivals({ reader, lake, engine }, query),
    analytics,
    pipeline: () => monitor.status(),
    rejected: (limit) => newestRejected(lake, reader, limit),
    ingest: async (lines, { history }) => {
      if (mayAppend === null) {
        throw new RequestError("conflict", "Cannot take observations: this process does not produce");
      }
      await mayAppend();
      return appendLines(log, lines, { cities, now: clock.now(), history });
    },
  };
}
