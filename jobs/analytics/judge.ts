import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import type { Row } from "../../core/observation.ts";
import type { Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";
import { rowsOf } from "../../spark/arrow.ts";
import type { Engine, SqlView } from "../../spark/engine.ts";
import { JUDGED_PAST_MS } from "../../spark/judging.ts";
import { type LiveAnswer, LiveTables, type LiveQuestion } from "../../spark/live-tables.ts";
import { assemble, keyOf, newAndBefore, seriesOf } from "./judgements.ts";
import type { LakeReader } from "../readers/lake-reader.ts";
import { OBSERVATION_COLUMN_LIST, observationRows, timestampLiteral } from "../readers/observation-rows.ts";
import type { BackgroundJob } from "../supervisor.ts";

/** What {@link Judge} works with. */
export interface JudgeOptions {
  reader: Pick<LakeReader, "snapshot">;
  /** Reads the committed rows of the past once, at the start: DuckDB in this process, whatever runs the jobs. */
  engine: Engine;
  /** The views of analysis over the newest kept baseline. */
  views: () => Promise<readonly SqlView[]>;
  /** Whether time goes on for this data: a recording that is replayed falls silent where it ends. */
  isLive: boolean;
  /** A folder of this process alone, for what does not fit into memory. */
  folder: string;
  clock: Clock;
  logger: Logger;
  /** Takes the judgements of some observations, in time order within a series. */
  publish: (judgements: readonly Judgement[]) => void;
}

/** What is late by as much as a judgement looks back needs as much before it. */
const KEPT_MS = 2 * JUDGED_PAST_MS;
/** Rows that wait to be judged. */
const WAITING_MAX = 20_000;
/** Rows of the past taken in before other work of the process gets its turn. */
const ROWS_PER_TURN = 5_000;
/** Rows judged in one go. */
const BATCH_MAX = 5_000;
/** Time between two looks for stations that have fallen silent, ms. */
const SILENCE_MS = 60_000;

/**
 * The live judge: applies the SQL of quality control and of anomalies to what arrives, over the last reports in memory and the kept
 * baseline, so that neither a chart's band nor an alert waits for a batch. An observation goes out at once; its judgement
 * follows. What is older than that past is left to the jobs.
 */
export class Judge {
  readonly #options: JudgeOptions;
  #tables: Promise<LiveTables> | null = null;
  /** The question under way. */
  #asking: Promise<unknown> = Promise.resolve();
  /** Whether the committed rows of the past are in the tables. */
  #isFilled = false;
  /** Rows that are not in the tables yet. */
  #arrived: Row[] = [];
  #pending: Row[] = [];
  /** What was retracted and may still be in the tables. */
  #gone: ((row: Pick<Row, "source" | "log_offset">) => boolean)[] = [];
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
    for (const row of rows) this.#newest = Math.max(this.#newest, parseTimestamp(row.timestamp));
    this.#arrived.push(
      ...rows.filter(({ timestamp }) => parseTimestamp(timestamp) >= this.#newest - KEPT_MS),
    );
    this.#pending.push(...rows);
    this.#leaveOut();
    this.#arrival.resolve();
  }

  /** Forgets rows that were retracted. What is committed is read without them anyhow. */
  withdraw(isGone: (row: Pick<Row, "source" | "log_offset">) => boolean): void {
    this.#arrived = this.#arrived.filter((row) => !isGone(row));
    this.#pending = this.#pending.filter((row) => !isGone(row));
    this.#gone.push(isGone);
    this.again();
  }

  /** Reads the committed rows again: some may never have arrived, or stand again. */
  again(): void {
    this.#isFilled = false;
  }

  /** Frees the tables. */
  async close(): Promise<void> {
    await this.#asking;
    (await this.#tables)?.close();
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
    const series = new Map(rows.map((row) => [seriesOf(row), row]));
    const answer = await this.#ask(
      {
        from: from - JUDGED_PAST_MS,
        cities: [...cities],
        since: [...since].map(([key, first]) => {
          const { city, source } = series.get(key)!;
          return { city, source, from: first };
        }),
      },
      // What has just arrived is not silent: nobody has to be asked who else is.
      (views) => views.map((view) => (view.name === "outages" ? NO_OUTAGES : view)),
      signal,
    );
    const flagged = newAndBefore(rowsOf(answer.flagged), since);
    return assemble(flagged, rowsOf(answer.anomalies), this.#options.isLive);
  }

  /**
   * Judges the last report of each series that has fallen silent since the last call.
   *
   * @throws EngineError
   */
  async silent(signal?: AbortSignal): Promise<Judgement[]> {
    const from = this.#options.clock.now() - JUDGED_PAST_MS;
    const before = this.#silent;
    const answer = await this.#ask({ from, cities: null, since: null }, (views) => views, signal);
    const found = rowsOf(answer.flagged);
    this.#silent = new Set(found.map(keyOf));
    const fresh = found.filter((row) => !before.has(keyOf(row)));
    return assemble(fresh, rowsOf(answer.anomalies), true);
  }

  /** Asks the tables, one question at a time. */
  #ask(
    question: Omit<LiveQuestion, "now">,
    viewsOf: (views: readonly SqlView[]) => readonly SqlView[],
    signal?: AbortSignal,
  ): Promise<LiveAnswer> {
    const answered = this.#asking.then(() => this.#askNow(question, viewsOf, signal));
    this.#asking = answered.catch(() => {}); // whoever asked is told
    return answered;
  }

  /** Brings the tables up to date and asks them. */
  async #askNow(
    question: Omit<LiveQuestion, "now">,
    viewsOf: (views: readonly SqlView[]) => readonly SqlView[],
    signal?: AbortSignal,
  ): Promise<LiveAnswer> {
    const { clock, folder, isLive, views } = this.#options;
    const tables = await (this.#tables ??= LiveTables.open(folder));
    for (const isGone of this.#gone.splice(0)) await tables.remove(isGone);
    if (!this.#isFilled) this.#isFilled = await this.#fill(tables, signal);
    const arrived = this.#arrived.splice(0);
    try {
      await tables.append(arrived);
    } catch (error) {
      this.#arrived.unshift(...arrived);
      throw error;
    }
    await tables.trim(this.#newest - KEPT_MS);
    signal?.throwIfAborted();
    return tables.ask(viewsOf(await views()), { ...question, now: isLive ? clock.now() : null });
  }

  /** Takes the committed rows of the past in. With the lake away it is for the next time: what has arrived is judged all the same. */
  async #fill(tables: LiveTables, signal?: AbortSignal): Promise<boolean> {
    const { clock, engine, logger, reader } = this.#options;
    const newest = this.#newest === -Infinity ? clock.now() : this.#newest;
    const from = Math.min(newest, clock.now()) - KEPT_MS;
    let snapshot;
    try {
      ({ snapshot } = await reader.snapshot({ from, to: Math.max(newest, clock.now()) + 1 }));
    } catch (error) {
      logger.debug("Judging without the lake", { reason: messageOf(error) });
      return false;
    }
    const sql = `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations WHERE timestamp >= ${timestampLiteral(from)}`;
    const table = await engine.query(sql, { snapshot, ...(signal === undefined ? {} : { signal }) });
    for (let start = 0; start < table.numRows; start += ROWS_PER_TURN) {
      await tables.append(observationRows(table.slice(start, start + ROWS_PER_TURN)));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  }

  /** Keeps what waits within its bound: the oldest are left out. */
  #leaveOut(): void {
    const over = this.#pending.length - WAITING_MAX;
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
