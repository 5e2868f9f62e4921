// Addresses that a customer's DNS may name but nobody here should ask, and the probe URL.
import { isIP } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { isPublicAddress, toCanonicalAddress, toHostAndPort } from '../../src/probes/addresses.ts';
import { parseProbeUrl } from '../../src/probes/probe-url.ts';

// iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry, as of 2025-10: every block, by name.
const special: readonly (readonly [block: string, name: string])[] = [
  ['0.0.0.0/8', 'this network'],
  ['10.0.0.0/8', 'private use'],
  ['100.64.0.0/10', 'shared address space'],
  ['127.0.0.0/8', 'loopback'],
  ['169.254.0.0/16', 'link local'],
  ['172.16.0.0/12', 'private use'],
  ['192.0.0.0/24', 'IETF protocol assignments'],
  ['192.0.2.0/24', 'documentation (TEST-NET-1)'],
  ['192.31.196.0/24', 'AS112-v4'],
  ['192.52.193.0/24', 'AMT'],
  ['192.88.99.0/24', 'deprecated 6to4 relay anycast'],
  ['192.168.0.0/16', 'private use'],
  ['192.175.48.0/24', 'direct delegation AS112'],
  ['198.18.0.0/15', 'benchmarking'],
  ['198.51.100.0/24', 'documentation (TEST-NET-2)'],
  ['203.0.113.0/24', 'documentation (TEST-NET-3)'],
  ['224.0.0.0/4', 'multicast (iana.org/assignments/ipv4-address-space)'],
  ['240.0.0.0/4', 'reserved, and limited broadcast'],
  ['168.63.129.16/32', "Azure's own service (no registry)"],
  ['::1/128', 'loopback'],
  ['::/128', 'unspecified'],
  ['::/96', 'IPv4-compatible (deprecated, RFC 4291)'],
  ['::ffff:0:0/96', 'IPv4-mapped'],
  ['::ffff:0:0:0/96', 'IPv4-translated (RFC 2765)'],
  ['64:ff9b::/96', 'IPv4-IPv6 translation'],
  ['64:ff9b:1::/48', 'IPv4-IPv6 translation, local'],
  ['100::/64', 'discard-only'],
  ['100:0:0:1::/64', 'dummy prefix'],
  ['2001::/23', 'IETF protocol assignments'],
  ['2001::/32', 'Teredo'],
  ['2001:2::/48', 'benchmarking'],
  ['2001:4:112::/48', 'AS112-v6'],
  ['2001:10::/28', 'deprecated ORCHID'],
  ['2001:20::/28', 'ORCHIDv2'],
  ['2001:30::/28', 'drone remote id'],
  ['2001:db8::/32', 'documentation'],
  ['2002::/16', '6to4'],
  ['2620:4f:8000::/48', 'direct delegation AS112'],
  ['3fff::/20', 'documentation'],
  ['5f00::/16', 'segment routing'],
  ['fc00::/7', 'unique local'],
  ['fe80::/10', 'link local'],
  ['fec0::/10', 'deprecated site local'],
  ['ff00::/8', 'multicast'],
];

const bitsOf = (version: number): bigint => (version === 6 ? 128n : 32n);

function toNumber(address: string): bigint {
  if (isIP(address) === 4) return address.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
  const [first = [], last = []] = address.split('::').map((half) => half.split(':').filter(Boolean));
  const groups = [...first, ...Array(8 - first.length - last.length).fill('0'), ...last];
  return groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
}

function toText(number: bigint, version: number): string {
  const [count, width] = version === 6 ? [8n, 16n] : [4n, 8n];
  const parts = Array.from({ length: Number(count) }, (_, i) =>
    ((number >> (width * (count - 1n - BigInt(i)))) & ((1n << width) - 1n)).toString(version === 6 ? 16 : 10),
  );
  return parts.join(version === 6 ? ':' : '.');
}

/** The first and the last address of a block. */
function endsOf(block: string): [string, string] {
  const [network = '', prefix = ''] = block.split('/');
  const version = isIP(network);
  const size = 1n << (bitsOf(version) - BigInt(prefix));
  return [toText(toNumber(network), version), toText(toNumber(network) + size - 1n, version)];
}

describe('public addresses', () => {
  test.each(special)('nothing in %s (%s) is ever queried', (block) => {
    const ends = endsOf(block);
    expect(ends.map(isIP)).toEqual(Array(2).fill(isIP(block.split('/')[0] ?? '')));
    expect(ends.map(isPublicAddress)).toEqual([false, false]);
  });

  test.each([
    '1.1.1.1',
    '172.32.0.1',
    '168.63.129.15',
    '192.0.1.1',
    '192.88.98.255',
    '198.20.0.1',
    '223.255.255.255',
    '2606:4700::6810:84e5',
    '2a01:4f8::1',
    '2001:200::1',
    '2001:db9::1',
    '3ffe::1',
  ])('%s may be queried', (address) => expect(isPublicAddress(address)).toBe(true));

  test.each([
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::ffff:8.8.8.8',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::a9fe:a9fe',
    '2002:7f00:1::',
    '2002:c0a8:101::1',
    '2001:0:5ef5:79fd:0:0:3f57:fefe',
    '4000::1',
    '2606:4700::1%eth0',
    'fe80::1%eth0',
    'localhost',
    '1.1.1',
    '0x7f.1',
    '',
  ])('%s is never queried', (address) => expect(isPublicAddress(address)).toBe(false));
});

test('an IPv6 address has one spelling', () => {
  expect(['2001:DB8:0:0::1', '2001:db8::0001', ' 2001:db8::1 '].map(toCanonicalAddress)).toEqual(
    Array(3).fill('2001:db8::1'),
  );
});

test('what is no IPv6 address keeps its spelling', () => {
  expect(['203.0.113.7', 'fe80::1%eth0', 'x'].map(toCanonicalAddress)).toEqual([
    '203.0.113.7',
    'fe80::1%eth0',
    'x',
  ]);
});

test('an IPv6 host stands in brackets before its port', () => {
  expect(toHostAndPort('::1', 443)).toBe('[::1]:443');
  expect(toHostAndPort('203.0.113.7', 443)).toBe('203.0.113.7:443');
});

describe('the probe URL', () => {
  test('is taken apart into its URL and its text', () => {
    const probe = parseProbeUrl('http://{domain}:8080/runcloud-domains-probe.txt?x=1#7f3a%2091');
    expect(probe.urlFor('shop.example.org').href).toBe(
      'http://shop.example.org:8080/runcloud-domains-probe.txt?x=1',
    );
    expect(probe.text).toBe('7f3a 91');
  });

  test.each([
    ['probe.txt', 'must be a URL'],
    ['ftp://{domain}/#x', 'must begin with http:// or https://'],
    ['http://a:b@{domain}/#x', 'must not have a user or a password'],
    ['http://example.org/#x', 'must have {domain} as its whole host'],
    ['http://www.{domain}/#x', 'must have {domain} as its whole host'],
    ['http://example.org/{domain}#x', 'must have {domain} as its whole host'],
    ['http://{domain}/{domain}#x', 'must have {domain} as its whole host, and nowhere else'],
    ['http://probe.invalid/#x', 'must have {domain} as its whole host'],
    ['http://{domain}/', 'must end in # and the text that the page contains'],
    ['http://{domain}/#', 'must end in # and the text that the page contains'],
  ])('%s %s', (text, reason) => {
    expect(() => parseProbeUrl(text)).toThrow(`the probe URL ${reason}`);
  });
});
