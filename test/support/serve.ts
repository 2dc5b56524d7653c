import type { AnyElysia } from "elysia";
import { systemClock } from "../../core/clock.ts";
import { type RunningServer, startServer } from "../../server/http/listen.ts";

/**
 * Serves an app on loopback as the program does, with its time until an idle connection is cut: Bun's default of 10 s is too
 * short for a page on a busy machine.
 *
 * @param port default: any that is free
 */
export function serveApp(app: AnyElysia, port = 0): RunningServer {
  return startServer({ app, host: "127.0.0.1", port, clock: systemClock });
}
