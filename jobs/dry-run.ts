import {
  describe,
  identityOf,
  impossibleReasons,
  type Observation,
  parseObservation,
} from "../core/observation.ts";
import { VARIABLE_NAMES } from "../core/variables.ts";
import type { NewRecord } from "./log/log.ts";
import type { ReadLine, ReadWatcher } from "./sources/line-reader.ts";
import { Notes } from "./sources/notes.ts";

/** Rows that are kept as they were read. */
const ROWS_KEPT = 5;
/** Observations that are remembered, to tell which come again: it bounds the memory. */
const KNOWN_MAX = 1_000_000;

/** Fields that hold what was observed, in the order of the record. */
export const OBSERVED_FIELDS = [...VARIABLE_NAMES, "weather_main", "weather_description"] as const;

/** The values of a field: how many, and of numbers the least and the greatest in the record's unit. */
export interface FieldValues {
  count: number;
  least: number | null;
  greatest: number | null;
}

/** What an import would do, found without writing anything. */
export class DryRun implements ReadWatcher {
  records = 0;
  observations = 0;
  /** Observations of a source, city and time that came before; a lower bound after a million different ones. */
  again = 0;
  /** Times of the first and the last observation, ms since the epoch. */
  from = Infinity;
  to = -Infinity;
  readonly cities = new Set<string>();
  /** Columns of a file that is read by a column map; null for another. */
  columns: readonly string[] | null = null;
  /** Values by field, of those that have any. */
  readonly fields = new Map<string, FieldValues>();
  /** The first rows, and their times as they stand in the file; null where no column map says which that is. */
  readonly first: { clock: string | null; observation: Observation }[] = [];
  /** Why records would be rejected. */
  readonly rejected = new Notes();
  /** Values that are left out, because no instrument can have measured them. */
  readonly impossible = new Notes();
  readonly #known = new Set<number | bigint>();

  header(columns: readonly string[]): void {
    this.columns = columns;
  }

  line({ clock, parsed }: ReadLine): void {
    if (parsed.ok && this.first.length < ROWS_KEPT)
      this.first.push({ clock: clock ?? null, observation: parsed.observation });
  }

  /**
   * Reads records as the consumer will.
   *
   * @param now when the log would take them, ms
   */
  async read(chunks: AsyncIterable<NewRecord[]>, now: number): Promise<void> {
    for await (const chunk of chunks) for (const { value } of chunk) this.#take(value, now);
  }

  #take(value: string, now: number): void {
    this.records++;
    let record: unknown;
    try {
      record = JSON.parse(value);
    } catch {
      return this.rejected.add("record is not JSON", describe(value));
    }
    const parsed = parseObservation(record, now);
    if (!parsed.ok) {
      const line = typeof record === "object" && record !== null && "line" in record ? record.line : record;
      return this.rejected.add(parsed.reason, describe(line));
    }
    const { observation } = parsed;
    this.observations++;
    const identity = Bun.hash(identityOf(observation));
    if (this.#known.has(identity)) this.again++;
    else if (this.#known.size < KNOWN_MAX) this.#known.add(identity);
    const at = Date.parse(observation.timestamp);
    this.from = Math.min(this.from, at);
    this.to = Math.max(this.to, at);
    this.cities.add(observation.city);
    for (const reason of impossibleReasons(observation))
      this.impossible.add(reason, `${observation.timestamp} ${observation.city}`);
    for (const field of OBSERVED_FIELDS) {
      const one = observation[field] ?? null;
      if (one !== null) this.#addValue(field, one);
    }
  }

  #addValue(field: string, value: number | string): void {
    const values = this.fields.get(field) ?? { count: 0, least: null, greatest: null };
    this.fields.set(field, values);
    values.count++;
    if (typeof value !== "number") return;
    values.least = Math.min(values.least ?? value, value);
    values.greatest = Math.max(values.greatest ?? value, value);
  }
}
