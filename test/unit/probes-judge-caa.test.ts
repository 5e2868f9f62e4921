// What a set of CAA records means for Let's Encrypt: each row is a sentence.
import { expect, test } from '@jest/globals';
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
    forbids('tbs x', 'remove it'),
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
  expect(judgeDns(name, answers, [ours])).toEqual({ verdict, sentence: words });
});
