// What DNS records mean: each row has the verdict, and the records to change. The sentences are in probes-messages.test.ts.
import { describe, expect, test } from '@jest/globals';
import type { CaaRecord } from '../../src/probes/judge-caa.ts';
import { type Answer, type DnsAnswers, judgeDns, type Reach } from '../../src/probes/judge-dns.ts';
import { toChangeLines } from '../helpers/dns-changes.ts';

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
  readonly twin?: string;
}

type Row = readonly [
  sentence: string,
  observed: Partial<DnsAnswers>,
  verdict: string,
  changes: readonly string[] | undefined,
  given?: Given,
];

const addresses: readonly Row[] = [
  ['the only A record is ours -> here', {}, 'here', undefined],
  [
    'two A records, both ours -> here',
    { a: found(ours, oursToo) },
    'here',
    undefined,
    { expected: [ours, oursToo] },
  ],
  [
    'another address -> elsewhere, with the record to set',
    { a: found(wrong) },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org A 198.51.100.9'],
  ],
  [
    'another address where two would do -> elsewhere, naming both',
    { a: found(wrong) },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7 | 203.0.113.8', 'remove shop.example.org A 198.51.100.9'],
    { expected: [ours, oursToo] },
  ],
  [
    'one A of two is wrong -> elsewhere, naming the wrong one',
    { a: found(ours, wrong) },
    'elsewhere',
    ['remove shop.example.org A 198.51.100.9'],
  ],
  [
    'A and AAAA both wrong -> elsewhere, and both to be mended',
    { a: found(wrong), aaaa: found(wrong6) },
    'elsewhere',
    [
      'set shop.example.org A 203.0.113.7',
      'remove shop.example.org A 198.51.100.9',
      'remove shop.example.org AAAA 2001:db8::1',
    ],
  ],
  [
    'a wrong address by a CNAME -> elsewhere, and the CNAME is what can be changed',
    { a: found(wrong), cname: ['old.example.net', 'edge.example.net'] },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org CNAME old.example.net.'],
  ],
  [
    'only an AAAA, and a wrong one -> elsewhere, and it has to go',
    { a: none, aaaa: found(wrong6) },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org AAAA 2001:db8::1'],
  ],
  [
    'many wrong addresses -> a sentence that stays short',
    { a: found('192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4', '192.0.2.5') },
    'elsewhere',
    [
      'set shop.example.org A 203.0.113.7',
      'remove shop.example.org A 192.0.2.1',
      'remove shop.example.org A 192.0.2.2',
      'remove shop.example.org A 192.0.2.3',
      'remove shop.example.org A 192.0.2.4',
      'remove shop.example.org A 192.0.2.5',
    ],
  ],
  [
    'A is right, AAAA leads elsewhere -> leftover',
    { aaaa: found(wrong6) },
    'leftover',
    ['remove shop.example.org AAAA 2001:db8::1'],
  ],
  [
    'AAAA is ours, spelled in another way -> here',
    { aaaa: found('2001:0DB8:0:0::7') },
    'here',
    undefined,
    { expected: [ours, ours6] },
  ],
  [
    'one AAAA of two is wrong -> leftover, naming the wrong one',
    { aaaa: found(ours6, wrong6) },
    'leftover',
    ['remove shop.example.org AAAA 2001:db8::1'],
    { expected: [ours, ours6] },
  ],
  [
    'only our AAAA, where we have no IPv4 -> here',
    { a: none, aaaa: found(ours6) },
    'here',
    undefined,
    { expected: [ours6] },
  ],
  ['the name has no address -> missing', { a: none }, 'missing', ['set shop.example.org A 203.0.113.7']],
  ['no such name -> missing', { a: noName, aaaa: noName }, 'missing', ['set shop.example.org A 203.0.113.7']],
  [
    'no such www name -> missing, and a CNAME would do too',
    { a: noName, aaaa: noName },
    'missing',
    ['set www.shop.example.org A 203.0.113.7 | CNAME shop.example.org.'],
    { name: `www.${name}`, twin: name },
  ],
  [
    'no such www name, and the name without is not checked -> missing, and a CNAME there may not lead here',
    { a: noName, aaaa: noName },
    'missing',
    ['set www.shop.example.org A 203.0.113.7'],
    { name: `www.${name}` },
  ],
  [
    'a CNAME that leads to no name -> missing, naming the CNAME',
    { a: noName, aaaa: noName, cname: ['gone.example.net'] },
    'missing',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org CNAME gone.example.net.'],
  ],
];

const www = `www.${name}`;
// A www that follows its own domain is right, whatever is wrong with that.
const twins: readonly Row[] = [
  [
    'a www that is a CNAME to its wrong domain -> elsewhere, and nothing to change there',
    { a: found(wrong), cname: [name, 'x.example.net'] },
    'elsewhere',
    undefined,
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, which has no address -> missing, and the same',
    { a: noName, aaaa: noName, cname: [name] },
    'missing',
    undefined,
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, which has an AAAA too many -> leftover, and the same',
    { aaaa: found(wrong6), cname: [name] },
    'leftover',
    undefined,
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, where nobody knows whether HTTP reaches the web application -> unchecked, and the same',
    { a: found(wrong), cname: [name] },
    'unchecked',
    undefined,
    { name: www, twin: name, reach: { unchecked: 'HTTP 503' } },
  ],
  [
    'a www that is a CNAME to its domain, whose CAA record forbids -> forbidden, and the same',
    { cname: [name], caa: caa(www, ['issue', 'digicert.com']) },
    'forbidden',
    undefined,
    { name: www, twin: name },
  ],
  [
    'a domain that is a CNAME to its www -> elsewhere, and the same the other way round',
    { a: found(wrong), cname: [www] },
    'elsewhere',
    undefined,
    { twin: www },
  ],
  [
    'a www that is a CNAME to a name that nobody here checks -> elsewhere, and the CNAME has to go',
    { a: found(wrong), cname: [name] },
    'elsewhere',
    ['set www.shop.example.org A 203.0.113.7', 'remove www.shop.example.org CNAME shop.example.org.'],
    { name: www },
  ],
];

const [cloud, cloudToo, cloud6] = ['104.21.0.1', '172.67.0.1', '2606:4700:3030::6815:1'];
const cloudflare: readonly Row[] = [
  [
    'Cloudflare’s proxy -> a finding of its own, with the two ways out',
    { a: found(cloud, cloudToo) },
    'cdn',
    ['set shop.example.org A 203.0.113.7 unproxied'],
  ],
  [
    'Cloudflare’s proxy by IPv6 as well -> the same',
    { a: found(cloud), aaaa: found(cloud6) },
    'cdn',
    ['set shop.example.org A 203.0.113.7 | 203.0.113.8 unproxied'],
    { expected: [ours, ours6, oursToo] },
  ],
  [
    'Cloudflare’s proxy, through which HTTP does not reach us -> its own record is wrong',
    { a: found(cloud, cloudToo) },
    'cdn',
    ['set shop.example.org A 203.0.113.7 unproxied'],
    { reach: 'not-reached' },
  ],
  [
    'Cloudflare’s proxy that has lost its origin -> unchecked, with what its record must have',
    { a: found(cloud, cloudToo) },
    'unchecked',
    ['unsure shop.example.org A 203.0.113.7'],
    { reach: { unchecked: 'HTTP 522' } },
  ],
  [
    'Cloudflare’s proxy that hands everything on -> proxied',
    { a: found(cloud) },
    'proxied',
    undefined,
    { reach: 'reached' },
  ],
  [
    'a CNAME into Cloudflare, of a zone that is elsewhere -> the same finding',
    { a: found(cloud, cloudToo), cname: [`${name}.cdn.cloudflare.net`] },
    'cdn',
    ['set shop.example.org A 203.0.113.7 unproxied'],
  ],
  [
    'a CNAME to somebody who is behind Cloudflare -> elsewhere: that record is visible, and can be replaced',
    { a: found(cloud), cname: ['shops.example.net'] },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org CNAME shops.example.net.'],
  ],
  [
    'an AAAA of Cloudflare’s beside our A record -> leftover: a proxied name has none of its own',
    { aaaa: found(cloud6) },
    'leftover',
    ['remove shop.example.org AAAA 2606:4700:3030::6815:1'],
  ],
  [
    'an address right beside Cloudflare’s -> elsewhere',
    { a: found('104.28.0.0', '104.15.255.255') },
    'elsewhere',
    [
      'set shop.example.org A 203.0.113.7',
      'remove shop.example.org A 104.28.0.0',
      'remove shop.example.org A 104.15.255.255',
    ],
  ],
];

const failedQueries: readonly Row[] = [
  [
    'A timed out -> unknown, which says nothing about the record',
    { a: failed('ETIMEOUT') },
    'unknown',
    ['unsure shop.example.org A 203.0.113.7'],
  ],
  [
    'A failed and AAAA is wrong -> still unknown',
    { a: failed('ESERVFAIL'), aaaa: found(wrong6) },
    'unknown',
    ['unsure shop.example.org A 203.0.113.7'],
  ],
  [
    'AAAA failed where A is ours -> unknown, since it may be a leftover',
    { aaaa: failed('EREFUSED') },
    'unknown',
    undefined,
  ],
  [
    'AAAA failed where A is wrong -> elsewhere all the same',
    { a: found(wrong), aaaa: failed('ETIMEOUT') },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org A 198.51.100.9'],
  ],
  [
    'AAAA failed but the name does not exist -> missing',
    { a: noName, aaaa: failed('ETIMEOUT') },
    'missing',
    ['set shop.example.org A 203.0.113.7'],
  ],
  [
    "CAA failed -> unknown, since Let's Encrypt issues nothing then",
    { caa: failed('ESERVFAIL') },
    'unknown',
    undefined,
  ],
  [
    'CAA failed where the address is wrong -> the address decides',
    { a: found(wrong), caa: failed('ESERVFAIL') },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org A 198.51.100.9'],
  ],
  ['nobody knows our own addresses -> unknown', {}, 'unknown', undefined, { expected: [] }],
];

const proxies: readonly Row[] = [
  [
    'a CDN that hands everything on -> proxied',
    { a: found(wrong), aaaa: found(wrong6) },
    'proxied',
    undefined,
    { reach: 'reached' },
  ],
  [
    'an AAAA that hands everything on -> proxied',
    { aaaa: found(wrong6) },
    'proxied',
    undefined,
    { reach: 'reached' },
  ],
  [
    'a CDN that does not reach us -> elsewhere, saying that this was tried',
    { a: found(wrong) },
    'elsewhere',
    ['set shop.example.org A 203.0.113.7', 'remove shop.example.org A 198.51.100.9'],
    { reach: 'not-reached' },
  ],
  [
    'a CDN that could not be queried -> unchecked, with the record to set where it is none',
    { a: found(wrong) },
    'unchecked',
    ['unsure shop.example.org A 203.0.113.7'],
    { reach: { unchecked: 'HTTP 503' } },
  ],
  [
    'an AAAA left over that could not be queried -> leftover: a CDN would have the A record as well',
    { a: found(ours), aaaa: found(wrong6) },
    'leftover',
    ['remove shop.example.org AAAA 2001:db8::1'],
    { reach: { unchecked: 'ECONNREFUSED' } },
  ],
  [
    'a CDN whose AAAA could not be queried -> unknown',
    { a: found(wrong), aaaa: failed('ETIMEOUT') },
    'unknown',
    ['unsure shop.example.org A 203.0.113.7'],
    { reach: 'reached' },
  ],
  [
    'a CDN in front, CAA names another issuer -> forbidden',
    { a: found(wrong), caa: caa('example.org', ['issue', 'digicert.com']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
    { reach: 'reached' },
  ],
];

describe.each([
  ['addresses', addresses],
  ['names that belong together', twins],
  ['Cloudflare', cloudflare],
  ['what could not be queried', failedQueries],
  ['proxies', proxies],
])('%s', (_group, rows) => {
  test.each(rows)('%s', (_sentence, observed, verdict, changes, given = {}) => {
    const { name: queried = name, expected = [ours], ...circumstances } = given;
    const judgement = judgeDns(queried, answers(observed), expected, circumstances);
    expect([judgement.verdict, toChangeLines(judgement.changes)]).toEqual([verdict, changes]);
  });
});
