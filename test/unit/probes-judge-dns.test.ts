// What DNS records mean: each row is a sentence, with the verdict and the words that support reads out.
import { describe, expect, test } from '@jest/globals';
import type { CaaRecord } from '../../src/probes/judge-caa.ts';
import { type Answer, type DnsAnswers, judgeDns, type Reach } from '../../src/probes/judge-dns.ts';

const name = 'shop.example.org';
const ours = '203.0.113.7';
const oursToo = '203.0.113.8';
const ours6 = '2001:db8::7';
const wrong = '198.51.100.9';
const wrong6 = '2001:db8::1';

const found = (...value: string[]): Answer<readonly string[]> => ({ kind: 'found', value });
const none = { kind: 'none', nameExists: true } as const;
const noName = { kind: 'none', nameExists: false } as const;
const failed = (code: string) => ({ kind: 'failed', code }) as const;
const caa = (at: string, ...records: (readonly [tag: string, value: string, critical?: number])[]) => ({
  kind: 'found' as const,
  value: {
    at,
    records: records.map(([tag, value, critical = 0]): CaaRecord => ({ tag, value, critical })),
  },
});

const answers = (facts: Partial<DnsAnswers> = {}): DnsAnswers => ({
  a: found(ours),
  aaaa: none,
  cname: [],
  caa: none,
  ...facts,
});

interface Given {
  readonly name?: string;
  readonly expected?: readonly string[];
  readonly reach?: Reach;
}

type Row = readonly [
  sentence: string,
  seen: Partial<DnsAnswers>,
  verdict: string,
  words: string,
  given?: Given,
];

const addresses: readonly Row[] = [
  ['the only A record is ours -> here', {}, 'here', `${name} leads to ${ours}`],
  [
    'two A records, both ours -> here',
    { a: found(ours, oursToo) },
    'here',
    `${name} leads to ${ours} and ${oursToo}`,
    { expected: [ours, oursToo] },
  ],
  [
    'another address -> elsewhere, with the record to set',
    { a: found(wrong) },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: set its A record to ${ours}`,
  ],
  [
    'another address where two would do -> elsewhere, naming both',
    { a: found(wrong) },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours} or ${oursToo}: set its A record to ${ours} or ${oursToo}`,
    { expected: [ours, oursToo] },
  ],
  [
    'one A of two is wrong -> elsewhere, naming the wrong one',
    { a: found(ours, wrong) },
    'elsewhere',
    `${name} leads to ${ours}, but also to ${wrong}: remove the A record ${wrong}`,
  ],
  [
    'A and AAAA both wrong -> elsewhere, and both to be mended',
    { a: found(wrong), aaaa: found(wrong6) },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: set its A record to ${ours}, and remove its AAAA record ${wrong6}`,
  ],
  [
    'a wrong address by a CNAME -> elsewhere, and the CNAME is what can be changed',
    { a: found(wrong), cname: ['old.example.net', 'edge.example.net'] },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: replace its CNAME to old.example.net by an A record with ${ours}`,
  ],
  [
    'only an AAAA, and a wrong one -> elsewhere',
    { a: none, aaaa: found(wrong6) },
    'elsewhere',
    `${name} leads to ${wrong6}, not to ${ours}: set its A record to ${ours}`,
  ],
  [
    'many wrong addresses -> a sentence that stays short',
    { a: found('192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5') },
    'elsewhere',
    `${name} leads to 192.0.2.1, 192.0.2.2, 192.0.2.3 and 2 more, not to ${ours}: set its A record to ${ours}`,
  ],
  [
    'A is right, AAAA leads elsewhere -> leftover',
    { aaaa: found(wrong6) },
    'leftover',
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove it`,
  ],
  [
    'AAAA is ours, spelled in another way -> here',
    { aaaa: found('2001:0DB8:0:0::7') },
    'here',
    `${name} leads to ${ours} and ${ours6}`,
    { expected: [ours, ours6] },
  ],
  [
    'one AAAA of two is wrong -> leftover, naming the wrong one',
    { aaaa: found(ours6, wrong6) },
    'leftover',
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove it`,
    { expected: [ours, ours6] },
  ],
  [
    'only our AAAA, where we have no IPv4 -> here',
    { a: none, aaaa: found(ours6) },
    'here',
    `${name} leads to ${ours6}`,
    { expected: [ours6] },
  ],
  [
    'the name has no address -> missing',
    { a: none },
    'missing',
    `${name} has no address in DNS: add an A record with ${ours}`,
  ],
  [
    'no such name -> missing',
    { a: noName, aaaa: noName },
    'missing',
    `${name} does not exist in DNS: add an A record with ${ours}`,
  ],
  [
    'no such www name -> missing, and a CNAME would do too',
    { a: noName, aaaa: noName },
    'missing',
    `www.${name} does not exist in DNS: add an A record with ${ours} (or a CNAME to ${name})`,
    { name: `www.${name}` },
  ],
  [
    'a CNAME that leads to no name -> missing, naming the CNAME',
    { a: noName, aaaa: noName, cname: ['gone.example.net'] },
    'missing',
    `${name} is a CNAME to gone.example.net, but gone.example.net has no address: replace the CNAME by an A record with ${ours}`,
  ],
];

const unasked: readonly Row[] = [
  [
    'A timed out -> unknown, which says nothing about the record',
    { a: failed('ETIMEOUT') },
    'unknown',
    `DNS could not be asked about ${name} (ETIMEOUT): this says nothing about the record`,
  ],
  [
    'A failed and AAAA is wrong -> still unknown',
    { a: failed('ESERVFAIL'), aaaa: found(wrong6) },
    'unknown',
    `DNS could not be asked about ${name} (ESERVFAIL): this says nothing about the record`,
  ],
  [
    'AAAA failed where A is ours -> unknown, since it may be a leftover',
    { aaaa: failed('EREFUSED') },
    'unknown',
    `DNS could not be asked about the AAAA record of ${name} (EREFUSED): this says nothing about the record`,
  ],
  [
    'AAAA failed where A is wrong -> elsewhere all the same',
    { a: found(wrong), aaaa: failed('ETIMEOUT') },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: set its A record to ${ours}`,
  ],
  [
    'AAAA failed but the name does not exist -> missing',
    { a: noName, aaaa: failed('ETIMEOUT') },
    'missing',
    `${name} does not exist in DNS: add an A record with ${ours}`,
  ],
  [
    "CAA failed -> unknown, since Let's Encrypt issues nothing then",
    { caa: failed('ESERVFAIL') },
    'unknown',
    `DNS could not be asked about the CAA records of ${name} (ESERVFAIL): this says nothing about the record`,
  ],
  [
    'CAA failed where the address is wrong -> the address is what is told',
    { a: found(wrong), caa: failed('ESERVFAIL') },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: set its A record to ${ours}`,
  ],
  [
    'nobody knows our own addresses -> unknown',
    {},
    'unknown',
    `it is not known to which addresses ${name} should lead`,
    { expected: [] },
  ],
];

const forbids = (records: string, remedy = 'add `0 issue "letsencrypt.org"`'): string =>
  `${name}: CAA record (${records} at example.org) forbids Let's Encrypt: ${remedy}`;

const proxies: readonly Row[] = [
  [
    'a CDN that hands everything on -> proxied',
    { a: found(wrong), aaaa: found(wrong6) },
    'proxied',
    `${name} reaches the web application through ${wrong} and ${wrong6}`,
    { reach: 'reached' },
  ],
  [
    'an AAAA that hands everything on -> proxied',
    { aaaa: found(wrong6) },
    'proxied',
    `${name} reaches the web application through ${wrong6}`,
    { reach: 'reached' },
  ],
  [
    'a CDN that does not reach us -> elsewhere, saying that this was tried',
    { a: found(wrong) },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: set its A record to ${ours} (HTTP through it does not reach the web application)`,
    { reach: 'not-reached' },
  ],
  [
    'a CDN that could not be asked -> unchecked, with the record to set where it is none',
    { a: found(wrong) },
    'unchecked',
    `${name} leads to ${wrong}, not to ${ours}, and whether HTTP through it reaches the web application could not be checked (HTTP 503): set its A record to ${ours}, unless a CDN is there`,
    { reach: { unchecked: 'HTTP 503' } },
  ],
  [
    'an AAAA left over that could not be asked -> leftover: a CDN would have the A record as well',
    { a: found(ours), aaaa: found(wrong6) },
    'leftover',
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove it`,
    { reach: { unchecked: 'ECONNREFUSED' } },
  ],
  [
    'a CDN whose AAAA could not be asked for -> unknown',
    { a: found(wrong), aaaa: failed('ETIMEOUT') },
    'unknown',
    `DNS could not be asked about the AAAA record of ${name} (ETIMEOUT): this says nothing about the record`,
    { reach: 'reached' },
  ],
  [
    'a CDN in front, CAA names another issuer -> forbidden',
    { a: found(wrong), caa: caa('example.org', ['issue', 'digicert.com']) },
    'forbidden',
    forbids('issue digicert.com'),
    { reach: 'reached' },
  ],
];

describe.each([
  ['addresses', addresses],
  ['what could not be asked', unasked],
  ['proxies', proxies],
])('%s', (_group, rows) => {
  test.each(rows)('%s', (_sentence, seen, verdict, words, given = {}) => {
    const judgement = judgeDns(given.name ?? name, answers(seen), given.expected ?? [ours], given.reach);
    expect(judgement).toEqual({ verdict, sentence: words });
  });
});
