import { knownName } from "../core/city-name.ts";
import { namingCity, namingSource } from "./sources/record.ts";
import type { Log } from "./log/log.ts";

/** Source of posted observations that name none. */
const SOURCE = "api";

/**
 * Appends posted records to the log; they are durable when it resolves. They are not validated here: the consumer rejects
 * an invalid record, with its offset and the reason. An object without a source gets one, and the city's name
 * its normal form: that of a configured city where it differs in case only.
 *
 * @param cities the configured ones
 * @throws LogError
 */
export async function appendLines(
  log: Log,
  lines: readonly string[],
  cities: readonly { name: string }[],
): Promise<{ appended: number }> {
  const records = lines.map((line) => {
    const value = namingCity(namingSource(line, SOURCE), (name) => knownName(name, cities));
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
    return ""; // not JSON: the consumer rejects it with the reason
  }
}
