import type { AlertChannel } from "../../core/alert-channel.ts";
import { type AlertRule, type AlertsFile, parseAlertRule, RULES_MAX } from "../../core/alert-rule.ts";
import type { Clock } from "../../core/clock.ts";
import { yieldToEventLoop } from "../../core/yield-to-event-loop.ts";
import { codeOf, RequestError } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { describe, type Observation, type Row } from "../../core/observation.ts";
import type { Judgement } from "../../core/quality.ts";
import { parseTimestamp } from "../../core/time.ts";
import { seriesOf } from "../analytics/judgements.ts";
import type { RoleLock } from "../role-lock.ts";
import type { BackgroundJob, JobContext } from "../supervisor.ts";
import type { Deliver } from "./channels.ts";
import { Outbox } from "./outbox.ts";
import { type ActiveAlert, AlertMachine } from "./state-machine.ts";
import { closingMessage, alertMessage, type MessageLabel, testMessage } from "./message.ts";
import type { AlertStore, NewMessage } from "./store.ts";
import type { KeptMessage } from "../../core/alert-message.ts";
import { type Report, reportOf } from "./verdict.ts";

/** Options of {@link Alerts}. */
export interface AlertsOptions {
  file: AlertsFile;
  store: AlertStore;
  deliver: Deliver;
  label: MessageLabel;
  /** Age at which a report is stale, s. */
  staleAfterSeconds: number;
  /** The newest observation of each city with its judgement, so that a new rule can be evaluated at once. */
  current: () => readonly { observation: Observation; judgement: Judgement | null }[];
  /** Takes the lock for the evaluation, which only one process may do. Rejects with `locked` while another process has it. */
  lock: () => Promise<Pick<RoleLock, "release">>;
  clock: Clock;
  logger: Logger;
  newId: () => string;
  /** A number in [0, 1), for the jitter. */
  random?: () => number;
}

/** A rule with the number of its active alerts. */
export interface RuleState {
  rule: AlertRule;
  active: number;
}

/** The alerts as the pages and the API use them. */
export interface AlertsService {
  readonly channels: readonly AlertChannel[];
  /** The rules, those of the file first. */
  rules(): RuleState[];
  /** The active alerts, the newest first. */
  active(): { alert: ActiveAlert; rule: AlertRule }[];
  /** The messages, sent and waiting, the newest first. */
  messages(limit: number): KeptMessage[];
  /**
   * Adds a rule.
   *
   * @param input as {@link parseAlertRule} takes it
   * @throws RequestError `bad_parameter` naming the field, `conflict` when the name is taken or there are too many
   */
  addRule(input: unknown): AlertRule;
  /**
   * Deletes a rule that was made on the page, and closes its alerts.
   *
   * @throws RequestError `not_found`, or `conflict` for a rule of the file
   */
  removeRule(id: string): void;
  /**
   * Sends a test message. It is not retried and ignores quiet hours.
   *
   * @returns its id
   * @throws RequestError `not_found`
   */
  test(channel: string): string;
}

/** Largest number of rows that wait for their judgement: a little more than the judge keeps. */
const ROWS_MAX = 25_000;

/** Largest number of reports that wait for the evaluation; beyond it the oldest are dropped. */
const PENDING_MAX = 100_000;

/** Reports evaluated in one batch. */
const BATCH_MAX = 1_000;

/** Time between two tries to take the lock, ms. */
const LOOK_MS = 15_000;

/**
 * The alerts of a data set. It takes observations and their judgements, evaluates the rules, and stores the changes of
 * alerts with their messages. A threshold is evaluated only after quality control has judged the value, so that a value that
 * failed raises no alert.
 */
export class Alerts implements AlertsService {
  readonly #options: AlertsOptions;
  readonly #outbox: Outbox;
  readonly #rows = new Map<string, Row>();
  #pending: Report[] = [];
  #newest = -Infinity;
  /** Whether another process has the lock and evaluates. */
  #rests = false;
  #arrival = Promise.withResolvers<void>();

  constructor(options: AlertsOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options);
  }

  get channels(): readonly AlertChannel[] {
    return this.#options.file.channels;
  }

  /** Takes rows as they arrive. They are evaluated when their judgement arrives. */
  see(rows: readonly Row[]): void {
    for (const row of rows) {
      const key = keyOf(row);
      this.#rows.delete(key); // a revision moves to the end of the map, as the newest
      this.#rows.set(key, row);
    }
    for (const key of this.#rows.keys()) {
      if (this.#rows.size <= ROWS_MAX) break;
      this.#rows.delete(key);
    }
  }

  /** Forgets rows that were retracted: a new rule is not evaluated on them. */
  withdraw(isGone: (row: Pick<Row, "source" | "log_offset">) => boolean): void {
    for (const [key, row] of this.#rows) if (isGone(row)) this.#rows.delete(key);
    this.#pending = this.#pending.filter(({ judgement }) => !isGone(judgement));
  }

  /** Takes judgements; those of one series in time order. */
  judged(judgements: readonly Judgement[]): void {
    if (this.#rests) return;
    this.#take(
      judgements.map((judgement) => {
        const row = this.#rows.get(keyOf(judgement));
        return reportOf(judgement, row?.log_offset === judgement.log_offset ? row : null);
      }),
    );
  }

  rules(): RuleState[] {
    const active = Map.groupBy(this.active(), ({ alert }) => alert.rule);
    return this.#rules().map((rule) => ({ rule, active: active.get(rule.id)?.length ?? 0 }));
  }

  active(): { alert: ActiveAlert; rule: AlertRule }[] {
    return this.#options.store.alerts();
  }

  messages(limit: number): KeptMessage[] {
    return this.#options.store.messages(limit);
  }

  addRule(input: unknown): AlertRule {
    const { store, newId } = this.#options;
    let rule: AlertRule;
    try {
      rule = { ...parseAlertRule(input, this.channels), id: newId(), origin: "page" };
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new RequestError("bad_parameter", `Cannot make the rule: ${error.message}`, { cause: error });
    }
    const rules = this.#rules();
    if (rules.some(({ name }) => name === rule.name)) {
      throw new RequestError("conflict", `Cannot make the rule: the name ${describe(rule.name)} is taken`);
    }
    if (rules.length >= 2 * RULES_MAX) {
      throw new RequestError("conflict", `Cannot make the rule: there are ${rules.length}, wanted fewer`);
    }
    store.addRule(rule);
    this.#takeCurrent();
    return rule;
  }

  removeRule(id: string): void {
    const { clock, store } = this.#options;
    const rule = this.#rules().find((one) => one.id === id);
    if (rule === undefined) throw new RequestError("not_found", `There is no rule ${describe(id)}`);
    if (rule.origin === "file") {
      throw new RequestError(
        "conflict",
        `Cannot delete the rule ${describe(rule.name)}: it is in ALERTS_FILE`,
        {
          hint: "Take it out of the file and start anew.",
        },
      );
    }
    const closed = this.active().filter(({ alert }) => alert.rule === id);
    store.keep({ forgotten: [id], messages: this.#closing(closed) }, clock.now());
    this.#outbox.wake();
  }

  test(channel: string): string {
    const { clock, label, newId, store } = this.#options;
    if (!this.channels.some(({ name }) => name === channel)) {
      throw new RequestError("not_found", `There is no channel ${describe(channel)}`);
    }
    const message = testMessage(channel, newId(), label);
    store.keep({ messages: [{ channel, message }] }, clock.now());
    this.#outbox.wake();
    return message.id;
  }

  /** The background job that evaluates and delivers. Only one of the processes that share the data folder does so. */
  backgroundJob(): BackgroundJob {
    return { name: "alerts", run: (context) => this.#run(context) };
  }

  async #run({ signal, running, waiting }: JobContext): Promise<void> {
    const { clock, lock } = this.#options;
    let held: Pick<RoleLock, "release"> | null = null;
    while (held === null && !signal.aborted) {
      try {
        held = await lock();
      } catch (error) {
        if (codeOf(error) !== "locked") throw error;
        this.#rests = true;
        this.#pending = [];
        waiting("another process evaluates the alerts of this data set");
        await clock.sleep(LOOK_MS, signal);
      }
    }
    if (held === null) return;
    this.#rests = false;
    const over = new AbortController();
    const until = AbortSignal.any([signal, over.signal]);
    try {
      const machine = this.#begin();
      running();
      const work = [
        this.#evaluate(machine, until),
        ...this.channels.map((one) => this.#outbox.serve(one, until)),
      ];
      try {
        await Promise.all(work);
      } finally {
        over.abort();
        await Promise.allSettled(work);
      }
    } finally {
      held.release();
    }
  }

  /** Restores the saved state, and closes the alerts of rules that no longer exist. */
  #begin(): AlertMachine {
    const { clock, store, newId, staleAfterSeconds } = this.#options;
    const now = clock.now();
    const ids = new Set(this.#rules().map(({ id }) => id));
    const orphans = store.alerts().filter(({ alert }) => !ids.has(alert.rule));
    const forgotten = orphans.map(({ alert }) => alert.rule);
    if (orphans.length > 0) store.keep({ forgotten, messages: this.#closing(orphans) }, now);
    store.giveUpWithout(this.channels.map(({ name }) => name));
    const machine = new AlertMachine(store.saved(now), { staleMs: staleAfterSeconds * 1000, newId });
    this.#takeCurrent();
    return machine;
  }

  async #evaluate(machine: AlertMachine, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reports = this.#pending.splice(0, BATCH_MAX);
      if (reports.length === 0) {
        this.#arrival = Promise.withResolvers();
        await untilAbort(this.#arrival.promise, signal);
        continue;
      }
      try {
        this.#step(machine, reports);
      } catch (error) {
        this.#pending.unshift(...reports); // the next run evaluates them again
        throw error;
      }
      await yieldToEventLoop();
    }
  }

  /** Evaluates reports and stores the changes before it tells anybody. */
  #step(machine: AlertMachine, reports: readonly Report[]): void {
    const { clock, label, logger, newId, store } = this.#options;
    const now = clock.now();
    for (const { time } of reports) this.#newest = Math.max(this.#newest, time);
    const asOf = label.kind === "replayed" ? this.#newest : now;
    const { tracks, alerts } = machine.take(this.#rules(), reports, asOf);
    if (tracks.length === 0 && alerts.length === 0) return;
    const messages = alerts
      .filter(({ isQuiet }) => !isQuiet)
      .flatMap((change) =>
        change.rule.channels.map((channel): NewMessage => ({
          channel,
          message: alertMessage(change, newId(), label),
        })),
      );
    store.keep({ tracks, alerts, messages }, now);
    for (const { type, alert, rule } of alerts) {
      logger.info(type === "raised" ? "An alert was raised" : "An alert has recovered", {
        rule: rule.name,
        city: alert.city,
        alert: alert.id,
      });
    }
    if (messages.length > 0) this.#outbox.wake();
  }

  #rules(): AlertRule[] {
    const { file, store } = this.#options;
    return [...file.rules, ...store.rules(file.channels)];
  }

  #closing(orphans: readonly { alert: ActiveAlert; rule: AlertRule }[]): NewMessage[] {
    const { label, newId } = this.#options;
    return orphans.flatMap(({ alert, rule }) =>
      rule.channels
        .filter((name) => this.channels.some((channel) => channel.name === name))
        .map((channel) => ({ channel, message: closingMessage(alert, rule, newId(), label) })),
    );
  }

  /** Evaluates the current values: at the start, and when a rule was added. */
  #takeCurrent(): void {
    if (this.#rests) return;
    const reports = this.#options
      .current()
      .flatMap(({ observation, judgement }) =>
        judgement === null ? [] : [reportOf(judgement, observation)],
      );
    this.#take(reports);
  }

  #take(reports: readonly Report[]): void {
    for (const report of reports) this.#pending.push(report);
    const over = this.#pending.length - PENDING_MAX;
    if (over > 0) {
      this.#pending.splice(0, over);
      this.#options.logger.warn("Reports arrived faster than alerts could be evaluated", { left_out: over });
    }
    this.#arrival.resolve();
  }
}

function keyOf(observation: { city: string; source: string; timestamp: string }): string {
  return `${seriesOf(observation)}\u0000${parseTimestamp(observation.timestamp)}`;
}

/** Waits for a promise or the abort, whichever comes first. */
function untilAbort(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      signal.removeEventListener("abort", done);
      resolve();
    };
    signal.addEventListener("abort", done, { once: true });
    void promise.then(done);
  });
}
