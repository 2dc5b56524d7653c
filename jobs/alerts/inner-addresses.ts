import { isIP } from "node:net";

/** IPv4 networks that are not the open internet's: first address and length of the prefix (IANA special-purpose registry). */
const INNER_4: readonly (readonly [string, number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16], // link-local, and the metadata services of clouds
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved, broadcast
];

/**
 * Whether an IP address is not a public internet address: loopback, link-local, private, metadata, documentation, multicast
 * and every other special purpose. A webhook to such an address would be SSRF (server-side request forgery). In IPv6 only
 * global unicast is public, without the networks for embedded IPv4 addresses and for documentation. An IPv4 address inside
 * `::ffff:0:0/96` or NAT64's `64:ff9b::/96` is judged as the IPv4 address.
 *
 * @param address as `dns.lookup` returns it; text that is no address counts as inner
 */
export function isInnerAddress(address: string): boolean {
  const bare = address.replace(/%.*$/s, ""); // the zone id names the local interface only
  const family = isIP(bare);
  if (family === 4) return isInner4(number4(bare));
  if (family !== 6) return true;
  const groups = groups6(bare);
  const [g0 = 0, g1 = 0] = groups;
  const last = (groups[6] ?? 0) * 65_536 + (groups[7] ?? 0);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const isNat64 = g0 === 0x64 && g1 === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (isMapped || isNat64) return isInner4(last);
  if ((g0 & 0xe000) !== 0x2000) return true; // outside of 2000::/3
  return (
    (g0 === 0x2001 && g1 < 0x200) || // 2001::/23: Teredo and other protocols
    (g0 === 0x2001 && g1 === 0xdb8) || // documentation
    g0 === 0x2002 || // 6to4
    (g0 === 0x3fff && g1 < 0x1000) // documentation
  );
}

function isInner4(value: number): boolean {
  return INNER_4.some(([network, length]) => {
    const size = 2 ** (32 - length);
    return Math.floor(value / size) === Math.floor(number4(network) / size);
  });
}

function number4(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** The eight groups of an IPv6 address. */
function groups6(address: string): number[] {
  // A dotted IPv4 address at the end takes the place of two groups.
  const text = address.replace(/\d+\.\d+\.\d+\.\d+$/, (tail) => {
    const value = number4(tail);
    return `${Math.floor(value / 65_536).toString(16)}:${(value % 65_536).toString(16)}`;
  });
  const [head = "", tail] = text.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => parseInt(group, 16)));
  const [before, after] = [parse(head), parse(tail ?? "")];
  return [...before, ...new Array<number>(8 - before.length - after.length).fill(0), ...after];
}
