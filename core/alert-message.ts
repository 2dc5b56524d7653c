import type { DatasetKind } from "./dataset-kind.ts";

/** A message as it is sent to a webhook and kept in the store. */
export interface AlertMessage {
  /** Id of this message on this channel. A retry after a kill or a lost answer has the same id, so receivers can dedupe. */
  id: string;
  type: "alert" | "recovery" | "test";
  /** Id of the alert: the same in its alert and its recovery message; null in a test. */
  alert_id: string | null;
  /** Name of the rule; null in a test. */
  rule: string | null;
  city: string | null;
  source: string | null;
  /** One line of text for people. */
  text: string;
  /** What the rule watches, such as `temperature` or `unusual`; null in a test. */
  watches: string | null;
  observed: number | null;
  unit: string | null;
  /** Observation time of the report, ISO 8601 UTC. */
  observed_at: string | null;
  /** Since when the condition is met, ISO 8601 UTC. */
  since: string | null;
  dataset: string;
  /** Whether the data is real. */
  kind: DatasetKind;
}

/** A message as it is shown. Times are ISO 8601 UTC. */
export interface KeptMessage {
  id: string;
  channel: string;
  type: AlertMessage["type"];
  rule: string | null;
  city: string | null;
  text: string;
  /** `failed`: all tries failed, and it was given up. */
  state: "waiting" | "sent" | "failed";
  /** Number of tries. */
  tries: number;
  made_at: string;
  sent_at: string | null;
  /** Time of the next try, if no quiet hours delay it; null if there is none. */
  next_try_at: string | null;
  /** Reason why the last try failed; null if it succeeded. */
  error: string | null;
}
