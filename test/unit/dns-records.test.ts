// Which DNS records to set and to remove for which answers of DNS; and that the sentence says the same.
import { describe, expect, test } from '@jest/globals';
import { describeChanges } from '../../src/cli/output/status-dns.ts';
import { RECORDS_EXPECTED, RECORDS_TO_REMOVE, RECORDS_TO_SET } from '../../src/cli/output/status-messages.ts';
import { toRecordChanges } from '../../src/probes/dns-records.ts';
import type { DnsFinding } from '../../src/probes/findings.ts';
import type { CaaRecord } from '../../src/probes/judge-caa.ts';
import { type DnsAnswers, judgeDns, type Reach } from '../../src/probes/judge-dns.ts';

const [SHOP, WWW, OURS, THEIRS] = ['shop.example.org', 'www.shop.example.org', '203.0.113.7', '198.51.100.9'];

interface Zone {
  /** `none`: no such name; `failed`: could not be queried. */
  readonly a?: readonly string[] | 'none' | 'failed';
  readonly aaaa?: readonly string[];
  readonly cname?: readonly string[];
  /** `at tag value critical` */
  readonly caa?: readonly (readonly [at: string, tag: string, value: string, critical?: number])[];
  readonly caaFailed?: true;
  readonly reach?: Reach;
}

const found = <T>(value: readonly T[] | undefined) =>
  value === undefined || value.length === 0
    ? ({ kind: 'none', nameExists: true } as const)
    : ({ kind: 'found', value } as const);
const FAILED = { kind: 'failed', code: 'ESERVFAIL' } as const;

function toAnswers({ a, aaaa, cname = [], caa = [], caaFailed }: Zone): DnsAnswers {
  const records = caa.map(([, tag, value, critical = 0]): CaaRecord => ({ tag, value, critical }));
  const set = { kind: 'found', value: { at: caa[0]?.[0] ?? '', records } } as const;
  const none = { kind: 'none', nameExists: false } as const;
  return {
    a: a === 'none' ? none : a === 'failed' ? FAILED : found(a),
    aaaa: found(aaaa),
    cname,
    caa: caaFailed ? FAILED : caa.length > 0 ? set : { kind: 'none', nameExists: true },
  };
}

/** Findings of names that are checked together, as https/probe.ts has them. */
function judgeAll(zones: Readonly<Record<string, Zone>>, expected: readonly string[] = [OURS]): DnsFinding[] {
  return Object.entries(zones).map(([name, zone]) => {
    const twin = [`www.${name}`, name.replace(/^www\./, '')].find(
      (other) => other !== name && other in zones,
    );
    const judgement = judgeDns(name, toAnswers(zone), expected, { twin, reach: zone.reach });
    return { name, ...judgement, expected, observed: { a: [], aaaa: [], cname: [], caa: [] } };
  });
}

type Case = readonly [string, Readonly<Record<string, Zone>>, string[], (readonly string[])?];

const given: readonly Case[] = [
  ['nothing, where the name leads here', { [SHOP]: { a: [OURS] } }, []],
  ['nothing, where a CDN stands before it', { [SHOP]: { a: [THEIRS], reach: 'reached' } }, []],
  [
    'an A record, where the name is missing',
    { [SHOP]: { a: 'none' } },
    [RECORDS_TO_SET, '  shop.example.org.  A  203.0.113.7'],
  ],
  [
    'an A record for the wrong one, where it leads elsewhere',
    { [SHOP]: { a: [THEIRS] } },
    [
      RECORDS_TO_SET,
      '  shop.example.org.  A  203.0.113.7',
      RECORDS_TO_REMOVE,
      '  shop.example.org.  A  198.51.100.9',
    ],
  ],
  [
    'only a removal, where the right A record stands beside a wrong one',
    { [SHOP]: { a: [OURS, THEIRS] } },
    [RECORDS_TO_REMOVE, '  shop.example.org.  A  198.51.100.9'],
  ],
  [
    'the removal of an AAAA record that was left over',
    { [SHOP]: { a: [OURS], aaaa: ['2001:db8::9'] } },
    [RECORDS_TO_REMOVE, '  shop.example.org.  AAAA  2001:db8::9'],
  ],
  [
    'no removal of an AAAA record that is ours, however it is written',
    { [SHOP]: { a: [OURS, THEIRS], aaaa: ['2001:db8::7'] } },
    [RECORDS_TO_REMOVE, '  shop.example.org.  A  198.51.100.9'],
    [OURS, '2001:0DB8:0:0:0:0:0:7'],
  ],
  [
    'one of several addresses that do',
    { [SHOP]: { a: 'none' } },
    [RECORDS_TO_SET, '  shop.example.org.  A  203.0.113.7  (or 203.0.113.8)'],
    [OURS, '203.0.113.8'],
  ],
  [
    'an AAAA record, where we have no IPv4',
    { [SHOP]: { a: 'none' } },
    [RECORDS_TO_SET, '  shop.example.org.  AAAA  2001:db8::7'],
    ['2001:db8::7'],
  ],
  [
    'an A record in the place of a CNAME to somebody else, whose addresses cannot be changed',
    { [SHOP]: { a: [THEIRS], cname: ['old.example.net'] } },
    [
      RECORDS_TO_SET,
      '  shop.example.org.  A  203.0.113.7',
      RECORDS_TO_REMOVE,
      '  shop.example.org.  CNAME  old.example.net.',
    ],
  ],
  [
    'an A record for the www twin, or a CNAME',
    { [SHOP]: { a: [OURS] }, [WWW]: { a: 'none' } },
    [RECORDS_TO_SET, '  www.shop.example.org.  A  203.0.113.7  (or CNAME shop.example.org.)'],
  ],
  [
    'an A record for a www name that is nobody’s twin',
    { [WWW]: { a: 'none' } },
    [RECORDS_TO_SET, '  www.shop.example.org.  A  203.0.113.7'],
  ],
  [
    'nothing for a www that follows its wrong domain by a CNAME',
    { [SHOP]: { a: [THEIRS] }, [WWW]: { a: [THEIRS], cname: [SHOP, 'x.example.net'] } },
    [
      RECORDS_TO_SET,
      '  shop.example.org.  A  203.0.113.7',
      RECORDS_TO_REMOVE,
      '  shop.example.org.  A  198.51.100.9',
    ],
  ],
  [
    'a CAA record for Let’s Encrypt beside another authority’s, and no removal of what is harmless',
    {
      [SHOP]: {
        a: [OURS],
        caa: [
          [SHOP, 'issue', 'digicert.com'],
          [SHOP, 'contactemail', 'a@example.org'],
          [SHOP, 'iodef', 'mailto:a@example.org'],
        ],
      },
    },
    [RECORDS_TO_SET, '  shop.example.org.  CAA  0 issue "letsencrypt.org"'],
  ],
  [
    'the removal of a critical CAA record that nobody understands, where Let’s Encrypt is allowed',
    {
      [SHOP]: {
        a: [OURS],
        caa: [
          [SHOP, 'issue', 'letsencrypt.org; account=1'],
          [SHOP, 'tbs', 'unknown', 128],
        ],
      },
    },
    [RECORDS_TO_REMOVE, '  shop.example.org.  CAA  128 tbs "unknown"'],
  ],
  [
    'one CAA record for both names, where the one above them forbids',
    {
      [SHOP]: { a: [OURS], caa: [['example.org', 'issue', 'digicert.com']] },
      [WWW]: { a: [OURS], cname: [SHOP], caa: [['example.org', 'issue', 'digicert.com']] },
    },
    [RECORDS_TO_SET, '  example.org.  CAA  0 issue "letsencrypt.org"'],
  ],
  [
    'an A record in the place of a CNAME to a name whose CAA record forbids',
    { [SHOP]: { a: [OURS], cname: ['x.example.net'], caa: [[SHOP, 'issue', 'digicert.com']] } },
    [
      RECORDS_TO_SET,
      '  shop.example.org.  A  203.0.113.7',
      RECORDS_TO_REMOVE,
      '  shop.example.org.  CNAME  x.example.net.',
    ],
  ],
  [
    'the proxy to be off, and no removal, where Cloudflare stands before it',
    { [SHOP]: { a: ['104.21.0.1', '172.67.0.1'], aaaa: ['2606:4700:3030::6815:1'] } },
    [RECORDS_TO_SET, '  shop.example.org.  A  203.0.113.7  (with the proxy off: "DNS only")'],
  ],
  [
    'what would be right, where DNS could not be queried',
    { [SHOP]: { a: 'failed' } },
    [RECORDS_EXPECTED, '  shop.example.org.  A  203.0.113.7'],
  ],
  [
    'what would be right, where nobody knows whether a CDN hands on to us',
    { [SHOP]: { a: [THEIRS], reach: { unchecked: 'HTTP 503' } } },
    [RECORDS_EXPECTED, '  shop.example.org.  A  203.0.113.7'],
  ],
  [
    'nothing, where the address is right and only CAA could not be queried',
    { [SHOP]: { a: [OURS], caaFailed: true } },
    [],
  ],
  ['nothing, where nobody knows our address', { [SHOP]: { a: [THEIRS] } }, [], []],
];

const cases = given.map(
  ([sentence, zones, lines, expected = [OURS]]) => [sentence, zones, lines, expected] as const,
);

test.each(cases)('changes %s', (_, zones, lines, expected) => {
  expect(describeChanges(toRecordChanges(judgeAll(zones, expected)))).toEqual(lines);
});

describe('the sentence of a finding', () => {
  const described = cases.filter(
    ([, , lines]) => lines[0] === RECORDS_TO_SET || lines[0] === RECORDS_TO_REMOVE,
  );

  test.each(described)('names what the records name: %s', (_, zones, __, expected) => {
    const dns = judgeAll(zones, expected);
    const sentences = dns.map(({ sentence }) => sentence).join('; ');
    const { set, remove } = toRecordChanges(dns);
    for (const { value } of [...set, ...remove]) expect(sentences).toContain(value.replace(/\.$/, ''));
    if (remove.length === 0) expect(sentences).not.toMatch(/remove|replace/);
    if (set.length === 0) expect(sentences).not.toMatch(/\badd\b|\bset\b/);
  });
});

test('thousands of wrong records are cut, and named once', () => {
  const many = Array.from({ length: 3000 }, (_, i) => `198.51.${Math.floor(i / 250)}.${i % 250}`);
  const { set, remove } = toRecordChanges(judgeAll({ [SHOP]: { a: many }, [WWW]: { a: many } }));
  expect([set.length, remove.length]).toEqual([2, 20]);
});
