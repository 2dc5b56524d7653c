/** Log levels, in ascending order of severity. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** One of {@link LOG_LEVELS}. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Extra fields of a log line. They are printed unchanged, so they must not contain secrets. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Writes log lines. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to each line. */
  with(fields: LogFields): Logger;
}

/**
 * Makes a logger.
 *
 * @param options.level the lowest level written
 * @param options.format `text` for people, `json` for one JSON object a line
 * @param options.write where a line goes (default: standard error)
 * @param options.now the time of a line, ms since the epoch
 */
export function createLogger(options: {
  level: LogLevel;
  format: "text" | "json";
  write?: (line: string) => void;
  now?: () => number;
}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const now = options.now ?? Date.now;
  const lowest = LOG_LEVELS.indexOf(options.level);
  const make = (base: LogFields): Logger => {
    const line =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}) => {
        if (LOG_LEVELS.indexOf(level) < lowest) return;
        const time = new Date(now()).toISOString();
        const all = { ...base, ...fields };
        if (options.format === "json") return write(JSON.stringify({ time, level, message, ...all }));
        let text = `${time.slice(11, 19)} ${level.padEnd(5)} ${message}`;
        for (const [name, value] of Object.entries(all))
          if (value !== undefined) text += ` ${name}=${quote(value)}`;
        write(text);
      };
    return {
      debug: line("debug"),
      info: line("info"),
      warn: line("warn"),
      error: line("error"),
      with: (fields) => make({ ...base, ...fields }),
    };
  };
  return make({});
}

/** A logger that writes nothing, for tests and tools. */
export const silentLogger: Logger = createLogger({ level: "error", format: "text", write: () => {} });

function quote(value: string | number | boolean | null): string {
  const text = String(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}
