import {
  CommitError,
  EngineError,
  LakeError,
  LogError,
  RequestError,
  codeOf,
  messageOf,
} from "../../core/errors.ts";
import type { Logger } from "../../core/log.ts";
import { isStationPath, withoutKey } from "./station-paths.ts";

/** What a caller is told: the one error shape of every route, under the key `error`. */
export interface Problem {
  /** HTTP status. */
  status: number;
  /** Stable, machine-readable. */
  code: string;
  /** What was done, with which value, and what was wanted. */
  message: string;
  /** What to do about it. */
  hint?: string | undefined;
  /** Headers that belong to the status. */
  headers?: Record<string, string>;
}

/** HTTP status of each error that a caller can make. */
export const ERROR_STATUS: Readonly<Record<RequestError["code"], number>> = {
  bad_parameter: 400,
  unknown_parameter: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_acceptable: 406,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
};

/** Seconds after which a caller may try again when a port is away. */
const RETRY_AFTER = "5";

/**
 * What a caller is told about a thrown error. A {@link RequestError} speaks for itself; a port's error becomes a 503
 * without its message, which may name folders and addresses; anything else is a bug and says nothing at all.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof RequestError) {
    const { code, message, hint } = error;
    // A 401 must say how to prove oneself (RFC 9110, 15.5.2): here by a key in the request, for which there is no scheme.
    const headers = code === "unauthorized" ? { "www-authenticate": "StationKey" } : undefined;
    return { status: ERROR_STATUS[code], code, message, hint, ...(headers === undefined ? {} : { headers }) };
  }
  const port = portOf(error);
  if (port !== undefined) {
    return {
      status: 503,
      code: "unavailable",
      message: `The ${port} cannot answer now (${codeOf(error)})`,
      hint: "Try again in a moment; /api/v1/health/ready says what is wrong.",
      headers: { "retry-after": RETRY_AFTER },
    };
  }
  return { status: 500, code: "internal", message: "Something went wrong here; it was logged." };
}

function portOf(error: unknown): string | undefined {
  if (error instanceof LogError) return "log";
  if (error instanceof LakeError || error instanceof CommitError) return "lake";
  if (error instanceof EngineError && error.code !== "bad_query") return "engine";
  return undefined;
}

/** Writes what the caller is not told: the error behind a 5xx, with its causes and stack. */
export function logProblem(logger: Logger, request: Request, problem: Problem, error: unknown): void {
  // Who left does not hear the answer: what broke by it is no fault of ours.
  if (problem.status < 500 || request.signal.aborted) return;
  const causes: string[] = [];
  for (let e = error; e !== undefined && causes.length < 5; e = e instanceof Error ? e.cause : undefined) {
    causes.push(messageOf(e));
  }
  logger.error(`Cannot answer ${request.method} ${loggedPath(request)}: ${causes.join(": ")}`, {
    status: problem.status,
    code: codeOf(error),
    stack: problem.status === 500 && error instanceof Error ? error.stack : undefined,
  });
}

/** The JSON answer of a problem: `{ "error": { "code", "message", "hint"? } }`. */
export function problemResponse(problem: Problem): Response {
  const { status, code, message, hint, headers } = problem;
  return Response.json(
    { error: { code, message, hint } },
    // Outside of /api it is a page for who would rather have one.
    { status, headers: { "cache-control": "no-store", vary: "accept", ...headers } },
  );
}

/** The path of a request as it may be logged: without its query, and without the key of a station. */
function loggedPath(request: Request): string {
  const path = pathOf(request);
  return isStationPath(path) ? withoutKey(path) : path;
}

/** The path of a request, without its query. */
export function pathOf(request: Request): string {
  return request.url.replace(/^[a-z]+:\/\/[^/]*/i, "").replace(/[?#].*$/s, "") || "/";
}

/** A route as the application knows it. */
interface Route {
  method: string;
  path: string;
}

/**
 * The problem of a request that met no route: 405 with `Allow` where the path is there for other methods, else 404.
 *
 * @param routes every route of the application
 */
export function noRoute(request: Request, routes: readonly Route[]): Problem {
  const path = pathOf(request);
  const methods = new Set<string>();
  for (const route of routes) {
    if (!matches(route.path, path)) continue;
    methods.add(route.method);
    if (route.method === "GET") methods.add("HEAD");
  }
  if (methods.size === 0 || methods.has(request.method) || methods.has("ALL")) {
    return {
      status: 404,
      code: "not_found",
      message: `There is nothing at ${JSON.stringify(path.slice(0, 200))}`,
      hint: path.startsWith("/api") ? "The API begins at /api/v1: try /api/v1/current." : undefined,
    };
  }
  const allow = [...methods].sort().join(", ");
  return {
    status: 405,
    code: "method_not_allowed",
    message: `Cannot ${request.method} ${JSON.stringify(path.slice(0, 200))}: wanted ${allow}`,
    headers: { allow },
  };
}

/** Whether a route's pattern (`:name` for one segment, `*` for the rest) fits a path; a slash at the end is ignored. */
function matches(pattern: string, path: string): boolean {
  const parts = path.replace(/\/+$/, "").split("/");
  const wanted = pattern.replace(/\/+$/, "").split("/");
  for (const [index, segment] of wanted.entries()) {
    if (segment === "*") return true;
    const part = parts[index];
    if (part === undefined) return false;
    if (segment.startsWith(":") ? part === "" : segment !== part) return false;
  }
  return parts.length === wanted.length;
}
