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
  readonly twin?: string;
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
    `${name} leads to ${ours}, but also to ${wrong}: remove its A record ${wrong}`,
  ],
  [
    'A and AAAA both wrong -> elsewhere, and both to be mended',
    { a: found(wrong), aaaa: found(wrong6) },
    'elsewhere',
    `${name} leads to ${wrong} and ${wrong6}, not to ${ours}: set its A record to ${ours}, and remove its AAAA record ${wrong6}`,
  ],
  [
    'a wrong address by a CNAME -> elsewhere, and the CNAME is what can be changed',
    { a: found(wrong), cname: ['old.example.net', 'edge.example.net'] },
    'elsewhere',
    `${name} leads to ${wrong}, not to ${ours}: replace its CNAME to old.example.net by an A record with ${ours}`,
  ],
  [
    'only an AAAA, and a wrong one -> elsewhere, and it has to go',
    { a: none, aaaa: found(wrong6) },
    'elsewhere',
    `${name} leads to ${wrong6}, not to ${ours}: set its A record to ${ours}, and remove its AAAA record ${wrong6}`,
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
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove its AAAA record ${wrong6}`,
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
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove its AAAA record ${wrong6}`,
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
    { name: `www.${name}`, twin: name },
  ],
  [
    'no such www name, and nobody asks for the name without -> missing, and a CNAME there may not lead here',
    { a: noName, aaaa: noName },
    'missing',
    `www.${name} does not exist in DNS: add an A record with ${ours}`,
    { name: `www.${name}` },
  ],
  [
    'a CNAME that leads to no name -> missing, naming the CNAME',
    { a: noName, aaaa: noName, cname: ['gone.example.net'] },
    'missing',
    `${name} is a CNAME to gone.example.net, but gone.example.net has no address: replace its CNAME to gone.example.net by an A record with ${ours}`,
  ],
];

const www = `www.${name}`;
const follows = (one: string, other: string): string =>
  `${one} is a CNAME to ${other}, which is right: it will be mended with ${other}`;

// A www that follows its own domain is right, whatever is wrong with that.
const twins: readonly Row[] = [
  [
    'a www that is a CNAME to its wrong domain -> elsewhere, and nothing to change there',
    { a: found(wrong), cname: [name, 'x.example.net'] },
    'elsewhere',
    follows(www, name),
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, which has no address -> missing, and the same',
    { a: noName, aaaa: noName, cname: [name] },
    'missing',
    follows(www, name),
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, which has an AAAA too many -> leftover, and the same',
    { aaaa: found(wrong6), cname: [name] },
    'leftover',
    follows(www, name),
    { name: www, twin: name },
  ],
  [
    'a www that is a CNAME to its domain, where nobody knows whether HTTP reaches us -> unchecked, and the same',
    { a: found(wrong), cname: [name] },
    'unchecked',
    follows(www, name),
    { name: www, twin: name, reach: { unchecked: 'HTTP 503' } },
  ],
  [
    'a www that is a CNAME to its domain, whose CAA record forbids -> forbidden, and the same',
    { cname: [name], caa: caa(www, ['issue', 'digicert.com']) },
    'forbidden',
    follows(www, name),
    { name: www, twin: name },
  ],
  [
    'a domain that is a CNAME to its www -> elsewhere, and the same the other way round',
    { a: found(wrong), cname: [www] },
    'elsewhere',
    follows(name, www),
    { twin: www },
  ],
  [
    'a www that is a CNAME to a name that nobody here asks for -> elsewhere, and the CNAME has to go',
    { a: found(wrong), cname: [name] },
    'elsewhere',
    `${www} leads to ${wrong}, not to ${ours}: replace its CNAME to ${name} by an A record with ${ours}`,
    { name: www },
  ],
];

const [cloud, cloudToo, cloud6] = ['104.21.0.1', '172.67.0.1', '2606:4700:3030::6815:1'];
const behind = `${name} stands behind Cloudflare's proxy (${cloud} and ${cloudToo})`;

const cloudflare: readonly Row[] = [
  [
    'Cloudflare’s proxy -> a finding of its own, with the two ways out',
    { a: found(cloud, cloudToo) },
    'cdn',
    `${behind}, which hides where it leads: turn the proxy off for it there ("DNS only", the grey cloud) with an address record to ${ours}; or set DNS_GATE_PROBE, which tells a proxied site that reaches us`,
  ],
  [
    'Cloudflare’s proxy by IPv6 as well -> the same',
    { a: found(cloud), aaaa: found(cloud6) },
    'cdn',
    `${name} stands behind Cloudflare's proxy (${cloud} and ${cloud6}), which hides where it leads: turn the proxy off for it there ("DNS only", the grey cloud) with an address record to ${ours} or ${oursToo}; or set DNS_GATE_PROBE, which tells a proxied site that reaches us`,
    { expected: [ours, ours6, oursToo] },
  ],
  [
    'Cloudflare’s proxy, through which HTTP does not reach us -> its own record is wrong',
    { a: found(cloud, cloudToo) },
    'cdn',
    `${behind}, and HTTP through it does not reach the web application: set its record in Cloudflare's panel to ${ours}, or turn the proxy off for it there ("DNS only", the grey cloud) with an address record to ${ours}`,
    { reach: 'not-reached' },
  ],
  [
    'Cloudflare’s proxy that has lost its origin -> unchecked, with what its record must have',
    { a: found(cloud, cloudToo) },
    'unchecked',
    `${behind}, and whether HTTP through it reaches the web application could not be checked (HTTP 522): its record in Cloudflare's panel must have ${ours}`,
    { reach: { unchecked: 'HTTP 522' } },
  ],
  [
    'Cloudflare’s proxy that hands everything on -> proxied',
    { a: found(cloud) },
    'proxied',
    `${name} reaches the web application through ${cloud}`,
    { reach: 'reached' },
  ],
  [
    'a CNAME into Cloudflare, of a zone that is elsewhere -> the same finding',
    { a: found(cloud, cloudToo), cname: [`${name}.cdn.cloudflare.net`] },
    'cdn',
    `${behind}, which hides where it leads: turn the proxy off for it there ("DNS only", the grey cloud) with an address record to ${ours}; or set DNS_GATE_PROBE, which tells a proxied site that reaches us`,
  ],
  [
    'a CNAME to somebody who is behind Cloudflare -> elsewhere: that record is seen, and can be replaced',
    { a: found(cloud), cname: ['shops.example.net'] },
    'elsewhere',
    `${name} leads to ${cloud}, not to ${ours}: replace its CNAME to shops.example.net by an A record with ${ours}`,
  ],
  [
    'an AAAA of Cloudflare’s beside our A record -> leftover: a proxied name has none of its own',
    { aaaa: found(cloud6) },
    'leftover',
    `${name} has an AAAA record ${cloud6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove its AAAA record ${cloud6}`,
  ],
  [
    'an address right beside Cloudflare’s -> elsewhere',
    { a: found('104.28.0.0', '104.15.255.255') },
    'elsewhere',
    `${name} leads to 104.28.0.0 and 104.15.255.255, not to ${ours}: set its A record to ${ours}`,
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
    `${name} has an AAAA record ${wrong6} that leads elsewhere, and Let's Encrypt prefers IPv6: remove its AAAA record ${wrong6}`,
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
  ['names that belong together', twins],
  ['Cloudflare', cloudflare],
  ['what could not be asked', unasked],
  ['proxies', proxies],
])('%s', (_group, rows) => {
  test.each(rows)('%s', (_sentence, seen, verdict, words, given = {}) => {
    const { name: asked = name, expected = [ours], ...circumstances } = given;
    const judgement = judgeDns(asked, answers(seen), expected, circumstances);
    expect(judgement).toMatchObject({ verdict, sentence: words });
  });
});
