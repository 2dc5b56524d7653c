import { type AlertChannel, fillTemplate } from "../../core/alert-channel.ts";
import { DeliveryError } from "../../core/errors.ts";
import { sendEmail, type SmtpSettings } from "./email.ts";
import { templateValues } from "./message.ts";
import { type AlertMessage } from "../../core/alert-message.ts";
import { postWebhook } from "./webhook.ts";

/**
 * Delivers a message to a channel.
 *
 * @throws DeliveryError; the signal's reason when it aborts
 */
export type Deliver = (channel: AlertChannel, message: AlertMessage, signal: AbortSignal) => Promise<void>;

/** Options of {@link deliverer}. */
export interface DeliveryOptions {
  /** The SMTP server; null if e-mail is not configured. */
  smtp: Omit<SmtpSettings, "timeoutMs"> | null;
  /** Hosts of webhooks that may be on inner addresses, in lower case. */
  webhookHosts: readonly string[];
  /** Timeout of one delivery, ms. Default 10,000. */
  timeoutMs?: number;
}

/** Makes the function that delivers a message to its channel within the timeout. */
export function deliverer({ smtp, webhookHosts, timeoutMs = 10_000 }: DeliveryOptions): Deliver {
  const post = async (
    { url, headers }: AlertChannel & { type: "webhook" | "sms" },
    { contentType, body, id }: { contentType: string; body: string; id: string },
    signal: AbortSignal,
  ) => {
    const timer = AbortSignal.timeout(timeoutMs);
    const all = {
      ...headers,
      "content-type": `${contentType}; charset=utf-8`,
      "idempotency-key": id,
      "user-agent": "isobar",
    };
    try {
      await postWebhook(
        { url, headers: all, body },
        { allowedHosts: webhookHosts, signal: AbortSignal.any([signal, timer]) },
      );
    } catch (error) {
      if (signal.aborted || !timer.aborted) throw error;
      throw new DeliveryError(
        "unavailable",
        `The webhook at ${new URL(url).hostname} did not answer within ${timeoutMs} ms`,
      );
    }
  };
  return async (channel, message, signal) => {
    const { id } = message;
    switch (channel.type) {
      case "webhook":
        return post(channel, { contentType: "application/json", body: JSON.stringify(message), id }, signal);
      case "sms": {
        const { contentType } = channel;
        const body = fillTemplate(channel.body, contentType, templateValues(message));
        return post(channel, { contentType, body, id }, signal);
      }
      case "email": {
        if (smtp === null) {
          throw new DeliveryError("refused", "Cannot send an e-mail: SMTP_URL is not set");
        }
        const { to } = channel;
        const email = { to, subject: `[Isobar] ${message.text}`, text: emailText(message), id };
        return sendEmail(email, { ...smtp, timeoutMs });
      }
    }
  };
}

function emailText(message: AlertMessage): string {
  const lines: [string, string | null][] = [
    ["Rule", message.rule],
    ["City", message.city],
    ["Source", message.source],
    ["Observed at", message.observed_at],
    ["Since", message.since],
    ["Data set", `${message.dataset} (${message.kind})`],
    ["Message", message.id],
  ];
  const facts = lines.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`]));
  return `${message.text}\n\n${facts.join("\n")}\n`;
}
