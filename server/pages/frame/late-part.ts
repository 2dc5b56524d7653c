import { ErrorBoundary } from "@elysiajs/html";
import { codeOf, messageOf } from "../../../core/errors.ts";
import { yieldToEventLoop } from "../../../core/yield-to-event-loop.ts";
import type { Logger } from "../../../core/log.ts";

/**
 * The HTML of a part that comes after the rest of its page. It never rejects: a part that fails says so in its place, and
 * the log says why.
 *
 * Of `@elysiajs/html` this takes the error boundary. Its plugin is left out: it would guess which answers are HTML, does
 * not compress them, and its stream moves late parts by inline scripts, which the Content-Security-Policy forbids.
 *
 * @param what names the part in the log: `the chart`
 * @param make begins once what stands before it is on its way
 * @param otherwise stands in its place when it fails
 */
export async function latePart(
  logger: Logger,
  what: string,
  make: () => JSX.Element | Promise<JSX.Element>,
  otherwise: JSX.Element,
): Promise<string> {
  const failed = (error: unknown) => {
    logger.error(`Cannot show ${what}: ${messageOf(error)}`, { code: codeOf(error) });
    return otherwise;
  };
  return ErrorBoundary({ catch: failed, children: yieldToEventLoop().then(async () => await make()) });
}
