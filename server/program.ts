import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/log.ts";
import { LakeReader } from "../jobs/readers/lake-reader.ts";
import { retentionJob } from "../jobs/retention.ts";
import { Supervisor } from "../jobs/supervisor.ts";
import { type Judging, judgingBy } from "../spark/judging.ts";
import { analysisViews } from "../spark/views.ts";
import type { About } from "../core/about.ts";
import type { Config } from "./config/config.ts";
import type { Role } from "./config/settings.ts";
import { readStations } from "./config/stations-file.ts";
import { CurrentState } from "./live/current.ts";
import { Shutdown } from "./shutdown.ts";
import { startWeb } from "./web.ts";
import { aboutOf } from "./wiring/about.ts";
import { openAlerts } from "./wiring/alerts.ts";
import { openAnalytics } from "./wiring/analytics.ts";
import { chooseDataset } from "./wiring/dataset-choice.ts";
import { intakeJobs } from "./wiring/intake-jobs.ts";
import { openPorts, type Ports } from "./wiring/ports.ts";
import { lockRoles } from "./wiring/role-locks.ts";
import { openStationPushes } from "./wiring/station-pushes.ts";
import { storageJobs } from "./wiring/storage-jobs.ts";

/** A program that runs. */
export interface Program {
  /** Where the pages are; null where this process runs no web server. */
  readonly url: URL | null;
  readonly about: About;
  /** Stops in reverse order of the start, everything taken is committed. Resolves with the jobs that were late. */
  stop(): Promise<{ late: string[] }>;
}

/** What a program is started with. */
interface ProgramDeps {
  clock: Clock;
  logger: Logger;
  /** Aborts when the program is to stop before it has started. */
  signal: AbortSignal;
}

/**
 * Starts the roles of this process: data set, locks, ports, jobs, web.
 *
 * @throws ConfigError, LakeError, LogError, EngineError, CommitError saying what stands in the way; nothing is left
 *   running or locked then
 */
export async function startProgram(config: Config, deps: ProgramDeps): Promise<Program> {
  const shutdown = new Shutdown(config.shutdownSeconds * 1000, deps);
  const stop = async () => {
    await shutdown.run();
    return { late: shutdown.late };
  };
  try {
    return { ...(await start(config, shutdown, deps)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts the parts one after the other; `shutdown` gets the step that ends each. */
async function start(
  config: Config,
  shutdown: Shutdown,
  { clock, logger, signal }: ProgramDeps,
): Promise<Pick<Program, "url" | "about">> {
  const deps = { clock, logger };
  const plays = (role: Role) => config.roles.includes(role);

  // ---- the data set and its source
  const stations = await readStations(config);
  const choice = await chooseDataset(config, { ...deps, signal });
  const { dataset, kind, source, reason, lake } = choice;
  const { claimed } = lake;
  logger.info(`The source is ${source?.name ?? "none"}: ${reason}`, { dataset, kind });
  const lock = await lockRoles(config, dataset, lake, config.roles);
  shutdown.defer(() => lock.release());

  // ---- ports
  const ports = await openPorts(config, dataset, deps, { lake, late: true });
  shutdown.defer(() => ports.close());
  const { log } = ports;
  const reader = new LakeReader(ports.promptLake, log.topic, () => clock.now());
  const about = aboutOf(config, choice, ports);

  // ---- jobs: what fills the log stops before what empties it, so that a stop leaves nothing to be committed
  const intake = new Supervisor(deps);
  const supervisor = new Supervisor(deps);
  const { jobs, sourceWatermark } = intakeJobs(ports, config, choice, { reader, ...deps });
  for (const job of jobs) intake.add(job);
  const pushes = plays("producer")
    ? openStationPushes(stations, config, { dataset, kind, log, claimed, ...deps })
    : null;
  shutdown.defer(() => pushes?.close());
  const current = new CurrentState();
  const alerts = plays("web")
    ? openAlerts(config, { about, stations, current: () => current.list(), ...deps })
    : null;
  shutdown.defer(() => alerts?.close());
  const views = await analysisViews({ cities: config.cities, stations });
  const judging = judgingBy(views);
  const { analytics, judged, keptViews } = await openAnalytics(ports, config, {
    views,
    judging,
    reader,
    ...deps,
  });
  if (plays("consumer")) addStorageJobs(supervisor, ports, config, { reader, judging, ...deps });
  if (plays("analytics")) supervisor.add(analytics.backgroundJob());
  shutdown.defer(() => stopJobs([intake, supervisor], shutdown));

  // ---- web
  const jobStates = () => [...intake.status(), ...supervisor.status()];
  const opened = { about, ports, reader, claimed, judged, analytics, keptViews, current, alerts, pushes };
  const parts = { ...opened, sourceWatermark, jobStates, supervisor };
  const url = plays("web") ? await startWeb(config, parts, shutdown, deps) : null;
  if (url !== null) lock.announce(url.href);
  const listener = pushes?.listen() ?? null;
  shutdown.defer(() => listener?.stop(shutdown.answersMs()));

  intake.start();
  supervisor.start();
  return { url, about };
}

/** Adds the jobs that move the log into the lake, and the one that deletes what is old of an embedded log. */
function addStorageJobs(
  supervisor: Supervisor,
  ports: Ports,
  config: Config,
  deps: { reader: LakeReader; judging: Judging; clock: Clock; logger: Logger },
): void {
  for (const job of storageJobs(ports, config, deps)) supervisor.add(job);
  if (ports.embeddedLog === null) return;
  const isStoring = () =>
    supervisor.status().some(({ name, state }) => name === "consumer" && state === "running");
  supervisor.add(retentionJob({ log: ports.embeddedLog, isStoring, ...deps }));
}

/** Stops jobs, one group after the other. */
async function stopJobs(groups: readonly Supervisor[], shutdown: Shutdown): Promise<void> {
  for (const jobs of groups) shutdown.late.push(...(await jobs.stop(shutdown.jobsMs())).late);
}
