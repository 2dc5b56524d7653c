import type { Clock } from "../../core/clock.ts";
import { codeOf, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import { isLater } from "../../core/time.ts";
import type { BackgroundJob } from "../../jobs/supervisor.ts";
import type { JobStatus, KeptProof, PipelineStatus, PartitionStatus } from "../../core/pipeline-status.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { Log, LogBounds } from "../../jobs/log/log.ts";
import type { CurrentState } from "./current.ts";
import type { Hub } from "./hub.ts";
import { RateMeter } from "./rate-meter.ts";
import { countRetractions, retractedIn, type Retracted } from "./retracted.ts";
import type { AnalyticsService } from "../../jobs/analytics/analytics.ts";
import type { About } from "../../core/about.ts";

/** Polling interval of log and lake, ms. */
const INTERVAL_MS = 1_000;
/** Polling interval of the newest proof, ms. */
const PROOF_MS = 10_000;

/** Options of {@link PipelineMonitor}. */
export interface MonitorOptions {
  about: About;
  log: Log;
  reader: LakeReader;
  current: CurrentState;
  hub: Hub;
  /** The states of the background jobs. */
  jobs: () => JobStatus[];
  clock: Clock;
  logger: Logger;
  /** The newest row of each city in the lake: the initial content of `current`. */
  newestRows: () => Promise<Row[]>;
  /** Called when rows were retracted, after `current` has forgotten them. */
  withdrawn: (retracted: Retracted) => void;
  /** Watermark of the source: its newest observation time, ISO 8601 UTC. */
  sourceWatermark: () => string | null;
  analytics: AnalyticsService;
  /** Result of the newest `verify`; null before the first. */
  newestProof: () => Promise<KeptProof | null>;
}

/** The state of all stages of the pipeline, in memory. A background job refreshes it. */
export class PipelineMonitor {
  readonly #options: MonitorOptions;
  #partitions: PartitionStatus[] = [];
  #seeded = false;
  /** How many retractions `current` knows. */
  #retractions = 0;
  #proof: KeptProof | null = null;
  #proofReadMs = -Infinity;
  readonly #meters = { log: new RateMeter(), lake: new RateMeter() };
  /** Why the last read of log or lake failed; null if it did not. */
  readonly #troubles: Record<"log" | "lake", string | null> = { log: null, lake: null };

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /**
   * Reads the state of log and lake. After the first success, and when rows were retracted,
   * `current` takes the lake's newest rows. While the log
   * is unavailable its bounds are unknown; while the lake is unavailable its last state stays. Never rejects: each stage has
   * the reason of its failure.
   */
  async refresh(): Promise<void> {
    const { log, reader, current, newestRows, withdrawn } = this.#options;
    let away: unknown = null;
    const bounds = await Promise.all(
      Array.from({ length: log.partitions }, (_, partition) =>
        log.bounds(partition).catch((error: unknown) => {
          away ??= error;
          return null;
        }),
      ),
    );
    this.#note("log", away);
    this.#meters.log.note(
      this.#options.clock.now(),
      away === null ? sum(bounds, (bound) => bound?.high ?? 0) : null,
    );
    this.#look(bounds); // show the log's bounds now: an unavailable lake may take long to fail
    try {
      await this.#readProof(); // first: it may explain why the rest cannot be read
      await reader.refresh();
      this.#look(bounds);
      this.#meters.lake.note(
        this.#options.clock.now(),
        sum(this.#partitions, ({ next }) => next),
      );
      const retracted = retractedIn(reader.states);
      const retractions = countRetractions(retracted);
      if (!this.#seeded || retractions !== this.#retractions) current.withdraw(retracted, await newestRows());
      if (retractions !== this.#retractions) withdrawn(retracted);
      this.#seeded = true;
      this.#retractions = retractions;
      this.#note("lake", null);
    } catch (error) {
      this.#note("lake", error);
    }
  }

  async #readProof(): Promise<void> {
    const now = this.#options.clock.now();
    if (now - this.#proofReadMs < PROOF_MS) return;
    this.#proof = await this.#options.newestProof();
    this.#proofReadMs = now;
  }

  /** Stores the failure of a stage, and logs it if it changed. */
  #note(stage: "log" | "lake", error: unknown): void {
    const { logger } = this.#options;
    const trouble = error === null ? null : messageOf(error);
    const before = this.#troubles[stage];
    this.#troubles[stage] = trouble;
    if ((before === null) === (trouble === null)) return;
    if (trouble === null) logger.info(`The ${stage} can be read again`);
    else logger.error(`The ${stage} cannot be read`, { code: codeOf(error), reason: trouble });
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

  /** The state of the pipeline as of the last refresh. */
  status(): PipelineStatus {
    const { about, log, reader, current, hub, jobs, sourceWatermark } = this.#options;
    let behind: number | null = 0;
    for (const { high, next } of this.#partitions)
      behind = high === null || behind === null ? null : behind + high - next;
    const live = hub.stats;
    const count = (number: number, what: string) => `${number} ${what}${number === 1 ? "" : "s"}`;
    return {
      stages: [
        {
          name: "source",
          by: about.source?.name ?? "none",
          watermark: sourceWatermark(),
          behind: null,
          trouble: null,
        },
        {
          name: "log",
          by: `${about.log}, ${count(log.partitions, "partition")}`,
          watermark: current.watermark,
          behind: null,
          trouble: this.#troubles.log,
        },
        {
          name: "lake",
          by: about.lake,
          watermark: reader.watermark,
          behind,
          trouble: this.#troubles.lake,
        },
        {
          name: "result",
          by: about.engine,
          watermark: this.#resultWatermark(),
          behind: null,
          trouble: this.#resultTrouble(),
        },
        {
          name: "screen",
          by: `SSE, ${count(live.clients, "reader")}`,
          watermark: current.watermark,
          behind: null,
          trouble: null,
        },
      ],
      jobs: jobs(),
      partitions: this.#partitions,
      rates: { log: this.#meters.log.rate, lake: this.#meters.lake.rate },
      proof: this.#proof,
      live,
    };
  }

  /** Watermark of the results: the newest observation time that any result has read. */
  #resultWatermark(): string | null {
    let newest: string | null = null;
    for (const { name } of this.#options.analytics.jobs()) {
      const watermark = this.#options.analytics.result(name)?.watermark ?? null;
      if (watermark !== null && (newest === null || isLater(watermark, newest))) newest = watermark;
    }
    return newest;
  }

  /** Why no result can be computed: the last run failed because the engine is unavailable; else null. */
  #resultTrouble(): string | null {
    const ended = this.#options.analytics
      .runs()
      .find(({ state }) => state === "succeeded" || state === "failed");
    return ended?.code === "unavailable" ? ended.error : null;
  }

  /** The background job that refreshes the state. */
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

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
