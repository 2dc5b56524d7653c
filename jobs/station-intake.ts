import { timingSafeEqual } from "node:crypto";
import { sha256Hex } from "../core/checksum.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf, RequestError } from "../core/errors.ts";
import { PUSHED_MAX_AGE_MS, tooOldReason } from "../core/live-age.ts";
import type { Logger } from "../core/log.ts";
import { hasValue } from "../core/observation.ts";
import type { RegisteredStation } from "../core/station.ts";
import type { Log } from "./log/log.ts";
import type { RainTotals } from "./rain-totals.ts";
import { observationOfPush, readPush, type StationPush, unknownParameters } from "./sources/own-station.ts";
import { recordOf } from "./sources/record.ts";

/** Rate limit of the log lines about unknown keys, and of those about wrong paths, ms: anybody can send such. */
const UNKNOWN_MS = 60_000;

/** Names of parameters that are kept of a station, to be told once. */
const NAMES_KEPT = 200;
/** What is told of such a name, characters. */
const NAME_MAX = 40;

/** Options of {@link StationIntake}. */
export interface StationIntakeOptions {
  stations: readonly RegisteredStation[];
  /** IANA time zone of a city by its name; null if unknown. A station's total of the day begins anew at its midnight. */
  zoneOf: (city: string) => string | null;
  totals: RainTotals;
  log: Pick<Log, "append">;
  clock: Clock;
  logger: Logger;
}

/** Appends the pushes of the user's own stations to the log. */
export class StationIntake {
  readonly #options: StationIntakeOptions;
  readonly #keys: readonly { hash: Buffer; station: RegisteredStation }[];
  /** Why each station's last push was refused. Only changes are logged, not every push. */
  readonly #refused = new Map<string, string>();
  /** What was impossible in each station's last push. Only changes of the parameters are logged. */
  readonly #leftOut = new Map<string, string>();
  /** The parameters of each station that are not read, told already. */
  readonly #unknown = new Map<string, Set<string>>();
  #totalsFailed = false;
  #unknownLoggedMs = -Infinity;
  #wrongPathLoggedMs = -Infinity;

  constructor(options: StationIntakeOptions) {
    this.#options = options;
    this.#keys = options.stations.flatMap((station) =>
      station.keySha256 === null ? [] : [{ hash: Buffer.from(station.keySha256, "hex"), station }],
    );
  }

  /**
   * The station that a key belongs to. The comparison is constant-time: it depends neither on the key nor on whether the id
   * is known.
   *
   * @param key as it was sent; null for none
   * @param id as it was sent, case-insensitive; null if the protocol has none
   * @throws RequestError `unauthorized`
   */
  stationOf(key: string | null, id: string | null): RegisteredStation {
    const { clock, logger } = this.#options;
    const hash = Buffer.from(sha256Hex(key ?? ""), "hex");
    let found: RegisteredStation | null = null;
    for (const { hash: own, station } of this.#keys) if (timingSafeEqual(own, hash)) found = station;
    if (found !== null && (id === null || id.toLowerCase() === found.id.toLowerCase())) return found;
    if (clock.now() - this.#unknownLoggedMs >= UNKNOWN_MS) {
      this.#unknownLoggedMs = clock.now();
      logger.warn("A push with an unknown station key was refused", { id: id?.slice(0, 40) });
    }
    throw new RequestError("unauthorized", "The station's key is not known, or belongs to another id", {
      hint: "`bun run station:add` makes a key; the server knows it after a restart.",
    });
  }

  /**
   * Logs a request that was meant to be a push and came to a path that takes none.
   *
   * @param path without what may be a key
   * @param wanted the paths that take pushes
   */
  noteWrongPath(method: string, path: string, wanted: string): void {
    const { clock, logger } = this.#options;
    if (clock.now() - this.#wrongPathLoggedMs < UNKNOWN_MS) return;
    this.#wrongPathLoggedMs = clock.now();
    logger.warn("A push came to a path that takes none", { method, path, wanted });
  }

  /**
   * Appends a push to the log; it is durable when this resolves.
   *
   * @param parameters of the query or the form
   * @returns why values are impossible, for people; empty when all are good
   * @throws RequestError `bad_parameter` when its time is malformed or too old, or nothing was measured; LogError
   */
  async take(station: RegisteredStation, parameters: URLSearchParams): Promise<readonly string[]> {
    const { log, clock, logger } = this.#options;
    try {
      const now = clock.now();
      this.#noteUnknown(station.id, unknownParameters(parameters));
      const push = readPush(parameters, now);
      const tooOld = tooOldReason(push.ms, now, PUSHED_MAX_AGE_MS);
      if (tooOld !== null) {
        throw new RequestError("bad_parameter", `The push is not taken: ${tooOld}`, {
          hint: "Set the clock of the console. What is older is imported: docs/import.md.",
        });
      }
      // A rain of 0 stands for the hour's: a malformed push throws here, before its total is stored.
      observationOfPush(push, station, 0, now);
      const rain = this.#rainOf(station, push);
      if (rain === null && push.impossibleRain === null && !hasValue(push.numbers)) {
        // The total is kept. It becomes an observation once another one before it tells the rain of the hour.
        logger.debug("A station's push has a total of rain alone", { station: station.id });
        return push.leftOut;
      }
      const observation = observationOfPush(push, station, rain, now);
      await log.append([recordOf(observation)]);
      if (this.#refused.delete(station.id))
        logger.info("A station's push is taken again", { station: station.id });
      this.#noteLeftOut(station.id, push.leftOut);
      logger.debug("A station's push is taken", { station: station.id, timestamp: observation.timestamp });
      return push.leftOut;
    } catch (error) {
      const reason = messageOf(error);
      if (error instanceof RequestError && this.#refused.get(station.id) !== reason) {
        this.#refused.set(station.id, reason);
        logger.warn("A station's push was refused", { station: station.id, reason });
      }
      throw error;
    }
  }

  /** Tells the names of parameters that are not read, each once: a measurement may be among them, misspelled. */
  #noteUnknown(station: string, names: readonly string[]): void {
    const told = this.#unknown.get(station) ?? new Set();
    this.#unknown.set(station, told);
    const fresh = names.map((name) => name.slice(0, NAME_MAX)).filter((name) => !told.has(name));
    const taken = fresh.slice(0, NAMES_KEPT - told.size);
    if (taken.length === 0) return;
    for (const name of taken) told.add(name);
    this.#options.logger.info("A station sends parameters that are not read", {
      station,
      parameters: taken.join(", "),
    });
  }

  #noteLeftOut(station: string, reasons: readonly string[]): void {
    const { logger } = this.#options;
    // The parameters' names alone: a broken sensor may send another wrong value each time.
    const names = reasons.map((reason) => reason.split(" ", 1)[0]).join();
    if ((this.#leftOut.get(station) ?? "") === names) return;
    this.#leftOut.set(station, names);
    if (reasons.length > 0)
      logger.warn("Values of a station's push are impossible", { station, reasons: reasons.join("; ") });
    else logger.info("All values of a station's push are good again", { station });
  }

  /** Rain of the last hour, mm: as the station reports it, else computed from its daily totals. */
  #rainOf(station: RegisteredStation, { ms, hourlyRain, dailyRain }: StationPush): number | null {
    if (hourlyRain !== null || dailyRain === null) return hourlyRain;
    const { totals, zoneOf } = this.#options;
    try {
      const rain = totals.take(station.id, { at: ms, mm: dailyRain }, zoneOf(station.city));
      this.#totalsFailed = false;
      return rain;
    } catch (error) {
      // The push is kept without rain: its other values are still good.
      if (!this.#totalsFailed)
        this.#options.logger.error("Rain from totals of the day is not known: they cannot be kept", {
          reason: messageOf(error),
        });
      this.#totalsFailed = true;
      return null;
    }
  }
}
