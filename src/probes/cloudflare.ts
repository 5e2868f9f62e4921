// Whether an address is one of Cloudflare's proxy, which hides the name's own records. Pure.
import { BlockList, isIP } from 'node:net';

/**
 * www.cloudflare.com/ips-v4 and /ips-v6, as published since 2023-09. Cloudflare announces changes,
 * and they are rare.
 */
const ranges: readonly (readonly [network: string, prefix: number])[] = [
  ['173.245.48.0', 20],
  ['103.21.244.0', 22],
  ['103.22.200.0', 22],
  ['103.31.4.0', 22],
  ['141.101.64.0', 18],
  ['108.162.192.0', 18],
  ['190.93.240.0', 20],
  ['188.114.96.0', 20],
  ['197.234.240.0', 22],
  ['198.41.128.0', 17],
  ['162.158.0.0', 15],
  ['104.16.0.0', 13],
  ['104.24.0.0', 14],
  ['172.64.0.0', 13],
  ['131.0.72.0', 22],
  ['2400:cb00::', 32],
  ['2606:4700::', 32],
  ['2803:f800::', 32],
  ['2405:b500::', 32],
  ['2405:8100::', 32],
  ['2a06:98c0::', 29],
  ['2c0f:f248::', 32],
];

export function isCloudflares(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && listOf(version).check(address, version === 6 ? 'ipv6' : 'ipv4');
}

/**
 * Built per call, two dozen entries: nothing happens on import. One version each, since BlockList
 * mixes the two.
 */
function listOf(version: number): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) {
    if (isIP(network) === version) list.addSubnet(network, prefix, version === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * A zone that stays with another DNS provider sends its names to Cloudflare by such a CNAME (its
 * "partial setup").
 */
export const isCloudflaresAlias = (target: string): boolean => target.endsWith('.cdn.cloudflare.net');
