import { type AlertChannel, isQuiet } from "../../core/alert-channel.ts";
import type { Clock } from "../../core/clock.ts";
import { DeliveryError, messageOf } from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { backoffMs } from "../../core/retry.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Deliver } from "./deliver.ts";
import type { AlertStore, WaitingMessage } from "./store.ts";

/** What {@link Delivery} works with. */
export interface DeliveryOptions {
  store: Pick<AlertStore, "due" | "nextDue" | "sent" | "failed">;
  deliver: Deliver;
  clock: Clock;
  logger: Logger;
  /** A number in [0, 1), for the jitter. */
  random?: () => number;
}

/** Messages of a channel delivered in one go. */
const DUE_MAX = 20;
/** Time between two looks for what another process or the end of quiet hours brings, ms. */
const LOOK_MS = 15_000;
/** How a message is retried, and for how long, ms. */
const BACKOFF = { baseMs: 5_000, maxMs: 15 * 60_000 };
const GIVE_UP_MS = 3 * DAY_MS;

/** Brings the kept messages of alerts to their channels, each until it is taken or given up. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #posted = Promise.withResolvers<void>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Brings one channel its messages, for as long as it lives. */
  async serve(channel: AlertChannel, signal: AbortSignal): Promise<void> {
    const { clock, store } = this.#options;
    while (!signal.aborted) {
      const posted = this.#posted.promise; // before the look, so that nothing is overlooked
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
      if (signal.aborted) return; // a stop cuts it off: the next start sends it once more
      failure = error;
    }
    const now = clock.now();
    if (failure === undefined) return store.sent(message.id, now);
    const isLast = message.type === "test" || now - madeMs >= GIVE_UP_MS;
    // Any other error is a bug, whose text is for the log.
    const why = failure instanceof DeliveryError ? failure.message : "An unexpected error, which was logged";
    store.failed(message.id, why, isLast ? null : now + backoffMs(tries, BACKOFF, random));
    if (tries > 0 && !isLast) return;
    logger.warn(isLast ? "A message of an alert was given up" : "A message of an alert is retried", {
      channel: channel.name,
      message: message.id,
      reason: messageOf(failure),
    });
  }

  /** Says that there are new messages. */
  wake(): void {
    this.#posted.resolve();
    this.#posted = Promise.withResolvers();
  }
}
