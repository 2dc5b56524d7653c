import type { Clock } from "../../core/clock.ts";
import { codeOf, messageOf, SourceError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { retry } from "../../core/retry.ts";
import { CallBudget, type CallLimit } from "./budget.ts";

/** What is needed of `fetch`. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Response>;

/** Longest answer taken, bytes. */
const BODY_MAX = 1024 * 1024;
/** Longest a Retry-After is believed, ms. */
const RETRY_AFTER_MAX_MS = 300_000;

const TIMEOUT_MS = 10_000;
const TRIES = 4;
const BACKOFF = { baseMs: 500, maxMs: 30_000 };

/** A call's failure, and whether another try may help. */
class CallError extends SourceError {
  again = false;
  /** The wait the provider asked for, ms. */
  waitMs: number | undefined;
}

/** Calls one weather provider: with a timeout, tries again where that helps, and never exceeds its limits. */
export class WeatherHttp {
  readonly #options: Options;
  readonly #budget: CallBudget;
  readonly #fetch: Fetch;

  constructor(options: Options) {
    this.#options = options;
    this.#budget = new CallBudget(options);
    this.#fetch = options.fetch ?? fetch;
  }

  /**
   * Gets JSON. Tries again on 408, 429, 5xx, time-outs, network errors and bodies that are not JSON.
   *
   * @returns the parsed answer; null where it has no content (204)
   * @param options.cost as how many calls the provider counts it (default 1)
   * @param options.timeoutMs for the whole answer (default 10 s)
   * @param options.tries calls at most (default 4)
   * @throws SourceError `unauthorized` on 401 and 403, `not_found` on 404, `rate_limited` on 429 or when the budget is
   *   used up for longer than `maxWaitMs`, `bad_response` on another 4xx or a body that is no JSON or too long,
   *   `unavailable` otherwise. No message holds the query of the URL or the secret.
   */
  getJson(
    url: URL,
    signal: AbortSignal,
    options: { cost?: number; timeoutMs?: number; tries?: number } = {},
  ): Promise<unknown> {
    const { clock, random } = this.#options;
    return retry(
      async () => {
        await this.#budget.take(options.cost ?? 1, signal);
        return this.#call(url, signal, options.timeoutMs ?? TIMEOUT_MS);
      },
      {
        tries: options.tries ?? TRIES,
        backoff: BACKOFF,
        clock,
        retryable: (error) => error instanceof CallError && error.again,
        waitMs: (error) => (error instanceof CallError ? error.waitMs : undefined),
        ...(random === undefined ? {} : { random }),
        signal,
      },
    );
  }

  async #call(url: URL, signal: AbortSignal, timeoutMs: number): Promise<unknown> {
    const where = `${url.origin}${url.pathname}`;
    if (signal.aborted) throw this.#error("unavailable", `Cannot get ${where}: it was stopped`);
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener("abort", stop, { once: true });
    let timedOut = false;
    void this.#options.clock.sleep(timeoutMs, abort.signal).then(() => {
      if (abort.signal.aborted) return;
      timedOut = true;
      abort.abort();
    });
    try {
      const response = await this.#fetch(url, {
        signal: abort.signal,
        headers: { accept: "application/json", "user-agent": "isobar" },
      });
      const body = await boundedText(response, BODY_MAX);
      if (!response.ok) throw this.#refusal(where, response.status, response, body);
      if (response.status === 204) return null;
      if (body === null)
        throw this.#error("bad_response", `Cannot get ${where}: the answer is longer than ${BODY_MAX} bytes`);
      let answer: unknown;
      try {
        answer = JSON.parse(body);
      } catch {
        throw this.#error(
          "bad_response",
          `Cannot get ${where}: got ${describe(this.#clean(body))}, wanted JSON`,
          true,
        );
      }
      const status = this.#options.statusOf?.(answer) ?? 200;
      if (status !== 200) throw this.#refusal(where, status, response, body);
      return answer;
    } catch (error) {
      if (error instanceof CallError) throw error;
      if (signal.aborted) throw this.#error("unavailable", `Cannot get ${where}: it was stopped`);
      if (timedOut)
        throw this.#error("unavailable", `Cannot get ${where}: no answer within ${timeoutMs / 1000} s`, true);
      const reason = codeOf(error) ?? messageOf(error);
      throw this.#error("unavailable", `Cannot get ${where}: the connection failed (${reason})`, true);
    } finally {
      signal.removeEventListener("abort", stop);
      abort.abort(); // ends the timer
    }
  }

  /** What an answer other than 2xx means. */
  #refusal(where: string, status: number, response: Response, body: string | null): CallError {
    const message = `Cannot get ${where}: ${this.#options.provider} answered ${status}${this.#reason(body)}, wanted 200`;
    if (status === 401 || status === 403)
      return this.#error("unauthorized", message, false, this.#options.unauthorizedHint);
    if (status === 404) return this.#error("not_found", message);
    const again = status === 408 || status === 429 || status >= 500;
    const error = this.#error(
      status === 429 ? "rate_limited" : again ? "unavailable" : "bad_response",
      message,
      again,
    );
    const { clock, maxWaitMs } = this.#options;
    const asked = again ? retryAfterMs(response.headers.get("retry-after"), clock.now()) : undefined;
    if (asked !== undefined) {
      error.waitMs = Math.min(asked, RETRY_AFTER_MAX_MS);
      this.#budget.pause(clock.now() + error.waitMs);
      if (error.waitMs > maxWaitMs) error.again = false; // a later poll will do
    }
    return error;
  }

  /** The provider's own words: OpenWeatherMap says `message`, Open-Meteo `reason`. */
  #reason(body: string | null): string {
    try {
      const { message, reason } = JSON.parse(body ?? "") as Record<string, unknown>;
      const words = message ?? reason;
      return typeof words === "string" ? ` (${this.#clean(words).slice(0, 200)})` : "";
    } catch {
      return ""; // an error page
    }
  }

  /** Without anything secret. To be done before a text is cut: half a key is not recognised. */
  #clean(text: string): string {
    const { secret } = this.#options;
    let clean = text;
    if (secret !== undefined && secret !== "")
      for (const form of [secret, encodeURIComponent(secret)]) clean = clean.replaceAll(form, "…");
    return clean.replaceAll(/appid=[^&\s"']*/gi, "appid=…");
  }

  /** The one place where an error is made: nothing secret passes. The failure of `fetch` is no cause, it holds the URL. */
  #error(code: SourceError["code"], message: string, again = false, hint?: string): CallError {
    const error = new CallError(code, this.#clean(message), hint === undefined ? {} : { hint });
    error.name = "SourceError";
    error.again = again;
    return error;
  }
}

interface Options {
  /** The provider, as people know it. */
  provider: string;
  /** What it allows. */
  limits: readonly CallLimit[];
  /** Longest wait for the budget or a Retry-After: the poll interval, ms. */
  maxWaitMs: number;
  /** What to do about a 401 or 403. */
  unauthorizedHint: string;
  /** The status that an answer of 200 has in its body; undefined where there is none. */
  statusOf?: ((answer: unknown) => number | undefined) | undefined;
  /** The key, which never stands in a message. */
  secret?: string | undefined;
  clock: Clock;
  fetch?: Fetch | undefined;
  random?: (() => number) | undefined;
}

/** Reads Retry-After, seconds or an HTTP date; undefined when it says neither. */
function retryAfterMs(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** The body as text, or null when it is longer than `max` bytes. */
async function boundedText(response: Response, max: number): Promise<string | null> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > max) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
