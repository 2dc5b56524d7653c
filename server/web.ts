import type { AnyElysia } from "elysia";
import type { About } from "../core/about.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import type { Row } from "../core/observation.ts";
import type { JobStatus } from "../core/pipeline-status.ts";
import { newId } from "../core/random.ts";
import type { Analytics } from "../jobs/analytics/analytics.ts";
import type { KeptViews } from "../jobs/analytics/kept-views.ts";
import { Results } from "../jobs/analytics/results.ts";
import { newestProof } from "../jobs/proofs.ts";
import { newestRows } from "../jobs/readers/newest-rows.ts";
import type { LakeReader } from "../jobs/readers/lake-reader.ts";
import type { Supervisor } from "../jobs/supervisor.ts";
import type { Services } from "./answers/services.ts";
import { createApp } from "./app.ts";
import type { Config } from "./config/config.ts";
import { shownConfig } from "./config/shown-config.ts";
import { startServer } from "./http/listen.ts";
import type { CurrentState } from "./live/current.ts";
import { snapshotOf } from "./live/feed.ts";
import { openFeed } from "./live/feed-job.ts";
import { Hub } from "./live/hub.ts";
import { PipelineMonitor } from "./live/monitor.ts";
import { isRetractedRow, type Retracted } from "./live/retracted.ts";
import { Places } from "./live/places.ts";
import { buildAssets } from "./pages/frame/assets.ts";
import { pagesRoutes } from "./pages/pages.ts";
import { problemPage } from "./pages/problem.tsx";
import { alertRoutes } from "./routes/alerts/alerts.ts";
import type { Shutdown } from "./shutdown.ts";
import type { OpenAlerts } from "./wiring/alerts.ts";
import type { JudgedRows } from "../jobs/readers/judged-rows.ts";
import { openJudge, resultsJob } from "./wiring/analytics.ts";
import type { Ports } from "./wiring/ports.ts";
import type { StationPushes } from "./wiring/station-pushes.ts";
import { webServices } from "./wiring/web-services.ts";

/** What the web needs of the rest of the program. */
export interface WebParts {
  about: About;
  ports: Ports;
  reader: LakeReader;
  /** Resolves once the data set may be shown and written to. */
  claimed: () => Promise<void>;
  analytics: Analytics;
  /** The rows of closed days with their flags. */
  judged: JudgedRows;
  keptViews: KeptViews;
  current: CurrentState;
  alerts: OpenAlerts | null;
  pushes: StationPushes | null;
  /** The newest observation time that the source has given, ISO 8601 UTC. */
  sourceWatermark: () => string | null;
  /** The states of all background jobs. */
  jobStates: () => JobStatus[];
  /** Takes the web's own jobs. */
  supervisor: Supervisor;
}

/**
 * Starts the web: live feed, judge, monitor, pages and API. The feed has read the log's last records before the server
 * listens. Whatever is away by then is looked for again by its job.
 *
 * @param shutdown gets the steps that end it
 * @returns where it is reached
 * @throws ConfigError when the server cannot listen
 */
export async function startWeb(
  config: Config,
  parts: WebParts,
  shutdown: Shutdown,
  deps: { clock: Clock; logger: Logger },
): Promise<URL> {
  const { about, ports, reader, claimed, analytics, keptViews, current, alerts, supervisor } = parts;
  const { log } = ports;
  const { clock } = deps;
  const runsAnalytics = config.roles.includes("analytics");
  const hub: Hub = new Hub({
    // Ids of several partitions are counted by this process, and mean nothing to the next.
    epoch: log.partitions === 1 ? log.incarnation : newId(),
    clock,
    snapshot: () => snapshotOf(about, current.list(), clock.now()),
  });
  shutdown.defer(() => hub.close());
  const monitor = openMonitor(parts, hub, {
    ...deps,
    withdrawn: (retracted) => {
      // A row does not say its partition: one too many is left out until it is committed, and read from the lake.
      const isGone = ({ source, log_offset: offset }: Pick<Row, "source" | "log_offset">) =>
        isRetractedRow(retracted, { source, offset });
      judge.withdraw(isGone);
      alerts?.withdraw(isGone);
      hub.reset(); // clients begin anew with what is shown now
    },
  });
  const places = new Places(config.cities, current, about.kind);
  const mayAppend = config.roles.includes("producer") ? claimed : null;
  const services = webServices({ ...parts, cities: config.cities, places, monitor, clock, mayAppend });
  const judge = openJudge(ports, {
    kind: about.kind,
    keptViews,
    reader,
    ...deps,
    publish: (judgements) => {
      current.judge(judgements);
      hub.publish({ name: "judgements", data: { judgements } });
      alerts?.judged(judgements);
    },
  });
  shutdown.defer(() => judge.close());
  supervisor.add(judge.backgroundJob());
  if (alerts !== null) supervisor.add(alerts.backgroundJob());
  supervisor.add(monitor.job());
  if (!runsAnalytics) supervisor.add(resultsJob(analytics, clock));
  // What is retracted is known before the log's last records are shown, judged and alerted of.
  const known = monitor.refresh();
  const feed = openFeed({
    services,
    log,
    current,
    hub,
    claimed: async () => {
      await claimed();
      await known;
    },
    arrived: (rows) => {
      alerts?.see(rows);
      judge.take(rows);
    },
    skipped: () => judge.again(),
    clock,
  });
  await Promise.allSettled([feed.caughtUp, known, runsAnalytics ? null : analytics.load()]);
  supervisor.add(feed.job);
  const app = await webApp(config, parts, { services, hub }, deps);
  const server = startServer({ app, host: config.host, port: config.port, clock });
  shutdown.defer(async () => {
    hub.close(); // its streams never finish by themselves
    await server.stop(shutdown.answersMs());
  });
  return server.url;
}

/** What knows where everything stands. */
function openMonitor(
  { about, ports, reader, analytics, current, sourceWatermark, jobStates }: WebParts,
  hub: Hub,
  deps: { clock: Clock; logger: Logger; withdrawn: (retracted: Retracted) => void },
): PipelineMonitor {
  const results = new Results({ lake: ports.promptLake, logger: deps.logger });
  return new PipelineMonitor({
    about,
    log: ports.log,
    reader,
    current,
    hub,
    jobs: jobStates,
    analytics,
    ...deps,
    newestRows: async () => newestRows(reader, ports.reads, await results.latest("city_statistics")),
    newestProof: () => newestProof(ports.promptLake),
    sourceWatermark,
  });
}

/** The application: API, pages, their files, and what stations push to. */
async function webApp(
  config: Config,
  { alerts, pushes }: Pick<WebParts, "alerts" | "pushes">,
  { services, hub }: { services: Services; hub: Hub },
  { clock, logger }: { clock: Clock; logger: Logger },
): Promise<AnyElysia> {
  const { host, allowedHosts, corsOrigins } = config;
  const pages = { services, assets: await buildAssets(), clock, logger, ...shownConfig(config) };
  return createApp({
    services,
    hub,
    clock,
    logger,
    security: { host, allowedHosts, corsOrigins },
    plugins: [
      pagesRoutes({ ...pages, alerts }),
      alertRoutes({ services, alerts, clock }),
      ...(pushes === null ? [] : [pushes.routes]),
    ],
    errorPage: problemPage(pages),
  });
}
