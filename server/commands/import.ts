import { ConfigError, IsobarError } from "../../core/errors.ts";
import { holderOf } from "../../jobs/role-lock.ts";
import type { NewRecord } from "../../jobs/log/log.ts";
import { readRecords } from "../../jobs/sources/replay.ts";
import { runCommand } from "./command.ts";
import { datasetNamed, describeLoad, loadInto, sourceNamed } from "./replay.ts";

const USAGE = `Adds recorded observations to the observed data, through the server when one is running.

  bun run import FILE [--dataset NAME] [--source NAME]

  FILE            .jsonl, .csv (both also .gz), or OpenWeatherMap's bulk-history CSV
  --dataset NAME  where to (default: DATASET, else "observed")
  --source NAME   who reported them, where the file does not say (default: the file's name)

Observations that are there already are counted as duplicates. Exit: 0 when every record is kept, 1 otherwise, 2 a wrong call.`;

if (import.meta.main) {
  await runCommand(USAGE, { dataset: { type: "string" }, source: { type: "string" } }, async (context) => {
    const { config, words, options, signal } = context;
    const [file] = words;
    if (file === undefined || words.length > 1)
      throw new ConfigError("bad_setting", `Cannot import ${words.length} files: wanted one\n\n${USAGE}`);
    const dataset =
      options.dataset === undefined ? (config.dataset ?? "observed") : datasetNamed(options.dataset);
    const chunks = readRecords(file, { source: sourceNamed(options.source, file) });
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

/** Gives records to a running server, chunk by chunk; each answer means that the chunk is durable. */
async function sendAll(
  url: string,
  chunks: AsyncIterable<NewRecord[]>,
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  for await (const chunk of chunks) {
    const response = await fetch(new URL("/api/v1/observations", url), {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      // A record that is no JSON may hold a line feed; the server's lines end at it.
      body: chunk.map(({ value }) => value.replaceAll("\n", "\\n")).join("\n"),
      signal,
    });
    if (!response.ok) {
      const { error } = (await response.json()) as { error: { message: string } };
      throw new IsobarError(
        "refused",
        `Cannot import after ${sent} records: the server at ${url} answered: ${error.message}`,
      );
    }
    sent += chunk.length;
  }
  return sent;
}
