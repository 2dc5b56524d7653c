import { systemClock } from "../core/clock.ts";
import { IsobarError, messageOf } from "../core/errors.ts";
import { createLogger } from "../core/log.ts";
import { loadConfig } from "./config/config.ts";
import { startProgram } from "./program.ts";

const stopping = new AbortController();
try {
  const { config, warnings } = loadConfig(process.env, { isTerminal: process.stderr.isTTY === true });
  const logger = createLogger({ level: config.logLevel, format: config.logFormat });
  for (const warning of warnings) logger.warn(warning);
  // A promise nobody waits for must not end the process: what it was part of goes on or is run again.
  process.on("unhandledRejection", (error) => {
    logger.error("Something failed that nobody waited for", {
      error: error instanceof Error ? (error.stack ?? error.message) : messageOf(error),
    });
  });

  const program = startProgram(config, { clock: systemClock, logger, signal: stopping.signal });
  const stop = async (signal: string) => {
    if (stopping.signal.aborted) process.exit(1); // asked twice
    stopping.abort();
    logger.info("Stopping", { signal });
    const running = await program.catch(() => null); // its failure is told below
    const late = (await running?.stop())?.late ?? [];
    if (late.length > 0) logger.error("Jobs did not stop in time", { jobs: late.join(", ") });
    else logger.info("Stopped");
    process.exit(late.length > 0 ? 1 : 0);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void stop(signal));

  const { url, about } = await program;
  logger.info(url === null ? "Isobar runs without a web server" : `Isobar is at ${url.href}`, {
    version: about.version,
    dataset: about.dataset,
  });
} catch (error) {
  if (stopping.signal.aborted) process.exit(0); // stopped before it had started
  if (!(error instanceof IsobarError)) throw error; // a bug: its stack is what helps
  process.stderr.write(`${error.message}\n${error.hint === undefined ? "" : `${error.hint}\n`}`);
  process.exit(2);
}
