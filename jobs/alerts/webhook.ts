import { lookup } from "node:dns/promises";
import { type ClientRequest, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { codeOf, DeliveryError } from "../../core/errors.ts";
import { isInnerAddress } from "./inner-addresses.ts";

/** A POST to a webhook. */
export interface WebhookRequest {
  /** http or https. */
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Options of {@link postWebhook}. */
export interface WebhookOptions {
  /** Hosts that may be on inner addresses, in lower case. */
  allowedHosts: readonly string[];
  signal: AbortSignal;
  /** Resolves a host name to addresses. Default: the system's resolver. */
  resolve?: (host: string) => Promise<readonly string[]>;
  /** CA certificates (PEM) instead of the system's. */
  ca?: string;
}

/**
 * Sends a POST. Against SSRF, the host name is resolved once, the addresses are checked, and the connection goes to one of
 * the checked addresses: a DNS answer that changes in between has no effect (DNS rebinding). The certificate must match the
 * host name. No redirect is followed, no proxy is used, and the body of the answer is not read.
 *
 * @throws DeliveryError `refused` for an inner address that is not allowed or an answer other than 2xx, `unavailable` when it
 *   cannot be reached. Messages name the host only, because the rest of a URL may contain a key.
 */
export async function postWebhook(request: WebhookRequest, options: WebhookOptions): Promise<void> {
  const url = new URL(request.url);
  const host = url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  const addresses = await addressesOf(host, options);
  if (!options.allowedHosts.includes(host)) {
    // A single inner address is enough to refuse the host.
    const inner = addresses.find(isInnerAddress);
    if (inner !== undefined) {
      throw new DeliveryError(
        "refused",
        `Cannot reach the webhook at ${host}: ${inner} is an inner address, wanted one of the internet`,
        { hint: "Name the host in ALERT_WEBHOOK_HOSTS if it is meant." },
      );
    }
  }
  let failure: unknown;
  for (const address of addresses) {
    options.signal.throwIfAborted();
    let status: number;
    try {
      status = await post(url, host, address, request, options);
    } catch (error) {
      failure = error; // try the next address
      continue;
    }
    if (status >= 200 && status < 300) return;
    const why = status >= 300 && status < 400 ? "a redirect, which is not followed" : "wanted 2xx";
    throw new DeliveryError("refused", `The webhook at ${host} answered ${status}: ${why}`);
  }
  options.signal.throwIfAborted();
  throw new DeliveryError("unavailable", `Cannot reach the webhook at ${host}: ${whyOf(failure)}`, {
    cause: failure,
  });
}

async function addressesOf(
  host: string,
  { resolve = resolveHost, signal }: WebhookOptions,
): Promise<readonly string[]> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    const addresses = await Promise.race([resolve(host), aborted.promise]);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    signal.throwIfAborted();
    throw new DeliveryError("unavailable", `Cannot find the webhook's host ${host}: ${whyOf(cause)}`, {
      cause,
    });
  } finally {
    signal.removeEventListener("abort", abort);
  }
  throw new DeliveryError("unavailable", `Cannot find the webhook's host ${host}: it has no address`);
}

async function resolveHost(host: string): Promise<string[]> {
  return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
}

/** Sends the request to one address. @returns the status of the answer */
function post(
  url: URL,
  host: string,
  address: string,
  { headers, body }: WebhookRequest,
  { signal, ca }: WebhookOptions,
): Promise<number> {
  const isTls = url.protocol === "https:";
  const send = isTls ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    let request: ClientRequest;
    const abort = () => void request.destroy(new Error("it took too long"));
    const settle = (end: () => void) => {
      signal.removeEventListener("abort", abort);
      end();
      request.destroy();
    };
    request = send({
      host: address,
      port: url.port === "" ? (isTls ? 443 : 80) : Number(url.port),
      path: `${url.pathname}${url.search}`,
      method: "POST",
      agent: false,
      headers: { ...headers, host: url.host, "content-length": String(Buffer.byteLength(body)) },
      // The host name for SNI and for the certificate check. SNI allows no IP address; Node checks an address by itself.
      ...(isTls && host !== address ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    });
    request.once("response", (response) => {
      const status = response.statusCode ?? 0;
      settle(() => resolve(status));
    });
    request.on("error", (error) => settle(() => reject(error)));
    signal.addEventListener("abort", abort, { once: true });
    request.end(body);
  });
}

/** The reason of a failure, without foreign text that might repeat parts of the request. */
function whyOf(error: unknown): string {
  return codeOf(error) ?? (error instanceof Error ? error.name : "it failed");
}
