import { type AlertRule, parseAlertRule } from "../../../core/alert-rule.ts";
import type { Row } from "../../../core/observation.ts";
import { type Anomaly, FLAG_COLUMNS, type Flag, type Flags, type Judgement } from "../../../core/quality.ts";
import { formatTimestamp } from "../../../core/time.ts";
import { type Report, reportOf } from "../../../jobs/alerts/verdict.ts";

/** The time at which these tests stand: `FakeClock`'s default. */
export const NOW = Date.UTC(2026, 0, 31, 12);
/** A minute, ms. */
export const MINUTE = 60_000;

/** A rule about London's temperature below 0 °C, changed as wanted. */
export function rule(changes: Record<string, unknown> = {}): AlertRule {
  const json = { name: "Frost", city: "London", variable: "temperature", below: 0, channels: ["ops"] };
  const { id = "r1", ...rest } = changes;
  const plain = "anomaly" in rest ? { name: "Odd", channels: ["ops"] } : json;
  return { ...parseAlertRule({ ...plain, ...rest }, [{ name: "ops" }]), id: String(id), origin: "page" };
}

/** What a report of a test says. */
export interface Sight {
  /** Minutes after {@link NOW}. */
  minute?: number;
  city?: string;
  source?: string;
  temperature?: number | null;
  wind_gust?: number;
  flag?: Flag;
  anomalies?: [Anomaly["kind"], number][];
  /** How the temperature was judged by season and hour. */
  status?: "normal" | "insufficient data";
}

/** A row of the log. */
export function rowOf(sight: Sight): Row {
  const { minute = 0, city = "London", source = "open-meteo", temperature = 5, wind_gust } = sight;
  return {
    timestamp: formatTimestamp(NOW + minute * MINUTE),
    city,
    temperature,
    humidity: 80,
    pressure: 1000,
    wind_speed: 3,
    rainfall: 0,
    weather_main: null,
    weather_description: null,
    source,
    ...(wind_gust === undefined ? {} : { wind_gust }),
    log_offset: 1_000_000 + minute,
    ingested_at: formatTimestamp(NOW + minute * MINUTE),
  };
}

/** Its judgement. */
export function judgementOf(sight: Sight): Judgement {
  const { city, source, timestamp, log_offset } = rowOf(sight);
  const { flag = 1, anomalies = [], status } = sight;
  const bounds = { expected: null, lower: null, upper: null, score: null, n: 2 };
  const flags = Object.fromEntries(FLAG_COLUMNS.map((name) => [name, flag])) as Flags;
  return {
    city,
    source,
    timestamp,
    log_offset,
    flags,
    usual: status === undefined ? null : { ...bounds, status },
    anomalies: anomalies.map(([kind, severity]): Anomaly => ({
      kind,
      variable: "temperature",
      observed: 21.04,
      expected: 9.96,
      lower: 4,
      upper: 16,
      score: 8,
      method: "a test",
      n: 90,
      severity,
      status: "anomaly",
    })),
  };
}

/** Both together. */
export function report(sight: Sight): Report {
  return reportOf(judgementOf(sight), rowOf(sight));
}
