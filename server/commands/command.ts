import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { systemClock } from "../../core/clock.ts";
import { ConfigError, IsobarError, messageOf } from "../../core/errors.ts";
import { createLogger, type Logger } from "../../core/log.ts";
import { loadConfig, type Config } from "../config/config.ts";
import { findDataset } from "../wiring/dataset-choice.ts";
import { openPorts, type Ports } from "../wiring/ports.ts";

/** What a command works with. */
export interface CommandContext {
  config: Config;
  logger: Logger;
  /** Words that are no options. */
  words: string[];
  /** Options by name. */
  options: Record<string, string | boolean | undefined>;
  /** Aborts on the first SIGINT or SIGTERM. */
  signal: AbortSignal;
}

/**
 * Runs a command of the command line: reads options and settings, prints `usage` for `--help` and for wrong options, and
 * ends the process: 0 when `action` returned 0, 1 for a "no" or a failure, 2 for a wrong call.
 */
export async function runCommand(
  usage: string,
  options: ParseArgsOptionsConfig,
  action: (context: CommandContext) => Promise<0 | 1>,
): Promise<never> {
  let parsed;
  try {
    parsed = parseArgs({
      args: process.argv.slice(2),
      options: { ...options, help: { type: "boolean" } },
      allowPositionals: true,
    });
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${usage}\n`);
    process.exit(2);
  }
  const values = parsed.values as CommandContext["options"];
  if (values.help === true) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => abort.abort());
  }
  try {
    const { config } = loadConfig(process.env, { isTerminal: process.stderr.isTTY === true });
    const logger = createLogger({ level: config.logLevel, format: config.logFormat });
    process.exit(
      await action({ config, logger, words: parsed.positionals, options: values, signal: abort.signal }),
    );
  } catch (error) {
    if (!(error instanceof IsobarError)) throw error; // a bug: its stack is what helps
    process.stderr.write(`${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`);
    process.exit(error instanceof ConfigError ? 2 : 1);
  }
}

/**
 * Opens a data set that is there.
 *
 * @param doing what cannot be done without it, for people: `verify`
 * @param named its name; null for the one that is there
 * @throws ConfigError `bad_setting` when there is none
 */
export async function openDataset(
  doing: string,
  named: string | null,
  { config, logger }: Pick<CommandContext, "config" | "logger">,
): Promise<Ports> {
  const deps = { clock: systemClock, logger };
  const found = await findDataset(config, named, deps);
  if (found !== null) return openPorts(config, found.dataset, deps, { lake: await found.lake.open() });
  throw new ConfigError(
    "bad_setting",
    `Cannot ${doing}: there is no data set "${named ?? "observed"}" in ${config.dataDir}`,
  );
}

/** A table for people: columns as wide as needed, numbers to the right. */
export function textTable(
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [header, ...rows.map((row) => row.map(String))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const numeric = header.map((_, column) => rows.every((row) => typeof row[column] === "number"));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
