// IP addresses as values: one canonical spelling, and which of them are nobody's business outside.
// Pure: asks nobody.
import { BlockList, isIP, isIPv6 } from 'node:net';

/** One spelling per address: `2001:DB8:0:0::1` -> `2001:db8::1`. What is no address comes back as it is. */
export function toCanonicalAddress(text: string): string {
  const plain = text.trim();
  // A zone (`fe80::1%eth0`) means something on one machine only, and no URL can hold it.
  if (!isIPv6(plain) || plain.includes('%')) return plain;
  return new URL(`http://[${plain}]/`).hostname.slice(1, -1);
}

/** `203.0.113.7:443`, `[2001:db8::1]:443`. */
export const toHostAndPort = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`;

/** IANA's special-purpose registries (RFC 6890), as far as they lead into somebody's own network, or nowhere. */
const inside: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::1', 128],
  ['100::', 64],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  // IPv4 in another dress (mapped, compatible, NAT64, Teredo, 6to4): could hide any of those above.
  ['::ffff:0:0', 96],
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
];

/** A public server's address leads nowhere else than to a public server; private, loopback, link-local ones do. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && !blocked(version).check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/** Built per call, a few dozen entries: nothing happens on import. One version each, since BlockList mixes the two. */
function blocked(version: number): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of inside) {
    if (isIP(network) === version) list.addSubnet(network, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
