import { knownName } from "../../core/city-name.ts";
import type { City } from "../../core/city.ts";
import { systemClock } from "../../core/clock.ts";
import { codeOf, IsobarError, messageOf } from "../../core/errors.ts";
import { describe, parseObservation } from "../../core/observation.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { Notes } from "../../jobs/sources/notes.ts";
import { namingCity } from "../../jobs/sources/record.ts";
import { holderOf } from "../../jobs/role-lock.ts";
import { BODY_MAX, LINE_MAX } from "../http/body.ts";
import { datasetLake } from "../wiring/lakes.ts";
import { openLog } from "../wiring/ports.ts";
import type { CommandContext } from "./command.ts";
import { describeLoad, loadInto } from "./replay.ts";
import { retractCommand } from "./retract.ts";

/** Unreadable records whose reason is printed. */
const REASONS_TOLD = 3;
/** Sources whose command of retraction is printed. */
const SOURCES_MAX = 20;
/** What is kept of a line longer than the server takes, characters. */
const LINE_KEPT = 64 * 1024;

/**
 * Adds records to a data set of observed data, through the server where one runs on this data folder, and prints what was
 * done, and what is to be said of what was read.
 *
 * @throws ConfigError when the data set holds data of another kind; IsobarError
 */
export async function deliver(
  context: CommandContext,
  dataset: string,
  chunks: AsyncIterable<NewRecord[]>,
  notes = new Notes(),
): Promise<0 | 1> {
  const { config, logger, signal } = context;
  const seen = new Seen();
  const watched = seen.watch(named(chunks, config.cities));
  // A server that runs on it takes any record: what it is of is asked here.
  const { lake } = await datasetLake(config, dataset, { clock: systemClock, logger }).open();
  await claimDataset(lake, dataset, "observed", systemClock.now());
  const before = await endsOf(context, dataset);
  const holder = await holderOf(config.dataDir, dataset, "producer");
  if (holder?.url != null) {
    const records = await sendAll(holder.url, watched, signal);
    process.stdout.write(`${records} records given to the server at ${holder.url}\n`);
  } else {
    const report = await loadInto(context, dataset, "observed", watched);
    process.stdout.write(`${describeLoad(dataset, report)}\n`);
  }
  if (seen.unreadable > 0) process.stdout.write(`${seen.describe()}\n`);
  for (const line of notes.lines()) process.stdout.write(`${line}\n`);
  const ranges = (await endsOf(context, dataset)).flatMap((end, partition) => {
    const first = before[partition] ?? 0;
    return end > first ? [{ partition, first, last: end - 1 }] : [];
  });
  for (const source of ranges.length === 0 ? [] : seen.sources())
    process.stdout.write(`If it was wrong:  ${retractCommand(source, ranges, dataset)}\n`);
  const isLost = seen.records > 0 && seen.unreadable === seen.records;
  return signal.aborted || isLost ? 1 : 0;
}

/** The offset after the last of each partition of a data set's log. */
async function endsOf({ config, logger }: CommandContext, dataset: string): Promise<number[]> {
  const { log } = await openLog(config, dataset, { clock: systemClock, logger });
  try {
    const ends: number[] = [];
    for (let partition = 0; partition < log.partitions; partition++)
      ends.push((await log.bounds(partition)).high);
    return ends;
  } finally {
    await log.close();
  }
}

/** The records with the configured spelling of their cities, as a server puts it in; those that could not be read as they are. */
async function* named(
  chunks: AsyncIterable<NewRecord[]>,
  cities: readonly City[],
): AsyncGenerator<NewRecord[]> {
  const nameOf = (name: string) => knownName(name, cities);
  for await (const chunk of chunks) {
    yield chunk.map((record) => {
      const name = record.key === "" ? "" : nameOf(record.key);
      return name === record.key ? record : { key: name, value: namingCity(record.value, nameOf) };
    });
  }
}

/** Counts what goes by, and keeps whose it is and why the first lines could not be read. */
class Seen {
  records = 0;
  unreadable = 0;
  readonly #sources = new Set<string>();
  readonly #reasons: string[] = [];

  /** Passes the records on. */
  async *watch(chunks: AsyncIterable<NewRecord[]>): AsyncGenerator<NewRecord[]> {
    for await (const chunk of chunks) {
      for (const { key, value } of chunk) {
        this.records++;
        if (key !== "") this.#note(value);
        if (key !== "") continue; // a record without a key is one that could not be read
        this.unreadable++;
        if (this.#reasons.length < REASONS_TOLD) this.#reasons.push(`  ${reasonOf(value)}`);
      }
      yield chunk;
    }
  }

  /** Who reported them, sorted; of very many the first. */
  sources(): string[] {
    return [...this.#sources].sort();
  }

  #note(value: string): void {
    const [, text] = /"source"\s*:\s*("(?:[^"\\]|\\.)*")/.exec(value) ?? [];
    if (text === undefined || this.#sources.size >= SOURCES_MAX) return;
    this.#sources.add(JSON.parse(text) as string);
  }

  /** What is to be said of the unreadable ones. */
  describe(): string {
    const of = this.unreadable === this.records ? "None" : `${this.records - this.unreadable}`;
    return [
      `${of} of ${this.records} records could be read. The first that could not:`,
      ...this.#reasons,
    ].join("\n");
  }
}

/** Why a record is no observation, as the consumer will say it. */
function reasonOf(value: string): string {
  try {
    const parsed = parseObservation(JSON.parse(value), systemClock.now());
    return parsed.ok ? "it can be read" : parsed.reason;
  } catch {
    return `record is not JSON: ${describe(value)}`;
  }
}

/** Gives records to a running server, part by part; each answer means that the part is durable. */
async function sendAll(
  url: string,
  chunks: AsyncIterable<NewRecord[]>,
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  for await (const chunk of chunks) {
    for (const body of bodiesOf(chunk)) {
      const refused = (why: string, cause?: unknown) =>
        new IsobarError("refused", `Cannot import after ${sent} records: the server at ${url} ${why}`, {
          cause,
        });
      let response: Response;
      try {
        response = await fetch(new URL("/api/v1/observations?history=true", url), {
          method: "POST",
          headers: { "content-type": "application/x-ndjson" },
          body,
          signal,
        });
      } catch (error) {
        if (signal.aborted) throw refused("was not asked further: the import was stopped");
        throw refused(`does not answer (${codeOf(error) ?? messageOf(error)})`, error);
      }
      const answer = (await response.json()) as { appended: number } | { error: { message: string } };
      if ("error" in answer) throw refused(`answered: ${answer.error.message}`);
      sent += answer.appended;
    }
  }
  return sent;
}

/** Records as bodies that the server takes, a line each. */
export function* bodiesOf(records: readonly NewRecord[]): Generator<string> {
  let lines: string[] = [];
  let size = 0;
  for (const { value } of records) {
    let line = value.replaceAll("\n", "\\n"); // no record that reads well has one
    if (line.trim() === "") line = JSON.stringify(line); // a blank line is none to the server
    // Only what cannot be read is so long: the beginning shows what it was.
    if (Buffer.byteLength(line) > LINE_MAX) line = `${line.slice(0, LINE_KEPT)}…`;
    const bytes = Buffer.byteLength(line) + 1;
    if (size + bytes > BODY_MAX) {
      yield lines.join("\n");
      lines = [];
      size = 0;
    }
    lines.push(line);
    size += bytes;
  }
  if (lines.length > 0) yield lines.join("\n");
}
