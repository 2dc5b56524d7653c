import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { SparkFailure } from "./failure.ts";
import type { Rpc } from "./rpc.ts";
import {
  type ExecutePlanResponse_ExecutionProgress as ExecutionProgress,
  InterruptRequest_InterruptType as InterruptType,
  type PlanSchema,
  SparkConnectService,
} from "./spark_connect_pb.ts";

/** A plan as an object literal. */
export type PlanInit = MessageInitShape<typeof PlanSchema>;

/** Settings of every session. They override the server's, so that the same SQL gives the same result everywhere. */
const SETTINGS = {
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.timestampType": "TIMESTAMP_LTZ",
  // An overflow is an error, and "x" is an identifier.
  "spark.sql.ansi.enabled": "true",
  "spark.sql.ansi.doubleQuotedIdentifiers": "true",
  // A missing committed file is an error.
  "spark.sql.files.ignoreMissingFiles": "false",
  "spark.sql.files.ignoreCorruptFiles": "false",
  // Otherwise a list of thousands of files starts as many tasks to look at them.
  "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
  // Put many small files into one task: by default each counts as at least 4 MB.
  "spark.sql.files.openCostInBytes": "65536",
  // What follows from each condition is not derived: over the long chain of views it makes millions of conditions, which
  // fill a heap of 2 GB before a row is read.
  "spark.sql.constraintPropagation.enabled": "false",
  "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
  "spark.sql.parquet.compression.codec": "zstd",
  "spark.sql.execution.arrow.useLargeVarTypes": "false",
  "spark.connect.progress.reportInterval": "500ms",
} as const;

/** Backoff between the tries of a call while the server is unreachable. */
export const BACKOFF = { baseMs: 200, maxMs: 4_000 };
/** Deadlines of the calls around a query, ms: interrupt, release and error details; then the end of a session. */
const HOUSEKEEPING_MS = 5_000;
const CLOSE_MS = 2_000;
/** How often and at which interval (ms) it checks for running tasks before an interrupt: 4 s at most. */
const BUSY = { looks: 40, everyMs: 100 };
/** Longest wait for an interrupted operation to end, ms. */
const END_MS = 5_000;
/** How often and at which interval (ms) an interrupt is repeated while the server does not know the operation yet. */
const INTERRUPT = { tries: 10, everyMs: 200 };

/** Options of {@link SparkSession.open}. */
export interface SessionOptions {
  rpc: Rpc;
  user: string;
  clock: Clock;
  logger: Logger;
  /** A number in [0, 1), for the jitter of the backoff. */
  random: () => number;
}

/** Options of {@link SparkSession.run}. */
export interface RunOptions {
  signal: AbortSignal;
  /** Consecutive failed tries before the server counts as unreachable. */
  tries: number;
  onProgress?: ((progress: ExecutionProgress) => void) | undefined;
}

/** A session on the server. It has its own settings and temporary views. */
export class SparkSession {
  readonly id = randomUUID();
  /** State of its views: the key of the snapshot, the SQL of each view beside `observations`, and the names of cached views. */
  readonly shown = { snapshot: "", views: new Map<string, string>(), parsed: [] as string[] };
  readonly #options: SessionOptions;
  /** The server's id of this session. It changes when the server restarts; the server then refuses further calls. */
  #serverSide: string | undefined;

  #version = "";

  private constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The server's version: `4.0.0`. */
  get version(): string {
    return this.#version;
  }

  /** Makes a session. @throws SparkFailure */
  static async open(options: SessionOptions, signal: AbortSignal): Promise<SparkSession> {
    const session = new SparkSession(options);
    const pairs = Object.entries(SETTINGS).map(([key, value]) => ({ key, value }));
    const operation = { opType: { case: "set" as const, value: { pairs } } };
    const answer = await options.rpc.unary(
      SparkConnectService.method.config,
      { ...session.#identity(), operation },
      { signal },
    );
    session.#serverSide = answer.serverSideSessionId;
    const { result } = await options.rpc.unary(
      SparkConnectService.method.analyzePlan,
      { ...session.#identity(), analyze: { case: "sparkVersion", value: {} } },
      { signal },
    );
    session.#version = result.value?.version ?? "";
    return session;
  }

  /**
   * Runs a plan to its end. When the stream breaks, it reattaches after the last response received.
   *
   * @returns the batches of the result, each a whole Arrow IPC stream
   * @throws SparkFailure; with `isLost` if the session was lost before anything ran in it
   */
  async run(plan: PlanInit, { signal, tries, onProgress }: RunOptions): Promise<Uint8Array[]> {
    signal.throwIfAborted();
    const { clock, logger, random } = this.#options;
    const operationId = randomUUID();
    const batches: Uint8Array[] = [];
    const stop = new AbortController();
    const ended = new AbortController();
    let last: string | undefined;
    let complete = false;
    let reattach = false;
    let failures = 0;
    let busy = false;
    let interrupting: Promise<void> | undefined;
    const interrupt = () => {
      interrupting ??= this.#interrupt(operationId, () => busy, ended.signal, stop);
    };
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      while (!complete) {
        try {
          const stream = this.#stream(operationId, reattach ? null : plan, last, stop.signal);
          for await (const { responseId, responseType } of stream) {
            last = responseId;
            failures = 0;
            if (responseType.case === "arrowBatch") batches.push(responseType.value.data);
            else if (responseType.case === "executionProgress") {
              busy = hasTasks(responseType.value);
              onProgress?.(responseType.value);
            } else if (responseType.case === "resultComplete") complete = true;
          }
          reattach = true; // the stream reached its time limit; the operation goes on
          if (!complete && ++failures >= tries) throw new Error("its streams end before the result does");
        } catch (error) {
          if (signal.aborted || !(error instanceof SparkFailure)) throw error;
          failures++;
          if (failures >= tries) throw error;
          if (error.isUnknownOperation && reattach && last === undefined) {
            reattach = false; // the request did not reach the server: send it again
            continue;
          }
          if (!error.isTransient) throw error;
          reattach = true;
          logger.debug("The stream from Spark broke", { operation: operationId, reason: error.message });
          await clock.sleep(backoffMs(failures - 1, BACKOFF, random), signal);
        }
        signal.throwIfAborted();
      }
    } catch (error) {
      if (isFinal(error)) complete = true;
      else interrupt(); // otherwise the operation would go on without a reader
      if (!(error instanceof SparkFailure) || signal.aborted) throw error;
      if (error.isLost && last !== undefined)
        throw new Error("the server lost the query, maybe in a restart", { cause: error });
      throw await this.#explained(error);
    } finally {
      signal.removeEventListener("abort", interrupt);
      ended.abort();
      await interrupting;
      // Only after the end: releasing a running operation makes Spark 4.0 lose the interrupt, and the job goes on.
      if (complete) this.#release(operationId);
    }
    return batches;
  }

  /** The responses of a new operation (with a plan), or of a running one (no plan) after the last response received. */
  #stream(operationId: string, plan: PlanInit | null, last: string | undefined, signal: AbortSignal) {
    const { method } = SparkConnectService;
    const { rpc } = this.#options;
    if (plan === null) {
      const after = last === undefined ? {} : { lastResponseId: last };
      return rpc.stream(method.reattachExecute, { ...this.#known(), operationId, ...after }, signal);
    }
    const reattachable = { case: "reattachOptions" as const, value: { reattachable: true } };
    const requestOptions = [{ requestOption: reattachable }];
    return rpc.stream(method.executePlan, { ...this.#known(), operationId, plan, requestOptions }, signal);
  }

  /** Ends the session on the server. What runs in it is interrupted there. */
  async close(): Promise<void> {
    await this.#bestEffort("release a session", () =>
      this.#options.rpc.unary(SparkConnectService.method.releaseSession, this.#identity(), {
        deadlineMs: CLOSE_MS,
      }),
    );
  }

  /**
   * Interrupts an operation on the server; cancelling the stream alone would not stop it. The stream stays open until it
   * reports the end or the wait is over.
   *
   * If the interrupt arrives while Spark 4.0 plans a stage, the operation ends, but the job that it submits a moment later
   * runs to its end and occupies the cores. Therefore it first waits for running tasks.
   */
  async #interrupt(
    operationId: string,
    isBusy: () => boolean,
    ended: AbortSignal,
    stop: AbortController,
  ): Promise<void> {
    const { rpc, clock } = this.#options;
    for (let look = 0; look < BUSY.looks && !isBusy() && !ended.aborted; look++) {
      await clock.sleep(BUSY.everyMs, ended);
    }
    for (let attempt = 0; attempt < INTERRUPT.tries; attempt++) {
      const answer = await this.#bestEffort("interrupt an operation", () =>
        rpc.unary(
          SparkConnectService.method.interrupt,
          {
            ...this.#identity(),
            interruptType: InterruptType.OPERATION_ID,
            interrupt: { case: "operationId", value: operationId },
          },
          { deadlineMs: HOUSEKEEPING_MS },
        ),
      );
      if (answer === null) break;
      const taken = answer.interruptedIds.length > 0;
      await clock.sleep(taken ? END_MS : INTERRUPT.everyMs, ended);
      if (taken || ended.aborted) break;
    }
    stop.abort();
  }

  /** Releases the server's memory of an operation, in the background. */
  #release(operationId: string): void {
    void this.#bestEffort("release an operation", () =>
      this.#options.rpc.unary(
        SparkConnectService.method.releaseExecute,
        { ...this.#identity(), operationId, release: { case: "releaseAll", value: {} } },
        { deadlineMs: HOUSEKEEPING_MS },
      ),
    );
  }

  async #explained(failure: SparkFailure): Promise<SparkFailure> {
    const { errorId } = failure;
    if (errorId === null) return failure;
    const details = await this.#bestEffort("fetch the details of an error", () =>
      this.#options.rpc.unary(
        SparkConnectService.method.fetchErrorDetails,
        { ...this.#identity(), errorId },
        { deadlineMs: HOUSEKEEPING_MS },
      ),
    );
    return details === null ? failure : failure.withDetails(details);
  }

  /** Best effort: an error is logged and gives null, because it must not fail the query. */
  async #bestEffort<T>(what: string, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      this.#options.logger.debug(`Could not ${what} on Spark`, { reason: messageOf(error) });
      return null;
    }
  }

  #identity() {
    const { user } = this.#options;
    return { sessionId: this.id, userContext: { userId: user, userName: user }, clientType: "isobar" };
  }

  #known() {
    const seen = this.#serverSide;
    return {
      ...this.#identity(),
      ...(seen === undefined ? {} : { clientObservedServerSideSessionId: seen }),
    };
  }
}

/** Whether tasks of a stage are running. */
function hasTasks({ stages }: ExecutionProgress): boolean {
  return stages.some(({ numTasks, numCompletedTasks }) => numCompletedTasks < numTasks);
}

/** Whether this error ended the operation, so that nothing runs on the server any more. */
function isFinal(error: unknown): boolean {
  return error instanceof SparkFailure && error.errorClass !== null && !error.isTransient;
}
