import { resolve } from "node:path";
import type { City } from "../core/city.ts";
import type { Clock } from "../core/clock.ts";
import { RequestError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { HOUR_MS } from "../core/time.ts";
import { Analytics } from "../jobs/analytics.ts";
import { compactorJob } from "../jobs/compactor.ts";
import { consumerJob } from "../jobs/consumer.ts";
import { newestRows, queryRows } from "../jobs/lake-queries.ts";
import { LakeReader } from "../jobs/lake-reader.ts";
import { producerJob } from "../jobs/producer.ts";
import { retentionJob } from "../jobs/retention.ts";
import { lockRole, type RoleLock } from "../jobs/role-lock.ts";
import { readRows } from "../jobs/rows.ts";
import { Supervisor } from "../jobs/supervisor.ts";
import { readSqlJobs } from "../spark/sql-job.ts";
import packageJson from "../package.json" with { type: "json" };
import { createApp, startServer } from "./app.ts";
import { buildAssets } from "./assets.ts";
import { choose } from "./choose.ts";
import type { Config } from "./config.ts";
import { CurrentState } from "./current.ts";
import { announce, followLog, snapshotOf } from "./feed.ts";
import { Hub } from "./hub.ts";
import { appendLines } from "./ingest.ts";
import { PipelineMonitor } from "./monitor.ts";
import { newId, openPorts } from "./ports.ts";
import { pagesRoutes, problemPage } from "./routes/pages.tsx";
import type { About, Services } from "./services.ts";

/** Hours of the past that a first start fetches, so that the first picture is a line and not a dot. */
const HISTORY_HOURS = 48;
/** Hours after which a value is stale where nobody polls: hourly observations, three of them missing. */
const UNPOLLED_STALE_HOURS = 3;
/** A value is not called stale before this, s: sources polled every few seconds stumble. */
const SHORTEST_STALE = 60;

/** A program that runs. */
export interface Program {
  /** Where the pages are; null where this process runs no web server. */
  readonly url: URL | null;
  readonly about: About;
  /** Stops in reverse order of the start, everything taken is committed. Resolves with the jobs that were late. */
  stop(): Promise<{ late: string[] }>;
}

/**
 * Starts the roles of this process: data set, ports, jobs, web.
 *
 * @throws ConfigError, LakeError, LogError, EngineError, CommitError saying what stands in the way; nothing is left
 *   running or locked then
 */
export async function startProgram(
  config: Config,
  deps: { clock: Clock; logger: Logger; signal: AbortSignal },
): Promise<Program> {
  const { clock, logger, signal } = deps;
  const plays = (role: (typeof config.roles)[number]) => config.roles.includes(role);
  const undo: (() => unknown)[] = [];
  let late: string[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
    return { late };
  };
  try {
    // ---- the data set and its source
    const { dataset, kind, source, reason } = await choose(config, { clock, signal });
    logger.info(`The source is ${source?.name ?? "none"}: ${reason}`, { dataset, kind });
    const locks: RoleLock[] = [];
    for (const role of ["producer", "consumer", "analytics"] as const) {
      if (!plays(role)) continue;
      const lock = await lockRole(resolve(config.dataDir), dataset, role);
      locks.push(lock);
      undo.push(() => lock.release());
    }

    // ---- ports
    const ports = await openPorts(config, dataset, clock);
    undo.push(() => ports.close());
    const { log, lake, engine } = ports;
    const reader = new LakeReader(lake, log.topic, () => clock.now());
    const pollSeconds = source === null ? null : (config.pollSeconds ?? source.pollSeconds);
    const about: About = {
      version: packageJson.version,
      dataset,
      kind,
      source: source === null ? null : { name: source.name, reason, credit: source.credit },
      log: log.kind,
      lake: lake.kind,
      engine: engine.name,
      staleAfterSeconds:
        pollSeconds === null ? UNPOLLED_STALE_HOURS * 3600 : Math.max(SHORTEST_STALE, 3 * pollSeconds),
    };

    // ---- jobs
    const supervisor = new Supervisor({ clock, logger });
    const { high } = await log.bounds(0);
    const producer =
      source === null || pollSeconds === null
        ? null
        : producerJob({
            source,
            log,
            clock,
            logger,
            pollSeconds,
            historyHours: HISTORY_HOURS,
            firstStart: high === 0,
          });
    if (producer !== null) supervisor.add(producer);
    const analytics = new Analytics({
      jobs: await readSqlJobs(),
      engine,
      lake,
      snapshot: () => reader.snapshot(),
      clock,
      logger,
      cronDefault: config.analyticsCron,
    });
    if (plays("consumer")) {
      const { batchRecords, batchRecordsMax } = config;
      const rowsOf = readRows.bind(null, engine);
      const flushMs = config.flushSeconds * 1000;
      const afterMs = config.compactAfterHours * HOUR_MS;
      const onCommit = () => {};
      supervisor.add(
        consumerJob({
          log,
          lake,
          clock,
          logger,
          newId,
          readRows: rowsOf,
          batchRecords,
          batchRecordsMax,
          flushMs,
          onCommit,
        }),
      );
      supervisor.add(compactorJob({ log, lake, engine, clock, logger, newId, afterMs }));
      supervisor.add(retentionJob({ log, reader, clock, logger }));
    }
    if (plays("analytics")) supervisor.add(analytics.backgroundJob());
    undo.push(async () => {
      ({ late } = await supervisor.stop(config.shutdownSeconds * 1000));
    });

    // ---- web
    let url: URL | null = null;
    if (plays("web")) {
      const current = new CurrentState();
      current.seed(await newestRows(reader, engine));
      const hub: Hub = new Hub({
        epoch: log.incarnation,
        clock,
        snapshot: () => snapshotOf(about, current.list(), clock.now()),
      });
      const monitor = new PipelineMonitor({
        about,
        log,
        reader,
        current,
        hub,
        supervisor,
        analytics,
        clock,
        sourceWatermark: () => producer?.status().watermark ?? null,
      });
      await monitor.refresh();
      const services: Services = {
        about,
        cities: () => config.cities as readonly City[],
        current: () => current.list(),
        observations: (query) => queryRows(reader, engine, query),
        analytics,
        pipeline: () => monitor.status(),
        ingest: async (lines) => {
          if (!plays("producer")) {
            throw new RequestError("conflict", "Cannot take observations: this process does not produce");
          }
          return appendLines(log, lines);
        },
      };
      supervisor.add(monitor.job());
      supervisor.add({
        name: "feed",
        run: async ({ signal, running }) => {
          const subscription = await followLog({ log, current, hub });
          running();
          const stopped = announce({ services, hub, clock, signal });
          try {
            await Promise.race([subscription.done, stopped]);
          } finally {
            await subscription.stop();
          }
        },
      });
      const assets = await buildAssets();
      const pages = { services, assets, clock, logger };
      const server = startServer({
        app: createApp({
          services,
          hub,
          clock,
          logger,
          security: { host: config.host, allowedHosts: config.allowedHosts },
          plugins: [pagesRoutes(pages)],
          errorPage: problemPage(pages),
        }),
        host: config.host,
        port: config.port,
        clock,
      });
      undo.push(async () => {
        hub.close();
        await server.stop(config.shutdownSeconds * 1000);
      });
      url = server.url;
      for (const lock of locks) lock.announce(url.href);
    }

    supervisor.start();
    return { url, about, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
