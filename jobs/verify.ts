import { sha256Hex } from "../core/checksum.ts";
import { codeOf, messageOf } from "../core/errors.ts";
import {
  canonicalJson,
  identityOf,
  NO_VALUE,
  type Observation,
  observationOfRow,
  type Row,
} from "../core/observation.ts";
import { HOUR_MS } from "../core/time.ts";
import { rowsOf } from "../spark/arrow.ts";
import type { Engine, Snapshot } from "../spark/engine.ts";
import { laterColumns, unknownColumns } from "../spark/file-columns.ts";
import { joinedJson, parseRecords, type ParsedRecord } from "./batch.ts";
import type { FileInfo, Retraction } from "./commits/entry.ts";
import { fold, type ChainState } from "./commits/fold.ts";
import { offsetsOf, placeOf } from "./commits/names.ts";
import { isWithin } from "./commits/retracted-range.ts";
import { overlaps, snapshotFile } from "./readers/lake-reader.ts";
import type { Lake } from "./lake/lake.ts";
import type { Log } from "./log/log.ts";
import { readRows, withRevisions } from "./readers/observation-rows.ts";

/** Records compared at a time; it bounds the memory. */
const CHUNK = 50_000;
/** Problems that are listed; further ones are only counted. */
const TOLD = 50;

/** The proof of one partition. */
export interface PartitionProof {
  partition: number;
  /** First offset in the log, and the offset after the last. */
  low: number;
  high: number;
  /** First offset not committed, and the lag: records in the log that are not committed. */
  next: number;
  behind: number;
  /** Counts of the chain: rows + duplicates + rejected = records consumed. */
  rows: number;
  duplicates: number;
  rejected: number;
  /** What was retracted: its rows are among the rows. */
  retractions: readonly Retraction[];
  /** Records below `next` that were still in the log and were compared with the lake. */
  compared: number;
  files: number;
  bytes: number;
  /** The problems; empty when log = rows + duplicates + rejected. */
  problems: string[];
}

/**
 * Proves for one partition that the lake holds every record of the log exactly once. Every committed file is intact, the
 * files hold as many rows as the chain counted, and no offset occurs twice. Each record that is still in the log is a rejected
 * record, a row that is the join of the row before it with the record, or a duplicate: its join with the row before is that row.
 * Rows that were retracted before a record came are none before it. They are in the files as all others, as many as their
 * retraction names.
 *
 * What an older or a newer program stored is judged by what that program knew. Values of a newer one are compared in the columns
 * known here. An older one may have rejected a record for a field that it did not know, have counted a record without that
 * field as a duplicate, and have stored a revision without the field's value.
 */
export async function verifyPartition(
  lake: Lake,
  log: Log,
  engine: Engine,
  partition: number,
): Promise<PartitionProof> {
  const problems: string[] = [];
  let untold = 0;
  const problem = (text: string) => void (problems.length < TOLD ? problems.push(text) : untold++);
  const state = await fold(lake, log.topic, partition);
  const { low, high } = await log.bounds(partition);
  const next = state.next ?? low;
  const live = [...state.live.values()];

  for (const file of [...live, ...state.rejected]) await checkFile(lake, file, problem);
  const snapshot: Snapshot = withRevisions({ files: live.map((file) => snapshotFile(lake, file)) });
  const rejected = new Set<number>();
  let compared = 0;
  if (problems.length === 0) {
    await checkCounts(engine, snapshot, live, state, problem);
    await readRejected(lake, state, rejected, problem);
    if (rejected.size !== state.counts.rejected) {
      problem(`${rejected.size} rejected records are kept, the chain counted ${state.counts.rejected}`);
    }
    await checkRetractions(engine, snapshot, state, problem);
    compared = await compareWithLog({ lake, log, engine, partition, state, rejected, problem });
  }
  if (next > high) problem(`the lake ends at offset ${next - 1}, the log at ${high - 1}`);
  if (next < low) problem(`the lake needs offset ${next} next, the log begins at ${low}`);
  if (untold > 0) problems.push(`and ${untold} more`);
  return {
    partition,
    low,
    high,
    next,
    behind: Math.max(0, high - next),
    ...state.counts,
    retractions: state.retractions,
    compared,
    files: live.length,
    bytes: live.reduce((sum, file) => sum + file.bytes, 0),
    problems,
  };
}

async function checkFile(lake: Lake, file: FileInfo, problem: (text: string) => void): Promise<void> {
  try {
    const bytes = await lake.read(file.path);
    if (bytes.length !== file.bytes)
      problem(`${file.path} has ${bytes.length} bytes, ${file.bytes} were committed`);
    else if (sha256Hex(bytes) !== file.sha256) problem(`${file.path} has another content than was committed`);
  } catch (error) {
    problem(codeOf(error) === "missing" ? `${file.path} is committed and gone` : messageOf(error));
  }
}

async function checkCounts(
  engine: Engine,
  snapshot: Snapshot,
  live: readonly FileInfo[],
  state: ChainState,
  problem: (text: string) => void,
): Promise<void> {
  const sql =
    "SELECT CAST(count(*) AS BIGINT) AS n, CAST(count(DISTINCT log_offset) AS BIGINT) AS offsets, max(log_offset) AS newest FROM observations";
  const [found] = rowsOf(await engine.query(sql, { snapshot })) as {
    n: number;
    offsets: number;
    newest: number | null;
  }[];
  const committed = live.reduce((sum, file) => sum + file.rows, 0);
  if (found!.n !== committed) problem(`${found!.n} rows are in the files, their commits say ${committed}`);
  if (committed !== state.counts.rows)
    problem(`${committed} rows are live, the chain counted ${state.counts.rows}`);
  if (found!.offsets !== found!.n) problem(`${found!.n - found!.offsets} rows share an offset with another`);
  if (found!.newest !== null && found!.newest >= (state.next ?? 0)) {
    problem(`a row has offset ${found!.newest}, the committed range ends before ${state.next}`);
  }
}

/** Checks that each retraction names as many rows as it says: rows come and go by no other way. */
async function checkRetractions(
  engine: Engine,
  snapshot: Snapshot,
  state: ChainState,
  problem: (text: string) => void,
): Promise<void> {
  for (const { source, first, last, rows, at } of state.retractions) {
    const table = await engine.query(
      "SELECT CAST(count(*) AS BIGINT) AS n FROM observations WHERE source = :source AND log_offset BETWEEN :first AND :last",
      { snapshot, arguments: { source, first, last } },
    );
    const [found] = rowsOf(table) as { n: number }[];
    if (found!.n === rows) continue;
    problem(
      `the retraction of ${at} names ${rows} rows, offsets ${first}–${last} of ${source} hold ${found!.n}`,
    );
  }
}

async function readRejected(
  lake: Lake,
  state: ChainState,
  offsets: Set<number>,
  problem: (text: string) => void,
): Promise<void> {
  for (const file of state.rejected) {
    const text = new TextDecoder().decode(await lake.read(file.path));
    for (const line of text.split("\n")) {
      if (line === "") continue;
      const { offset } = JSON.parse(line) as { offset: number };
      if (offsets.has(offset)) problem(`offset ${offset} was rejected twice`);
      offsets.add(offset);
    }
  }
}

/** Reads the log and looks each record up in the lake. */
async function compareWithLog(options: {
  lake: Lake;
  log: Log;
  engine: Engine;
  partition: number;
  state: ChainState;
  rejected: ReadonlySet<number>;
  problem: (text: string) => void;
}): Promise<number> {
  const { lake, log, engine, partition, state, rejected, problem } = options;
  const end = state.next ?? 0;
  const { low } = await log.bounds(partition);
  const unknown = unknownColumns(state.live.values());
  const revised = new Set([...state.live.values()].filter((file) => file.revisions > 0).map(dateOf));
  let compared = 0;
  let rows = 0;
  let refused = 0;
  let duplicates = 0;
  for (let from = low; from < end;) {
    const records: ParsedRecord[] = [];
    while (records.length < CHUNK && from < end) {
      const read = (await log.read(partition, from, Math.min(CHUNK - records.length, end - from))).filter(
        (record) => record.offset < end,
      );
      if (read.length === 0) {
        from = end;
        break;
      }
      for (const record of parseRecords(read))
        records.push(record.ok || rejected.has(record.offset) ? record : readWithout(record, unknown));
      from = read.at(-1)!.offset + 1;
    }
    const first = records[0]?.offset;
    if (first === undefined) break;
    const last = records.at(-1)!.offset;
    const files = [...state.live.values()].filter((file) => {
      const made = offsetsOf(file.path);
      return made.first <= last && made.last >= first;
    });
    const snapshot = withRevisions({ files: files.map((file) => snapshotFile(lake, file)) });
    const stored = await rowsByOffset(engine, snapshot, first, last);
    const joined: JoinedRecord[] = [];
    for (const record of records) {
      compared++;
      const row = stored.get(record.offset);
      if (rejected.has(record.offset)) {
        refused++;
        if (row !== undefined) problem(`offset ${record.offset} is a row and was rejected`);
        else if (record.ok && record.later.length === 0)
          problem(`offset ${record.offset} was rejected, but reads well`);
      } else if (!record.ok) {
        // Only a newer program knows what this record says.
        const isOfNewer = unknown.length > 0 && record.reason === NO_VALUE;
        if (!isOfNewer) problem(`offset ${record.offset} cannot be read and was not rejected`);
        else if (row === undefined) duplicates++;
        else rows++;
      } else if (row === undefined) {
        duplicates++;
        joined.push({ record, row });
      } else if (row === record.json && !revised.has(record.hour.slice(0, 10))) rows++;
      else joined.push({ record, row });
    }
    rows += await checkJoined(options, joined);
  }
  // If the log is still complete, the counts must agree too.
  if (low === 0 && state.next !== null) {
    const { counts } = state;
    const all = `${compared} records of the log are ${rows} rows + ${duplicates} duplicates + ${refused} rejected`;
    if (rows !== counts.rows || duplicates !== counts.duplicates || refused !== counts.rejected) {
      problem(`${all}; the chain counted ${counts.rows} + ${counts.duplicates} + ${counts.rejected}`);
    }
  }
  return compared;
}

/** Values of the stored rows of a range of offsets. */
async function rowsByOffset(
  engine: Engine,
  snapshot: Snapshot,
  first: number,
  last: number,
): Promise<Map<number, string>> {
  const table = await engine.query("SELECT * FROM observations WHERE log_offset BETWEEN :first AND :last", {
    snapshot,
    arguments: { first, last },
  });
  const rows = rowsOf(table) as unknown as Row[];
  return new Map(rows.map((row) => [row.log_offset, canonicalJson(observationOfRow(row))]));
}

/** The date of a file of rows. */
function dateOf(file: FileInfo): string {
  return placeOf(file.path).date;
}

/** A record, and the values of the row at its offset; undefined where it was counted as a duplicate. */
interface JoinedRecord {
  record: ParsedRecord & { ok: true };
  row: string | undefined;
}

/**
 * Checks that a row is the join of the newest row before it with its record, and that a duplicate's join is the row before it:
 * of the rows that were not retracted when the record came.
 *
 * @returns how many of the rows are as they should be
 */
async function checkJoined(
  options: {
    lake: Lake;
    engine: Engine;
    state: ChainState;
    problem: (text: string) => void;
  },
  joined: readonly JoinedRecord[],
): Promise<number> {
  if (joined.length === 0) return 0;
  const { lake, engine, state, problem } = options;
  const { retractions } = state;
  const hours = joined.map(({ record }) => Date.parse(`${record.hour}:00:00Z`));
  const range = {
    from: hours.reduce((a, b) => Math.min(a, b)),
    to: hours.reduce((a, b) => Math.max(a, b)) + HOUR_MS,
  };
  const files = [...state.live.values()].filter((file) => overlaps(file.path, range));
  const snapshot = withRevisions({ files: files.map((file) => snapshotFile(lake, file)) });
  const wanted = new Set(joined.map(({ record }) => record.identity));
  const stored = new Map<string, { offset: number; observation: Observation }[]>();
  for (const row of await readRows(engine, snapshot, range.from, range.to)) {
    const observation = observationOfRow(row);
    const identity = identityOf(observation);
    if (!wanted.has(identity)) continue;
    const all = stored.get(identity) ?? [];
    all.push({ offset: row.log_offset, observation });
    stored.set(identity, all);
  }
  for (const all of stored.values()) all.sort((a, b) => a.offset - b.offset);
  let good = 0;
  for (const { record, row } of joined) {
    const { offset } = record;
    const found = stored.get(record.identity)?.findLast((earlier) => {
      const row = { source: earlier.observation.source, offset: earlier.offset };
      return row.offset < offset && !retractions.some((one) => one.next <= offset && isWithin(one, row));
    });
    const before = found === undefined ? undefined : canonicalJson(found.observation);
    const wanted = joinedJson(before, record);
    if (row === undefined) {
      if (before === undefined) problem(`offset ${offset} is not in the lake`);
      else if (!isSame(before, wanted, record)) problem(`offset ${offset} is a revision that was not stored`);
    } else if (isSame(row, wanted, record)) good++;
    else if (row === record.json) problem(`offset ${offset} was stored without values of the row before it`);
    else problem(`offset ${offset} was stored with other values`);
  }
  return good;
}

/** A record that cannot be read, read once more without the fields that only a newer program knows. */
function readWithout(record: ParsedRecord & { ok: false }, unknown: readonly string[]): ParsedRecord {
  if (unknown.length === 0) return record;
  let fields: unknown;
  try {
    fields = JSON.parse(record.value);
  } catch {
    return record; // it is no JSON, and stays unreadable
  }
  const value = JSON.stringify(fields, (name, part: unknown) => (unknown.includes(name) ? undefined : part));
  return parseRecords([{ ...record, value }])[0]!;
}

/** Whether a row is what it should be; later columns that the record lacks an older program neither compared nor joined. */
function isSame(row: string, wanted: string, record: ParsedRecord & { ok: true }): boolean {
  if (row === wanted) return true;
  const compared = (json: string): string => {
    const observation = JSON.parse(json) as Observation;
    const left = laterColumns(Object.keys(observation)).filter((name) => !record.later.includes(name));
    const kept = Object.entries(observation).filter(([name]) => !left.includes(name));
    return canonicalJson(Object.fromEntries(kept) as unknown as Observation);
  };
  return compared(row) === compared(wanted);
}
