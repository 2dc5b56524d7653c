import { codeOf } from "../../core/errors.ts";
import type { Stored } from "../../core/explanation.ts";
import type { Row } from "../../core/observation.ts";
import type { Engine } from "../../spark/engine.ts";
import { isJudgedBy } from "../../spark/judging.ts";
import { decodeEntry, entryPath, type Entry, type Retraction } from "../commits/entry.ts";
import type { LiveFile } from "../commits/fold.ts";
import { offsetsOf, parseDataFileName } from "../commits/names.ts";
import { isWithin } from "../commits/retracted-range.ts";
import { type LakeReader, overlaps, snapshotFile } from "./lake-reader.ts";
import type { Lake } from "../lake/lake.ts";
import {
  OBSERVATION_COLUMN_LIST,
  observationRows,
  timestampLiteral,
  withRevisions,
} from "./observation-rows.ts";

/** The identity of an observation. */
export interface ObservationKey {
  city: string;
  /** When it was observed, ms. */
  timestamp: number;
  /** Null for all sources that reported at that time. */
  source: string | null;
  signal?: AbortSignal;
}

/** Where a row is stored, and which record, file and commit brought it there. */
export interface Provenance extends Pick<Stored, "file" | "commit" | "retraction"> {
  row: Row;
  /** Topic of the log. */
  topic: string;
  partition: number;
  /** Sequence of the entry that retracted it; null where it counts. */
  retractedBy: number | null;
}

/** Most entries to search backwards for the previous batch: claims, compactions and checkpoints lie between. */
const LOOK_BACK = 20;

/**
 * Where an observation is stored: all its revisions, retracted ones too, sorted by the name of the source, then the newest
 * first.
 *
 * @param parts.version of the present judging
 * @throws EngineError, CommitError, LakeError
 */
export function findProvenance(
  { reader, lake, engine, version }: { reader: LakeReader; lake: Lake; engine: Engine; version: string },
  key: ObservationKey,
): Promise<Provenance[]> {
  const { city, timestamp, source, signal } = key;
  const conditions = [`city = :city AND timestamp = ${timestampLiteral(timestamp)}`];
  if (source !== null) conditions.push("source = :source");
  const sql = `SELECT ${OBSERVATION_COLUMN_LIST} FROM observations WHERE ${conditions.join(" AND ")}`;
  const options = {
    arguments: source === null ? { city } : { city, source },
    ...(signal === undefined ? {} : { signal }),
  };
  const range = { from: timestamp, to: timestamp + 1 };
  return reader.read(range, async () => {
    const rowsIn = async (files: readonly LiveFile[]) => {
      const snapshot = withRevisions({ files: files.map((file) => snapshotFile(lake, file)) });
      return observationRows(await engine.query(sql, { snapshot, ...options }));
    };
    const kept = ({ judged }: LiveFile) =>
      judged !== undefined && isJudgedBy(judged, version) ? judged : null;
    const found: Provenance[] = [];
    for (const [partition, state] of reader.states) {
      const files = [...state.live.values()].filter(({ path }) => overlaps(path, range));
      if (files.length === 0) continue;
      for (const row of await rowsIn(files)) {
        const offset = row.log_offset;
        const holds = ({ log_offset }: Row) => log_offset === offset;
        const candidates = files.filter(({ path }) => {
          const { first, last } = offsetsOf(path);
          return offset >= first && offset <= last;
        });
        // Late rows make the offset ranges of compacted days overlap.
        for (const file of candidates) {
          if (candidates.length > 1 && !(await rowsIn([file])).some(holds)) continue;
          const where = { source: row.source, offset };
          const retraction = state.retractions.find((one) => isWithin(one, where)) ?? null;
          found.push(await provenanceOf(lake, partition, { ...file, judged: kept(file) }, row, retraction));
          break;
        }
      }
    }
    return found.sort(
      (a, b) =>
        (a.row.source < b.row.source ? -1 : a.row.source > b.row.source ? 1 : 0) ||
        b.row.log_offset - a.row.log_offset,
    );
  });
}

async function provenanceOf(
  lake: Lake,
  partition: number,
  { path, rows, bytes, sha256, sequence, judged }: Omit<LiveFile, "judged"> & { judged: string | null },
  row: Row,
  retraction: Retraction | null,
): Promise<Provenance> {
  const topic = parseDataFileName(path.slice(path.lastIndexOf("/") + 1))?.topic ?? "";
  const entry = await readEntry(lake, topic, partition, sequence);
  return {
    row,
    topic,
    partition,
    file: { path, rows, bytes, sha256, ...offsetsOf(path), judged },
    commit: {
      sequence,
      path: entryPath(topic, partition, sequence),
      kind: entry?.kind ?? null,
      at: entry?.at ?? null,
    },
    retractedBy: retraction?.sequence ?? null,
    retraction:
      retraction === null
        ? null
        : {
            path: entryPath(topic, partition, retraction.sequence),
            at: retraction.at,
            reason: retraction.reason,
          },
  };
}

/**
 * Whether a record of the log was committed at or before an entry of the chain.
 *
 * @param sequence of that entry
 * @returns null if the entries needed for the answer were trimmed
 * @throws CommitError, LakeError
 */
export async function wasCommittedBy(
  lake: Lake,
  { topic, partition, offset }: { topic: string; partition: number; offset: number },
  sequence: number,
): Promise<boolean | null> {
  for (let at = sequence; at > 0 && at > sequence - LOOK_BACK; at--) {
    const entry = await readEntry(lake, topic, partition, at);
    if (entry === null) return null;
    if (entry.kind === "batch") return offset <= entry.last;
    if (entry.kind === "checkpoint") return offset < entry.next;
    if (entry.kind === "claim" && entry.start !== undefined) return false;
  }
  return sequence === 0 ? false : null;
}

/** An entry of a chain; null if it was trimmed. */
async function readEntry(
  lake: Lake,
  topic: string,
  partition: number,
  sequence: number,
): Promise<Entry | null> {
  const path = entryPath(topic, partition, sequence);
  try {
    return decodeEntry(path, await lake.read(path));
  } catch (error) {
    if (codeOf(error) === "missing") return null;
    throw error;
  }
}
