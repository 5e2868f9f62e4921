// What a served certificate means for a name: each row is a sentence. The messages are in probes-messages.test.ts.
import { describe, expect, test } from '@jest/globals';
import type { ServedCertificate } from '../../src/probes/findings.ts';
import { judgeTls } from '../../src/probes/judge-tls.ts';
import { parseAltNames } from '../../src/probes/served.ts';

const name = 'shop.example.org';
const nowMs = Date.parse('2026-09-01T12:00:00Z');

const served = (facts: Partial<ServedCertificate> = {}): ServedCertificate => ({
  subject: name,
  issuer: "Let's Encrypt R11",
  names: [name],
  notBefore: Date.parse('2026-08-01T00:00:00Z'),
  notAfter: Date.parse('2026-10-30T00:00:00Z'),
  ...facts,
});

const other = served({ subject: 'other-site.example', names: ['other-site.example'] });

type Row = readonly [
  sentence: string,
  certificate: ServedCertificate,
  error: string | undefined,
  verdict: string,
];

const rows: readonly Row[] = [
  ['the name is on it, and browsers trust it -> covers', served(), undefined, 'covers'],
  ['the name is one of many -> covers', served({ names: ['a.example', name] }), undefined, 'covers'],
  ['the name in capitals -> covers', served({ names: ['SHOP.example.org'] }), undefined, 'covers'],
  ['a wildcard one label above -> covers', served({ names: ['*.example.org'] }), undefined, 'covers'],
  ['a wildcard two labels above -> wrong name', served({ names: ['*.org'] }), undefined, 'wrong-name'],
  ["another site's certificate -> wrong name, without naming that site", other, undefined, 'wrong-name'],
  [
    "another site's certificate, expired and untrusted -> wrong name all the same",
    { ...other, notAfter: 0 },
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'wrong-name',
  ],
  [
    'the name is only the common name -> wrong name, as for browsers',
    served({ names: [] }),
    undefined,
    'wrong-name',
  ],
  ['no name at all -> wrong name', served({ names: [], subject: '' }), undefined, 'wrong-name'],
  [
    'many other names -> a sentence that stays short',
    served({ names: ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'] }),
    undefined,
    'wrong-name',
  ],
  [
    'its www twin and another customer -> wrong name, naming its own alone',
    served({ names: [`www.${name}`, 'a.example'] }),
    undefined,
    'wrong-name',
  ],
  [
    'signed by another site for itself -> untrusted, without naming that site',
    served({ issuer: 'other-site.example' }),
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'untrusted',
  ],
  [
    'a name that smuggles in another one -> wrong name',
    served({ names: [`evil.example, DNS:${name}`] }),
    undefined,
    'wrong-name',
  ],
  [
    'a name with line breaks -> a sentence of one line',
    served({ names: ['evil.example\n{"level":"info"}'] }),
    undefined,
    'wrong-name',
  ],
  [
    'its time is over -> expired',
    served({ notAfter: Date.parse('2026-08-31T00:00:00Z') }),
    'CERT_HAS_EXPIRED',
    'expired',
  ],
  [
    'its time has not come -> not yet valid',
    served({ notBefore: Date.parse('2026-09-02T00:00:00Z') }),
    'CERT_NOT_YET_VALID',
    'not-yet-valid',
  ],
  [
    "issued by Let's Encrypt's staging -> untrusted, naming the issuer",
    served({ issuer: "(STAGING) Let's Encrypt (STAGING) Riddling Rhubarb R12" }),
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'untrusted',
  ],
  [
    'an issuer in the chain has expired, not the certificate -> untrusted',
    served(),
    'CERT_HAS_EXPIRED',
    'untrusted',
  ],
];

test.each(rows)('%s', (_sentence, certificate, authorizationError, expected) => {
  const { verdict, sentence } = judgeTls(name, certificate, { authorizationError, nowMs });
  expect(verdict).toBe(expected);
  // No other site's name, no line break, and a sentence that stays short.
  expect(sentence).not.toMatch(/other-site|evil|[a-e]\.example\b|\p{C}/u);
  expect(sentence.length).toBeLessThan(250);
});

test('the sentence names the names of its own site, and the issuer', () => {
  const sentenceOf = (facts: Partial<ServedCertificate>, authorizationError?: string) =>
    judgeTls(name, served(facts), { authorizationError, nowMs }).sentence;
  expect(sentenceOf({ names: [`www.${name}`, 'a.example'] })).toContain(`www.${name} and another name`);
  expect(sentenceOf({ issuer: 'Odd CA' }, 'CERT_HAS_EXPIRED')).toMatch(/Odd CA.*CERT_HAS_EXPIRED/);
});

describe('the alternative names, as Node writes them', () => {
  test.each([
    ['none', undefined, []],
    ['DNS names only', 'DNS:a.example, DNS:*.b.example', ['a.example', '*.b.example']],
    ['addresses and others are left out', 'IP Address:192.0.2.1, DNS:a.example, URI:http://b', ['a.example']],
    [
      'a quoted name stays one name',
      'DNS:"a.example, DNS:b.example", DNS:c',
      ['a.example, DNS:b.example', 'c'],
    ],
  ])('%s', (_sentence, text, names) => {
    expect(parseAltNames(text)).toEqual(names);
  });
});
