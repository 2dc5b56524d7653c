/** The parts of a data file's name. */
export interface DataFileName {
  topic: string;
  partition: number;
  /** Offsets it was made from, inclusive. */
  first: number;
  last: number;
  /**
   * In a batch file the sequence of its writer's claim; in a compacted file the newest sequence when the compaction began.
   * It distinguishes a leftover from a file that may still be committed.
   */
  sequence: number;
  /** Random: no two attempts share a name. */
  random: string;
  format: "jsonl" | "parquet";
}

const NAME = /^([A-Za-z0-9._-]+)\+(\d+)\+(\d+)\+(\d+)\+(\d+)-([a-z0-9]+)\.(jsonl|parquet)$/;

/** `<topic>+<partition>+<first>+<last>+<sequence>-<random>.<format>` */
export function dataFileName(name: DataFileName): string {
  return `${name.topic}+${name.partition}+${name.first}+${name.last}+${name.sequence}-${name.random}.${name.format}`;
}

/** Reads a data file's name; undefined for any other name. */
export function parseDataFileName(name: string): DataFileName | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  return {
    topic: match[1]!,
    partition: Number(match[2]),
    first: Number(match[3]),
    last: Number(match[4]),
    sequence: Number(match[5]),
    random: match[6]!,
    format: match[7] as "jsonl" | "parquet",
  };
}

/** Folder of an hour's rows. @param hour `2026-01-31T06` */
export function hourFolder(hour: string): string {
  return `${dayFolder(hour.slice(0, 10))}/hour=${hour.slice(11, 13)}`;
}

/** Folder of a day's rows. @param date `2026-01-31` */
export function dayFolder(date: string): string {
  return `observations/date=${date}`;
}

/** The UTC time a data file covers: its day, and its hour (`06`) unless it covers the whole day. */
export function placeOf(path: string): { date: string; hour: string | null } {
  const match = /^observations\/date=(\d{4}-\d{2}-\d{2})\/(?:hour=(\d{2})\/)?/.exec(path);
  if (match === null)
    throw new RangeError(`Cannot tell the day of ${path}: wanted observations/date=YYYY-MM-DD/…`);
  return { date: match[1]!, hour: match[2] ?? null };
}

/** The range of offsets in the name of a data file, inclusive. */
export function offsetsOf(path: string): { first: number; last: number } {
  const name = parseDataFileName(path.slice(path.lastIndexOf("/") + 1));
  if (name === undefined) throw new RangeError(`Cannot read the offsets in the name of ${path}`);
  return { first: name.first, last: name.last };
}
