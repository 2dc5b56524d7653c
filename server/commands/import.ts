import { ConfigError, IsobarError, codeOf, messageOf } from "../../core/errors.ts";
import { systemClock } from "../../core/clock.ts";
import { claimDataset } from "../../jobs/dataset.ts";
import { holderOf } from "../../jobs/role-lock.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { readRecords } from "../../jobs/sources/replay.ts";
import { BODY_MAX, LINE_MAX } from "../body.ts";
import { openLake } from "../lakes.ts";
import { runCommand } from "./command.ts";
import { datasetNamed, describeLoad, loadInto, sourceNamed } from "./replay.ts";

const USAGE = `Adds recorded observations to the observed data, through the server when one is running.

  bun run import FILE [--dataset NAME] [--source NAME]

  FILE            .jsonl, .csv (both also .gz), or OpenWeatherMap's bulk-history CSV
  --dataset NAME  where to (default: DATASET, else "observed")
  --source NAME   who reported them, where the file does not say (default: the file's name)

Observations that are there already are counted as duplicates. Exit: 0 when every record is kept, 1 otherwise, 2 a wrong call.`;

/** What is kept of a line longer than the server takes, characters. */
const LINE_KEPT = 64 * 1024;

if (import.meta.main) {
  await runCommand(USAGE, { dataset: { type: "string" }, source: { type: "string" } }, async (context) => {
    const { config, logger, words, options, signal } = context;
    const [file] = words;
    if (file === undefined || words.length > 1)
      throw new ConfigError("bad_setting", `Cannot import ${words.length} files: wanted one\n\n${USAGE}`);
    const dataset =
      options.dataset === undefined ? (config.dataset ?? "observed") : datasetNamed(options.dataset);
    const chunks = readRecords(file, { source: sourceNamed(options.source, file) });
    // A server that runs on it takes any record: what it is of is asked here.
    const { lake } = await openLake(config, dataset, { clock: systemClock, logger });
    await claimDataset(lake, dataset, "observed", systemClock.now());
    const holder = await holderOf(config.dataDir, dataset, "producer");
    if (holder?.url != null) {
      const records = await sendAll(holder.url, chunks, signal);
      process.stdout.write(`${records} records given to the server at ${holder.url}\n`);
      return 0;
    }
    const report = await loadInto(context, dataset, "observed", chunks);
    process.stdout.write(`${describeLoad(dataset, report)}\n`);
    return signal.aborted ? 1 : 0;
  });
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
        response = await fetch(new URL("/api/v1/observations", url), {
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
