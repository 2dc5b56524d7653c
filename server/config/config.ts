import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import type { Setting, Settings, SettingValues } from "../../core/setting.ts";
import { missingKey, sourceSettings } from "../../jobs/sources/select.ts";
import type { SourceEntry } from "../../jobs/sources/source.ts";
import { SOURCES } from "../../jobs/sources/sources.ts";
import { isLoopback } from "./loopback.ts";
import { SETTINGS } from "./settings.ts";

/** The settings the program runs with. What each one means stands in {@link SETTINGS}. */
export type Config = SettingValues<typeof SETTINGS>;

/**
 * Reads the settings from the environment, into which Bun has loaded `.env` of the working folder. Reads `CITIES_FILE`
 * and touches nothing else.
 *
 * @param env variables by name, such as `process.env`
 * @param options.isTerminal whether people read the log
 * @param options.sources which there are. Default: {@link SOURCES}
 * @returns the settings, and what looks like a misspelled one
 * @throws ConfigError `bad_setting` naming every wrong setting, its value (secrets excepted) and what was wanted
 */
export function loadConfig(
  env: Readonly<Record<string, string | undefined>>,
  options: { isTerminal: boolean; sources?: readonly SourceEntry[] },
): { config: Config; warnings: string[] } {
  const { isTerminal, sources = SOURCES } = options;
  const table: Settings = { ...SETTINGS, ...sourceSettings(sources) };
  const values: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const [key, setting] of Object.entries(table)) {
    const text = env[setting.name];
    try {
      values[key] = text === undefined ? setting.default : setting.kind.parse(text);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      wrong.push(`${setting.name} is ${shown(setting, text ?? "")}: ${error.message}`);
    }
  }
  if (env.LOG_FORMAT === undefined && isTerminal) values.logFormat = "text";
  // The keys and values are the table's own, one by one; only a loop cannot tell TypeScript so.
  const config = values as unknown as Config;
  wrong.push(...contradictions(config, sources));
  if (wrong.length > 0) {
    throw new ConfigError(
      "bad_setting",
      `Cannot start, ${wrong.length === 1 ? "a setting is" : `${wrong.length} settings are`} wrong:\n${wrong.map((line) => `  ${line}`).join("\n")}`,
      { hint: "docs/configuration.md lists every setting." },
    );
  }
  return { config, warnings: misspelled(Object.keys(env), table) };
}

/** What is wrong with settings that are right each by itself. A setting that could not be read is missing here. */
function contradictions(config: Partial<Config>, sources: readonly SourceEntry[]): string[] {
  const found: string[] = [];
  const { host, auth, batchRecords, batchRecordsMax } = config;
  if (host !== undefined && auth === null && !isLoopback(host)) {
    found.push(
      `HOST is ${describe(host)}: wanted a loopback address such as 127.0.0.1, or AUTH=none to open the server to everybody`,
    );
  }
  if (batchRecords !== undefined && batchRecordsMax !== undefined && batchRecordsMax < batchRecords) {
    found.push(
      `BATCH_RECORDS_MAX is ${batchRecordsMax}: wanted at least BATCH_RECORDS, which is ${batchRecords}`,
    );
  }
  const missing = missingKey(sources, config);
  if (missing !== null) found.push(missing);
  const { kafkaTls, kafkaCert, kafkaKey, kafkaSasl, kafkaUsername, kafkaPassword } = config;
  if (((kafkaCert ?? null) === null) !== ((kafkaKey ?? null) === null)) {
    found.push("KAFKA_CERT_FILE and KAFKA_KEY_FILE: wanted both or none");
  }
  if (kafkaTls === "off" && (kafkaCert ?? config.kafkaCa ?? null) !== null) {
    found.push("KAFKA_TLS is off: wanted on, because certificates are set");
  }
  const login = [kafkaSasl, kafkaUsername, kafkaPassword].filter((value) => (value ?? null) !== null).length;
  if (login !== 0 && login !== 3) {
    found.push("KAFKA_SASL, KAFKA_USERNAME and KAFKA_PASSWORD: wanted all three or none");
  }
  const { alertsFile, smtpUrl = null, smtpFrom = null } = config;
  if ((smtpUrl === null) !== (smtpFrom === null)) found.push("SMTP_URL and SMTP_FROM: wanted both or none");
  const email = alertsFile?.channels.find(({ type }) => type === "email");
  if (email !== undefined && smtpUrl === null) {
    found.push(
      `SMTP_URL is not set: wanted one, because ALERTS_FILE has the channel "${email.name}" for e-mail`,
    );
  }
  return found;
}

function shown(setting: Setting, text: string): string {
  if (text === "") return "empty";
  if (setting.secret) return "not as it should be (its value is not shown)";
  return describe(setting.kind.show?.(text) ?? text);
}

/** Short names are near to too many others. */
const SHORTEST_CHECKED = 6;
const MOST_EDITS = 2;

/** Variables that are none of ours but nearly so. Their values are not shown: nobody knows what they are. */
function misspelled(variables: readonly string[], table: Settings): string[] {
  const names = Object.values(table).map((setting) => setting.name);
  const warnings: string[] = [];
  for (const variable of variables) {
    if (names.includes(variable)) continue;
    const meant = names.find(
      (name) => name.length >= SHORTEST_CHECKED && editDistance(variable.toUpperCase(), name) <= MOST_EDITS,
    );
    if (meant !== undefined) warnings.push(`${variable} is no setting: is ${meant} meant?`);
  }
  return warnings;
}

/** Levenshtein distance: the fewest insertions, deletions and replacements that make `a` into `b`. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > MOST_EDITS) return MOST_EDITS + 1;
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[b.length] ?? 0;
}
