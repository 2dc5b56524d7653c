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

/** A plan, as an object literal writes it. */
export type PlanInit = MessageInitShape<typeof PlanSchema>;

/** What every session is set to, whatever the server's own settings are: the same SQL has the same result everywhere. */
const SETTINGS = {
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.timestampType": "TIMESTAMP_LTZ",
  // A value that does not fit is an error, and "x" is a name.
  "spark.sql.ansi.enabled": "true",
  "spark.sql.ansi.doubleQuotedIdentifiers": "true",
  // A committed file is never left out in silence.
  "spark.sql.files.ignoreMissingFiles": "false",
  "spark.sql.files.ignoreCorruptFiles": "false",
  // Lists of thousands of files would be looked at by as many tasks.
  "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
  // Small files are read many to a task: the default counts each as 4 MB.
  "spark.sql.files.openCostInBytes": "65536",
  "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
  "spark.sql.parquet.compression.codec": "zstd",
  "spark.sql.execution.arrow.useLargeVarTypes": "false",
  "spark.connect.progress.reportInterval": "500ms",
} as const;

/** Waits between two tries of a call that found no server. */
export const BACKOFF = { baseMs: 200, maxMs: 4_000 };
/** Longest waits for an interrupt, a release or the details of an error; and for the end of a session, ms. */
const ASIDE_MS = 5_000;
const CLOSE_MS = 2_000;
/** Looks for tasks under way before an interrupt, and the wait between two, ms: 4 s at most. */
const BUSY = { looks: 40, everyMs: 100 };
/** Longest wait for the end of an operation that takes its interrupt, ms. */
const END_MS = 5_000;
/** How often an interrupt is sent to a server that has not got the operation yet, and the wait between, ms. */
const INTERRUPT = { tries: 10, everyMs: 200 };

/** What a session is opened with. */
export interface SessionOptions {
  rpc: Rpc;
  user: string;
  clock: Clock;
  logger: Logger;
  /** A number in [0, 1), for the waits between tries. */
  random: () => number;
}

/** How a plan is run. */
export interface RunOptions {
  signal: AbortSignal;
  /** Tries in a row without a word from the server before it counts as away. */
  tries: number;
  onProgress?: ((progress: ExecutionProgress) => void) | undefined;
}

/** A session on the server: settings and views that no other session sees. */
export class SparkSession {
  readonly id = randomUUID();
  /** What its views show: the key of a snapshot, the text of each view beside `observations`, and which are kept in memory. */
  readonly shown = { snapshot: "", views: new Map<string, string>(), parsed: [] as string[] };
  readonly #options: SessionOptions;
  /** The server's own id of it, which is another one after a restart: the server then refuses what follows. */
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
   * Runs a plan to its end, through streams that break: each is taken up after the last response that came.
   *
   * @returns the batches of the result, each a whole Arrow IPC stream
   * @throws SparkFailure; one that `isLost` when the session was gone before anything ran in it
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
          reattach = true; // a stream ends when it has been open for long; the operation goes on
          if (!complete && ++failures >= tries) throw new Error("its streams end before the result does");
        } catch (error) {
          if (signal.aborted || !(error instanceof SparkFailure)) throw error;
          failures++;
          if (failures >= tries) throw error;
          if (error.isUnknownOperation && reattach && last === undefined) {
            reattach = false; // the question itself was lost
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
      else interrupt(); // it would run on, with nobody to hear its result
      if (!(error instanceof SparkFailure) || signal.aborted) throw error;
      if (error.isLost && last !== undefined)
        throw new Error("the server lost the query, maybe in a restart", { cause: error });
      throw await this.#explained(error);
    } finally {
      signal.removeEventListener("abort", interrupt);
      ended.abort();
      await interrupting;
      // Not of one that may still run: that makes Spark 4.0 lose the interrupt, and the job runs on.
      if (complete) this.#release(operationId);
    }
    return batches;
  }

  /** The responses of an operation that begins with a plan, or of one under way after the last response that came. */
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
    await this.#quietly("release a session", () =>
      this.#options.rpc.unary(SparkConnectService.method.releaseSession, this.#identity(), {
        deadlineMs: CLOSE_MS,
      }),
    );
  }

  /**
   * Ends an operation on the server, which would go on if only its stream were cancelled. Its stream is left open until it
   * tells of the end, or stays silent.
   *
   * An interrupt that comes while Spark 4.0 plans a stage ends the operation, but not the job that it submits a moment
   * later: that one holds the cores to its own end. Hence the wait for tasks.
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
      const answer = await this.#quietly("interrupt an operation", () =>
        rpc.unary(
          SparkConnectService.method.interrupt,
          {
            ...this.#identity(),
            interruptType: InterruptType.OPERATION_ID,
            interrupt: { case: "operationId", value: operationId },
          },
          { deadlineMs: ASIDE_MS },
        ),
      );
      if (answer === null) break;
      const taken = answer.interruptedIds.length > 0;
      await clock.sleep(taken ? END_MS : INTERRUPT.everyMs, ended);
      if (taken || ended.aborted) break;
    }
    stop.abort();
  }

  /** Lets the server forget an operation, in the background. */
  #release(operationId: string): void {
    void this.#quietly("release an operation", () =>
      this.#options.rpc.unary(
        SparkConnectService.method.releaseExecute,
        { ...this.#identity(), operationId, release: { case: "releaseAll", value: {} } },
        { deadlineMs: ASIDE_MS },
      ),
    );
  }

  async #explained(failure: SparkFailure): Promise<SparkFailure> {
    const { errorId } = failure;
    if (errorId === null) return failure;
    const details = await this.#quietly("fetch the details of an error", () =>
      this.#options.rpc.unary(
        SparkConnectService.method.fetchErrorDetails,
        { ...this.#identity(), errorId },
        { deadlineMs: ASIDE_MS },
      ),
    );
    return details === null ? failure : failure.withDetails(details);
  }

  /** Does what helps but must not fail the query: null when it does not work. */
  async #quietly<T>(what: string, action: () => Promise<T>): Promise<T | null> {
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

/** Whether a stage with tasks to do has begun. */
function hasTasks({ stages }: ExecutionProgress): boolean {
  return stages.some(({ numTasks, numCompletedTasks }) => numCompletedTasks < numTasks);
}

/** Whether the operation itself ended with it, so that nothing runs on the server any more. */
function isFinal(error: unknown): boolean {
  return error instanceof SparkFailure && error.errorClass !== null && !error.isTransient;
}
