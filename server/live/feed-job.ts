import type { Clock } from "../../core/clock.ts";
import type { Row } from "../../core/observation.ts";
import type { Log, Subscription } from "../../jobs/log/log.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { Services } from "../answers/services.ts";
import type { CurrentState } from "./current.ts";
import { announce, followLog } from "./feed.ts";
import type { Hub } from "./hub.ts";

/** The live feed. */
export interface Feed {
  /** Settles once the log's last records are published, or the log cannot be followed yet: then the job tries again. */
  caughtUp: Promise<unknown>;
  /** Goes on from there: publishes what the log takes, and how the program is. Each run follows on from the one before. */
  job: BackgroundJob;
}

/**
 * Begins to follow the log for the live clients.
 *
 * @param parts.claimed resolves once the data set may be shown; nothing is followed before
 * @param parts.arrived takes the rows after they went out
 * @param parts.skipped is told when records were left out because they came too fast
 */
export function openFeed(parts: {
  services: Services;
  log: Log;
  current: CurrentState;
  hub: Hub;
  claimed: () => Promise<void>;
  arrived: (rows: readonly Row[]) => void;
  skipped: () => void;
  clock: Clock;
}): Feed {
  const { services, log, current, hub, claimed, arrived, skipped, clock } = parts;
  const positions = new Map<number, number>();
  const follow = async () => {
    await claimed();
    return followLog({ log, current, hub, positions, arrived, skipped });
  };
  let first: Promise<Subscription> | null = follow();
  return {
    caughtUp: first.then(
      () => {},
      () => {}, // the job says so
    ),
    job: {
      name: "feed",
      async run({ signal, running }) {
        const following = first ?? follow();
        first = null;
        const subscription = await following;
        running();
        const over = new AbortController();
        const announced = announce({ services, hub, clock, signal: AbortSignal.any([signal, over.signal]) });
        try {
          await Promise.race([subscription.done, announced]);
        } finally {
          over.abort();
          await subscription.stop();
          await announced;
        }
      },
    },
  };
}
