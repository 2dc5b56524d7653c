import type { Clock } from "../../core/clock.ts";
import type { Log, LogRecord, Subscription } from "../../jobs/log/log.ts";
import type { Row } from "../../core/observation.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { CurrentState } from "./current.ts";
import { nextEventId } from "./event-id.ts";
import type { Hub } from "./hub.ts";
import type { Run } from "../../core/analytic-job.ts";
import type { CurrentObservation, Services } from "../answers/services.ts";
import type { About } from "../../core/about.ts";

/** Largest number of observations in one event: a client draws an event at once. */
const EVENT_MAX = 100;
/** Records before the log's end that are read at the start, so that clients of the previous process can resume. */
const REWIND = 2_000;
/** Lag of the feed, records, beyond which it skips the oldest ones: they are no longer live. */
const SKIP_BEHIND = 5_000;
/** Records in one read. */
const READ_RECORDS = 500;
/** Shortest time between two status events, ms. */
const STATUS_MS = 1_000;
/** Shortest time between two events about the progress of the same run, ms. */
const PROGRESS_MS = 500;

/** An observation in a `snapshot` event. */
export interface SnapshotEntry {
  observation: CurrentObservation["observation"];
  offset: number;
  /** When the log took it, ISO 8601 UTC. */
  received_at: string;
  judgement: CurrentObservation["judgement"];
}

/** Data of a `snapshot` event: the newest observation of each city. */
export function snapshotOf(about: About, current: readonly CurrentObservation[], nowMs: number) {
  return {
    generated_at: formatTimestamp(nowMs),
    dataset: about.dataset,
    kind: about.kind,
    current: current.map(({ observation, offset, receivedMs, judgement }): SnapshotEntry => ({
      observation,
      offset,
      received_at: formatTimestamp(receivedMs),
      judgement,
    })),
  };
}

/**
 * Follows the log: each valid record updates `current` and is published in an `observations` event. When it resolves, all
 * records of the log are published.
 *
 * @param positions first offset not published, by partition. The caller keeps it, so that a new call after a failure
 *   continues at the same place
 * @throws LogError when the log is unavailable
 */
export async function followLog({
  log,
  current,
  hub,
  positions,
  arrived = () => {},
  skipped = () => {},
}: {
  log: Log;
  current: CurrentState;
  hub: Hub;
  positions: Map<number, number>;
  /** Called with the rows after they were published. */
  arrived?: (rows: readonly Row[]) => void;
  /** Called when records were left out because they came too fast. */
  skipped?: () => void;
}): Promise<Subscription> {
  const leftOut = () => {
    hub.reset();
    skipped();
  };
  const take = (partition: number, records: readonly LogRecord[]) => {
    const rows = current.apply(records, partition);
    for (let i = 0; i < rows.length; i += EVENT_MAX) {
      const observations = rows.slice(i, i + EVENT_MAX);
      const offset = observations.at(-1)!.log_offset;
      const id = nextEventId(log.partitions, offset, hub.newest);
      hub.publish({ name: "observations", data: { observations }, id });
    }
    arrived(rows);
    const last = records.at(-1);
    if (last !== undefined) positions.set(partition, last.offset + 1);
  };
  const from: number[] = [];
  for (let partition = 0; partition < log.partitions; partition++) {
    const { low, high } = await log.bounds(partition);
    const known = positions.get(partition);
    // Retention may have deleted the next record while the log was not followed.
    if (known !== undefined && known < low) hub.reset();
    let next = Math.max(low, known ?? high - Math.floor(REWIND / log.partitions));
    while (next < high && high - next <= SKIP_BEHIND) {
      const records = await log.read(partition, next, READ_RECORDS);
      take(partition, records);
      next = (records.at(-1)?.offset ?? high - 1) + 1;
    }
    from.push(next);
  }
  return log.tail({ records: take, skipped: leftOut }, { from, skipBehind: SKIP_BEHIND });
}

/**
 * Publishes events about the pipeline: `status` when it changed, at most once a second; `run` for the runs of the analytic
 * jobs, at once when a state changed and at most twice a second for progress; `result` for each new result.
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
  const told = new Map<string, { id: string; state: Run["state"]; at: number }>();
  for (const { name } of services.analytics.jobs()) {
    const [newest] = services.analytics.runs(name);
    if (newest !== undefined) told.set(name, { id: newest.id, state: newest.state, at: clock.now() });
  }
  const tellRun = (job: string) => {
    const [run] = services.analytics.runs(job);
    if (run === undefined) return;
    const last = told.get(job);
    const at = clock.now();
    if (last?.id === run.id && last.state === run.state) {
      if (run.state !== "running" || at - last.at < PROGRESS_MS) return;
    }
    told.set(job, { id: run.id, state: run.state, at });
    hub.publish({ name: "run", data: { run }, replay: false });
  };
  const stop = services.analytics.onChange((job) => {
    tellRun(job);
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
