// What RunCloud says beside a refusal may name anybody: other customers' names do not get into a domain's record.
import { expect, test } from '@jest/globals';
import { withoutOthers } from '../../src/domains/other-names.ts';

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
  ['in Devanagari, with vowel signs', 'validate हिन्दी.com!', 'validate another domain!'],
  [
    'in Thai, with its own ending',
    'validate ร้านค้า.com, ร้านค้า.ไทย',
    'validate another domain, another domain',
  ],
  ['with an ending in a vowel sign', 'at कंपनी.संगठनी now', 'at another domain now'],
  ['with accents as marks of their own', `by ${'nguyễn.vn'.normalize('NFD')}.`, 'by another domain.'],
  ['with a joiner within', 'by نامه\u200cای.com.', 'by another domain.'],
  ['with a hyphen that is not seen', 'by big\u00adshop.example.', 'by another domain.'],
  ['with a picture', 'by i❤️.example.', 'by another domain.'],
  [
    'with its dots disguised',
    'other%2Ecom other[.]com other(dot)com a%2eother%2Ecom',
    Array(4).fill('another domain').join(' '),
  ],
  ['with its letters as bytes', 'b%C3%BCcher.example', 'another domain'],
  [
    'its own names in such forms stay',
    'shop[.]example%2Eorg SHOP.example.org',
    'shop[.]example%2Eorg SHOP.example.org',
  ],
  [
    'a sentence in brackets is none',
    'it failed (HTTP 422). Then [ok]. 100% done.',
    'it failed (HTTP 422). Then [ok]. 100% done.',
  ],
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
