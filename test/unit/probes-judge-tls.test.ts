// What a served certificate means for a name: each row is a sentence.
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
const inPlace = `the certificate for ${name} is in place, valid until 2026-10-30`;

type Row = readonly [
  sentence: string,
  certificate: ServedCertificate,
  error: string | undefined,
  verdict: string,
  words: string,
];

const rows: readonly Row[] = [
  ['the name is on it, and browsers trust it -> covers', served(), undefined, 'covers', inPlace],
  ['the name is one of many -> covers', served({ names: ['a.example', name] }), undefined, 'covers', inPlace],
  ['the name in capitals -> covers', served({ names: ['SHOP.example.org'] }), undefined, 'covers', inPlace],
  [
    'a wildcard one label above -> covers',
    served({ names: ['*.example.org'] }),
    undefined,
    'covers',
    inPlace,
  ],
  [
    'a wildcard two labels above -> wrong name',
    served({ names: ['*.org'] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for another name, not for ${name}`,
  ],
  [
    "another site's certificate -> wrong name, without naming that site",
    other,
    undefined,
    'wrong-name',
    `the server shows a certificate for another name, not for ${name}`,
  ],
  [
    "another site's certificate, expired and untrusted -> wrong name all the same",
    { ...other, notAfter: 0 },
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'wrong-name',
    `the server shows a certificate for another name, not for ${name}`,
  ],
  [
    'the name is only the common name -> wrong name, as for browsers',
    served({ names: [] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for ${name}, not for ${name}`,
  ],
  [
    'no name at all -> wrong name',
    served({ names: [], subject: '' }),
    undefined,
    'wrong-name',
    `the server shows a certificate for no name at all, not for ${name}`,
  ],
  [
    'many other names -> a sentence that stays short',
    served({ names: ['a.example', 'b.example', 'c.example', 'd.example', 'e.example'] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for 5 other names, not for ${name}`,
  ],
  [
    'its www twin and another customer -> wrong name, naming its own alone',
    served({ names: [`www.${name}`, 'a.example'] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for www.${name} and another name, not for ${name}`,
  ],
  [
    'signed by another site for itself -> untrusted, without naming that site',
    served({ issuer: 'other-site.example' }),
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'untrusted',
    `the certificate for ${name} comes from an unnamed issuer, which browsers do not trust (DEPTH_ZERO_SELF_SIGNED_CERT)`,
  ],
  [
    'a name that smuggles in another one -> wrong name',
    served({ names: [`evil.example, DNS:${name}`] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for another name, not for ${name}`,
  ],
  [
    'a name with line breaks -> a sentence of one line',
    served({ names: ['evil.example\n{"level":"info"}'] }),
    undefined,
    'wrong-name',
    `the server shows a certificate for another name, not for ${name}`,
  ],
  [
    'its time is over -> expired',
    served({ notAfter: Date.parse('2026-08-31T00:00:00Z') }),
    'CERT_HAS_EXPIRED',
    'expired',
    `the certificate for ${name} expired on 2026-08-31`,
  ],
  [
    'its time has not come -> not yet valid',
    served({ notBefore: Date.parse('2026-09-02T00:00:00Z') }),
    'CERT_NOT_YET_VALID',
    'not-yet-valid',
    `the certificate for ${name} is valid from 2026-09-02 on`,
  ],
  [
    "issued by Let's Encrypt's staging -> untrusted, naming the issuer",
    served({ issuer: "(STAGING) Let's Encrypt (STAGING) Riddling Rhubarb R12" }),
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'untrusted',
    `the certificate for ${name} comes from (STAGING) Let's Encrypt (STAGING) Riddling Rhubarb R12, which browsers do not trust (UNABLE_TO_GET_ISSUER_CERT_LOCALLY)`,
  ],
  [
    'an issuer in the chain has expired, not the certificate -> untrusted',
    served(),
    'CERT_HAS_EXPIRED',
    'untrusted',
    `the certificate for ${name} comes from Let's Encrypt R11, which browsers do not trust (CERT_HAS_EXPIRED)`,
  ],
];

test.each(rows)('%s', (_sentence, certificate, authorizationError, verdict, words) => {
  expect(judgeTls(name, certificate, { authorizationError, nowMs })).toEqual({ verdict, sentence: words });
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
