/** What a page of another origin may read of an answer beside the usual headers. */
const EXPOSED = "etag, link, location, retry-after, x-isobar-dataset, x-isobar-kind";
/** What it may send: reading needs no more. */
const PREFLIGHT = {
  "access-control-allow-methods": "GET, HEAD",
  "access-control-allow-headers": "accept, if-none-match, last-event-id",
  "access-control-max-age": "600",
};

/**
 * The headers that let a page of another origin read the API and the live stream; none for other paths, for what changes
 * something and for origins that are not listed.
 *
 * @param origins as `CORS_ORIGINS` has them; `*` for all
 */
export function corsHeaders(
  request: Request,
  path: string,
  origins: readonly string[],
): Record<string, string> | null {
  const origin = request.headers.get("origin");
  if (origin === null || !(path.startsWith("/api/") || path === "/live")) return null;
  const method =
    request.method === "OPTIONS" ? request.headers.get("access-control-request-method") : request.method;
  if (method !== "GET" && method !== "HEAD") return null;
  const any = origins.includes("*");
  if (!any && !origins.includes(origin)) return null;
  return {
    "access-control-allow-origin": any ? "*" : origin,
    "access-control-expose-headers": EXPOSED,
    "cross-origin-resource-policy": "cross-origin",
    ...(request.method === "OPTIONS" ? PREFLIGHT : {}),
  };
}
