import type { AlertRule } from "../../core/alert-rule.ts";
import { isSilence } from "../../core/quality.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { type Report, verdictOf } from "./verdict.ts";

/** State of one rule for one city and source. */
export interface Track {
  rule: string;
  city: string;
  source: string;
  /** Since when the condition is met, ms; for an event: when it last happened. Null while it is not met. */
  since: number | null;
  /** Time of the newest report with a verdict, ms. */
  last: number;
}

/** An alert that was raised and has not recovered yet. */
export interface ActiveAlert {
  id: string;
  rule: string;
  city: string;
  /** Source of the report that raised it. */
  source: string;
  /** Since when the condition is met, ms, in observation time. */
  since: number;
  /** Observation time of the report that raised it, ms. */
  at: number;
}

/** An alert that was raised or has recovered. */
export interface AlertChange {
  type: "raised" | "recovered";
  /** A recovery without a message: the end of an event is not worth one. */
  isQuiet: boolean;
  rule: AlertRule;
  alert: ActiveAlert;
  report: Report;
}

/** The changes that a batch of reports has caused. */
export interface AlertChanges {
  tracks: Track[];
  /** In the order in which they happened. */
  alerts: AlertChange[];
}

/** An event is over when it has not happened again for this time, ms. The next one then raises a new alert. */
const EVENT_MS = HOUR_MS;
/** A source whose last report is older than another source's of the same city by this, ms, is ignored. */
const GIVEN_UP_MS = 3 * HOUR_MS;
/** The same limit for rules that watch for silence: as long as the view `anomaly` looks back. */
const SILENCE_GIVEN_UP_MS = 30 * DAY_MS;

/** Context of an {@link AlertMachine}. */
export interface MachineContext {
  /** Age at which a report is stale, ms. Also the longest gap between reports across which a condition stays met. */
  staleMs: number;
  newId: () => string;
}

/**
 * The state machine of the alerts: rules and reports in, changes out, no I/O. Durations are measured in observation time.
 * A stale report neither raises nor ends an alert, but it counts for how long the condition has been met. A report without a
 * verdict (value missing, or failed by quality control) changes nothing. Each rule and city has at most one alert, whatever
 * the number of sources.
 */
export class AlertMachine {
  readonly #context: MachineContext;
  readonly #tracks = new Map<string, Map<string, Track>>();
  readonly #active = new Map<string, ActiveAlert>();
  /** Time of the newest report of each series, ms. */
  readonly #newest = new Map<string, number>();

  /** @param saved state of an earlier machine, as it was stored */
  constructor(saved: { tracks: readonly Track[]; alerts: readonly ActiveAlert[] }, context: MachineContext) {
    this.#context = context;
    for (const track of saved.tracks) this.#tracksOf(track.rule, track.city).set(track.source, track);
    for (const alert of saved.alerts) this.#active.set(keyOf(alert.rule, alert.city), alert);
  }

  /**
   * Takes reports; those of one series in time order.
   *
   * @param asOf present time, ms; in a replay its newest observation time
   */
  take(rules: readonly AlertRule[], reports: readonly Report[], asOf: number): AlertChanges {
    for (const { city, source, time } of reports) {
      const series = keyOf(source, city);
      this.#newest.set(series, Math.max(this.#newest.get(series) ?? -Infinity, time));
    }
    const changed = new Set<Track>();
    const alerts: AlertChange[] = [];
    for (const report of reports) {
      for (const rule of rules) {
        if (rule.city !== null && rule.city !== report.city) continue;
        const verdict = this.#verdictOf(rule, report);
        if (verdict === null) continue;
        const isStale = asOf - report.time > this.#context.staleMs;
        const track = isEvent(rule)
          ? this.#event(rule, report, verdict, isStale, alerts)
          : this.#state(rule, report, verdict, isStale, alerts);
        if (track !== null) changed.add(track);
      }
    }
    return { tracks: [...changed], alerts };
  }

  #verdictOf(rule: AlertRule, report: Report): boolean | null {
    const verdict = verdictOf(rule.condition, report);
    // A later report has already ended this silence.
    const wasEnded = report.time < (this.#newest.get(keyOf(report.source, report.city)) ?? -Infinity);
    return watchesSilence(rule) && verdict === true && wasEnded ? null : verdict;
  }

  /** A condition with a duration: it is met or not met over time. */
  #state(
    rule: AlertRule,
    report: Report,
    met: boolean,
    isStale: boolean,
    alerts: AlertChange[],
  ): Track | null {
    const { time } = report;
    const track = this.#trackOf(rule, report);
    if (time < track.last) return null;
    const isBroken = time - track.last > this.#context.staleMs;
    track.last = time;
    if (!met) {
      track.since = null;
      if (!isStale) this.#recover(rule, report, false, alerts);
      return track;
    }
    if (track.since === null || isBroken) track.since = time;
    const { condition } = rule;
    const waits = condition.type === "threshold" ? condition.forMinutes * 60_000 : 0;
    // A silence is reported at the time of the last report, which is always old.
    const maySpeak = !isStale || watchesSilence(rule);
    if (maySpeak && time - track.since >= waits) this.#raise(rule, report, track.since, alerts);
    return track;
  }

  /** An event at one point in time. The judge may report it again, or late. */
  #event(
    rule: AlertRule,
    report: Report,
    happened: boolean,
    isStale: boolean,
    alerts: AlertChange[],
  ): Track | null {
    const { time } = report;
    const track = this.#trackOf(rule, report);
    const before = track.since;
    if (!happened && time < track.last) return null;
    if (happened && before !== null && time <= before) return null;
    track.last = Math.max(track.last, time);
    if (before !== null && time - before >= EVENT_MS) {
      track.since = null;
      if (!isStale) this.#recover(rule, report, true, alerts);
    }
    if (happened) {
      track.since = time;
      if (!isStale) this.#raise(rule, report, time, alerts);
    }
    return track;
  }

  #raise(rule: AlertRule, report: Report, since: number, alerts: AlertChange[]): void {
    const { city, source, time } = report;
    const key = keyOf(rule.id, city);
    if (this.#active.has(key)) return;
    const alert = { id: this.#context.newId(), rule: rule.id, city, source, since, at: time };
    this.#active.set(key, alert);
    alerts.push({ type: "raised", isQuiet: false, rule, alert, report });
  }

  /** Ends the alert, unless the condition is still met for another source of the city. */
  #recover(rule: AlertRule, report: Report, isQuiet: boolean, alerts: AlertChange[]): void {
    const key = keyOf(rule.id, report.city);
    const alert = this.#active.get(key);
    if (alert === undefined) return;
    const givenUpMs = watchesSilence(rule) ? SILENCE_GIVEN_UP_MS : GIVEN_UP_MS;
    for (const { since, last } of this.#tracksOf(rule.id, report.city).values()) {
      if (since !== null && report.time - last <= givenUpMs) return;
    }
    this.#active.delete(key);
    alerts.push({ type: "recovered", isQuiet, rule, alert, report });
  }

  #trackOf(rule: AlertRule, { city, source }: Report): Track {
    const tracks = this.#tracksOf(rule.id, city);
    let track = tracks.get(source);
    if (track === undefined) {
      track = { rule: rule.id, city, source, since: null, last: -Infinity };
      tracks.set(source, track);
    }
    return track;
  }

  #tracksOf(rule: string, city: string): Map<string, Track> {
    const key = keyOf(rule, city);
    let tracks = this.#tracks.get(key);
    if (tracks === undefined) this.#tracks.set(key, (tracks = new Map()));
    return tracks;
  }
}

function isEvent({ condition }: AlertRule): boolean {
  return condition.type === "anomaly" && (condition.kind === "spike" || condition.kind === "step");
}

function watchesSilence({ condition }: AlertRule): boolean {
  return condition.type === "anomaly" && isSilence(condition.kind);
}

function keyOf(a: string, b: string): string {
  return `${a}\u0000${b}`;
}
