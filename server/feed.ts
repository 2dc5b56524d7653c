import type { Clock } from "../core/clock.ts";
import type { Log, LogRecord, Subscription } from "../jobs/log/log.ts";
import { formatTimestamp } from "../core/time.ts";
import type { CurrentState } from "./current.ts";
import type { Hub } from "./hub.ts";
import type { About, CurrentObservation, Services } from "./services.ts";

/** Observations in one event: a client draws it in one go. */
const EVENT_MAX = 100;
/** Records before the log's end that are read at the start, so that clients of the process before can resume. */
const REWIND = 2_000;
/** Records the feed may be behind before it leaves the oldest out: older news is no longer live. */
const SKIP_BEHIND = 5_000;
/** Records in one read. */
const READ_RECORDS = 500;
/** Shortest time between two status events, ms. */
const STATUS_MS = 1_000;

/** An observation as a `snapshot` event has it. */
export interface SnapshotEntry {
  observation: CurrentObservation["observation"];
  offset: number;
  /** When the log took it, ISO 8601 UTC. */
  received_at: string;
}

/** Data of a `snapshot` event: the newest observation of each city. */
export function snapshotOf(about: About, current: readonly CurrentObservation[], nowMs: number) {
  return {
    generated_at: formatTimestamp(nowMs),
    dataset: about.dataset,
    kind: about.kind,
    current: current.map(({ observation, offset, receivedMs }): SnapshotEntry => ({
      observation,
      offset,
      received_at: formatTimestamp(receivedMs),
    })),
  };
}

/**
 * Follows the log: each valid record updates `current` and goes out as part of an `observations` event, whose id is the
 * highest offset in it. Called again after a failure, it goes on where it was. When it resolves, what the log held is
 * published: a client of the process before that connects now can resume.
 *
 * @throws LogError when the log is away
 * @throws TypeError when the log has several partitions: their offsets are in no common order
 */
export async function followLog({
  log,
  current,
  hub,
}: {
  log: Log;
  current: CurrentState;
  hub: Hub;
}): Promise<Subscription> {
  if (log.partitions !== 1) {
    throw new TypeError(`Cannot follow ${log.topic}: it has ${log.partitions} partitions, wanted 1`);
  }
  const { low, high } = await log.bounds(0);
  const next = hub.newest === null ? high - REWIND : hub.newest + 1;
  // What was published is below the log's end; retention may have passed it while the log was not followed.
  if (hub.newest !== null && low > next) hub.reset();
  const take = (records: readonly LogRecord[]) => {
    const rows = current.apply(records);
    for (let i = 0; i < rows.length; i += EVENT_MAX) {
      const observations = rows.slice(i, i + EVENT_MAX);
      const id = observations.at(-1)?.log_offset;
      if (id !== undefined) hub.publish({ name: "observations", data: { observations }, id });
    }
  };
  let from = Math.max(low, next);
  while (from < high && high - from <= SKIP_BEHIND) {
    const records = await log.read(0, from, READ_RECORDS);
    take(records);
    from = (records.at(-1)?.offset ?? high - 1) + 1;
  }
  return log.tail(
    { records: (_partition, records) => take(records), skipped: () => hub.reset() },
    { from: [from], skipBehind: SKIP_BEHIND },
  );
}

/**
 * Tells the live clients how the pipeline stands (`status`, when it changed, at most once a second) and which result is
 * new (`result`).
 *
 * @returns settles after `signal` aborts
 */
export async function announce({
  services,
  hub,
  clock,
  signal,
}: {
  services: Services;
  hub: Hub;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const runs = new Map<string, string | undefined>();
  for (const { name } of services.analytics.jobs()) runs.set(name, services.analytics.result(name)?.run);
  const stop = services.analytics.onChange((job) => {
    const run = services.analytics.result(job)?.run;
    if (run === undefined || run === runs.get(job)) return;
    runs.set(job, run);
    hub.publish({ name: "result", data: { job } });
  });
  try {
    let last = "";
    while (!signal.aborted) {
      const status = services.pipeline();
      const text = JSON.stringify(status);
      if (text !== last) hub.publish({ name: "status", data: status, replay: false });
      last = text;
      await clock.sleep(STATUS_MS, signal);
    }
  } finally {
    stop();
  }
}
