import { IsobarError } from "../core/errors.ts";
import { canonicalJson, identityOf, observationOfRow, type Row } from "../core/observation.ts";
import { isLater } from "../core/time.ts";
import { rowsOf } from "../spark/arrow.ts";
import type { Engine, Snapshot } from "../spark/engine.ts";
import { AHEAD_MS } from "../spark/time-ahead.ts";
import { parseRecords } from "./batch.ts";
import type { Retraction } from "./commits/entry.ts";
import { fold, type ChainState, type LiveFile } from "./commits/fold.ts";
import { offsetsOf, placeOf } from "./commits/names.ts";
import { commitRetraction } from "./commits/retraction.ts";
import { isWithin, type RetractedRange } from "./commits/retracted-range.ts";
import type { Chain } from "./commits/writer.ts";
import type { Log } from "./log/log.ts";
import { snapshotFile, standingRows } from "./readers/lake-reader.ts";
import { OBSERVATION_COLUMN_LIST, observationRows, withRevisions } from "./readers/observation-rows.ts";

/** Records of the log read at a time. */
const CHUNK = 10_000;
/** How often it is tried again because the consumer committed a batch meanwhile, of which only the new part is looked at. */
const TRIES = 100;

/** What a retraction works with. */
export interface RetractParts {
  chain: Chain;
  log: Log;
  engine: Engine;
}

/** Offsets, how many and from where to where, inclusive. */
export interface OffsetSpan {
  count: number;
  first: number;
  last: number;
}

/** What a retraction takes away, or would. */
export interface RetractionReport {
  partition: number;
  range: RetractedRange;
  /** Rows of the source in the range, and of them those that no retraction named before. */
  rows: number;
  fresh: number;
  cities: number;
  /** Oldest and newest observation time of the rows, ISO 8601 UTC. */
  from: string;
  to: string;
  /** Rows stored later whose values come from these rows: while they stand, nothing is retracted. Null: there are none. */
  joined: OffsetSpan | null;
  /** Later records that said the same and were counted as duplicates: nothing is left of them afterwards. */
  duplicates: OffsetSpan | null;
  /** What was committed: null for a look, where all is retracted already, and where `joined` rows stand against it. */
  committed: Retraction | null;
}

/**
 * Retracts the rows of a source in a range of offsets of a partition: nobody reads them any more, and the revision before
 * each stands again. The files stay as they are. It works beside a running consumer.
 *
 * @param options.reason why, for people; null only looks what would be retracted
 * @throws IsobarError `not_there` when the range has no row of the source, `not_committed` when it is not committed whole,
 *   `busy`; CommitError, LakeError, LogError, EngineError
 */
export async function retract(
  parts: RetractParts,
  range: RetractedRange,
  options: { reason: string | null },
): Promise<RetractionReport> {
  const { chain } = parts;
  const { lake, topic, partition } = chain;
  let state = await fold(lake, topic, partition);
  if (range.last >= (state.next ?? 0)) {
    throw new IsobarError(
      "not_committed",
      `Cannot retract offsets ${range.first}–${range.last} of partition ${partition}: the lake ends before offset ${state.next ?? 0}`,
      { hint: "What is in the log is committed within seconds by a running program, or by its next start." },
    );
  }
  const named = await rowsNamed(parts, state, range);
  const [oldest] = named;
  if (oldest === undefined) {
    throw new IsobarError(
      "not_there",
      `Cannot retract: offsets ${range.first}–${range.last} of partition ${partition} hold no row of the source "${range.source}"`,
      {
        hint: "`bun run import` says at its end what it brought; the page Why? says the offset of a report.",
      },
    );
  }
  const times = named.map(({ timestamp }) => timestamp);
  const report: RetractionReport = {
    partition,
    range,
    rows: named.length,
    fresh: named.filter(({ offset }) => !isRetracted(state, { source: range.source, offset })).length,
    cities: new Set(named.map(({ city }) => city)).size,
    from: times.reduce((a, b) => (isLater(a, b) ? b : a)),
    to: times.reduce((a, b) => (isLater(a, b) ? a : b)),
    joined: null,
    duplicates: null,
    committed: null,
  };
  if (report.fresh === 0) return report;
  const later = new LaterRecords(parts, range, named);
  for (let tries = 0; tries < TRIES; tries++) {
    await later.look(state);
    Object.assign(report, { joined: later.joined, duplicates: later.duplicates });
    if (report.joined !== null || options.reason === null) return report;
    const { rows } = report;
    const watermark = await watermarkWithout(parts, state, range, report.to);
    const after = await commitRetraction(chain, state, { ...range, rows, reason: options.reason }, watermark);
    if (after !== null) return { ...report, committed: after.retractions.at(-1) ?? null };
    state = await fold(lake, topic, partition);
  }
  throw new IsobarError("busy", `Cannot retract: the consumer commits without a pause`, {
    hint: "Stop the program, or try again when less comes in.",
  });
}

/** A row that the retraction names. */
interface NamedRow {
  offset: number;
  identity: string;
  city: string;
  timestamp: string;
}

/** The rows of a range, retracted ones included, by offset. */
async function rowsNamed(
  { chain, engine }: RetractParts,
  state: ChainState,
  { source, first, last }: RetractedRange,
): Promise<NamedRow[]> {
  const files = [...state.live.values()].filter(({ path }) => {
    const made = offsetsOf(path);
    return made.first <= last && made.last >= first;
  });
  const table = await engine.query(
    `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations
     WHERE source = :source AND log_offset BETWEEN :first AND :last ORDER BY log_offset`,
    { snapshot: everyRow(chain, files), arguments: { source, first, last } },
  );
  return observationRows(table).map((row) => {
    const observation = observationOfRow(row);
    const { city, timestamp } = observation;
    return { offset: row.log_offset, identity: identityOf(observation), city, timestamp };
  });
}

/**
 * What came after the rows of a retraction and speaks of the same observations. A row that is just what its record says
 * stands by itself. Any other was joined with the row before it, and holds values of it. A record without a row was a
 * duplicate of the row before it.
 */
class LaterRecords {
  joined: OffsetSpan | null = null;
  duplicates: OffsetSpan | null = null;
  readonly #parts: RetractParts;
  readonly #range: RetractedRange;
  readonly #named: readonly NamedRow[];
  /** How many of the named rows lie before what is looked at. */
  #passed = 0;
  /** Observations whose newest row is a named one, or holds values of it. */
  readonly #tainted = new Set<string>();
  /** First offset not looked at. */
  #next: number;

  constructor(parts: RetractParts, range: RetractedRange, named: readonly NamedRow[]) {
    this.#parts = parts;
    this.#range = range;
    this.#named = named;
    this.#next = range.first;
  }

  /** Looks at what was committed since the last look. */
  async look(state: ChainState): Promise<void> {
    const { log, chain } = this.#parts;
    const from = this.#next;
    const to = state.next ?? 0;
    const rows = await this.#rowsSince(state, from);
    const { low } = await log.bounds(chain.partition);
    // The log does not hold what these rows were made of: whether they stand by themselves cannot be told.
    for (const [offset, { identity }] of rows) {
      if (offset < low && this.#isTainted(offset, identity)) this.joined = spanWith(this.joined, offset);
    }
    for (let at = Math.max(from, low); at < to;) {
      const read = await log.read(chain.partition, at, Math.min(CHUNK, to - at));
      for (const record of parseRecords(read)) {
        const { offset } = record;
        if (!record.ok || offset >= to) continue;
        const row = rows.get(offset);
        // A row's own identity: an older program may have stored the city's name in another form.
        if (!this.#isTainted(offset, row?.identity ?? record.identity)) continue;
        if (isWithin(this.#range, { source: this.#range.source, offset })) continue;
        if (row === undefined) this.duplicates = spanWith(this.duplicates, offset);
        else if (row.isRetracted) continue;
        else if (row.json === record.json) this.#tainted.delete(record.identity);
        else this.joined = spanWith(this.joined, offset);
      }
      at = (read.at(-1)?.offset ?? to - 1) + 1;
    }
    this.#next = Math.max(from, to);
  }

  /** Whether the newest row of an observation before an offset is a named one, or holds values of it. */
  #isTainted(offset: number, identity: string): boolean {
    for (let row = this.#named[this.#passed]; row !== undefined && row.offset <= offset;) {
      this.#tainted.add(row.identity);
      row = this.#named[++this.#passed];
    }
    return this.#tainted.has(identity);
  }

  /** Rows from an offset on, outside the range, that may be of the same observations; by offset. */
  async #rowsSince(
    state: ChainState,
    from: number,
  ): Promise<Map<number, { identity: string; json: string; isRetracted: boolean }>> {
    const { chain, engine } = this.#parts;
    const { source, first, last } = this.#range;
    const dates = new Set(this.#named.map(({ timestamp }) => timestamp.slice(0, 10)));
    const files = [...state.live.values()].filter(({ path }) => dates.has(placeOf(path).date));
    const table = await engine.query(
      `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations
       WHERE source = :source AND log_offset >= :from AND log_offset NOT BETWEEN :first AND :last
         AND (city, timestamp) IN (SELECT (city, timestamp) FROM observations
           WHERE source = :source AND log_offset BETWEEN :first AND :last)
       ORDER BY log_offset`,
      { snapshot: everyRow(chain, files), arguments: { source, first, last, from } },
    );
    return new Map(
      observationRows(table).map((row: Row) => {
        const observation = observationOfRow(row);
        const isGone = isRetracted(state, { source, offset: row.log_offset });
        const json = canonicalJson(observation);
        return [row.log_offset, { identity: identityOf(observation), json, isRetracted: isGone }];
      }),
    );
  }
}

/** The newest observation time of the rows that stand without a range. @param newest that of the range's rows */
async function watermarkWithout(
  { chain, engine }: RetractParts,
  state: ChainState,
  range: RetractedRange,
  newest: string,
): Promise<string | null> {
  const { watermark } = state;
  if (watermark === null || isLater(watermark, newest)) return watermark;
  const retractions = [...state.retractions, range];
  const files = [...state.live.values()].map((file) => standingRows(chain.lake, file, retractions));
  const table = await engine.query(
    `SELECT max(timestamp) AS newest FROM observations WHERE timestamp <= ingested_at + INTERVAL '${AHEAD_MS} milliseconds'`,
    { snapshot: withRevisions({ files }) },
  );
  return (rowsOf(table)[0] as { newest: string | null }).newest;
}

function everyRow({ lake }: Chain, files: readonly LiveFile[]): Snapshot {
  return withRevisions({ files: files.map((file) => snapshotFile(lake, file)) });
}

function isRetracted(state: ChainState, row: { source: string; offset: number }): boolean {
  return state.retractions.some((one) => isWithin(one, row));
}

function spanWith(span: OffsetSpan | null, offset: number): OffsetSpan {
  return span === null
    ? { count: 1, first: offset, last: offset }
    : { count: span.count + 1, first: Math.min(span.first, offset), last: Math.max(span.last, offset) };
}
