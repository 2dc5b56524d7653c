import type { AlertCondition } from "../../core/alert-rule.ts";
import type { Observation } from "../../core/observation.ts";
import { type Anomaly, flagOf, type Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";

/** A report with its judgement. */
export interface Report {
  city: string;
  source: string;
  /** When it was observed, ms. */
  time: number;
  /** Null if it is no longer in memory: then only conditions on the judgement can be evaluated. */
  observation: Observation | null;
  judgement: Judgement;
}

/** Makes a report from a judgement and its observation. */
export function reportOf(judgement: Judgement, observation: Observation | null): Report {
  const { city, source, timestamp } = judgement;
  return { city, source, time: parseTimestamp(timestamp), observation, judgement };
}

/** Evaluates a condition for a report: whether it is met; null if the report cannot tell. */
export function verdictOf(condition: AlertCondition, report: Report): boolean | null {
  const { observation, judgement } = report;
  if (condition.type === "anomaly") {
    const { kind } = condition;
    // A wrong value is not unusual weather. The other kinds of anomaly are about the instrument.
    const isWeather = kind === "unusual" || kind === "step";
    if (isWeather && judgement.flags.temperature_flag === FAILED) return null;
    if (anomalyOf(condition, judgement) !== null) return true;
    // Where the past is too short nobody can say that it is unusual no longer.
    return kind === "unusual" && judgement.usual?.status === "insufficient data" ? null : false;
  }
  const value = observation?.[condition.variable] ?? null;
  if (value === null || flagOf(judgement.flags, condition.variable) === FAILED) return null;
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

/** Flag of a value that failed quality control, see {@link Judgement.flags}. */
const FAILED = 4;
