// The network of an address. Pure. A household, a server or a phone has a whole /64 of IPv6: one
// address alone identifies nobody.
import { isIP } from 'node:net';

/** The eight groups of an IPv6 address, as numbers. */
function groupsOf(address: string): number[] {
  // The URL parser writes an IPv4 tail as two groups.
  const { hostname } = new URL(`http://[${address}]/`);
  const [head = '', tail] = hostname.slice(1, -1).split('::');
  const toNumbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [toNumbers(head), toNumbers(tail ?? '')];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

const toIPv4 = (high = 0, low = 0): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');

const isAllZero = (groups: readonly number[]): boolean => groups.every((group) => group === 0);

const toPrefix = (groups: readonly number[], bits: number): string =>
  `${groups
    .slice(0, bits / 16)
    .map((group) => group.toString(16))
    .join(':')}::/${bits}`;

/**
 * An IPv4 address within an IPv6 one: mapped (RFC 4291), behind NAT64 (RFC 6052), or as 6to4 (RFC
 * 3056).
 */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const isMapped = isAllZero(groups.slice(0, 5)) && groups[5] === 0xffff;
  const isNat64 = groups[0] === 0x64 && groups[1] === 0xff9b && isAllZero(groups.slice(2, 6));
  if (isMapped || isNat64) return toIPv4(groups[6], groups[7]);
  return groups[0] === 0x2002 ? toIPv4(groups[1], groups[2]) : undefined;
}

/**
 * What counts as one client: an IPv4 address (`192.0.2.7`), or the /64 of an IPv6 one
 * (`2001:db8:0:1::/64`). A text that is no address is returned unchanged.
 */
export const networkOf = (address: string): string => toNetwork(address, 64);

/** The most that a provider gives to one customer: an IPv4 address, or the /48 of an IPv6 one. */
export const blockOf = (address: string): string => toNetwork(address, 48);

/**
 * Some proxies write `192.0.2.7:4711` or `[2001:db8::1]:4711` into X-Forwarded-For, with the
 * client's port.
 */
const withoutPort = (address: string): string =>
  /^\[(.*)\](?::\d+)?$/.exec(address)?.[1] ?? /^(\d+(?:\.\d+){3}):\d+$/.exec(address)?.[1] ?? address;

function toNetwork(address: string, bits: 48 | 64): string {
  const bare = withoutPort(address).replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const groups = groupsOf(bare);
  return embeddedIPv4(groups) ?? toPrefix(groups, bits);
}

/** An address of this machine. */
export function isLoopbackAddress(address: string): boolean {
  const network = networkOf(address);
  return network.startsWith('127.') || (network === '0:0:0:0::/64' && /::1(%|$)/.test(address));
}
