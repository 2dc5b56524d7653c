import type { Clock } from "../../core/clock.ts";
import { codeOf, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import { isLater } from "../../core/time.ts";
import type { BackgroundJob, JobStatus } from "../../jobs/supervisor.ts";
import type { LakeReader } from "../../jobs/readers/lake-reader.ts";
import type { KeptProof } from "../../jobs/proofs.ts";
import type { Log, LogBounds } from "../../jobs/log/log.ts";
import type { CurrentState } from "./current.ts";
import type { Hub } from "./hub.ts";
import { RateMeter } from "./rate-meter.ts";
import type { About, AnalyticsService, PartitionStatus, PipelineStatus } from "../answers/services.ts";

/** Time between two looks at log and lake, ms. */
const INTERVAL_MS = 1_000;
/** Time between two looks for a new proof, ms. */
const PROOF_MS = 10_000;

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
  logger: Logger;
  /** The newest row of each city in the lake, for `current` to begin with. */
  newestRows: () => Promise<Row[]>;
  /** The newest observation time the source has given, ISO 8601 UTC. */
  sourceWatermark: () => string | null;
  analytics: AnalyticsService;
  /** What the newest `verify` found; null before the first. */
  newestProof: () => Promise<KeptProof | null>;
}

/** Knows where everything stands, from memory; a background job keeps it fresh. */
export class PipelineMonitor {
  readonly #options: MonitorOptions;
  #partitions: PartitionStatus[] = [];
  #seeded = false;
  #proof: KeptProof | null = null;
  #proofReadMs = -Infinity;
  readonly #meters = { log: new RateMeter(), lake: new RateMeter() };
  /** Why log and lake could not be looked at; null where they could. */
  readonly #troubles: Record<"log" | "lake", string | null> = { log: null, lake: null };

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  /**
   * Looks at log and lake anew; the first time it succeeds, `current` gets the lake's newest rows. A log that is away
   * leaves its bounds unknown; of a lake that is away the last look stays. Never rejects: the stages say what is wrong.
   */
  async refresh(): Promise<void> {
    const { log, reader, current, newestRows } = this.#options;
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
    this.#look(bounds); // a lake that is away takes its time to say so
    try {
      await this.#readProof(); // first: it tells of what may keep the rest from being read
      await reader.refresh();
      this.#look(bounds);
      this.#meters.lake.note(
        this.#options.clock.now(),
        sum(this.#partitions, ({ next }) => next),
      );
      if (!this.#seeded) current.seed(await newestRows());
      this.#seeded = true;
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

  /** Keeps what is wrong with a stage, and logs it when that changes. */
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

  /** The newest observation time that any result has read. */
  #resultWatermark(): string | null {
    let newest: string | null = null;
    for (const { name } of this.#options.analytics.jobs()) {
      const watermark = this.#options.analytics.result(name)?.watermark ?? null;
      if (watermark !== null && (newest === null || isLater(watermark, newest))) newest = watermark;
    }
    return newest;
  }

  /** Why no result can be made: the run that ended last failed for an engine that is away. */
  #resultTrouble(): string | null {
    const ended = this.#options.analytics
      .runs()
      .find(({ state }) => state === "succeeded" || state === "failed");
    return ended?.code === "unavailable" ? ended.error : null;
  }

  /** Keeps the status fresh. */
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
