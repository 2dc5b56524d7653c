import { isIPv4 } from "node:net";

/**
 * Whether a host name or address, without brackets and port, can only be this machine. `*.localhost` is by RFC 6761.
 */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost") || name === "::1") return true;
  return isIPv4(name) && name.startsWith("127.");
}
