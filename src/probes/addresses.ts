// IP addresses as values: one canonical spelling, and which of them are public. Pure.
import { BlockList, isIP, isIPv6 } from 'node:net';

/** One spelling per address: `2001:DB8:0:0::1` -> `2001:db8::1`. Returns other text unchanged. */
export function toCanonicalAddress(text: string): string {
  const plain = text.trim();
  // A zone (`fe80::1%eth0`) has a meaning on one machine only, and no URL can have one.
  if (!isIPv6(plain) || plain.includes('%')) return plain;
  return new URL(`http://[${plain}]/`).hostname.slice(1, -1);
}

/** `203.0.113.7:443`, `[2001:db8::1]:443`. */
export const toHostAndPort = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`;

type Network = readonly [address: string, prefix: number];

/**
 * IANA's registry of special-purpose IPv4 addresses, all of it
 * (iana.org/assignments/iana-ipv4-special-registry, 2025-10), and multicast. No customer's website
 * is in any of it.
 */
const special4: readonly Network[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // No registry has it: Azure's own service, which only its virtual machines reach
  // (learn.microsoft.com, "What is IP address 168.63.129.16").
  ['168.63.129.16', 32],
];

/**
 * All that is public in IPv6 (iana.org/assignments/ipv6-address-space). Outside of it are loopback,
 * private, link-local and multicast addresses, and IPv4 in another dress: mapped, compatible,
 * translated (NAT64).
 */
const global6: readonly Network[] = [['2000::', 3]];

/**
 * What the registry of special-purpose IPv6 addresses
 * (iana.org/assignments/iana-ipv6-special-registry, 2025-10) has of that.
 */
const special6: readonly Network[] = [
  // With Teredo, which hides an IPv4 address.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4: hides one too.
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

/** False for private, loopback, link-local and all other special addresses. */
export function isPublicAddress(address: string): boolean {
  // A zone (`%eth0`) means a link of this machine.
  const version = address.includes('%') ? 0 : isIP(address);
  if (version === 4) return !isIn(special4, address, 'ipv4');
  return version === 6 && isIn(global6, address, 'ipv6') && !isIn(special6, address, 'ipv6');
}

/** The list is built per call, a few dozen entries: nothing happens on import. */
function isIn(networks: readonly Network[], address: string, version: 'ipv4' | 'ipv6'): boolean {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, version);
  return list.check(address, version);
}
