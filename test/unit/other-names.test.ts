// What RunCloud says beside a refusal may name anybody: other customers' names do not get into a domain's record.
import { expect, test } from '@jest/globals';
import { withoutOthers } from '../../src/intent/other-names.ts';

const own = ['shop.example.org', 'www.shop.example.org'];

test.each([
  [
    'its own names stay',
    'shop.example.org and www.shop.example.org.',
    'shop.example.org and www.shop.example.org.',
  ],
  [
    "names beside, below and above it may be other customers'",
    'a.example.org b.shop.example.org example.org',
    'another domain another domain another domain',
  ],
  ['its challenge stays', '_acme-challenge.shop.example.org', '_acme-challenge.shop.example.org'],
  ['another one goes', 'taken by bigshop.example!', 'taken by another domain!'],
  ['in capitals, with a wildcard', 'for *.BigShop.Example', 'for *.another domain'],
  [
    'inside an address',
    'from http://bigshop.example/.well-known/x:',
    'from http://another domain/.well-known/x:',
  ],
  ['in an e-mail address', 'ask me@bigshop.example', 'ask me@another domain'],
  ['in Unicode, or as it is sent', 'bücher.example, xn--bcher-kva.example', 'another domain, another domain'],
  [
    "RunCloud and Let's Encrypt are nobody's customers",
    'manage.runcloud.io, letsencrypt.org',
    'manage.runcloud.io, letsencrypt.org',
  ],
  [
    'addresses, times and numbers stay',
    '203.0.113.7 (HTTP 422) at 10:05 UTC, v3.1, e.g. SSL_COOLDOWN.',
    '203.0.113.7 (HTTP 422) at 10:05 UTC, v3.1, e.g. SSL_COOLDOWN.',
  ],
])('%s', (_, text, expected) => {
  expect(withoutOthers(text, own)).toBe(expected);
});

test('without own names all go', () => {
  expect(withoutOthers('shop.example.org')).toBe('another domain');
});
