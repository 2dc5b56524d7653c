import { type AlertChannel, asObject, onlyKnown, parseChannels } from "./alert-channel.ts";
import { normalName } from "./city-name.ts";
import { describe } from "./observation.ts";
import type { Anomaly } from "./quality.ts";
import { type Variable, VARIABLE_NAMES } from "./variables.ts";

/** Kinds of anomalies a rule can watch. */
export const ANOMALY_KINDS = [
  "spike",
  "step",
  "unusual",
  "stuck",
  "silent",
  "outage",
] as const satisfies readonly Anomaly["kind"][];
/** One of {@link ANOMALY_KINDS}. */
export type AnomalyKind = (typeof ANOMALY_KINDS)[number];

/** The condition of a rule. */
export type AlertCondition =
  | {
      type: "threshold";
      variable: Variable;
      side: "above" | "below";
      /** In the variable's unit. A value equal to the limit does not meet the condition. */
      limit: number;
      /** How long the condition must be met, in observation time; with 0 the first report raises the alert. */
      forMinutes: number;
    }
  | { type: "anomaly"; kind: AnomalyKind; /** The least severity. */ severity: 1 | 2 | 3 };

/** A rule: the condition of an alert, and the channels that get its messages. */
export interface AlertRule {
  /** For a rule of the file: `file:` and its name. */
  id: string;
  name: string;
  /** Null for all cities; each city then has an alert of its own. */
  city: string | null;
  condition: AlertCondition;
  /** Names of channels. */
  channels: readonly string[];
  /** Where it was made. */
  origin: "file" | "page";
}

/** A rule as JSON, in the file and in the API. */
export interface AlertRuleJson {
  name: string;
  city: string | null;
  variable?: Variable;
  above?: number;
  below?: number;
  for_minutes?: number;
  anomaly?: AnomalyKind;
  severity?: 1 | 2 | 3;
  channels: readonly string[];
}

/** The content of the alerts file. */
export interface AlertsFile {
  channels: readonly AlertChannel[];
  rules: readonly AlertRule[];
}

/** Largest number of rules in the file, and of rules made on the page. */
export const RULES_MAX = 500;
/** Longest duration, minutes: the live judge looks back 25 h. */
const FOR_MINUTES_MAX = 24 * 60;
const NAME_MAX = 100;
/** Longest name of a city, characters: the same as in an observation. */
const CITY_MAX = 200;
const FIELDS = ["name", "city", "channels"] as const;

/**
 * Reads the alerts file.
 *
 * @param input parsed JSON: `{ "channels": […], "rules": […] }`
 * @throws {TypeError} naming the place in the file, the value and what was wanted
 */
export function parseAlertsFile(input: unknown): AlertsFile {
  const fields = asObject(input, "the file");
  onlyKnown(fields, ["channels", "rules"], "the file");
  const channels = parseChannels(fields.channels);
  const entries = fields.rules ?? [];
  if (!Array.isArray(entries) || entries.length > RULES_MAX) {
    throw new TypeError(`rules: wanted a list of at most ${RULES_MAX} rules`);
  }
  const ids = new Set<string>();
  const rules = entries.map((entry: unknown, index): AlertRule => {
    const place = `rule ${index + 1}`;
    try {
      const rule = parseAlertRule(entry, channels);
      const id = `file:${rule.name}`;
      if (ids.has(id)) throw new TypeError(`name is ${describe(rule.name)}, which another rule has`);
      ids.add(id);
      return { ...rule, id, origin: "file" };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new TypeError(`${place}: ${error.message}`, { cause: error });
    }
  });
  return { channels, rules };
}

/**
 * Reads one rule.
 *
 * @param input parsed JSON, {@link AlertRuleJson}; `city` may be left out for every city
 * @param channels the configured channels
 * @throws {TypeError} naming the field, its value and what was wanted
 */
export function parseAlertRule(
  input: unknown,
  channels: readonly Pick<AlertChannel, "name">[],
): Omit<AlertRule, "id" | "origin"> {
  const fields = asObject(input, "the rule");
  const { name } = fields;
  const city = typeof fields.city === "string" ? normalName(fields.city) : (fields.city ?? null);
  if (!isName(name, NAME_MAX))
    throw new TypeError(`name is ${describe(name)}, wanted 1 to ${NAME_MAX} characters`);
  if (city !== null && !isName(city, CITY_MAX)) {
    throw new TypeError(
      `city is ${describe(fields.city)}, wanted the name of a city, or null for every city`,
    );
  }
  return { name, city, condition: conditionOf(fields), channels: channelsOf(fields.channels, channels) };
}

/** Converts a rule to the JSON of the file and the API. */
export function ruleJson({
  name,
  city,
  condition,
  channels,
}: Omit<AlertRule, "id" | "origin">): AlertRuleJson {
  if (condition.type === "anomaly") {
    return { name, city, anomaly: condition.kind, severity: condition.severity, channels };
  }
  const { variable, side, limit, forMinutes } = condition;
  return { name, city, variable, [side]: limit, for_minutes: forMinutes, channels };
}

function conditionOf(fields: Record<string, unknown>): AlertCondition {
  const isAnomaly = fields.anomaly !== undefined;
  if (isAnomaly === (fields.variable !== undefined)) {
    throw new TypeError("variable and anomaly: wanted one of the two");
  }
  if (isAnomaly) {
    onlyKnown(fields, [...FIELDS, "anomaly", "severity"], "the rule");
    const kind = ANOMALY_KINDS.find((one) => one === fields.anomaly);
    if (kind === undefined) {
      throw new TypeError(`anomaly is ${describe(fields.anomaly)}, wanted ${ANOMALY_KINDS.join(", ")}`);
    }
    const severity = ([1, 2, 3] as const).find((one) => one === (fields.severity ?? 2));
    if (severity === undefined) {
      throw new TypeError(`severity is ${describe(fields.severity)}, wanted 1, 2 or 3`);
    }
    return { type: "anomaly", kind, severity };
  }
  onlyKnown(fields, [...FIELDS, "variable", "above", "below", "for_minutes"], "the rule");
  const variable = VARIABLE_NAMES.find((one) => one === fields.variable);
  if (variable === undefined) {
    throw new TypeError(`variable is ${describe(fields.variable)}, wanted ${VARIABLE_NAMES.join(", ")}`);
  }
  const { above, below, for_minutes: forMinutes = 0 } = fields;
  if ((above === undefined) === (below === undefined)) {
    throw new TypeError("above and below: wanted one of the two");
  }
  const side = above === undefined ? "below" : "above";
  const limit = above ?? below;
  if (typeof limit !== "number" || !Number.isFinite(limit)) {
    throw new TypeError(`${side} is ${describe(limit)}, wanted a number`);
  }
  if (typeof forMinutes !== "number" || !(forMinutes >= 0 && forMinutes <= FOR_MINUTES_MAX)) {
    throw new TypeError(`for_minutes is ${describe(forMinutes)}, wanted 0 to ${FOR_MINUTES_MAX}`);
  }
  return { type: "threshold", variable, side, limit, forMinutes };
}

function channelsOf(value: unknown, channels: readonly Pick<AlertChannel, "name">[]): string[] {
  const wanted = `wanted one or more of ${channels.map(({ name }) => name).join(", ")}`;
  if (!Array.isArray(value) || value.length === 0) {
    throw new TypeError(`channels is ${describe(value)}, ${wanted}`);
  }
  const names = new Set<string>();
  for (const name of value as unknown[]) {
    if (typeof name !== "string" || !channels.some((channel) => channel.name === name)) {
      throw new TypeError(`channels names ${describe(name)}, ${wanted}`);
    }
    names.add(name);
  }
  return [...names];
}

/** Control characters would break an e-mail's subject. */
function isName(value: unknown, max: number): value is string {
  return (
    typeof value === "string" &&
    value.trim() !== "" &&
    value.length <= max &&
    value.isWellFormed() &&
    !/[\u0000-\u001f\u007f]/.test(value)
  );
}
