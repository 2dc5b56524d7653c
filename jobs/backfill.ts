import type { City } from "../core/city.ts";
import type { Clock } from "../core/clock.ts";
import { codeOf, LogError, messageOf, SourceError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { backoffMs } from "../core/retry.ts";
import { DAY_MS, formatTimestamp, HOUR_MS } from "../core/time.ts";
import { rowsOf } from "../spark/arrow.ts";
import type { Engine } from "../spark/engine.ts";
import type { LakeReader } from "./readers/lake-reader.ts";
import type { Log, NewRecord } from "./log/log.ts";
import { timestampLiteral } from "./readers/observation-rows.ts";
import type { Archive } from "./sources/archive.ts";
import { ARCHIVE } from "./sources/sources.ts";
import type { BackgroundJob } from "./supervisor.ts";

/** Records in one append. */
const CHUNK = 1_000;
/** Backoff while the archive or the log is unavailable, ms. */
const BACKOFF = { baseMs: 5_000, maxMs: HOUR_MS };
/** The archive is some days late: interval of the new requests for days that it did not have, ms. */
const AGAIN_MS = 12 * HOUR_MS;
/** After this time, ms, a missing day is no longer expected from the archive. */
const PATIENCE_MS = 10 * DAY_MS;

/** What one call to the archive requests: whole UTC days of some cities. */
export interface Block {
  cities: readonly City[];
  /** Beginning of the first day, ms. */
  from: number;
  /** End of the last day, exclusive, ms. */
  to: number;
}

/** Number of archive hours in the lake, by city and by day (days since the epoch). */
export type StoredHours = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Counts the archive's hours that are in the lake. The backfill needs no other state. */
export async function storedHours(
  reader: LakeReader,
  engine: Engine,
  from: number,
  to: number,
): Promise<StoredHours> {
  await reader.refresh();
  const sql = `SELECT city, epoch_ms(timestamp) // ${DAY_MS} AS day, count(DISTINCT timestamp) AS hours
    FROM observations WHERE source = '${ARCHIVE.name}'
      AND timestamp >= ${timestampLiteral(from)} AND timestamp < ${timestampLiteral(to)}
    GROUP BY 1, 2`;
  const table = await reader.read({ from, to }, ({ snapshot }) =>
    engine.query(sql, { snapshot, background: true }),
  );
  const stored = new Map<string, Map<number, number>>();
  for (const { city, day, hours } of rowsOf(table) as { city: string; day: unknown; hours: unknown }[]) {
    let days = stored.get(city);
    if (days === undefined) stored.set(city, (days = new Map()));
    days.set(Number(day), Number(hours));
  }
  return stored;
}

/**
 * The blocks to request so that each city has all hours of the days from `from` to `to` (starts of UTC days, `to`
 * exclusive). The newest days come first, because they are the most useful.
 */
export function missingBlocks(
  cities: readonly City[],
  stored: StoredHours,
  from: number,
  to: number,
): Block[] {
  const blocks: Block[] = [];
  for (let end = to; end > from; end -= ARCHIVE.callDays * DAY_MS) {
    const start = Math.max(from, end - ARCHIVE.callDays * DAY_MS);
    // Cities that lack the same days share one request.
    const groups = Map.groupBy(cities, (city) => {
      const days = stored.get(city.name);
      const isMissing = (day: number) => (days?.get(day / DAY_MS) ?? 0) < 24;
      let [first, last] = [start, end];
      while (first < last && !isMissing(first)) first += DAY_MS;
      while (first < last && !isMissing(last - DAY_MS)) last -= DAY_MS;
      return `${first} ${last}`;
    });
    for (const [days, members] of groups) {
      const [first = 0, last = 0] = days.split(" ").map(Number);
      if (first === last) continue;
      for (let i = 0; i < members.length; i += ARCHIVE.callPlaces)
        blocks.push({ cities: members.slice(i, i + ARCHIVE.callPlaces), from: first, to: last });
    }
  }
  return blocks;
}

/** Options of {@link fetchBlocks}, with callbacks for its state. */
export interface FetchOptions {
  archive: Archive;
  clock: Clock;
  logger: Logger;
  signal: AbortSignal;
  /** Called when it works. */
  running: () => void;
  /** Called when it waits, with the reason for people. */
  waiting: (reason: string) => void;
  /** A number in [0, 1), for the jitter. */
  random?: (() => number) | undefined;
}

/**
 * Fetches blocks one after the other; the records of each are in time order. While the archive is unavailable it waits and
 * retries. A block that the archive refuses is skipped and logged. It ends early when the signal aborts.
 */
export async function* fetchBlocks(
  blocks: readonly Block[],
  options: FetchOptions,
): AsyncGenerator<NewRecord[]> {
  const { archive, logger, signal, running } = options;
  for (const block of blocks) {
    const { cities, from, to } = block;
    const poll = await untilItWorks("The archive gives nothing", options, async () => {
      try {
        return await archive.fetch(cities, from, to, signal);
      } catch (error) {
        const isRefusal = codeOf(error) === "bad_response" || codeOf(error) === "not_found";
        if (!isRefusal || !(error instanceof SourceError)) throw error;
        logger.warn("The archive refuses some days", {
          ...daysOf(block),
          cities: cities.length,
          reason: messageOf(error),
        });
        return { records: [], failures: [] };
      }
    });
    if (poll === null) return;
    running();
    for (const { city, error } of poll.failures)
      logger.warn("The archive has no past of a city", {
        ...daysOf(block),
        city,
        reason: messageOf(error),
      });
    logger.info("The archive gave its past", {
      ...daysOf(block),
      cities: cities.length,
      records: poll.records.length,
    });
    if (poll.records.length > 0) yield poll.records;
  }
}

/** Options of {@link backfillJob}. */
export interface BackfillOptions {
  archive: Archive;
  cities: readonly City[];
  log: Pick<Log, "append">;
  /** Creation time of the data set, ms: the backfill covers the days before it. */
  begun: () => Promise<number>;
  /** See {@link storedHours}. */
  stored: (from: number, to: number) => Promise<StoredHours>;
  /** Number of days to backfill. */
  days: number;
  clock: Clock;
  logger: Logger;
  random?: () => number;
}

/**
 * The background job that backfills a data set: it fetches the days before the data set was created, so that baselines
 * exist on the first day. It requests only what the lake does not hold, so it resumes after a restart without any state of
 * its own. It blocks nothing else: while the archive is unavailable it waits.
 */
export function backfillJob(options: BackfillOptions): BackgroundJob {
  const { archive, cities, log, begun, stored, days, clock, logger, random } = options;
  return {
    name: "backfill",
    async run({ signal, running, waiting }) {
      const began = await begun();
      const to = Math.floor(began / DAY_MS) * DAY_MS;
      const from = to - days * DAY_MS;
      const deps = { archive, clock, logger, signal, running, waiting, random };
      let appended = 0;
      for (let round = 0; !signal.aborted; round++) {
        const blocks = missingBlocks(cities, await stored(from, to), from, to);
        const isLate = clock.now() > began + PATIENCE_MS;
        if (blocks.length === 0 || (round > 0 && isLate)) break;
        if (round === 0)
          logger.info("The past is fetched", { ...daysOf({ from, to }), calls: blocks.length });
        running();
        for await (const records of fetchBlocks(blocks, deps)) {
          for (let i = 0; i < records.length; i += CHUNK) {
            const chunk = records.slice(i, i + CHUNK);
            const done = await untilItWorks("The log takes no records", deps, async () => {
              await log.append(chunk);
              return true;
            });
            if (done === null) return;
            appended += chunk.length;
          }
        }
        if (signal.aborted || isLate) break;
        waiting("for days that the archive does not have yet");
        await clock.sleep(AGAIN_MS, signal);
      }
      if (signal.aborted) return;
      if (appended > 0) logger.info("The past is there", { ...daysOf({ from, to }), records: appended });
      running();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}

/**
 * Retries an action while its error is transient.
 *
 * @returns null when the signal aborts
 * @throws an error that a retry cannot solve
 */
async function untilItWorks<T>(
  trouble: string,
  options: Pick<FetchOptions, "clock" | "logger" | "signal" | "waiting" | "random">,
  action: () => Promise<T>,
): Promise<T | null> {
  const { clock, logger, signal, waiting, random } = options;
  for (let tries = 0; !signal.aborted; tries++) {
    try {
      return await action();
    } catch (error) {
      if (signal.aborted) break;
      const mayGoAway =
        error instanceof SourceError ||
        (error instanceof LogError && (error.code === "unavailable" || error.code === "full"));
      if (!mayGoAway) throw error;
      const reason = messageOf(error);
      if (tries === 0) logger.warn(`${trouble}; tried again`, { code: codeOf(error), reason });
      waiting(`${trouble}: ${reason}`);
      await clock.sleep(backoffMs(tries, BACKOFF, random), signal);
    }
  }
  return null;
}

function daysOf({ from, to }: { from: number; to: number }): { from: string; to: string } {
  return { from: formatTimestamp(from).slice(0, 10), to: formatTimestamp(to - DAY_MS).slice(0, 10) };
}
