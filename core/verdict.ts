import type { Anomaly } from "./quality.ts";

/** Something unusual about a city now. */
export interface UnusualNow {
  city: string;
  kind: Exclude<Anomaly["kind"], "silent" | "outage">;
  /** Above or below what is usual; null of what is stuck. */
  side: "above" | "below" | null;
}

/** A city that reports and whose past is too short to judge it by season and hour. */
export interface UnjudgedCity {
  city: string;
  /** Days with a report at the hour of its newest one; null before the usual temperatures were computed. */
  days: number | null;
  /** When it has as many as are needed if it goes on reporting, ms; null where that cannot be told. */
  judgedFrom: number | null;
}

/** What can be said of the newest reports of some cities. */
export interface VerdictFacts {
  /** What counts as now, ms: of a recording the time of its newest report. */
  asOf: number;
  /** Whether it is a recording that ended: nothing of it is on time, and nothing more comes. */
  isRecording: boolean;
  cities: number;
  /** Names of cities whose newest report is stale. */
  late: string[];
  /** Names of cities that have never reported. */
  silent: string[];
  unusual: UnusualNow[];
  /** How many cities are judged by season and hour. */
  judged: number;
  unjudged: UnjudgedCity[];
}

/** The facts and the sentences that say them: every page, answer and message takes its words from here. */
export interface Verdict extends VerdictFacts {
  /** What is unusual or late, or that nothing is. */
  answer: string;
  /** How the rest is; it follows the answer as it stands. */
  rest: string;
  /** What to say where a list of anomalies is empty, and why that is so. */
  nothing: { what: string; why: string };
  /** Who cannot be judged yet, why, and until when: a sentence, or null where everybody is judged. */
  tooEarly: string | null;
}
