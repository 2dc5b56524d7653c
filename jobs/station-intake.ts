import { timingSafeEqual } from "node:crypto";
import { sha256Hex } from "../core/checksum.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf, RequestError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import type { RegisteredStation } from "../core/station.ts";
import type { Log } from "./log/log.ts";
import type { RainTotals } from "./rain-totals.ts";
import { observationOfPush, readPush, type StationPush } from "./sources/own-station.ts";
import { recordOf } from "./sources/record.ts";

/** Shortest time between two log lines about unknown keys, ms: they may be anybody's. */
const UNKNOWN_MS = 60_000;

/** What {@link StationIntake} works with. */
export interface StationIntakeOptions {
  stations: readonly RegisteredStation[];
  totals: RainTotals;
  log: Pick<Log, "append">;
  clock: Clock;
  logger: Logger;
}

/** Takes what the stations of one's own push into the log. */
export class StationIntake {
  readonly #options: StationIntakeOptions;
  readonly #keys: readonly { hash: Buffer; station: RegisteredStation }[];
  /** Why each station's last push was refused: changes are logged, not every push. */
  readonly #refused = new Map<string, string>();
  #totalsFailed = false;
  #unknownLoggedMs = -Infinity;

  constructor(options: StationIntakeOptions) {
    this.#options = options;
    this.#keys = options.stations.flatMap((station) =>
      station.keySha256 === null ? [] : [{ hash: Buffer.from(station.keySha256, "hex"), station }],
    );
  }

  /**
   * The station that a key belongs to. It takes the same time whatever the key is, and whether the id is known.
   *
   * @param key as it was sent; null for none
   * @param id as it was sent, in any case; null where the protocol has none
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
   * Takes a push; it is durable in the log when this resolves.
   *
   * @param parameters of the query or of the form
   * @throws RequestError `bad_parameter` when it is malformed; LogError
   */
  async take(station: RegisteredStation, parameters: URLSearchParams): Promise<void> {
    const { log, clock, logger } = this.#options;
    try {
      const now = clock.now();
      const push = readPush(parameters, now);
      observationOfPush(push, station, null, now); // so that a malformed push leaves no total behind
      const observation = observationOfPush(push, station, this.#rainOf(station, push), now);
      await log.append([recordOf(observation)]);
      if (this.#refused.delete(station.id))
        logger.info("A station's push is taken again", { station: station.id });
      logger.debug("A station's push is taken", { station: station.id, timestamp: observation.timestamp });
    } catch (error) {
      const reason = messageOf(error);
      if (error instanceof RequestError && this.#refused.get(station.id) !== reason) {
        this.#refused.set(station.id, reason);
        logger.warn("A station's push was refused", { station: station.id, reason });
      }
      throw error;
    }
  }

  /** Rain of the last hour, mm: as the station says, else from its totals of the day. */
  #rainOf(station: RegisteredStation, { ms, hourlyRain, dailyRain }: StationPush): number | null {
    if (hourlyRain !== null || dailyRain === null) return hourlyRain;
    try {
      const rain = this.#options.totals.take(station.id, { at: ms, mm: dailyRain });
      this.#totalsFailed = false;
      return rain;
    } catch (error) {
      // Its other values are worth more than its rain.
      if (!this.#totalsFailed)
        this.#options.logger.error("Rain from totals of the day is not known: they cannot be kept", {
          reason: messageOf(error),
        });
      this.#totalsFailed = true;
      return null;
    }
  }
}
