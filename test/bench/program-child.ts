// The program as `bun run start` runs it, in a process that a benchmark talks to.
import { systemClock } from "../../core/clock.ts";
import { createLogger } from "../../core/log.ts";
import { loadConfig } from "../../server/config/config.ts";
import { startProgram } from "../../server/program.ts";
import { serveParent } from "./child.ts";

const { config } = loadConfig(process.env, { isTerminal: false });
const logger = createLogger({ level: config.logLevel, format: config.logFormat });
const { signal } = new AbortController();
const program = await startProgram(config, { clock: systemClock, logger, signal });
serveParent(program.url!.href, async () => void (await program.stop()));
