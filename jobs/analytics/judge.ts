import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import { FLAG_COLUMNS, type Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { Engine, SnapshotFile, SqlView } from "../../spark/engine.ts";
import { JUDGED_PAST_MS } from "../../spark/judging.ts";
import { assemble, type ResultRow, keyOf, newAndBefore, seriesOf } from "./judgements.ts";
import type { LakeReader } from "../readers/lake-reader.ts";
import { timestampLiteral } from "../readers/observation-rows.ts";
import type { BackgroundJob } from "../supervisor.ts";

/** What {@link Judge} works with. */
export interface JudgeOptions {
  reader: Pick<LakeReader, "snapshot">;
  /** DuckDB in this process, whatever runs the jobs. */
  engine: Engine;
  /** The views of analysis over the newest kept baseline. */
  views: () => Promise<readonly SqlView[]>;
  /** Whether time goes on for this data: a recording that is replayed falls silent where it ends. */
  isLive: boolean;
  /** A folder of this process alone that the engine may read. */
  folder: string;
  clock: Clock;
  logger: Logger;
  /** Takes the judgements of some observations, in time order within a series. */
  publish: (judgements: readonly Judgement[]) => void;
}

/** Rows that arrived last and may not be committed yet. */
const ARRIVED_MAX = 20_000;
/** Rows judged in one go. */
const BATCH_MAX = 5_000;
/** Time between two looks for stations that have fallen silent, ms. */
const SILENCE_MS = 60_000;
/** Most cities that are named in a query. */
const NAMED_CITIES = 50;

/**
 * The live judge: applies the SQL of quality control and of anomalies to what arrives, over the last 25 h and the kept
 * baseline, so that neither a chart's band nor an alert waits for a batch. An observation goes out at once; its judgement
 * follows. What is older than that past is left to the jobs.
 */
export class Judge {
  readonly #options: JudgeOptions;
  /** The newest rows by arrival: they may not be committed yet. */
  #arrived: Row[] = [];
  #pending: Row[] = [];
  #newest = -Infinity;
  #skipped = 0;
  #arrival = Promise.withResolvers<void>();
  /** The last reports of the stations that are known to be silent. */
  #silent = new Set<string>();

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Takes rows as they arrive. */
  take(rows: readonly Row[]): void {
    for (const row of rows) {
      this.#newest = Math.max(this.#newest, parseTimestamp(row.timestamp));
      this.#arrived.push(row);
      this.#pending.push(row);
    }
    if (this.#arrived.length > 2 * ARRIVED_MAX) this.#arrived = this.#arrived.slice(-ARRIVED_MAX);
    this.#leaveOut();
    this.#arrival.resolve();
  }

  /** Forgets rows that were retracted. What is committed is read without them anyhow. */
  withdraw(isGone: (row: Row) => boolean): void {
    this.#arrived = this.#arrived.filter((row) => !isGone(row));
    this.#pending = this.#pending.filter((row) => !isGone(row));
  }

  /** The work itself, for the supervisor. What could not be judged is judged by the next run. */
  backgroundJob(): BackgroundJob {
    return {
      name: "judge",
      run: async ({ signal, running }) => {
        running();
        try {
          await this.#work(signal);
        } catch (error) {
          if (!signal.aborted) throw error; // a stop cuts a query off, which is no failure
        }
      },
    };
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { clock, isLive, logger, publish } = this.#options;
    let look = clock.now() + SILENCE_MS;
    while (!signal.aborted) {
      if (clock.now() >= look) {
        const judgements = isLive ? await this.silent(signal) : [];
        if (judgements.length > 0) publish(judgements);
        look = clock.now() + SILENCE_MS;
      }
      const rows = this.#pending.splice(0, BATCH_MAX);
      if (rows.length === 0) {
        this.#arrival = Promise.withResolvers();
        const woken = new AbortController();
        const slept = clock.sleep(look - clock.now(), AbortSignal.any([signal, woken.signal]));
        await Promise.race([this.#arrival.promise, slept]);
        woken.abort();
        continue;
      }
      try {
        const judgements = await this.judge(rows, signal);
        if (judgements.length > 0) publish(judgements);
      } catch (error) {
        this.#pending.unshift(...rows);
        this.#leaveOut();
        throw error;
      }
      if (this.#skipped === 0) continue;
      logger.info("Observations arrived faster than they could be judged: the jobs judge them", {
        rows: this.#skipped,
      });
      this.#skipped = 0;
    }
  }

  /**
   * Judges rows that have arrived, and of each series again the report before them, which a spike shows only afterwards.
   *
   * @throws EngineError
   */
  async judge(rows: readonly Row[], signal?: AbortSignal): Promise<Judgement[]> {
    const oldest = this.#newest - JUDGED_PAST_MS;
    /** First new time of each series, ms. */
    const since = new Map<string, number>();
    const cities = new Set<string>();
    let from = Infinity;
    for (const row of rows) {
      const time = parseTimestamp(row.timestamp);
      if (time < oldest) continue;
      const key = seriesOf(row);
      since.set(key, Math.min(since.get(key) ?? Infinity, time));
      cities.add(row.city);
      from = Math.min(from, time);
    }
    if (since.size === 0) return [];
    return this.#over(
      from - JUDGED_PAST_MS,
      cities,
      async (query) => {
        const flagged = newAndBefore(await query(FLAGGED), since);
        return assemble(flagged, await query(ANOMALIES), this.#options.isLive);
      },
      // What has just arrived is not silent: nobody has to be asked who else is.
      (views) => views.map((view) => (view.name === "outages" ? NO_OUTAGES : view)),
      signal,
    );
  }

  /**
   * Judges the last report of each series that has fallen silent since the last call.
   *
   * @throws EngineError
   */
  async silent(signal?: AbortSignal): Promise<Judgement[]> {
    const from = this.#options.clock.now() - JUDGED_PAST_MS;
    const before = this.#silent;
    return this.#over(
      from,
      null,
      async (query) => {
        const silent = new Set((await query(SILENCES)).map(keyOf));
        this.#silent = silent;
        if (silent.isSubsetOf(before)) return [];
        const flagged = (await query(FLAGGED)).filter((row) => {
          const key = keyOf(row);
          return silent.has(key) && !before.has(key);
        });
        return assemble(flagged, await query(ANOMALIES), true);
      },
      (views) => views,
      signal,
    );
  }

  /** Asks about the rows from a time on, committed or just arrived, of some cities or all. */
  async #over<T>(
    from: number,
    cities: ReadonlySet<string> | null,
    ask: (query: (sql: string) => Promise<ResultRow[]>) => Promise<T>,
    viewsOf: (views: readonly SqlView[]) => readonly SqlView[],
    signal?: AbortSignal,
  ): Promise<T> {
    const { clock, engine, folder, views } = this.#options;
    const committed = await this.#committed({ from, to: Math.max(this.#newest, clock.now()) + 1 });
    const own = join(folder, crypto.randomUUID());
    try {
      const arrived = await writeRows(
        own,
        this.#arrived.filter(
          (row) => (cities === null || cities.has(row.city)) && parseTimestamp(row.timestamp) >= from,
        ),
      );
      const { where, given } = conditionOf(from, cities);
      const options = {
        snapshot: { files: [...committed, ...arrived] },
        views: viewsOf(await views()),
        arguments: given,
        ...(signal === undefined ? {} : { signal }),
      };
      return await ask(async (sql) => rowsOf(await engine.query(`${sql} ${where}`, options)));
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  }

  /** Committed files of a time. With the lake away there are none: what has arrived is judged all the same. */
  async #committed(range: { from: number; to: number }): Promise<readonly SnapshotFile[]> {
    try {
      return (await this.#options.reader.snapshot(range)).snapshot.files;
    } catch (error) {
      this.#options.logger.debug("Judging without the lake", { reason: messageOf(error) });
      return [];
    }
  }

  /** Keeps what waits within its bound: the oldest are left out. */
  #leaveOut(): void {
    const over = this.#pending.length - ARRIVED_MAX;
    if (over <= 0) return;
    this.#pending.splice(0, over);
    this.#skipped += over;
  }
}

/** The view in whose place no outage is looked for: half of what a judgement would cost. */
const NO_OUTAGES: SqlView = {
  name: "outages",
  sql: "SELECT *, CAST(NULL AS string) AS outage, 1 AS place_in_outage, 1 AS series_of_outage FROM measured",
};
/** What is asked of the views; a condition follows. */
const FLAGGED = `SELECT city, source, timestamp, log_offset, ${FLAG_COLUMNS.join(", ")} FROM quality WHERE`;
const ANOMALIES = "SELECT * FROM anomaly WHERE (kind = 'unusual' OR status = 'anomaly') AND";
const SILENCES = `SELECT city, source, timestamp FROM (
  SELECT city, source, timestamp, status, row_number() OVER (PARTITION BY city, source ORDER BY timestamp DESC) AS place
  FROM anomaly WHERE kind IN ('silent', 'outage')
) AS s WHERE place = 1 AND status = 'anomaly' AND`;

/** Conditions and arguments for some cities; for many of them all are read, and theirs picked out afterwards. */
function conditionOf(
  from: number,
  cities: ReadonlySet<string> | null,
): { where: string; given: Record<string, string> } {
  const where = `timestamp >= ${timestampLiteral(from)}`;
  if (cities === null || cities.size > NAMED_CITIES) return { where, given: {} };
  const given = Object.fromEntries([...cities].map((city, index) => [`city_${index}`, city]));
  const names = Object.keys(given).map((name) => `:${name}`);
  return { where: `${where} AND city IN (${names.join(", ")})`, given };
}

/** Writes rows as the consumer does, a file a day. Any of them may be committed as well: the newest of each counts. */
async function writeRows(folder: string, rows: readonly Row[]): Promise<SnapshotFile[]> {
  await mkdir(folder, { recursive: true });
  const days = Map.groupBy(rows, ({ timestamp }) => timestamp.slice(0, 10));
  return Promise.all(
    [...days].map(async ([date, own]): Promise<SnapshotFile> => {
      const location = join(folder, `${date}.jsonl`);
      await Bun.write(location, own.map((row) => `${JSON.stringify(row)}\n`).join(""));
      return { location, format: "jsonl", date, rows: own.length, revisions: own.length };
    }),
  );
}
