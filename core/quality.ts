import { type Variable, VARIABLE_NAMES } from "./variables.ts";

/**
 * A QARTOD flag (IOOS, Manual for Real-Time Quality Control): 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.
 */
export type Flag = 1 | 2 | 3 | 4 | 9;

/** The tests of quality control, as their columns in the view `quality` are named. */
export const QUALITY_TESTS = [
  "q_gross",
  "q_step",
  "q_spike",
  "q_stuck",
  "q_level",
  "q_consistency",
  "q_time",
  "q_neighbour",
] as const;

/** One of {@link QUALITY_TESTS}. */
export type QualityTest = (typeof QUALITY_TESTS)[number];

/** The flags of single variables: the worst of the tests that concern each; 9 where it was not reported. */
export const VARIABLE_FLAGS = VARIABLE_NAMES.map((name) => `${name}_flag` as const);

/** Every flag of an observation, in order; `flag` is the worst of its tests. */
export const FLAG_COLUMNS = ["flag", ...QUALITY_TESTS, ...VARIABLE_FLAGS] as const;

/** The value of each of {@link FLAG_COLUMNS}. */
export type Flags = Record<(typeof FLAG_COLUMNS)[number], Flag>;

/** The flag of a variable. */
export function flagOf<Value>(
  flags: Readonly<Record<(typeof VARIABLE_FLAGS)[number], Value>>,
  variable: Variable,
): Value {
  return flags[`${variable}_flag`];
}

/** Something unusual about one observation. */
export interface Anomaly {
  kind: "spike" | "step" | "unusual" | "stuck" | "silent" | "outage";
  /** The variable it is about. */
  variable: string;
  /** °C; the hours without a change of what is stuck, the minutes without a report of a silence or an outage. */
  observed: number | null;
  expected: number | null;
  lower: number | null;
  upper: number | null;
  /** How far outside, in the measure of its method. */
  score: number | null;
  method: string;
  /** Sample size behind what was expected; of an outage the series that are silent. */
  n: number;
  /** 1 shown, 2 and 3 worth an alert; null where it is none. */
  severity: number | null;
  /** `anomaly`, `normal` or `insufficient data`. */
  status: string;
}

/** Whether a kind of anomaly is that reports do not come: of one series, or of most at once. */
export function isSilence(kind: string): kind is "silent" | "outage" {
  return kind === "silent" || kind === "outage";
}

/** What is known of an observation's worth: the flags of its tests, and what is unusual about it. */
export interface Judgement {
  city: string;
  source: string;
  /** ISO 8601 UTC. */
  timestamp: string;
  log_offset: number;
  flags: Flags;
  /**
   * The temperature that is usual for the season and hour, with its bounds; null without a temperature. Without enough history
   * the status says so and the values are null.
   */
  usual: Pick<Anomaly, "expected" | "lower" | "upper" | "score" | "n" | "status"> | null;
  anomalies: Anomaly[];
}

/** What one line of `limits.csv` says: a value outside of these bounds is suspect, or fails. Null is no bound. */
export interface Limit {
  /** The test: `gross`, `step`, … */
  test: string;
  /** The value that is compared with the limit. */
  variable: string;
  /** `low` up to 45° north or south, `high` beyond; null for all. */
  latitude: string | null;
  /** `winter` or `summer` of that half of the earth; null for the whole year. */
  season: string | null;
  /** Within how many hours a change may not be larger; null where no span is meant. */
  hours: number | null;
  suspect_low: number | null;
  suspect_high: number | null;
  fail_low: number | null;
  fail_high: number | null;
  /** Of the bounds. */
  unit: string;
  /** Who says so. */
  source: string;
}
