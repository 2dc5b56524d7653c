import type { Clock } from "../core/clock.ts";
import type { Row } from "../core/observation.ts";
import { isLater } from "../core/time.ts";
import type { BackgroundJob, JobStatus } from "../jobs/supervisor.ts";
import type { LakeReader } from "../jobs/lake-reader.ts";
import type { Log, LogBounds } from "../jobs/log/log.ts";
import type { CurrentState } from "./current.ts";
import type { Hub } from "./hub.ts";
import type { About, AnalyticsService, PartitionStatus, PipelineStatus } from "./services.ts";

/** Time between two looks at log and lake, ms. */
const INTERVAL_MS = 1_000;

/** What the monitor looks at. */
export interface MonitorOptions {
  about: About;
  log: Log;
  reader: LakeReader;
  current: CurrentState;
  hub: Hub;
  /** The states of the background jobs. */
  jobs: () => JobStatus[];
  clock: Clock;
  /** The newest row of each city in the lake, for `current` to begin with. */
  newestRows: () => Promise<Row[]>;
  /** The newest observation time the source has given, ISO 8601 UTC. */
  sourceWatermark: () => string | null;
  analytics: AnalyticsService;
}

/** Knows where everything stands, from memory; a background job keeps it fresh. */
export class PipelineMonitor {
  readonly #options: MonitorOptions;
  #partitions: PartitionStatus[] = [];
  #seeded = false;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /**
   * Looks at log and lake anew; the first time it succeeds, `current` gets the lake's newest rows. A log that is away
   * leaves its bounds unknown; of a lake that is away the last look stays.
   *
   * @throws LakeError, CommitError, EngineError when the lake cannot be read
   */
  async refresh(): Promise<void> {
    const { log, reader, current, newestRows } = this.#options;
    const bounds = await Promise.all(
      Array.from({ length: log.partitions }, (_, partition) => log.bounds(partition).catch(() => null)),
    );
    try {
      await reader.refresh();
    } finally {
      this.#look(bounds);
    }
    if (this.#seeded) return;
    current.seed(await newestRows());
    this.#seeded = true;
  }

  #look(bounds: readonly (LogBounds | null)[]): void {
    const { reader } = this.#options;
    this.#partitions = bounds.map((bound, partition) => {
      const state = reader.states.get(partition);
      let bytes = 0;
      for (const file of state?.live.values() ?? []) bytes += file.bytes;
      return {
        partition,
        low: bound?.low ?? null,
        high: bound?.high ?? null,
        next: state?.next ?? bound?.low ?? 0,
        sequence: state?.sequence ?? 0,
        ...(state?.counts ?? { rows: 0, duplicates: 0, rejected: 0 }),
        files: state?.live.size ?? 0,
        bytes,
      };
    });
  }

  /** Where everything stands, as of the last look. */
  status(): PipelineStatus {
    const { about, log, reader, current, hub, jobs, sourceWatermark } = this.#options;
    let behind: number | null = 0;
    for (const { high, next } of this.#partitions)
      behind = high === null || behind === null ? null : behind + high - next;
    const live = hub.stats;
    const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
    return {
      stages: [
        { name: "source", by: about.source?.name ?? "none", watermark: sourceWatermark(), behind: null },
        {
          name: "log",
          by: `${about.log}, ${count(log.partitions, "partition")}`,
          watermark: current.watermark,
          behind: null,
        },
        { name: "lake", by: about.lake, watermark: reader.watermark, behind },
        { name: "result", by: about.engine, watermark: this.#resultWatermark(), behind: null },
        {
          name: "screen",
          by: `SSE, ${count(live.clients, "reader")}`,
          watermark: current.watermark,
          behind: null,
        },
      ],
      jobs: jobs(),
      partitions: this.#partitions,
      live,
    };
  }

  /** The newest observation time that any result has read. */
  #resultWatermark(): string | null {
    let newest: string | null = null;
    for (const { name } of this.#options.analytics.jobs()) {
      const watermark = this.#options.analytics.result(name)?.watermark ?? null;
      if (watermark !== null && (newest === null || isLater(watermark, newest))) newest = watermark;
    }
    return newest;
  }

  /** Keeps the status fresh. It fails while the lake cannot be read. */
  job(): BackgroundJob {
    return {
      name: "monitor",
      run: async ({ signal, running }) => {
        while (!signal.aborted) {
          await this.refresh();
          running();
          await this.#options.clock.sleep(INTERVAL_MS, signal);
        }
      },
    };
  }
}
