// Addresses that a customer's DNS may name but nobody here should ask, and the probe URL.
import { describe, expect, test } from '@jest/globals';
import { isPublicAddress, toCanonicalAddress, toHostAndPort } from '../../src/probes/addresses.ts';
import { parseProbeUrl } from '../../src/probes/probe-url.ts';

describe('public addresses', () => {
  test.each(['203.0.113.7', '1.1.1.1', '172.32.0.1', '2606:4700::6810:84e5', '2a01:4f8::1'])(
    '%s may be asked',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.31.255.255',
    '192.168.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fd00::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'localhost',
    '',
  ])('%s is never asked', (address) => expect(isPublicAddress(address)).toBe(false));
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
  test('is taken apart into where to ask and what to look for', () => {
    const probe = parseProbeUrl('http://{domain}:8080/runcloud-domains-probe.txt?x=1#7f3a%2091');
    expect(probe.urlFor('shop.example.org').href).toBe(
      'http://shop.example.org:8080/runcloud-domains-probe.txt?x=1',
    );
    expect(probe.text).toBe('7f3a 91');
  });

  test.each([
    ['probe.txt', 'must be a URL'],
    ['ftp://{domain}/#x', 'must begin with http:// or https://'],
    ['http://a:b@{domain}/#x', 'must not hold a user or a password'],
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
