import { Elysia } from "elysia";
import { RequestError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";
import { corsHeaders } from "./cors.ts";
import { pathOf } from "./problems.ts";
import { isLoopback } from "../config/loopback.ts";
import { isStationPath } from "./station-paths.ts";

/** No inline script or style, no eval, nothing from elsewhere, no frame. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/** Headers of every answer. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": CONTENT_SECURITY_POLICY,
  "x-content-type-options": "nosniff",
  // With no-referrer a browser hides the origin of our own forms as well, and they would be refused.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** What a plain HTML form can send, and so any web page without asking first. */
const FORM_TYPES = new Set(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]);
const SAFE_METHODS = new Set(["GET", "HEAD", "OPTIONS"]);

/** Who may be called by which name. */
export interface SecurityOptions {
  /** Where the server listens. */
  host: string;
  /** More names it is reached by, such as a proxy's: without a port. */
  allowedHosts: readonly string[];
  /** Origins whose pages may read the API; `*` for all. Default: none but our own. */
  corsOrigins?: readonly string[];
}

/**
 * The guard of every route, also of those that are not there: security headers, the Host that is asked for (a page whose
 * name was bound anew to loopback shows itself by it), what pages of other origins may read, and, for what changes something, where the request comes from. The
 * paths of stations get the headers only.
 *
 * @throws RequestError `forbidden` or `unsupported_media_type`, into the application's error handler
 */
export function guard(options: SecurityOptions) {
  const isAllowed = hostCheck(options);
  return new Elysia().onRequest(({ request, set }) => {
    Object.assign(set.headers, SECURITY_HEADERS);
    // A station proves itself by its key, which no web page has, and often names a host that is not ours.
    if (isStationPath(pathOf(request))) return;
    const { headers } = request;
    const host = headers.get("host") ?? hostOfUrl(request.url);
    if (!isAllowed(host)) {
      throw new RequestError("forbidden", `The host ${describe(host)} is not served here`, {
        hint: "Use localhost, or name the host in ALLOWED_HOSTS.",
      });
    }
    const cors = corsHeaders(request, pathOf(request), options.corsOrigins ?? []);
    if (cors !== null) {
      Object.assign(set.headers, cors);
      if (request.method === "OPTIONS") {
        return new Response(null, { status: 204, headers: { ...SECURITY_HEADERS, ...cors, vary: "origin" } });
      }
    }
    if (SAFE_METHODS.has(request.method)) return;
    const origin = headers.get("origin");
    const site = headers.get("sec-fetch-site");
    if (
      (origin !== null && !sameHost(origin, host)) ||
      (site !== null && site !== "same-origin" && site !== "none")
    ) {
      throw new RequestError(
        "forbidden",
        `A ${request.method} from ${describe(origin ?? site)} is refused, wanted one from this site`,
      );
    }
    const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    if (pathOf(request).startsWith("/api/") && FORM_TYPES.has(type)) {
      throw new RequestError(
        "unsupported_media_type",
        `The content type is ${describe(type)}, wanted application/json or application/x-ndjson`,
      );
    }
  });
}

function hostCheck({ host, allowedHosts }: SecurityOptions): (header: string) => boolean {
  const listening = bare(host);
  const allowed = new Set([listening, ...allowedHosts.map(bare)]);
  // A rebound name is a name: where every address is listened on, a literal address proves its caller meant us.
  const anyAddress = listening === "0.0.0.0" || listening === "::";
  return (header) => {
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(header.toLowerCase());
    if (match?.[1] === undefined) return false;
    const name = bare(match[1]);
    return isLoopback(name) || allowed.has(name) || (anyAddress && isAddress(name));
  };
}

function isAddress(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

/** A host in one form: lower case, without brackets and the dot at the end. */
function bare(host: string): string {
  return host
    .trim()
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
}

function hostOfUrl(url: string): string {
  return URL.parse(url)?.host ?? "";
}

/** Whether an Origin is of the host asked for. The scheme may differ: a proxy may have ended TLS. */
function sameHost(origin: string, host: string): boolean {
  const asked = URL.parse(`http://${host}`)?.host;
  return asked !== undefined && URL.parse(origin)?.host === asked;
}
