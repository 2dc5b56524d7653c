import type { AlertChannel } from "../../../core/alert-channel.ts";
import type { KeptMessage } from "../../../core/alert-message.ts";
import type { AlertRule } from "../../../core/alert-rule.ts";

/** What was typed into a form that was refused. */
export interface RuleEntry {
  values?: Readonly<Record<string, string>>;
  channels?: readonly string[];
}

/** A way to a person or a program, without what may be a key. */
export interface ChannelProps extends Pick<AlertChannel, "name" | "type"> {
  /** A host, or the domains of addresses. */
  target: string;
  /** Its quiet hours in words; null where it has none. */
  quiet: string | null;
}

/** A rule with its state. */
export interface RuleProps extends Pick<AlertRule, "id" | "name" | "city" | "channels"> {
  /** In words. */
  condition: string;
  /** How many of its alerts are active. */
  active: number;
  isOfFile: boolean;
}

/** An alert that has not recovered. Times are ms. */
export interface ActiveProps {
  rule: string;
  city: string;
  source: string;
  condition: string;
  since: number;
}

/** The page of alerts. */
export interface AlertsProps {
  /** ms. */
  now: number;
  /** Where a rule watches what is unusual: who cannot be judged yet and until when, in words; else null. */
  tooEarly: string | null;
  /** Whether there is a file of channels. */
  isOn: boolean;
  /** Names that are offered. */
  cities: readonly string[];
  channels: readonly ChannelProps[];
  rules: readonly RuleProps[];
  active: readonly ActiveProps[];
  messages: readonly KeptMessage[];
  /** What has just been done; null for nothing. */
  notice: string | null;
  /** Why the form was refused; null where it was not. */
  error: string | null;
  entry: RuleEntry;
}
