import { join, resolve } from "node:path";
import { type AnyElysia, Elysia } from "elysia";
import type { Clock } from "../../core/clock.ts";
import { RequestError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { RegisteredStation } from "../../core/station.ts";
import type { DatasetKind } from "../../core/dataset-kind.ts";
import type { Log, NewRecord } from "../../jobs/log/log.ts";
import { RainTotals } from "../../jobs/rain-totals.ts";
import { StationIntake } from "../../jobs/station-intake.ts";
import { startServer } from "../http/listen.ts";
import { type RunningServer } from "../http/listen.ts";
import type { Config } from "../config/config.ts";
import { logProblem, noRoute, pathOf, problemOf, problemResponse } from "../http/problems.ts";
import { type PushIntake, stationRoutes } from "../routes/stations/stations.ts";
import { STATION_PATHS, withoutSecrets } from "../http/station-paths.ts";
import { SECURITY_HEADERS } from "../http/security.ts";

/** What takes the pushes of stations. */
export interface StationPushes {
  /** Their routes, for the web server. */
  readonly routes: AnyElysia;
  /** Listens at `STATIONS_LISTEN`, where nothing but these routes is served; null where it is not set. */
  listen(): RunningServer | null;
  /** Releases what is held. */
  close(): void;
}

/**
 * Makes what takes the pushes of stations; null where no station has a key.
 *
 * @param deps.kind of the data set: measurements never go into simulated or replayed data
 * @param deps.claimed resolves once the lake has said that the data set is of that kind
 */
export function openStationPushes(
  stations: readonly RegisteredStation[],
  config: Config,
  deps: {
    dataset: string;
    kind: DatasetKind;
    log: Log;
    claimed: () => Promise<void>;
    clock: Clock;
    logger: Logger;
  },
): StationPushes | null {
  if (stations.every(({ keySha256 }) => keySha256 === null)) return null;
  const { dataset, kind, log, claimed, clock, logger } = deps;
  const totals = new RainTotals(join(resolve(config.dataDir), "stations", `${dataset}.sqlite`));
  const append = async (records: readonly NewRecord[]) => {
    if (kind !== "observed") {
      throw new RequestError(
        "conflict",
        `Cannot take observations of a station: the data set "${dataset}" holds ${kind} data`,
        { hint: "Set WEATHER_SOURCE to a real source, or to none with a DATASET of observed data." },
      );
    }
    await claimed();
    await log.append(records);
  };
  const zoneOf = (city: string) => config.cities.find(({ name }) => name === city)?.zone ?? null;
  const intake = new StationIntake({ stations, zoneOf, totals, log: { append }, clock, logger });
  return {
    routes: stationRoutes(intake),
    listen() {
      if (config.stationsListen === null) return null;
      const app = stationApp(intake, logger);
      const server = startServer({ app, ...config.stationsListen, clock });
      logger.info(`Stations are listened to at ${server.url.href}`, { stations: stations.length });
      return server;
    },
    close: () => totals.close(),
  };
}

/** An application that serves stations and nothing else. */
export function stationApp(intake: PushIntake, logger: Logger): AnyElysia {
  const app: AnyElysia = new Elysia()
    .onRequest(({ set }) => void Object.assign(set.headers, SECURITY_HEADERS))
    .onError(({ code, error, request }) => {
      // Whatever comes here is meant to be a push.
      if (code === "NOT_FOUND")
        intake.noteWrongPath(request.method, withoutSecrets(pathOf(request)), STATION_PATHS);
      const problem = code === "NOT_FOUND" ? noRoute(request, app.routes) : problemOf(error);
      logProblem(logger, request, problem, error);
      return problemResponse(problem);
    })
    .use(stationRoutes(intake));
  return app;
}
