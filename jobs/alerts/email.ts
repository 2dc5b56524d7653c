import { createTransport } from "nodemailer";
import { codeOf, DeliveryError } from "../../core/errors.ts";

/** The SMTP server that e-mails are submitted to. */
export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user and password if the server requires them. */
  url: string;
  /** The sender's address. */
  from: string;
  /** Timeout of each step of the SMTP dialogue, ms. */
  timeoutMs: number;
}

/** An e-mail of plain text. */
export interface Email {
  to: readonly string[];
  subject: string;
  text: string;
  /** Id of the message; a retry has the same one. */
  id: string;
}

/**
 * Submits an e-mail to the SMTP server. A password is sent over TLS only, unless the server is on this machine.
 *
 * @throws DeliveryError `refused` when the server rejected it, `unavailable` otherwise; messages contain no password
 */
export async function sendEmail(email: Email, settings: SmtpSettings): Promise<void> {
  const { from, timeoutMs } = settings;
  const url = new URL(settings.url);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const secure = url.protocol === "smtps:";
  const transport = createTransport({
    host,
    port: url.port === "" ? (secure ? 465 : 587) : Number(url.port),
    secure,
    requireTLS: wantsTls(url),
    ...(url.username === ""
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    // A message is plain text. Nodemailer must not read a file or fetch a URL for it.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({
      from,
      to: [...email.to],
      subject: email.subject,
      text: email.text,
      messageId: `<${email.id}@${from.slice(from.lastIndexOf("@") + 1)}>`,
      headers: { "Auto-Submitted": "auto-generated" },
    });
  } catch (cause) {
    const answered = replyOf(cause);
    const code = answered === null ? "unavailable" : "refused";
    const why = answered === null ? (codeOf(cause) ?? "it failed") : `it answered ${answered}`;
    throw new DeliveryError(code, `Cannot hand the e-mail to ${host}: ${why}`, { cause });
  } finally {
    transport.close();
  }
}

/** Whether STARTTLS is required: without it the password would be sent in plain text. */
export function wantsTls({ protocol, hostname, password }: URL): boolean {
  return protocol === "smtp:" && password !== "" && !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname);
}

/** The server's reply code (RFC 5321, 4.2) if the server rejected the e-mail; else null. */
function replyOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("responseCode" in error)) return null;
  return typeof error.responseCode === "number" ? error.responseCode : null;
}
