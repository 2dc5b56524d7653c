import type { AlertCondition } from "../../core/alert-rule.ts";
import type { Observation } from "../../core/observation.ts";
import type { Anomaly, Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";

/** A report with its judgement. */
export interface Report {
  city: string;
  source: string;
  /** When it was observed, ms. */
  time: number;
  /** Null where it is not known any more: then only its judgement counts. */
  observation: Observation | null;
  judgement: Judgement;
}

/** A report of a judgement and the observation it is about. */
export function reportOf(judgement: Judgement, observation: Observation | null): Report {
  const { city, source, timestamp } = judgement;
  return { city, source, time: parseTimestamp(timestamp), observation, judgement };
}

/** What a condition makes of a report: whether it is met, or null where the report does not tell. */
export function verdictOf(condition: AlertCondition, report: Report): boolean | null {
  const { observation, judgement } = report;
  if (condition.type === "anomaly") {
    const { kind } = condition;
    // Weather that was not measured rightly is not unusual; the other kinds are about the instrument itself.
    const isWeather = kind === "unusual" || kind === "step";
    if (isWeather && judgement.flags.temperature_flag === FAILED) return null;
    return anomalyOf(condition, judgement) !== null;
  }
  const value = observation?.[condition.variable] ?? null;
  if (value === null || judgement.flags[`${condition.variable}_flag`] === FAILED) return null;
  return condition.side === "above" ? value > condition.limit : value < condition.limit;
}

/** The anomaly that meets a condition; null where there is none. */
export function anomalyOf(
  condition: AlertCondition & { type: "anomaly" },
  judgement: Judgement,
): Anomaly | null {
  return (
    judgement.anomalies.find(
      ({ kind, severity }) => kind === condition.kind && (severity ?? 0) >= condition.severity,
    ) ?? null
  );
}

/** What quality control failed, by {@link Judgement.flags}. */
const FAILED = 4;
