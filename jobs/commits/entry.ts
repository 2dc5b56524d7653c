import { sha256Hex } from "../../core/checksum.ts";
import { CommitError } from "../../core/errors.ts";

/** Newest format that this program reads. A newer one is refused, an older one is read. */
export const ENTRY_FORMAT = 3;
/** Format of the entries that a program without retractions reads rightly: all but those that name one. */
export const FIRST_FORMAT = 1;
/** Format of an entry that names a retraction: a program that would show the retracted rows must refuse it. */
export const RETRACTION_FORMAT = 2;
/**
 * Format of an entry that names a judged file: a program that does not know when flags stand no more must refuse it.
 */
export const JUDGED_FORMAT = 3;

/** A committed file of rows or of rejected records. */
export interface FileInfo {
  /** Path below the data set's root. */
  path: string;
  /** Rows in it. */
  rows: number;
  /** Rows that revise an observation stored before. */
  revisions: number;
  /** Length. */
  bytes: number;
  /** SHA-256 of its content, hex. */
  sha256: string;
  /**
   * Of rows: the columns in it beyond those of the format's first version, so that an older program knows what it would lose
   * by writing the rows anew. Left out when there are none.
   */
  columns?: readonly string[];
  /**
   * Of a compacted file: which judging made the flags in it (`judgingMark` in `spark/judging.ts`). Left out where it has none, and
   * in a checkpoint where they stand no more.
   */
  judged?: string;
}

/** Running totals of a partition. `rows + duplicates + rejected` is the number of records consumed. */
export interface Counts {
  /** Rows stored, revisions included. */
  rows: number;
  /** Records that said what was stored already. */
  duplicates: number;
  /** Records that could not be read. */
  rejected: number;
}

/** The last record of a batch, to recognise the log it came from. */
export interface LastRecord {
  offset: number;
  /** SHA-256 of its value, hex. */
  sha256: string;
}

/** Rows that count no more: those of a source in a range of offsets. The rows stay in their files. */
export interface Retraction {
  /** `id` and sequence of the entry that brought it. */
  id: string;
  sequence: number;
  /** When it was made, ISO 8601 UTC. */
  at: string;
  /** Whose rows. */
  source: string;
  /** First and last offset, inclusive. */
  first: number;
  last: number;
  /**
   * First offset not committed when it was made. Records from here on are joined as if the rows had never been; what was
   * stored before was joined with them.
   */
  next: number;
  /** How many rows it names. */
  rows: number;
  /** Why, for people. */
  reason: string;
}

interface Base {
  /** Version of this format. */
  format: number;
  /** Random, so that a writer recognises its own. */
  id: string;
  /** The `id` of the entry before it; null for the first. */
  prev: string | null;
  /** When it was made, ISO 8601 UTC. For people: nothing is decided by it but the grace of removed files. */
  at: string;
}

/** A writer takes the partition over. Its own `id` is the claim's. */
export interface ClaimEntry extends Base {
  kind: "claim";
  /** Where the lake begins, in the first entry of a chain only: the log's low bound then. */
  start?: number;
}

/** A range of offsets, with everything in it accounted for. */
export interface BatchEntry extends Base {
  kind: "batch";
  /** `id` of the claim it was written under. */
  claim: string;
  /** First and last offset, inclusive. `first` is where the batch before ended, plus one. */
  first: number;
  last: number;
  /** Files of rows. */
  files: FileInfo[];
  /** The file of rejected records. */
  rejected: FileInfo | null;
  counts: Counts;
  record: LastRecord;
  /** The newest observation time in it, ISO 8601 UTC, or null when it stored none. */
  watermark: string | null;
}

/** Live files replaced by one that holds the same rows. */
export interface CompactionEntry extends Base {
  kind: "compaction";
  /** Paths of the inputs. Valid only while each of them is live. */
  inputs: string[];
  output: FileInfo;
}

/** Rows that are not to be read any more. No file changes. */
export interface RetractionEntry extends Base, Omit<Retraction, "id" | "sequence" | "at"> {
  kind: "retraction";
  /** The newest observation time of the rows that still count, ISO 8601 UTC, or null when none does. */
  watermark: string | null;
}

/** Everything a reader needs to start here. What lies below it is void. */
export interface CheckpointEntry extends Base {
  kind: "checkpoint";
  /** First offset not yet committed. */
  next: number;
  /** The claim in force. */
  claim: { id: string; sequence: number } | null;
  counts: Counts;
  record: LastRecord | null;
  watermark: string | null;
  /** Live files, each with the sequence of the entry that brought it. */
  live: (FileInfo & { sequence: number })[];
  /** Files of rejected records, which are never compacted. */
  rejected: FileInfo[];
  /** Files replaced by compaction, with the time of their removal, ISO 8601 UTC. */
  removed: { path: string; at: string }[];
  /** All retractions so far, the oldest first; left out when there are none. */
  retractions?: Retraction[];
}

/** One entry of a partition's chain of commits. */
export type Entry = ClaimEntry | BatchEntry | CompactionEntry | RetractionEntry | CheckpointEntry;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Folder of a partition's chain. */
export function chainFolder(topic: string, partition: number): string {
  return `commits/${topic}/${partition}`;
}

/** Path of an entry: 12 digits sort as text for longer than a log lives. */
export function entryPath(topic: string, partition: number, sequence: number): string {
  return `${chainFolder(topic, partition)}/${String(sequence).padStart(12, "0")}.json`;
}

/** The sequence in an entry's file name, or undefined for any other name. */
export function sequenceOf(name: string): number | undefined {
  const match = /^(\d{12})\.json$/.exec(name);
  return match === null ? undefined : Number(match[1]);
}

/**
 * The bytes of an entry: one line of JSON. Its last field, `sha256`, is the checksum of the line without that field, so
 * that a flipped bit in a number is no other number.
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const json = JSON.stringify(entry);
  return encoder.encode(`${json.slice(0, -1)}${SEAL}${sha256Hex(json)}"}\n`);
}

const SEAL = ',"sha256":"';

/** Whether the text of an entry is what was written. */
function isSealed(text: string): boolean {
  const at = text.lastIndexOf(SEAL);
  return at >= 0 && text.slice(at) === `${SEAL}${sha256Hex(`${text.slice(0, at)}}`)}"}\n`;
}

/**
 * Reads an entry.
 *
 * @throws CommitError `damaged` when it is not an entry or not what its checksum says, `newer_format` when a newer program wrote it
 */
export function decodeEntry(path: string, bytes: Uint8Array): Entry {
  let text: string;
  let value: unknown;
  try {
    text = decoder.decode(bytes);
    value = JSON.parse(text);
  } catch (cause) {
    throw new CommitError("damaged", `Cannot read the commit ${path}: it is not JSON`, {
      cause,
      hint: DAMAGED_HINT,
    });
  }
  const entry = value as Partial<Entry> | null;
  if (typeof entry !== "object" || entry === null || typeof entry.format !== "number") {
    throw new CommitError("damaged", `Cannot read the commit ${path}: it has no format`, {
      hint: DAMAGED_HINT,
    });
  }
  if (entry.format > ENTRY_FORMAT) {
    throw new CommitError(
      "newer_format",
      `Cannot read the commit ${path}: its format is ${entry.format}, this program reads up to ${ENTRY_FORMAT}`,
      { hint: "Use the newer program that wrote it." },
    );
  }
  if (!isSealed(text)) {
    throw new CommitError("damaged", `Cannot read the commit ${path}: it is not what its checksum says`, {
      hint: DAMAGED_HINT,
    });
  }
  if (!isEntry(entry)) {
    throw new CommitError("damaged", `Cannot read the commit ${path}: fields are missing or wrong`, {
      hint: DAMAGED_HINT,
    });
  }
  return entry;
}

const DAMAGED_HINT = "Restore the file from a backup or a replica: nothing is skipped.";

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isFile = (file: FileInfo | null | undefined): boolean =>
  typeof file === "object" &&
  file !== null &&
  typeof file.path === "string" &&
  isCount(file.rows) &&
  isCount(file.revisions) &&
  isCount(file.bytes) &&
  typeof file.sha256 === "string" &&
  (file.columns === undefined ||
    (Array.isArray(file.columns) && file.columns.every((name) => typeof name === "string"))) &&
  (file.judged === undefined || typeof file.judged === "string");
const isTime = (value: unknown): boolean => typeof value === "string" && !Number.isNaN(Date.parse(value));
const isRecord = (record: LastRecord | null | undefined): boolean =>
  typeof record === "object" &&
  record !== null &&
  isCount(record.offset) &&
  typeof record.sha256 === "string";
const isCounts = (counts: Counts | null | undefined): boolean =>
  typeof counts === "object" &&
  counts !== null &&
  isCount(counts.rows) &&
  isCount(counts.duplicates) &&
  isCount(counts.rejected);

const isRetraction = (one: Partial<Omit<Retraction, "id" | "sequence" | "at">> | null | undefined): boolean =>
  typeof one === "object" &&
  one !== null &&
  typeof one.source === "string" &&
  isCount(one.first) &&
  isCount(one.last) &&
  isCount(one.next) &&
  one.first <= one.last &&
  one.last < one.next &&
  isCount(one.rows) &&
  typeof one.reason === "string";

function isEntry(entry: Partial<Entry>): entry is Entry {
  if (typeof entry.id !== "string" || (entry.prev !== null && typeof entry.prev !== "string")) return false;
  if (!isTime(entry.at)) return false;
  switch (entry.kind) {
    case "claim":
      return entry.start === undefined || isCount(entry.start);
    case "batch":
      return (
        typeof entry.claim === "string" &&
        isCount(entry.first) &&
        isCount(entry.last) &&
        entry.last >= entry.first &&
        Array.isArray(entry.files) &&
        entry.files.every(isFile) &&
        (entry.rejected === null || isFile(entry.rejected)) &&
        isCounts(entry.counts) &&
        isRecord(entry.record) &&
        (entry.watermark === null || isTime(entry.watermark))
      );
    case "compaction":
      return (
        Array.isArray(entry.inputs) &&
        entry.inputs.every((path) => typeof path === "string") &&
        isFile(entry.output)
      );
    case "retraction":
      return (
        entry.format === RETRACTION_FORMAT &&
        isRetraction(entry) &&
        (entry.watermark === null || isTime(entry.watermark))
      );
    case "checkpoint":
      return (
        isCount(entry.next) &&
        (entry.claim === null || (typeof entry.claim?.id === "string" && isCount(entry.claim.sequence))) &&
        isCounts(entry.counts) &&
        (entry.record === null || isRecord(entry.record)) &&
        (entry.watermark === null || isTime(entry.watermark)) &&
        Array.isArray(entry.live) &&
        entry.live.every((file) => isFile(file) && isCount(file.sequence)) &&
        Array.isArray(entry.rejected) &&
        entry.rejected.every(isFile) &&
        Array.isArray(entry.removed) &&
        entry.removed.every((file) => typeof file?.path === "string" && isTime(file.at)) &&
        (entry.retractions === undefined ||
          (Array.isArray(entry.retractions) &&
            entry.retractions.every(
              (one) =>
                isRetraction(one) && typeof one.id === "string" && isCount(one.sequence) && isTime(one.at),
            )))
      );
    default:
      return false;
  }
}
