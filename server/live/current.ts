import {
  joinObservations,
  type Observation,
  type Row,
  observationOfRow,
  parseObservation,
} from "../../core/observation.ts";
import type { Judgement } from "../../core/quality.ts";
import { formatTimestamp, parseTimestamp } from "../../core/time.ts";
import type { LogRecord } from "../../jobs/log/log.ts";
import { isAhead } from "../../spark/time-ahead.ts";
import type { CurrentObservation } from "../answers/services.ts";
import { isRetractedRow, type Retracted } from "./retracted.ts";

/** Largest number of cities in memory: more than any network of stations has. */
const CITIES_MAX = 100_000;

/** What is shown of a city. */
interface Shown {
  value: CurrentObservation;
  ms: number;
  /** Partition of the log that it came from; undefined for a row of the lake, which was not retracted when it was read. */
  partition: number | undefined;
}

/** The newest of a source in a city. */
interface Report {
  observation: Observation;
  ms: number;
  offset: number;
  partition: number | undefined;
}

/** The newest observation of each city, by observation time, then by offset, so that a revision replaces the older value. */
export class CurrentState {
  readonly #cities = new Map<string, Shown>();
  /** The newest of each source in each city: what a later record of the same time is joined with. */
  readonly #reports = new Map<string, Report>();
  readonly #max: number;
  #list: readonly CurrentObservation[] | null = null;
  #newest = -Infinity;
  #retracted: Retracted = new Map();

  /** @param max limit of the number of cities; later ones are ignored */
  constructor(max = CITIES_MAX) {
    this.#max = max;
  }

  /**
   * Takes records of the log.
   *
   * @returns the valid ones, in order, each joined with what its source reported before of that time, as the consumer
   *   stores it. Of the others the consumer rejects those that are no observations, and stores those whose time is ahead,
   *   which fails: nobody can say what they are of. What is known to be retracted is left out.
   */
  apply(records: readonly LogRecord[], partition = 0): Row[] {
    const rows: Row[] = [];
    for (const { value, offset, timestamp } of records) {
      const parsed = parseObservation(parseJson(value), timestamp);
      if (!parsed.ok || isAhead(parseTimestamp(parsed.observation.timestamp), timestamp)) continue;
      const { source } = parsed.observation;
      if (isRetractedRow(this.#retracted, { partition, source, offset })) continue;
      const observation = this.#joined(parsed.observation, offset, parsed.correction ?? false, partition);
      this.#take({ observation, offset, receivedMs: timestamp, judgement: null }, partition);
      rows.push({ ...observation, log_offset: offset, ingested_at: formatTimestamp(timestamp) });
    }
    return rows;
  }

  /** Takes rows of the lake. */
  seed(rows: readonly Row[]): void {
    for (const row of rows) {
      const observation = observationOfRow(row);
      if (isAhead(parseTimestamp(row.timestamp), parseTimestamp(row.ingested_at))) continue;
      this.#joined(observation, row.log_offset, true); // it is joined already
      const receivedMs = parseTimestamp(row.ingested_at);
      this.#take({ observation, offset: row.log_offset, receivedMs, judgement: null });
    }
  }

  /**
   * Forgets what is retracted, and takes what stands in its place.
   *
   * @param rows the newest rows of the lake
   */
  withdraw(retracted: Retracted, rows: readonly Row[]): void {
    this.#retracted = retracted;
    const isGone = ({ partition }: { partition?: number | undefined }, source: string, offset: number) =>
      isRetractedRow(retracted, { partition, source, offset });
    for (const [key, report] of this.#reports) {
      if (isGone(report, report.observation.source, report.offset)) this.#reports.delete(key);
    }
    for (const [city, shown] of this.#cities) {
      const { observation, offset } = shown.value;
      if (isGone(shown, observation.source, offset)) this.#cities.delete(city);
    }
    this.#newest = [...this.#cities.values()].reduce((newest, { ms }) => Math.max(newest, ms), -Infinity);
    this.#list = null;
    this.seed(rows);
  }

  /** Takes judgements. A judgement of an observation that is no longer the city's newest is ignored. */
  judge(judgements: readonly Judgement[]): void {
    for (const judgement of judgements) {
      const entry = this.#cities.get(judgement.city);
      if (entry === undefined) continue;
      const { observation, offset } = entry.value;
      if (observation.source !== judgement.source || offset !== judgement.log_offset) continue;
      if (entry.ms !== parseTimestamp(judgement.timestamp)) continue;
      entry.value = { ...entry.value, judgement };
      this.#list = null;
    }
  }

  /** The newest observation of each city, sorted by name. The same array until something changes. */
  list(): readonly CurrentObservation[] {
    this.#list ??= [...this.#cities.values()]
      .map(({ value }) => value)
      .sort((a, b) => (a.observation.city < b.observation.city ? -1 : 1));
    return this.#list;
  }

  /** The newest observation of a city, by its name as in observations; null if there is none. */
  city(name: string): CurrentObservation | null {
    return this.#cities.get(name)?.value ?? null;
  }

  /** The newest observation time seen, ISO 8601 UTC; null before the first. */
  get watermark(): string | null {
    return this.#newest === -Infinity ? null : formatTimestamp(this.#newest);
  }

  /** What a record makes of its observation; it is kept for the next record of the same time. */
  #joined(record: Observation, offset: number, correction: boolean, partition?: number): Observation {
    const key = `${record.source}\u0000${record.city}`;
    const ms = parseTimestamp(record.timestamp);
    const before = this.#reports.get(key);
    if (before === undefined ? this.#reports.size >= this.#max : ms < before.ms) return record;
    if (before !== undefined && ms === before.ms && offset <= before.offset) return record;
    const isSame = !correction && before !== undefined && ms === before.ms;
    const observation = isSame ? joinObservations(before.observation, record) : record;
    this.#reports.set(key, { observation, ms, offset, partition });
    return observation;
  }

  #take(value: CurrentObservation, partition?: number): void {
    const { city, timestamp } = value.observation;
    // Not compared as text: ".5Z" would sort before "Z".
    const ms = parseTimestamp(timestamp);
    this.#newest = Math.max(this.#newest, ms);
    const before = this.#cities.get(city);
    if (before === undefined ? this.#cities.size >= this.#max : !isNewer(value, ms, before)) return;
    this.#cities.set(city, { value, ms, partition });
    this.#list = null;
  }
}

function isNewer(value: CurrentObservation, ms: number, before: Shown): boolean {
  return ms > before.ms || (ms === before.ms && value.offset > before.value.offset);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not a record; parseObservation says so
  }
}
