import { canonicalJson, identityOf, observationOfRow, type Row } from "../core/observation.ts";
import { hourKey } from "../core/time.ts";

/** Default limit of the rows in memory, over all hours: about 40 MB. */
const DEFAULT_MAX_ROWS = 100_000;

/**
 * The newest committed values of each observation, by identity, for the hours in use. It is a bounded LRU cache in front of
 * the lake: the least recently used hours are evicted, and loaded again when they are needed.
 *
 * It belongs to one writer of one partition. After any failure of a batch, discard it together with the writer.
 */
export class CommittedIndex {
  readonly #load: (hours: readonly string[]) => Promise<Row[]>;
  readonly #maxRows: number;
  /** Least recently used first: a Map keeps the insertion order. */
  readonly #hours = new Map<string, Map<string, string>>();
  #rows = 0;

  /** @param load the newest revision of every committed row of the given hours (`2026-01-31T06`) */
  constructor(load: (hours: readonly string[]) => Promise<Row[]>, maxRows = DEFAULT_MAX_ROWS) {
    this.#load = load;
    this.#maxRows = maxRows;
  }

  /** Loads the given hours into memory if they are missing. */
  async prepare(hours: ReadonlySet<string>): Promise<void> {
    const missing: string[] = [];
    for (const hour of hours) {
      const rows = this.#hours.get(hour);
      if (rows === undefined) {
        missing.push(hour);
        continue;
      }
      this.#hours.delete(hour);
      this.#hours.set(hour, rows);
    }
    if (missing.length === 0) return;
    const loaded = await this.#load(missing);
    for (const hour of missing) this.#hours.set(hour, new Map());
    for (const row of loaded) {
      const observation = observationOfRow(row);
      this.#hours
        .get(hourKey(observation.timestamp))
        ?.set(identityOf(observation), canonicalJson(observation));
    }
    for (const hour of missing) this.#rows += this.#hours.get(hour)!.size;
  }

  /** Forgets what was loaded: rows were retracted since. */
  clear(): void {
    this.#hours.clear();
    this.#rows = 0;
  }

  /** The committed values of an observation, or undefined. Call `prepare` with the hour first. */
  valuesOf(hour: string, identity: string): string | undefined {
    const rows = this.#hours.get(hour);
    if (rows === undefined) throw new RangeError(`Cannot look into hour ${hour}: it is not prepared`);
    return rows.get(identity);
  }

  /** Adds the rows of a committed batch, and evicts the least recently used hours. */
  remember(stored: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
    for (const [hour, values] of stored) {
      const rows = this.#hours.get(hour);
      if (rows === undefined) throw new RangeError(`Cannot remember hour ${hour}: it is not prepared`);
      this.#rows -= rows.size;
      for (const [identity, json] of values) rows.set(identity, json);
      this.#rows += rows.size;
    }
    for (const [hour, rows] of this.#hours) {
      if (this.#rows <= this.#maxRows) break;
      this.#hours.delete(hour);
      this.#rows -= rows.size;
    }
  }
}
