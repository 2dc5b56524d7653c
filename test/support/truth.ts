/**
 * What must be in the lake, and what is, worked out without the program's own code: by the rules of the design, from the
 * log's records and the files alone.
 */
import { createHash } from "node:crypto";

/** What a record says, known from how it was made; null when it cannot be read. A correction replaces what was before. */
export type Meaning = { identity: string; timestamp: string; values: string; correction?: boolean } | null;

/** Where a lake's files are found. */
export interface Files {
  /** Names in a folder; none when it is not there. */
  list(folder: string): Promise<string[]>;
  read(path: string): Promise<Uint8Array>;
  /** Rows of a compacted file. */
  readParquet(path: string): Promise<Record<string, unknown>[]>;
}

/** What the committed files of a partition hold. */
export interface Content {
  /** First offset that is not committed; 0 for an empty chain. */
  next: number;
  /** Rows in the order they were found. */
  rows: { offset: number; values: string; timestamp: string; path: string }[];
  rejected: { offset: number; reason: string; topic: string; partition: number }[];
  /** Every committed file. */
  paths: Set<string>;
  counts: { rows: number; duplicates: number; rejected: number };
  /** Rows that do not count: those of a source in a range of offsets. Records from `next` on are not joined with them. */
  retractions: { source: string; first: number; last: number; next: number }[];
  problems: string[];
}

const FIELDS = [
  "timestamp",
  "city",
  "temperature",
  "humidity",
  "pressure",
  "wind_speed",
  "rainfall",
  "weather_main",
  "weather_description",
  "source",
  "wind_direction",
  "wind_gust",
  "dew_point",
  "clouds",
  "visibility",
  "impossible",
];

/** An observation's values as one text, whatever the order of its fields; absent is null. */
export function valuesOf(observation: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(FIELDS.map((name) => observation[name] ?? null));
}

/**
 * A later record's values where it has them, else those before: a missing value replaces none, and neither does an impossible
 * one, which stays known only where there is no value.
 */
function joinOf(before: string, later: string): string {
  const [old, newer] = [before, later].map((text) => JSON.parse(text) as unknown[]);
  const joined = newer!.map((value, i) => value ?? old![i]);
  const last = FIELDS.indexOf("impossible");
  const told = [old!, newer!].flatMap((values) =>
    Object.entries(JSON.parse((values[last] as string | null) ?? "{}") as Record<string, string>),
  );
  const left = FIELDS.flatMap((name, i) => {
    const found = joined[i] === null ? told.findLast(([field]) => field === name) : undefined;
    return found === undefined ? [] : [found];
  });
  joined[last] = left.length === 0 ? null : JSON.stringify(Object.fromEntries(left));
  return JSON.stringify(joined);
}

/** What makes an observation the same one. */
export function identityOf(observation: Readonly<Record<string, unknown>>): string {
  return JSON.stringify([observation["source"], observation["city"], observation["timestamp"]]);
}

interface Listed {
  path: string;
  bytes: number;
  sha256: string;
  rows: number;
}

const parse = (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes));

/** Reads a partition of a lake from its files. What does not fit together is told in `problems`. */
export async function contentOf(files: Files, topic: string, partition = 0): Promise<Content> {
  const folder = `commits/${topic}/${partition}`;
  const problems: string[] = [];
  const names = (await files.list(folder)).filter((name) => /^\d{12}\.json$/.test(name)).sort();
  const chain: { name: string; entry: Record<string, unknown> }[] = [];
  for (const name of names.toReversed()) {
    const entry = parse(await files.read(`${folder}/${name}`)) as Record<string, unknown>;
    chain.unshift({ name, entry });
    if (entry["kind"] === "checkpoint") break;
  }
  let next = 0;
  let live = new Map<string, Listed>();
  let rejectedFiles: Listed[] = [];
  let counts = { rows: 0, duplicates: 0, rejected: 0 };
  let before: { number: number; id: unknown } | undefined;
  let claim: unknown;
  let retractions: Content["retractions"] = [];
  for (const { name, entry } of chain) {
    const number = Number(name.slice(0, 12));
    if (entry["kind"] !== "checkpoint" && number !== (before?.number ?? 0) + 1)
      problems.push(`entry ${number} follows entry ${before?.number}`);
    if (before !== undefined && entry["prev"] !== before.id)
      problems.push(`entry ${number} names another predecessor`);
    before = { number, id: entry["id"] };
    if (entry["kind"] === "claim") {
      claim = entry["id"];
      if (entry["start"] !== undefined) next = entry["start"] as number;
    }
    if (entry["kind"] === "checkpoint") {
      next = entry["next"] as number;
      live = new Map((entry["live"] as Listed[]).map((file) => [file.path, file]));
      rejectedFiles = entry["rejected"] as Listed[];
      counts = entry["counts"] as typeof counts;
      claim = (entry["claim"] as { id: string } | null)?.id;
      retractions = (entry["retractions"] as typeof retractions | undefined) ?? [];
    }
    if (entry["kind"] === "retraction") {
      if (entry["next"] !== next)
        problems.push(`entry ${number} retracts at ${entry["next"]}, wanted ${next}`);
      retractions = [...retractions, entry as unknown as (typeof retractions)[number]];
    }
    if (entry["kind"] === "batch") {
      if (entry["claim"] !== claim) problems.push(`entry ${number} is of a claim that is not in force`);
      if (entry["first"] !== next)
        problems.push(`entry ${number} begins at ${entry["first"]}, wanted ${next}`);
      next = (entry["last"] as number) + 1;
      for (const file of entry["files"] as Listed[]) live.set(file.path, file);
      if (entry["rejected"] !== null) rejectedFiles = [...rejectedFiles, entry["rejected"] as Listed];
      const more = entry["counts"] as typeof counts;
      counts = {
        rows: counts.rows + more.rows,
        duplicates: counts.duplicates + more.duplicates,
        rejected: counts.rejected + more.rejected,
      };
    }
    if (entry["kind"] === "compaction") {
      for (const path of entry["inputs"] as string[])
        if (!live.delete(path)) problems.push(`entry ${number} replaces ${path}, which is not live`);
      const output = entry["output"] as Listed;
      live.set(output.path, output);
    }
  }

  const whole = async (file: Listed): Promise<Uint8Array | undefined> => {
    try {
      const bytes = await files.read(file.path);
      if (bytes.length === file.bytes && createHash("sha256").update(bytes).digest("hex") === file.sha256)
        return bytes;
      problems.push(`${file.path} is committed and not whole`);
    } catch {
      problems.push(`${file.path} is committed and gone`);
    }
    return undefined;
  };
  const linesOf = (bytes: Uint8Array) =>
    new TextDecoder()
      .decode(bytes)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  const rows: Content["rows"] = [];
  for (const file of live.values()) {
    const bytes = await whole(file);
    if (bytes === undefined) continue;
    const found = file.path.endsWith(".parquet") ? await files.readParquet(file.path) : linesOf(bytes);
    if (found.length !== file.rows)
      problems.push(`${file.path} has ${found.length} rows, wanted ${file.rows}`);
    for (const row of found) {
      rows.push({
        offset: Number(row["log_offset"]),
        values: valuesOf(row),
        timestamp: String(row["timestamp"]),
        path: file.path,
      });
    }
  }
  const rejected: Content["rejected"] = [];
  for (const file of rejectedFiles) {
    const bytes = await whole(file);
    if (bytes !== undefined) rejected.push(...(linesOf(bytes) as unknown as Content["rejected"]));
  }
  const paths = new Set([...live.keys(), ...rejectedFiles.map((file) => file.path)]);
  return { next, rows, rejected, paths, counts, retractions, problems };
}

/**
 * Compares a partition with its log: every record below `content.next` must be a row, a duplicate or rejected, exactly
 * once and as it is.
 *
 * @returns what is wrong
 */
export function compare(
  log: readonly { offset: number; value: string }[],
  meaningOf: (value: string) => Meaning,
  content: Content,
): string[] {
  const problems = [...content.problems];
  const rows = Map.groupBy(content.rows, (row) => row.offset);
  const rejected = Map.groupBy(content.rejected, (record) => record.offset);
  /** The rows of each observation so far. */
  const known = new Map<string, { offset: number; values: string }[]>();
  const counts = { rows: 0, duplicates: 0, rejected: 0 };
  for (const { offset, value } of log) {
    if (offset >= content.next) break;
    const meaning = meaningOf(value);
    const row = rows.get(offset) ?? [];
    const refused = rejected.get(offset) ?? [];
    rows.delete(offset);
    rejected.delete(offset);
    let kind: keyof typeof counts = "rejected";
    let wanted = "";
    if (meaning !== null) {
      const all = known.get(meaning.identity) ?? [];
      const standing = all.filter((one) => !isRetracted(content, meaning.identity, one.offset, offset));
      const before = standing.at(-1)?.values;
      const isWhole = before === undefined || meaning.correction === true;
      wanted = isWhole ? meaning.values : joinOf(before, meaning.values);
      kind = before === wanted ? "duplicates" : "rows";
      if (kind === "rows") known.set(meaning.identity, [...all, { offset, values: wanted }]);
    }
    counts[kind]++;
    if (row.length !== (kind === "rows" ? 1 : 0))
      problems.push(`offset ${offset} (${kind}) is ${row.length} rows`);
    if (refused.length !== (kind === "rejected" ? 1 : 0))
      problems.push(`offset ${offset} (${kind}) was rejected ${refused.length} times`);
    for (const { values, path } of row) {
      if (meaning === null) continue;
      if (values !== wanted) problems.push(`offset ${offset} is ${values}, wanted ${wanted}`);
      const day = `observations/date=${meaning.timestamp.slice(0, 10)}/`;
      const hour = `${day}hour=${meaning.timestamp.slice(11, 13)}/`;
      if (!path.startsWith(path.endsWith(".jsonl") || path.includes("/hour=") ? hour : day))
        problems.push(`offset ${offset} of ${meaning.timestamp} lies in ${path}`);
    }
  }
  for (const offset of rows.keys()) problems.push(`offset ${offset} is a row, but not in the log`);
  for (const offset of rejected.keys()) problems.push(`offset ${offset} was rejected, but is not in the log`);
  if (JSON.stringify(counts) !== JSON.stringify(content.counts))
    problems.push(`the chain counts ${JSON.stringify(content.counts)}, wanted ${JSON.stringify(counts)}`);
  return problems;
}

/** Whether a row does not count for a record that came at an offset; without it, for a reader. */
function isRetracted({ retractions }: Content, identity: string, row: number, record = Infinity): boolean {
  const [source] = JSON.parse(identity) as string[];
  return retractions.some(
    (one) => one.source === source && one.first <= row && row <= one.last && one.next <= record,
  );
}

/** The newest values of each observation, sorted: what readers see. */
export function newestOf(content: Content): string[] {
  const newest = new Map<string, { offset: number; values: string }>();
  for (const row of content.rows) {
    const values = JSON.parse(row.values) as unknown[];
    const identity = JSON.stringify([values[9], values[1], values[0]]);
    if (isRetracted(content, identity, row.offset)) continue;
    const before = newest.get(identity);
    if (before === undefined || before.offset < row.offset) newest.set(identity, row);
  }
  return [...newest.values()].map((row) => row.values).sort();
}
