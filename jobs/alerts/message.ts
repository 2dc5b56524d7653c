import type { TemplateValues } from "../../core/alert-channel.ts";
import type { AlertRule } from "../../core/alert-rule.ts";
import { isSilence } from "../../core/quality.ts";
import { formatTimestamp } from "../../core/time.ts";
import { unitBeside, type Variable, VARIABLES } from "../../core/variables.ts";
import type { ActiveAlert, AlertChange } from "./state-machine.ts";
import { anomalyOf, type Report } from "./verdict.ts";
import type { AlertMessage } from "../../core/alert-message.ts";

/** The data set of a message, and whether its data is real. */
export type MessageLabel = Pick<AlertMessage, "dataset" | "kind">;

/** The message of a change. */
export function alertMessage(change: AlertChange, id: string, label: MessageLabel): AlertMessage {
  const { type, rule, alert, report } = change;
  const { what, observed, unit } = sightOf(rule, report);
  const time = formatTimestamp(report.time);
  const text =
    type === "raised"
      ? `${rule.name}: ${alert.city}, ${what} at ${time}${lasting(alert, rule)}`
      : `Over: ${rule.name}: ${alert.city}, ${what} at ${time}, since ${formatTimestamp(alert.since)}`;
  return {
    id,
    type: type === "raised" ? "alert" : "recovery",
    alert_id: alert.id,
    rule: rule.name,
    city: alert.city,
    source: report.source,
    text: labelled(text, label),
    watches: watchedBy(rule),
    observed,
    unit,
    observed_at: time,
    since: formatTimestamp(alert.since),
    ...label,
  };
}

/** The message that ends an alert whose rule was deleted. */
export function closingMessage(
  alert: ActiveAlert,
  rule: Pick<AlertRule, "name" | "condition">,
  id: string,
  label: MessageLabel,
): AlertMessage {
  return {
    id,
    type: "recovery",
    alert_id: alert.id,
    rule: rule.name,
    city: alert.city,
    source: null,
    text: labelled(`Closed: ${rule.name}: ${alert.city}, because the rule was deleted`, label),
    watches: watchedBy(rule),
    observed: null,
    unit: null,
    observed_at: null,
    since: formatTimestamp(alert.since),
    ...label,
  };
}

/** A message that shows that a channel works. */
export function testMessage(channel: string, id: string, label: MessageLabel): AlertMessage {
  const text = `Test: the channel ${channel} works`;
  const nothing = { alert_id: null, rule: null, city: null, source: null, watches: null, observed: null };
  const none = { unit: null, observed_at: null, since: null };
  return { id, type: "test", ...nothing, ...none, text: labelled(text, label), ...label };
}

/** The values that a body template can insert. */
export function templateValues(message: AlertMessage): TemplateValues {
  const { id, type, text, rule, city, observed_at: time } = message;
  return { id, type, text, rule: rule ?? "", city: city ?? "", time: time ?? "" };
}

/** A rule's condition in words: `temperature below 0 °C for 30 min`, `unusual, severity 2 or more`. */
export function describeCondition({ condition }: Pick<AlertRule, "condition">): string {
  if (condition.type === "anomaly") {
    const more = condition.severity === 3 ? "" : " or more";
    return `${condition.kind}, severity ${condition.severity}${more}`;
  }
  const { variable, side, limit, forMinutes } = condition;
  const duration = forMinutes === 0 ? "" : ` for ${forMinutes} min`;
  return `${nameOf(variable)} ${side} ${valued(limit, variable)}${duration}`;
}

/** The value or anomaly of a report that the rule watches, in words. */
function sightOf(
  rule: AlertRule,
  { observation, judgement }: Report,
): { what: string; observed: number | null; unit: string | null } {
  const { condition } = rule;
  if (condition.type === "threshold") {
    const { variable, side, limit } = condition;
    const observed = observation?.[variable] ?? null;
    const bound = `limit: ${side} ${valued(limit, variable)}`;
    const what = `${nameOf(variable)} ${valued(observed, variable)} (${bound})`;
    return { what, observed, unit: VARIABLES[variable].unit };
  }
  const anomaly = anomalyOf(condition, judgement);
  if (anomaly === null) return { what: `no longer ${condition.kind}`, observed: null, unit: null };
  const { observed, expected, severity } = anomaly;
  const unit = isSilence(condition.kind) ? "min" : condition.kind === "stuck" ? "h" : "°C";
  const usual = expected === null ? "" : `, expected ${rounded(expected)} ${unit}`;
  const seen = observed === null ? "" : ` ${rounded(observed)} ${unit}${usual}`;
  return { what: `${condition.kind}:${seen} (severity ${severity})`, observed, unit };
}

function lasting({ since, at }: ActiveAlert, { condition }: AlertRule): string {
  const waits = condition.type === "threshold" && condition.forMinutes > 0;
  return waits && at > since ? `, so for ${Math.round((at - since) / 60_000)} min` : "";
}

function watchedBy({ condition }: Pick<AlertRule, "condition">): string {
  return condition.type === "threshold" ? condition.variable : condition.kind;
}

/** Marks simulated and replayed data, so that nobody takes it for present weather. */
function labelled(text: string, { kind }: MessageLabel): string {
  return kind === "observed" ? text : `[${kind}] ${text}`;
}

function nameOf(variable: Variable): string {
  return variable.replaceAll("_", " ");
}

/** A value with its unit. */
function valued(value: number | null, variable: Variable): string {
  return `${value} ${unitBeside(VARIABLES[variable].unit)}`.trimEnd();
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
