import type { AnyElysia } from "elysia";
import type { Clock } from "../../core/clock.ts";
import { codeOf, ConfigError } from "../../core/errors.ts";
import { BODY_MAX } from "./body.ts";
import { routable } from "./station-paths.ts";

/** Seconds after which a connection that moves nothing is cut: three heartbeats. 0 would keep a dead one for ever. */
const IDLE_SECONDS = 30;

/** A server that listens. */
export interface RunningServer {
  /** Where it is reached. */
  readonly url: URL;
  /**
   * Takes no new connection, lets answers under way finish, and cuts what is left at the deadline. Close the hub first:
   * its streams never finish by themselves.
   */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Listens.
 *
 * @param options.port 0 for any free one
 * @throws ConfigError `port_in_use`, or `bad_setting` where the address is not this machine's
 */
export function startServer(options: {
  app: AnyElysia;
  host: string;
  port: number;
  clock: Clock;
}): RunningServer {
  const { app, host, port, clock } = options;
  let server: Bun.Server<undefined>;
  try {
    server = Bun.serve({
      hostname: host,
      port,
      fetch: (request) => app.fetch(routable(request)),
      idleTimeout: IDLE_SECONDS,
      // The route refuses before that, by name; this is for the other routes.
      maxRequestBodySize: 2 * BODY_MAX,
      development: false,
      // Else Bun shares the port with a second server in silence.
      reusePort: false,
    });
  } catch (cause) {
    if (codeOf(cause) === "EADDRINUSE") {
      throw new ConfigError("port_in_use", `Cannot listen on ${host}:${port}: the port is in use`, {
        cause,
        hint: "Stop the other program, or set PORT to another number.",
      });
    }
    throw new ConfigError(
      "bad_setting",
      `Cannot listen on ${host}:${port}: wanted an address of this machine`,
      {
        cause,
        hint: "Set HOST and PORT.",
      },
    );
  }
  return {
    url: server.url,
    async stop(deadlineMs) {
      const done = new AbortController();
      await Promise.race([server.stop(false), clock.sleep(deadlineMs, done.signal)]);
      done.abort();
      await server.stop(true);
    },
  };
}
