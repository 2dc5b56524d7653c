import type { Table } from "apache-arrow";
import { sha256Hex } from "../../core/checksum.ts";
import type { Clock } from "../../core/clock.ts";
import { EngineError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs, retry } from "../../core/retry.ts";
import { rowsOf } from "../arrow.ts";
import type { Engine, QueryOptions, SqlView } from "../engine.ts";
import { neededViews } from "../needed-views.ts";
import { Pool } from "../pool.ts";
import { engineError, SparkFailure } from "./failure.ts";
import {
  cachePlan,
  judgedPlan,
  observationsPlan,
  parsedViews,
  queryPlan,
  textPlan,
  uncachePlan,
  viewPlan,
} from "./plans.ts";
import { progressOf } from "./progress.ts";
import { describeRemote, parseRemote, type Remote } from "./remote.ts";
import { tableFromSpark } from "./arrow-result.ts";
import { Rpc } from "./rpc.ts";
import { BACKOFF, type RunOptions, SparkSession } from "./session.ts";
import { oneQuery } from "./statement.ts";

/** Options of {@link openSpark}. */
export interface SparkOptions {
  /** Address of the Connect server, as {@link parseRemote} reads it. */
  remote: string;
  /** Token for the server. Default: the one in the address, or none. */
  token?: string;
  /** User name of the sessions, as Spark's pages show it. Default: `isobar`. */
  user?: string;
  clock: Clock;
  logger: Logger;
  /** A number in [0, 1), for the jitter of the backoff. */
  random?: () => number;
}

/** Spark as the engine. */
export interface SparkEngine extends Engine {
  /**
   * Checks that Spark can read a file that this program wrote. A Spark on another machine does not see this machine's disk.
   *
   * @param location a text file of one line
   * @param text the line that it holds
   * @throws EngineError `not_shared` when Spark does not see it, `unavailable` when Spark cannot be reached
   */
  probe(location: string, text: string): Promise<void>;
}

/** Largest number of sessions, and so of concurrent queries. Further queries wait. */
const SESSIONS = 8;
/**
 * Tries before a server counts as unreachable. In the foreground a person waits. In the background the tries last about
 * 20 s, long enough for a restart of the server.
 */
const TRIES = { foreground: 3, background: 9 };
/** Longest wait for Spark to free its cached views when the engine is closed, ms. */
const UNCACHE_MS = 2_000;
/** Backoff between the tries to reach a server that was away at the start. */
const GREET_BACKOFF = { baseMs: 1_000, maxMs: 30_000 };
/** Warms the server up: its first queries are slow. This one uses reading, grouping, sorting and windows. */
const WARM_UP = `SELECT city, avg(temperature) AS mean, median(temperature) AS middle, row_number() OVER (ORDER BY city) AS place
  FROM observations GROUP BY city ORDER BY city`;

/**
 * Opens Spark as the engine. An unreachable server is no error here: queries fail until it can be reached.
 *
 * @throws ConfigError `bad_setting` for an invalid address, or a token that would be sent unencrypted
 * @throws EngineError `unavailable` when the server refuses the token
 */
export async function openSpark(options: SparkOptions): Promise<SparkEngine> {
  const remote = parseRemote(options.remote, options);
  const engine = new ConnectEngine(remote, options);
  await engine.greet();
  return engine;
}

class ConnectEngine implements SparkEngine {
  readonly #remote: Remote;
  readonly #options: SparkOptions;
  readonly #random: () => number;
  readonly #rpc: Rpc;
  readonly #sessions: Pool<SparkSession>;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #version = "";

  constructor(remote: Remote, options: SparkOptions) {
    this.#remote = remote;
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#rpc = new Rpc(remote);
    const { clock, logger } = options;
    const session = { rpc: this.#rpc, user: remote.user, clock, logger, random: this.#random };
    this.#sessions = new Pool(SESSIONS, async (signal) => {
      const opened = await SparkSession.open(session, signal);
      this.#version = opened.version;
      return opened;
    });
  }

  get name(): string {
    return this.#version === "" ? "Spark" : `Spark ${this.#version}`;
  }

  /** Asks for the server's version and warms it up; in the background if the server cannot be reached yet. */
  async greet(): Promise<void> {
    const { logger, clock } = this.#options;
    const server = describeRemote(this.#remote);
    const look = () => this.#with({}, 1, async () => {});
    const warmUp = async () => {
      await this.query(WARM_UP, { snapshot: { files: [] }, background: true });
      logger.debug("Spark is warm", { server });
    };
    const wait = async () => {
      for (let attempt = 0; this.#version === ""; attempt++) {
        await clock.sleep(backoffMs(attempt, GREET_BACKOFF, this.#random), this.#closing.signal);
        if (this.#closing.signal.aborted) return;
        await look().catch((error: unknown) =>
          logger.debug("Spark is still away", { reason: messageOf(error) }),
        );
      }
      logger.info("Spark is there", { server, version: this.#version });
      await warmUp();
    };
    let next = warmUp;
    try {
      await look();
    } catch (error) {
      if (causeOf(error)?.isRefused === true) {
        await this.close();
        throw error; // not transient: a retry would not help
      }
      logger.warn("Spark is away: jobs wait for it", { server, reason: messageOf(error) });
      next = wait;
    }
    void next().catch((error: unknown) =>
      logger.debug("Spark was not warmed up", { reason: messageOf(error) }),
    );
  }

  query(sql: string, options: QueryOptions): Promise<Table> {
    const { views = [], background = false, progress } = options;
    return this.#with(options, background ? TRIES.background : TRIES.foreground, async (session, run) => {
      const plan = queryPlan(oneQuery(sql, options.arguments ?? {}), options.arguments ?? {});
      await showViews(session, options, neededViews(sql, views), run);
      const batches = await session.run(plan, { ...run, onProgress: progressOf(progress) });
      const table = tableFromSpark(batches);
      progress?.(1);
      return table;
    });
  }

  async probe(location: string, text: string): Promise<void> {
    const refused = (why: string, cause?: unknown) =>
      new EngineError(
        "not_shared",
        `Cannot use Spark at ${describeRemote(this.#remote)} over this lake: ${why}`,
        {
          cause,
          hint: "Keep the lake in HDFS (WEBHDFS_URL), or run Spark where it sees the same folder under the same path.",
        },
      );
    let found: string[];
    try {
      const table = await this.#with({}, TRIES.foreground, async (session, run) =>
        tableFromSpark(await session.run(textPlan(location), run)),
      );
      found = rowsOf(table).map(({ value }) => String(value));
    } catch (error) {
      if (causeOf(error)?.isAboutFiles === true) {
        throw refused(`it does not see the file "${location}"`, error);
      }
      throw error;
    }
    if (found.length !== 1 || found[0] !== text) {
      throw refused(`what it sees as "${location}" is another file`);
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await Promise.all(this.#sessions.drain().map((session) => this.#end(session)));
    this.#rpc.close();
  }

  /** Ends a session and first frees its cached views, which Spark would keep in memory. */
  async #end(session: SparkSession): Promise<void> {
    const run = { signal: AbortSignal.timeout(UNCACHE_MS), tries: 1 };
    await uncache(session, run).catch((error: unknown) =>
      this.#options.logger.debug("Could not free Spark's memory", { reason: messageOf(error) }),
    );
    await session.close();
  }

  /**
   * Runs `action` in a session of its own. If the server has lost the session, it runs once more in a new one. Errors become
   * EngineErrors.
   */
  #with<T>(
    { signal }: { signal?: AbortSignal | undefined },
    tries: number,
    action: (session: SparkSession, run: RunOptions) => Promise<T>,
  ): Promise<T> {
    const closing = this.#closing.signal;
    const stop = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    const attempt = async (): Promise<T> => {
      const session = await this.#session(stop, tries);
      let keep = true;
      try {
        return await action(session, { signal: stop, tries });
      } catch (error) {
        keep = !isLost(error);
        // The cause may be a stale list of files in the session: show the snapshot anew next time.
        session.shown.snapshot = "";
        throw error;
      } finally {
        if (keep) this.#sessions.give(session);
        else this.#sessions.drop();
      }
    };
    const run = async (): Promise<T> => {
      if (closing.aborted) throw new EngineError("unavailable", "The engine is closed");
      try {
        return await attempt().catch((error: unknown) => {
          if (!isLost(error) || stop.aborted) throw error;
          this.#sessions.drain(); // the server restarted: the idle sessions are lost too
          return attempt();
        });
      } catch (error) {
        throw engineError(error, describeRemote(this.#remote), stop);
      }
    };
    const running = run();
    this.#running.add(running);
    const ended = () => void this.#running.delete(running);
    running.then(ended, ended);
    return running;
  }

  #session(signal: AbortSignal, tries: number): Promise<SparkSession> {
    return retry(() => this.#sessions.take(signal), {
      tries,
      backoff: BACKOFF,
      clock: this.#options.clock,
      retryable: (error) => error instanceof SparkFailure && error.isTransient,
      random: this.#random,
      signal,
    });
  }
}

function isLost(error: unknown): boolean {
  return error instanceof SparkFailure && error.isLost;
}

/** Spark's own failure behind an EngineError; null if there is none. */
function causeOf(error: unknown): SparkFailure | null {
  return error instanceof EngineError && error.cause instanceof SparkFailure ? error.cause : null;
}

/**
 * Makes the views of a session show a snapshot. A view contains the plans of the views that it reads, so when one changes,
 * all that follow it are created again.
 */
async function showViews(
  session: SparkSession,
  { snapshot, judged }: Pick<QueryOptions, "snapshot" | "judged">,
  views: readonly SqlView[],
  run: RunOptions,
): Promise<void> {
  const key = sha256Hex(JSON.stringify([snapshot.files, judged?.files]));
  const { shown } = session;
  if (shown.snapshot !== key) {
    shown.snapshot = "";
    shown.views.clear();
    await uncache(session, run);
    for (const { name, plan } of parsedViews(snapshot)) {
      await session.run(plan, run);
      await session.run(cachePlan(name), run);
      shown.parsed.push(name);
    }
    await session.run(observationsPlan(snapshot, shown.parsed), run);
    if (judged !== undefined) await session.run(judgedPlan(judged), run);
    shown.snapshot = key;
  }
  let changed = false;
  for (const view of views) {
    const before = shown.views.get(view.name);
    if (before === view.sql && !changed) continue;
    changed ||= before !== undefined;
    shown.views.delete(view.name);
    await session.run(viewPlan(view), run);
    shown.views.set(view.name, view.sql);
  }
}

/** Frees the memory that a session holds. */
async function uncache(session: SparkSession, run: RunOptions): Promise<void> {
  for (const name of session.shown.parsed.splice(0)) await session.run(uncachePlan(name), run);
}
