import type { Log } from "../jobs/log/log.ts";

/** Source of observations that name none: whoever posted them. */
const SOURCE = "api";

/**
 * Appends records that were posted; durable when it resolves. They are not judged here: the consumer rejects what cannot
 * be read, with its offset and the reason. An object that names no source is given one.
 *
 * @throws LogError
 */
export async function appendLines(log: Log, lines: readonly string[]): Promise<{ appended: number }> {
  const records = lines.map((line) => {
    let record: unknown;
    try {
      record = JSON.parse(line);
    } catch {
      return { key: "", value: line };
    }
    if (typeof record !== "object" || record === null || Array.isArray(record))
      return { key: "", value: line };
    const { city, source } = record as Record<string, unknown>;
    const value = source === undefined ? JSON.stringify({ ...record, source: SOURCE }) : line;
    return { key: typeof city === "string" ? city : "", value };
  });
  await log.append(records);
  return { appended: records.length };
}
