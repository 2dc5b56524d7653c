import { join } from "node:path";
import type { Clock } from "../core/clock.ts";
import { messageOf, RequestError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { Row } from "../core/observation.ts";
import { newId } from "../core/random.ts";
import { Analytics } from "../jobs/analytics/analytics.ts";
import { Judge } from "../jobs/analytics/judge.ts";
import { KeptViews } from "../jobs/analytics/kept-views.ts";
import { queryArrivals } from "../jobs/readers/lake-arrivals.ts";
import { LakeDays } from "../jobs/readers/lake-days.ts";
import { newestRows, queryRows } from "../jobs/readers/lake-queries.ts";
import { newestRejected } from "../jobs/readers/rejected.ts";
import { LakeReader } from "../jobs/readers/lake-reader.ts";
import { newestProof } from "../jobs/proofs.ts";
import type { Log, Subscription } from "../jobs/log/log.ts";
import { producerJob } from "../jobs/producer.ts";
import { retentionJob } from "../jobs/retention.ts";
import { type BackgroundJob, Supervisor } from "../jobs/supervisor.ts";
import { readSqlJobs } from "../spark/sql-job.ts";
import { valuesView } from "../spark/values.ts";
import { analysisViews } from "../spark/views.ts";
import packageJson from "../package.json" with { type: "json" };
import { openAlerts } from "./wiring/alerts.ts";
import { createApp } from "./app.ts";
import { startServer } from "./http/listen.ts";
import { buildAssets } from "./pages/frame/assets.ts";
import { chooseDataset } from "./wiring/dataset-choice.ts";
import type { Config } from "./config/config.ts";
import { CurrentState } from "./live/current.ts";
import { announce, followLog, snapshotOf } from "./live/feed.ts";
import { Hub } from "./live/hub.ts";
import { appendLines } from "../jobs/posted-lines.ts";
import { PipelineMonitor } from "./live/monitor.ts";
import { creditOf, fetchesPast, pastJob } from "./wiring/past-weather.ts";
import { Places } from "./live/places.ts";
import { openPorts } from "./wiring/ports.ts";
import { lockRoles } from "./wiring/role-locks.ts";
import { alertRoutes } from "./routes/alerts/alerts.ts";
import { pagesRoutes } from "./pages/pages.ts";
import { problemPage } from "./pages/problem.tsx";
import type { Services } from "./answers/services.ts";
import type { About } from "../core/about.ts";
import { shownConfig } from "./config/shown-config.ts";
import { openStationPushes } from "./wiring/station-pushes.ts";
import { readStations } from "./config/stations-file.ts";
import { storageJobs } from "./wiring/storage-jobs.ts";
import { whyOf } from "./answers/origin.ts";

/** Hours of the past that a first start fetches, so that the first picture is a line and not a dot. */
const HISTORY_HOURS = 48;

/** Hours after which a value is stale where nobody polls: hourly observations, three of them missing. */
const UNPOLLED_STALE_HOURS = 3;

/** A value is not called stale before this, s: sources polled every few seconds stumble. */
const SHORTEST_STALE = 60;

/** Part of the time to stop that answers under way get; the rest is for the jobs. */
const WEB_SHARE = 0.25;

/** Time between two looks for results that another process made, ms. */
const RESULTS_MS = 2_000;

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
  const late: string[] = [];
  let stopBy = Infinity;
  const remaining = () => Math.max(0, stopBy - clock.now());
  const stop = async () => {
    stopBy = clock.now() + config.shutdownSeconds * 1000;
    for (const step of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        logger.error("Something did not stop as it should", { error: messageOf(error) });
      }
    }
    return { late };
  };
  try {
    // ---- the data set and its source
    const stations = await readStations(config);
    const choice = await chooseDataset(config, { clock, logger, signal });
    const { dataset, kind, source, reason, lake: claimedLake } = choice;
    const { claimed } = claimedLake;
    logger.info(`The source is ${source?.name ?? "none"}: ${reason}`, { dataset, kind });
    const locks = await lockRoles(config, dataset, claimedLake, config.roles);
    undo.push(() => locks.release());

    // ---- ports
    const ports = await openPorts(config, dataset, { clock, logger }, { lake: claimedLake, late: true });
    undo.push(() => ports.close());
    const { log, embeddedLog, lake, engine, reads, tempFolder } = ports;
    const reader = new LakeReader(ports.promptLake, log.topic, () => clock.now());
    const pollSeconds = source === null ? null : (config.pollSeconds ?? source.pollSeconds);
    const about: About = {
      version: packageJson.version,
      dataset,
      kind,
      source: source === null ? null : { name: source.name, reason, credit: creditOf(config, source) },
      log: log.kind,
      lake: lake.kind,
      engine: engine.name,
      staleAfterSeconds:
        pollSeconds === null
          ? UNPOLLED_STALE_HOURS * 3600
          : Math.max(SHORTEST_STALE, 3 * Math.max(pollSeconds, source?.reportSeconds ?? 0)),
    };

    // ---- jobs
    const supervisor = new Supervisor({ clock, logger });
    // What fills the log stops before what empties it, so that a stop leaves nothing to be committed.
    const intake = new Supervisor({ clock, logger });
    const jobStates = () => [...intake.status(), ...supervisor.status()];
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
            firstStart: async () => {
              await claimed();
              return isEmpty(log);
            },
          });
    if (producer !== null) intake.add(producer);
    if (fetchesPast(config, source)) intake.add(pastJob(ports, config, { reader, claimed, clock, logger }));
    const pushes = plays("producer")
      ? openStationPushes(stations, config, { dataset, kind, log, claimed, clock, logger })
      : null;
    undo.push(() => pushes?.close());
    const current = new CurrentState();
    const alerts = plays("web")
      ? openAlerts(config, { about, stations, current: () => current.list(), clock, logger })
      : null;
    undo.push(() => alerts?.close());
    const views = await analysisViews({ cities: config.cities, stations });
    const jobs = await readSqlJobs();
    const analytics = new Analytics({
      jobs,
      engine,
      views,
      lake,
      snapshot: () => reader.snapshot(),
      clock,
      logger,
      cronDefault: config.analyticsCron,
    });
    const kept = new KeptViews({
      views,
      result: (job) => (jobs.some(({ name }) => name === job) ? analytics.result(job) : undefined),
      folder: join(tempFolder, "kept"),
    });
    if (plays("consumer")) {
      for (const job of storageJobs(ports, config, { clock, logger })) supervisor.add(job);
      const isStoring = () =>
        supervisor.status().some(({ name, state }) => name === "consumer" && state === "running");
      if (embeddedLog !== null) {
        supervisor.add(retentionJob({ log: embeddedLog, reader, clock, logger, isStoring }));
      }
    }
    if (plays("analytics")) supervisor.add(analytics.backgroundJob());
    undo.push(async () => {
      for (const jobs of [intake, supervisor]) late.push(...(await jobs.stop(remaining())).late);
    });

    // ---- web
    let url: URL | null = null;
    if (plays("web")) {
      const places = new Places(config.cities, current, kind);
      const hub: Hub = new Hub({
        // Ids of several partitions are counted by this process, and mean nothing to the next.
        epoch: log.partitions === 1 ? log.incarnation : newId(),
        clock,
        snapshot: () => snapshotOf(about, current.list(), clock.now()),
      });
      undo.push(() => hub.close());
      const monitor = new PipelineMonitor({
        about,
        log,
        reader,
        current,
        hub,
        jobs: jobStates,
        analytics,
        clock,
        logger,
        newestRows: () => newestRows(reader, reads),
        newestProof: () => newestProof(ports.promptLake),
        sourceWatermark: () => producer?.status().watermark ?? null,
      });
      const services: Services = {
        about,
        cities: () => places.list(),
        current: () => current.list(),
        observations: async (query) => queryRows(reader, reads, await kept.list("quality"), query),
        why: (key) => whyOf({ reader, lake: ports.promptLake, engine: reads, analytics }, key),
        days: new LakeDays({ reader, lake: ports.promptLake, engine: reads }),
        arrivals: (query) => queryArrivals({ reader, lake: ports.promptLake, engine: reads }, query),
        analytics,
        pipeline: () => monitor.status(),
        rejected: (limit) => newestRejected(ports.promptLake, reader, limit),
        ingest: async (lines) => {
          if (!plays("producer")) {
            throw new RequestError("conflict", "Cannot take observations: this process does not produce");
          }
          await claimed();
          return appendLines(log, lines);
        },
      };
      const isLive = kind !== "replayed";
      const judge = new Judge({
        reader,
        engine: reads,
        views: async () => {
          const now = valuesView("watermark", [["newest", "timestamp"]], [[clock.now()]]);
          return (await kept.list()).map((view) => (isLive && view.name === now.name ? now : view));
        },
        isLive,
        folder: join(tempFolder, "judge"),
        clock,
        logger,
        publish: (judgements) => {
          current.judge(judgements);
          hub.publish({ name: "judgements", data: { judgements } });
          alerts?.judged(judgements);
        },
      });
      supervisor.add(judge.backgroundJob());
      if (alerts !== null) supervisor.add(alerts.backgroundJob());
      const arrived = (rows: readonly Row[]) => {
        alerts?.see(rows);
        judge.take(rows);
      };
      supervisor.add(monitor.job());
      if (!plays("analytics")) supervisor.add(resultsJob(analytics, clock));
      const positions = new Map<number, number>();
      const follow = async () => {
        await claimed();
        return followLog({ log, current, hub, positions, arrived });
      };
      let first: Promise<Subscription> | null = follow();
      // Whatever is away here is looked for again by its job.
      await Promise.allSettled([first, monitor.refresh(), plays("analytics") ? null : analytics.load()]);
      supervisor.add({
        name: "feed",
        run: async ({ signal, running }) => {
          const following = first ?? follow();
          first = null;
          const subscription = await following;
          running();
          const over = new AbortController();
          const announced = announce({
            services,
            hub,
            clock,
            signal: AbortSignal.any([signal, over.signal]),
          });
          try {
            await Promise.race([subscription.done, announced]);
          } finally {
            over.abort();
            await subscription.stop();
            await announced;
          }
        },
      });
      const assets = await buildAssets();
      const pages = { services, assets, clock, logger, ...shownConfig(config) };
      const server = startServer({
        app: createApp({
          services,
          hub,
          clock,
          logger,
          security: {
            host: config.host,
            allowedHosts: config.allowedHosts,
            corsOrigins: config.corsOrigins,
          },
          plugins: [
            pagesRoutes({ ...pages, alerts }),
            alertRoutes({ services, alerts, clock }),
            ...(pushes === null ? [] : [pushes.routes]),
          ],
          errorPage: problemPage(pages),
        }),
        host: config.host,
        port: config.port,
        clock,
      });
      undo.push(async () => {
        hub.close(); // its streams never finish by themselves
        await server.stop(remaining() * WEB_SHARE);
      });
      url = server.url;
      locks.announce(url.href);
    }

    const listener = pushes?.listen() ?? null;
    undo.push(() => listener?.stop(remaining() * WEB_SHARE));
    intake.start();
    supervisor.start();
    return { url, about, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Whether nothing was ever appended. */
async function isEmpty(log: Log): Promise<boolean> {
  for (let partition = 0; partition < log.partitions; partition++) {
    if ((await log.bounds(partition)).high > 0) return false;
  }
  return true;
}

/** Shows the results of the process that runs the analytics. */
function resultsJob(analytics: Analytics, clock: Clock): BackgroundJob {
  return {
    name: "results",
    async run({ signal, running }) {
      while (!signal.aborted) {
        await analytics.load();
        running();
        await clock.sleep(RESULTS_MS, signal);
      }
    },
  };
}
