import { type AlertChannel, isQuiet } from "../../core/alert-channel.ts";
import type { Clock } from "../../core/clock.ts";
import { DeliveryError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Deliver } from "./channels.ts";
import type { AlertStore, WaitingMessage } from "./store.ts";

/** Options of {@link Outbox}. */
export interface OutboxOptions {
  store: Pick<AlertStore, "due" | "nextDue" | "sent" | "failed">;
  deliver: Deliver;
  clock: Clock;
  logger: Logger;
  /** A number in [0, 1), for the jitter. */
  random?: () => number;
}

/** Messages of a channel that are read from the store at once. */
const DUE_MAX = 20;

/** Polling interval, ms: another process may have added messages, or quiet hours may have ended. */
const LOOK_MS = 15_000;

/** Exponential backoff of the retries, and the age at which a message is given up, ms. */
const BACKOFF = { baseMs: 5_000, maxMs: 15 * 60_000 };
const GIVE_UP_MS = 3 * DAY_MS;

/** The outbox: delivers the stored messages to their channels, at least once each, until accepted or given up. */
export class Outbox {
  readonly #options: OutboxOptions;
  #posted = Promise.withResolvers<void>();

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Delivers the messages of one channel until the signal aborts. */
  async serve(channel: AlertChannel, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options;
    while (!signal.aborted) {
      const posted = this.#posted.promise; // taken before the store is read, so that no wake-up is lost
      const now = clock.now();
      const testsOnly = isQuiet(channel.quietHours, now);
      const due = store.due(channel.name, now, { testsOnly, limit: DUE_MAX });
      for (const waiting of due) if (!signal.aborted) await this.#deliver(channel, waiting, signal);
      if (due.length > 0) continue;
      const next = store.nextDue(channel.name, now) ?? Infinity;
      const woken = new AbortController();
      const slept = clock.sleep(Math.min(next - now, LOOK_MS), AbortSignal.any([signal, woken.signal]));
      await Promise.race([posted, slept]);
      woken.abort();
    }
  }

  async #deliver(channel: AlertChannel, waiting: WaitingMessage, signal: AbortSignal): Promise<void> {
    const { clock, deliver, logger, random, store } = this.#options;
    const { message, tries, madeMs } = waiting;
    let failure: unknown;
    try {
      await deliver(channel, message, signal);
    } catch (error) {
      if (signal.aborted) return; // stopped during the delivery: the next start sends the message again
      failure = error;
    }
    const now = clock.now();
    if (failure === undefined) return store.sent(message.id, now);
    const isLast = message.type === "test" || now - madeMs >= GIVE_UP_MS;
    // Any other error is a bug. Its text goes only to the log.
    const why = failure instanceof DeliveryError ? failure.message : "An unexpected error, which was logged";
    store.failed(message.id, why, isLast ? null : now + backoffMs(tries, BACKOFF, random));
    if (tries > 0 && !isLast) return;
    logger.warn(isLast ? "A message of an alert was given up" : "A message of an alert is retried", {
      channel: channel.name,
      message: message.id,
      reason: messageOf(failure),
    });
  }

  /** Signals that there are new messages. */
  wake(): void {
    this.#posted.resolve();
    this.#posted = Promise.withResolvers();
  }
}
