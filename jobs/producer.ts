import type { Clock } from "../core/clock.ts";
import { IsobarError, LogError, SourceError, codeOf, messageOf } from "../core/errors.ts";
import { POLLED_MAX_AGE_MS, tooOldReason } from "../core/live-age.ts";
import type { Logger } from "../core/log.ts";
import { parseObservation } from "../core/observation.ts";
import { backoffMs } from "../core/retry.ts";
import { formatTimestamp, parseTimestamp } from "../core/time.ts";
import { isAhead } from "../spark/time-ahead.ts";
import type { Log, NewRecord } from "./log/log.ts";
import type { Poll, Source } from "./sources/source.ts";
import type { BackgroundJob, JobContext } from "./supervisor.ts";

/** Records in one append. */
const CHUNK = 1_000;
/** Largest number of records buffered while the log is unavailable. */
const KEPT = 10_000;
/** Backoff of the appends while the log is unavailable, ms. */
const LOG_BACKOFF = { baseMs: 1_000, maxMs: 60_000 };
/** First wait after a failed poll, ms: the source has already retried several times by then. */
const SOURCE_BASE_MS = 5_000;
/** Longest such wait if the polling interval is shorter, ms. */
const SOURCE_MAX_MS = 60_000;

/** Options of {@link producerJob}. */
export interface ProducerOptions {
  source: Source;
  log: Log;
  clock: Clock;
  logger: Logger;
  /** Polling interval, s. */
  pollSeconds: number;
  /** Hours of history that the first start fetches. */
  historyHours: number;
  /** Whether the data set is new, so that history is fetched too. Called before the first poll, and again while it rejects. */
  firstStart: () => Promise<boolean>;
  /** Called after each poll, failed ones included. */
  onPoll?: (status: ProducerStatus) => void;
  /** A number in [0, 1), for the jitter. */
  random?: () => number;
}

/** State and counts of a producer since the process started. */
export interface ProducerStatus {
  /** Newest observation time appended, ISO 8601 UTC, or null before the first. */
  watermark: string | null;
  /** Records appended to the log. */
  appended: number;
  /** Number of failures, of single cities and of whole polls. */
  failures: number;
  /** Records dropped because the log was unavailable for too long. */
  dropped: number;
}

/**
 * The job that polls a source and appends new records to the log. It leaves out values that have not changed since a city's
 * last poll. This only saves space: the consumer does the deduplication. While the log is unavailable, polling goes on and
 * the newest 10,000 records are buffered.
 */
export function producerJob(options: ProducerOptions): BackgroundJob & { status(): ProducerStatus } {
  const producer = new Producer(options);
  return { name: "producer", run: (context) => producer.run(context), status: () => producer.status() };
}

class Producer {
  readonly #options: ProducerOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #pollMs: number;
  /** Start of the polling grid, ms: polls are at whole intervals from it, so they do not drift. */
  readonly #start: number;
  #nextPoll: number;
  #nextSend: number;
  /** Consecutive failures. */
  #pollTries = 0;
  #sendTries = 0;
  /** Why the source or the log does not work; null if it does. */
  #sourceTrouble: string | null = null;
  #logTrouble: string | null = null;
  /** The failing cities with their kind of failure. Only changes are logged, not every poll. */
  readonly #failing = new Map<string, string>();
  /** Fetched, not yet appended. */
  #pending: NewRecord[] = [];
  /** The values of each city in its last poll that are pending or appended: an answer may have several of a city. */
  readonly #last = new Map<string, Set<string>>();
  /** Undefined before the first call of `firstStart`. */
  #firstStart: boolean | undefined;
  #historyWanted = false;
  #watermarkMs = -Infinity;
  #appended = 0;
  #failures = 0;
  #dropped = 0;
  /** Value of {@link Producer.#dropped} at the last successful append. */
  #droppedBefore = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#pollMs = options.pollSeconds * 1_000;
    this.#start = this.#nextPoll = this.#nextSend = options.clock.now();
  }

  status(): ProducerStatus {
    return {
      watermark: this.#watermarkMs === -Infinity ? null : formatTimestamp(this.#watermarkMs),
      appended: this.#appended,
      failures: this.#failures,
      dropped: this.#dropped,
    };
  }

  async run({ signal, running, waiting }: JobContext): Promise<void> {
    if (this.#firstStart === undefined)
      this.#historyWanted = this.#firstStart = await this.#options.firstStart();
    while (!signal.aborted) {
      const polls = this.#clock.now() >= this.#nextPoll;
      if (polls) {
        if (this.#historyWanted && this.#logTrouble === null) {
          await this.#fetchHistory(signal);
          await this.#send();
        }
        if (!signal.aborted) await this.#poll(signal);
      }
      if (this.#clock.now() >= this.#nextSend) await this.#send();
      if (signal.aborted) break;
      if (polls) this.#options.onPoll?.(this.status());
      const trouble = this.#logTrouble ?? this.#sourceTrouble;
      if (trouble === null) running();
      else waiting(trouble);
      const next = this.#pending.length > 0 ? Math.min(this.#nextPoll, this.#nextSend) : this.#nextPoll;
      await this.#clock.sleep(Math.max(0, next - this.#clock.now()), signal);
    }
    // At the stop, try to append the buffered records once more, without the backoff.
    await this.#send();
    if (this.#pending.length > 0) {
      this.#logger.error("Observations are lost by the stop: the log takes none", {
        records: this.#pending.length,
      });
      this.#dropped += this.#pending.length;
    }
  }

  async #fetchHistory(signal: AbortSignal): Promise<void> {
    const { source, historyHours } = this.#options;
    try {
      const history = await source.history(historyHours, signal);
      this.#historyWanted = false;
      this.#take(history);
      const { records, failures } = history;
      this.#failures += failures.length;
      this.#logger.info("The source gave its past", { hours: historyHours, records: records.length });
      if (failures[0] !== undefined) {
        const first = { city: failures[0].city, ...describeError(failures[0].error) };
        this.#logger.warn("Some cities have no past", { cities: failures.length, ...first });
      }
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      this.#logger.warn(
        "The source does not give its past; asked again with the next poll",
        describeError(error),
      );
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { source, random } = this.#options;
    try {
      const poll = this.#withoutOld(await source.poll(signal));
      if (this.#sourceTrouble !== null)
        this.#logger.info("The source answers again", { source: source.name });
      this.#sourceTrouble = null;
      this.#pollTries = 0;
      const passed = this.#clock.now() - this.#start;
      this.#nextPoll = this.#start + (Math.floor(passed / this.#pollMs) + 1) * this.#pollMs; // missed polls are skipped
      this.#take(poll);
      this.#noteFailures(poll);
    } catch (error) {
      if (signal.aborted) return;
      this.#failures++;
      const trouble = `The source ${source.name} gives nothing: ${messageOf(error)}`;
      if (trouble !== this.#sourceTrouble)
        this.#logger.error("The source gives nothing", describeError(error));
      this.#sourceTrouble = trouble;
      const maxMs = Math.max(SOURCE_MAX_MS, this.#pollMs);
      const backoff = { baseMs: Math.min(SOURCE_BASE_MS, this.#pollMs), maxMs };
      const wait = codeOf(error) === "unauthorized" ? maxMs : backoffMs(this.#pollTries++, backoff, random);
      this.#nextPoll = this.#clock.now() + wait;
    }
  }

  /** Reports of a poll that are too old to be current become failures of their cities; what comes as history may be old. */
  #withoutOld({ records, failures }: Poll): Poll {
    const now = this.#clock.now();
    const taken: Poll = { records: [], failures: [...failures] };
    for (const record of records) {
      const tooOld = tooOldReason(observedMs(record.value, now) ?? now, now, POLLED_MAX_AGE_MS);
      if (tooOld === null) taken.records.push(record);
      else {
        const message = `The source ${this.#options.source.name} answered with an old report: ${tooOld}`;
        taken.failures.push({ city: record.key, error: new SourceError("bad_response", message) });
      }
    }
    return taken;
  }

  /** Logs the cities whose state changed. */
  #noteFailures({ failures }: Poll): void {
    this.#failures += failures.length;
    const now = new Map(failures.map(({ city, error }) => [city, error]));
    for (const [city, error] of now) {
      const kind = codeOf(error) ?? messageOf(error);
      if (this.#failing.get(city) !== kind)
        this.#logger.warn("A city fails", { city, ...describeError(error) });
      this.#failing.set(city, kind);
    }
    for (const city of this.#failing.keys()) {
      if (now.has(city)) continue;
      this.#failing.delete(city);
      this.#logger.info("A city answers again", { city });
    }
  }

  /** Keeps what is new for the next append. */
  #take({ records }: Poll): void {
    const polled = new Map<string, Set<string>>();
    for (const record of records) {
      const { key, value } = record;
      const values = polled.get(key) ?? new Set();
      polled.set(key, values);
      if (!values.has(value) && !this.#last.get(key)?.has(value)) this.#pending.push(record);
      values.add(value);
    }
    for (const [key, values] of polled) this.#last.set(key, values);
    if (this.#logTrouble !== null) this.#dropOldest();
  }

  /** Appends the pending records. If the log is unavailable, the newest of them stay pending. */
  async #send(): Promise<void> {
    if (this.#pending.length === 0) return;
    let sent = 0;
    try {
      while (sent < this.#pending.length) {
        const chunk = this.#pending.slice(sent, sent + CHUNK);
        await this.#options.log.append(chunk);
        sent += chunk.length;
        this.#appended += chunk.length;
        for (const { value } of chunk)
          this.#watermarkMs = Math.max(this.#watermarkMs, this.#watermarkOf(value));
      }
      if (this.#logTrouble !== null) {
        const dropped = this.#dropped - this.#droppedBefore;
        this.#logger.warn("The log takes records again", { appended: sent, dropped });
      }
      this.#pending = [];
      this.#logTrouble = null;
      this.#droppedBefore = this.#dropped;
      this.#sendTries = 0;
    } catch (error) {
      this.#pending = this.#pending.slice(sent);
      this.#dropOldest();
      if (!(error instanceof LogError && (error.code === "unavailable" || error.code === "full")))
        throw error;
      if (this.#logTrouble === null) this.#logger.error("The log takes no records", describeError(error));
      this.#logTrouble = `The log takes no records: ${messageOf(error)}`;
      this.#nextSend = this.#clock.now() + backoffMs(this.#sendTries++, LOG_BACKOFF, this.#options.random);
    }
  }

  /** Bounds the memory while the log is unavailable. The next poll may bring the dropped values again. */
  #dropOldest(): void {
    const excess = this.#pending.length - KEPT;
    if (excess <= 0) return;
    if (this.#dropped === this.#droppedBefore)
      this.#logger.error("Observations are dropped: the log takes none for too long", { kept: KEPT });
    this.#dropped += excess;
    for (const { key, value } of this.#pending.slice(0, excess)) this.#last.get(key)?.delete(value);
    this.#pending = this.#pending.slice(excess);
    this.#historyWanted = this.#firstStart ?? false; // history holds most of the dropped records
  }

  /** What a value moves the watermark to, ms; -Infinity for one that is ahead, or that the consumer will reject. */
  #watermarkOf(value: string): number {
    const now = this.#clock.now();
    const ms = observedMs(value, now);
    return ms === null || isAhead(ms, now) ? -Infinity : ms;
  }
}

/** Observation time of a value, ms; null for one that the consumer will reject, with the reason. */
function observedMs(value: string, now: number): number | null {
  try {
    const parsed = parseObservation(JSON.parse(value), now);
    return parsed.ok ? parseTimestamp(parsed.observation.timestamp) : null;
  } catch {
    return null; // not JSON
  }
}

function describeError(error: unknown): {
  code: string | undefined;
  reason: string;
  hint: string | undefined;
} {
  const hint = error instanceof IsobarError ? error.hint : undefined;
  return { code: codeOf(error), reason: messageOf(error), hint };
}
