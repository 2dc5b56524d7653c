import { ConfigError } from "../../core/errors.ts";
import { describe } from "../../core/observation.ts";

/** Where a Spark Connect server is and how to speak to it. */
export interface Remote {
  host: string;
  port: number;
  /** Whether the connection is encrypted. */
  tls: boolean;
  /** Bearer token, or null. */
  token: string | null;
  /** User name of the sessions, as Spark's pages and logs show it. */
  user: string;
}

const WANTED = "sc://host[:port][/;token=…;use_ssl=true;user_id=…]";
const DEFAULT_PORT = 15002;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Reads the address of a Spark Connect server in the form that all clients of Spark use. As in those clients, a token
 * implies TLS; the exception here is a server on loopback.
 *
 * @param given a token and a user that are not in the address
 * @throws ConfigError `bad_setting`, without the token in its message
 */
export function parseRemote(text: string, given: { token?: string; user?: string } = {}): Remote {
  const bad = (why: string) =>
    new ConfigError("bad_setting", `Cannot use the Spark server ${describe(withoutToken(text))}: ${why}`);
  const [, hostText, portText, rest = ""] =
    /^sc:\/\/(\[[^\]]+\]|[^/:;]+)(?::(\d+))?(?:\/(.*))?$/.exec(text) ?? [];
  if (hostText === undefined) throw bad(`wanted ${WANTED}`);
  const port = portText === undefined ? DEFAULT_PORT : Number(portText);
  if (port < 1 || port > 65535) throw bad(`its port is ${portText}, wanted 1 to 65535`);
  if (rest !== "" && !rest.startsWith(";"))
    throw bad(`its path is ${describe(withoutToken(rest))}, wanted none`);
  const parameters = new Map<string, string>();
  for (const part of rest.split(";")) {
    if (part === "") continue;
    const [name = "", value] = part.split(/=(.*)/s);
    if (value === undefined || !["token", "use_ssl", "user_id"].includes(name)) {
      throw bad(`${describe(withoutToken(part))} is not known there, wanted token=, use_ssl= or user_id=`);
    }
    try {
      parameters.set(name, decodeURIComponent(value));
    } catch {
      throw bad(`the value of ${name} is not written as in a URL`);
    }
  }
  const token = parameters.get("token") ?? given.token ?? null;
  const useSsl = parameters.get("use_ssl");
  if (useSsl !== undefined && useSsl !== "true" && useSsl !== "false") {
    throw bad(`use_ssl is ${describe(useSsl)}, wanted true or false`);
  }
  const loopback = LOOPBACK.test(hostText);
  const tls = useSsl === undefined ? token !== null && !loopback : useSsl === "true";
  if (token !== null && !tls && !loopback) {
    throw new ConfigError(
      "bad_setting",
      `Cannot send a token to the Spark server ${describe(withoutToken(text))} unencrypted: wanted use_ssl=true`,
      {
        hint: "Put a proxy that speaks TLS in front of the server, or leave the token away inside a network of its own.",
      },
    );
  }
  return { host: hostText, port, tls, token, user: parameters.get("user_id") ?? given.user ?? "isobar" };
}

/** The address for messages and pages, without the token. */
export function describeRemote({ host, port }: Remote): string {
  return `sc://${host}:${port}`;
}

function withoutToken(text: string): string {
  return text.replace(/token=[^;]*/g, "token=…");
}
