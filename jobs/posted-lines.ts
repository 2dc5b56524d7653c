import { namingSource } from "./sources/record.ts";
import type { Log } from "./log/log.ts";

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
    const value = namingSource(line, SOURCE);
    return { key: cityOf(value), value };
  });
  await log.append(records);
  return { appended: records.length };
}

function cityOf(text: string): string {
  try {
    const record = JSON.parse(text) as { city?: unknown } | null;
    return typeof record?.city === "string" ? record.city : "";
  } catch {
    return ""; // the consumer says what is wrong with it
  }
}
