// What a set of CAA records means for Let's Encrypt: each row is a sentence.
import { describe, expect, test } from '@jest/globals';
import type { CaaRecord } from '../../src/probes/judge-caa.ts';
import { type DnsAnswers, judgeDns } from '../../src/probes/judge-dns.ts';

const name = 'shop.example.org';
const ours = '203.0.113.7';
const caa = (at: string, ...records: (readonly [tag: string, value: string, critical?: number])[]) => ({
  kind: 'found' as const,
  value: {
    at,
    records: records.map(([tag, value, critical = 0]): CaaRecord => ({ tag, value, critical })),
  },
});

const here = `${name} leads to ${ours}`;
const forbids = (records: string, remedy = 'add `0 issue "letsencrypt.org"`'): string =>
  `${name}: CAA record (${records} at example.org) forbids Let's Encrypt: ${remedy}`;

const refuses = (records: string): string =>
  `${name}: CAA record (${records} at example.org) forbids Let's Encrypt to issue by http-01, which is used here (SSL_CHALLENGE): add \`0 issue "letsencrypt.org"\``;

type Row = readonly [sentence: string, seen: Pick<DnsAnswers, 'caa'>, verdict: string, words: string];

const rows: readonly Row[] = [
  ["CAA names Let's Encrypt -> here", { caa: caa(name, ['issue', 'letsencrypt.org']) }, 'here', here],
  [
    "CAA names another issuer, and Let's Encrypt too -> here",
    { caa: caa(name, ['issue', 'digicert.com'], ['issue', 'letsencrypt.org']) },
    'here',
    here,
  ],
  [
    "CAA names Let's Encrypt with parameters, in capitals -> here",
    { caa: caa(name, ['ISSUE', ' LetsEncrypt.org ; validationmethods=http-01']) },
    'here',
    here,
  ],
  [
    'CAA names another issuer -> forbidden, with where it stands',
    { caa: caa('example.org', ['issue', 'digicert.com']) },
    'forbidden',
    forbids('issue digicert.com'),
  ],
  [
    "CAA names a name that only ends like Let's Encrypt's -> forbidden",
    { caa: caa('example.org', ['issue', 'notletsencrypt.org']) },
    'forbidden',
    forbids('issue notletsencrypt.org'),
  ],
  [
    'CAA forbids everybody by a lone semicolon -> forbidden',
    { caa: caa('example.org', ['issue', ';']) },
    'forbidden',
    forbids('issue ;'),
  ],
  [
    'CAA forbids everybody by an empty value -> forbidden',
    { caa: caa('example.org', ['issue', '']) },
    'forbidden',
    forbids('issue ";"'),
  ],
  [
    'CAA holds control bytes and lines of its own -> they are not repeated',
    { caa: caa('example.org', ['issue', 'evil\u001b[2J\r\nall is well\u0000']) },
    'forbidden',
    forbids('issue evil [2J all is well'),
  ],
  [
    'CAA holds a novel -> only its beginning is repeated',
    { caa: caa('example.org', ['issue', 'x'.repeat(60_000)]) },
    'forbidden',
    forbids(`issue ${'x'.repeat(93)}…`),
  ],
  [
    "CAA allows Let's Encrypt by another validation only -> forbidden",
    { caa: caa('example.org', ['issue', 'letsencrypt.org; validationmethods=dns-01']) },
    'forbidden',
    refuses('issue letsencrypt.org; validationmethods=dns-01'),
  ],
  [
    "CAA allows Let's Encrypt by our validation among others -> here",
    { caa: caa('example.org', ['issue', 'letsencrypt.org;validationmethods = dns-01,http-01']) },
    'here',
    here,
  ],
  [
    "CAA allows Let's Encrypt by another validation, and again without a word about it -> here",
    {
      caa: caa(
        'example.org',
        ['issue', 'letsencrypt.org; validationmethods=dns-01'],
        ['issue', 'letsencrypt.org'],
      ),
    },
    'here',
    here,
  ],
  [
    'CAA has an empty list of validations -> forbidden',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; validationmethods=']) },
    'forbidden',
    refuses('issue letsencrypt.org; validationmethods='),
  ],
  [
    'CAA has a parameter that is none -> forbidden, as nobody may issue by it',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; http-01']) },
    'forbidden',
    forbids('issue letsencrypt.org; http-01'),
  ],
  [
    'CAA ends in a semicolon -> here',
    { caa: caa('example.org', ['issue', 'letsencrypt.org;']) },
    'here',
    here,
  ],
  [
    'CAA has parameters that nobody here knows -> here',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; policy=ev']) },
    'here',
    here,
  ],
  [
    'CAA has a critical tag that nobody knows beside another issuer -> forbidden, and both are to be mended',
    {
      caa: caa(
        'example.org',
        ['tbs', 'x', 128],
        ['contactemail', 'a@example.org'],
        ['issue', 'digicert.com'],
      ),
    },
    'forbidden',
    forbids('tbs x, issue digicert.com', 'add `0 issue "letsencrypt.org"`, and remove `128 tbs "x"`'),
  ],
  [
    'CAA speaks of wildcards only -> here',
    { caa: caa('example.org', ['issuewild', 'digicert.com']) },
    'here',
    here,
  ],
  [
    'CAA only says where to complain -> here',
    { caa: caa('example.org', ['iodef', 'mailto:a@example.org', 128]) },
    'here',
    here,
  ],
  [
    "CAA has a critical tag that nobody knows -> forbidden, though Let's Encrypt is named",
    { caa: caa('example.org', ['tbs', 'x', 128], ['issue', 'letsencrypt.org']) },
    'forbidden',
    forbids('tbs x', 'remove `128 tbs "x"`'),
  ],
  [
    'CAA has a tag that nobody knows, not critical -> here',
    { caa: caa('example.org', ['tbs', 'x'], ['issue', 'letsencrypt.org']) },
    'here',
    here,
  ],
];

test.each(rows)('%s', (_sentence, seen, verdict, words) => {
  const none = { kind: 'none', nameExists: true } as const;
  const answers = { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], ...seen } as const;
  expect(judgeDns(name, answers, [ours])).toMatchObject({ verdict, sentence: words });
});

describe('a CAA record that binds Let’s Encrypt to one account', () => {
  const ACCOUNT = 'https://acme-v02.api.letsencrypt.org/acme/acct/1';
  const none = { kind: 'none', nameExists: true } as const;
  const judge = (...records: Parameters<typeof caa>[1][]) =>
    judgeDns(
      name,
      { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], caa: caa(name, ...records) },
      [ours],
    );

  test('cannot be judged, and the finding says so', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}`]);
    const doubt = `the CAA record at ${name} lets Let's Encrypt issue for the account ${ACCOUNT} only, and whether that is RunCloud's cannot be seen from here`;
    expect(finding).toEqual({ verdict: 'here', sentence: `${here}; ${doubt}`, doubt });
  });

  test('is no doubt where another record lets it issue for anybody', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}`], ['issue', 'letsencrypt.org']);
    expect(finding).toEqual({ verdict: 'here', sentence: here });
  });

  test('is a refusal all the same where it allows another validation only', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}; validationmethods=dns-01`]);
    expect([finding.verdict, finding.doubt]).toEqual(['forbidden', undefined]);
  });
});

test('with SSL_CHALLENGE=dns-01 a CAA record that allows http-01 only forbids, and one that allows dns-01 does not', () => {
  const none = { kind: 'none', nameExists: true } as const;
  const judge = (methods: string) => {
    const set = caa(name, ['issue', `letsencrypt.org; validationmethods=${methods}`]);
    const answers = { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], caa: set } as const;
    return judgeDns(name, answers, [ours], { challenge: 'dns-01' }).verdict;
  };
  expect([judge('http-01'), judge('dns-01')]).toEqual(['forbidden', 'here']);
});
