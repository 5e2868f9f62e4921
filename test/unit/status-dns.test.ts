// Which DNS records a support agent is told to have set and removed, for what DNS showed.
import { expect, test } from '@jest/globals';
import { adviseDns, describeAdvice } from '../../src/cli/status-dns.ts';
import type { DnsFinding, DnsRecords, DnsVerdict } from '../../src/probes/findings.ts';

const finding = (
  name: string,
  verdict: DnsVerdict,
  seen: Partial<DnsRecords> = {},
  expected: readonly string[] = ['203.0.113.7'],
): DnsFinding => ({
  name,
  verdict,
  sentence: `${name} is ${verdict}`,
  expected,
  seen: { a: [], aaaa: [], cname: [], caa: [], ...seen },
});
const [SHOP, WWW, OURS, THEIRS] = ['shop.example.org', 'www.shop.example.org', '203.0.113.7', '198.51.100.9'];

const cases: readonly (readonly [string, DnsFinding[], string[]])[] = [
  ['nothing, where the name leads here', [finding(SHOP, 'here', { a: [OURS] })], []],
  ['nothing, where a CDN stands before it', [finding(SHOP, 'proxied', { a: [THEIRS] })], []],
  [
    'an A record, where the name is missing',
    [finding(SHOP, 'missing')],
    ['DNS records to set:', '  shop.example.org.  A  203.0.113.7'],
  ],
  [
    'an A record for the wrong one, where it leads elsewhere',
    [finding(SHOP, 'elsewhere', { a: [THEIRS] })],
    [
      'DNS records to set:',
      '  shop.example.org.  A  203.0.113.7',
      'DNS records to remove:',
      '  shop.example.org.  A  198.51.100.9',
    ],
  ],
  [
    'only a removal, where the right A record stands beside a wrong one',
    [finding(SHOP, 'elsewhere', { a: [OURS, THEIRS] })],
    ['DNS records to remove:', '  shop.example.org.  A  198.51.100.9'],
  ],
  [
    'the removal of an AAAA record that was left over',
    [finding(SHOP, 'leftover', { a: [OURS], aaaa: ['2001:db8::9'] })],
    ['DNS records to remove:', '  shop.example.org.  AAAA  2001:db8::9'],
  ],
  [
    'no removal of an AAAA record that is ours, however it is written',
    [
      finding(SHOP, 'elsewhere', { a: [OURS, THEIRS], aaaa: ['2001:db8::7'] }, [
        OURS,
        '2001:0DB8:0:0:0:0:0:7',
      ]),
    ],
    ['DNS records to remove:', '  shop.example.org.  A  198.51.100.9'],
  ],
  [
    'one of several addresses that do',
    [finding(SHOP, 'missing', {}, [OURS, '203.0.113.8'])],
    ['DNS records to set:', '  shop.example.org.  A  203.0.113.7  (or 203.0.113.8)'],
  ],
  [
    'an AAAA record, where we have no IPv4',
    [finding(SHOP, 'missing', {}, ['2001:db8::7'])],
    ['DNS records to set:', '  shop.example.org.  AAAA  2001:db8::7'],
  ],
  [
    'an A record in the place of a CNAME to somebody else, whose addresses cannot be changed',
    [finding(SHOP, 'elsewhere', { a: [THEIRS], cname: ['old.example.net'] })],
    [
      'DNS records to set:',
      '  shop.example.org.  A  203.0.113.7',
      'DNS records to remove:',
      '  shop.example.org.  CNAME  old.example.net.',
    ],
  ],
  [
    'a CNAME for the www twin, or an A record',
    [finding(SHOP, 'here', { a: [OURS] }), finding(WWW, 'missing')],
    ['DNS records to set:', '  www.shop.example.org.  CNAME  shop.example.org.  (or A 203.0.113.7)'],
  ],
  [
    'an A record for a www name that is nobody’s twin',
    [finding(WWW, 'missing')],
    ['DNS records to set:', '  www.shop.example.org.  A  203.0.113.7'],
  ],
  [
    'nothing for a www that follows its wrong domain by a CNAME',
    [
      finding(SHOP, 'elsewhere', { a: [THEIRS] }),
      finding(WWW, 'elsewhere', { a: [THEIRS], cname: [SHOP, 'x.example.net'] }),
    ],
    [
      'DNS records to set:',
      '  shop.example.org.  A  203.0.113.7',
      'DNS records to remove:',
      '  shop.example.org.  A  198.51.100.9',
    ],
  ],
  [
    'a CAA record for Let’s Encrypt beside another authority’s',
    [finding(SHOP, 'forbidden', { a: [OURS], caa: ['issue digicert.com', 'iodef mailto:a@example.org'] })],
    ['DNS records to set:', '  shop.example.org.  CAA  0 issue "letsencrypt.org"'],
  ],
  [
    'the removal of a CAA record that nobody understands, where Let’s Encrypt is allowed',
    [finding(SHOP, 'forbidden', { a: [OURS], caa: ['issue letsencrypt.org; account=1', 'tbs unknown'] })],
    ['DNS records to remove:', '  shop.example.org.  CAA  tbs unknown'],
  ],
  [
    'no CAA record for a CNAME, beside which none may stand',
    [finding(SHOP, 'forbidden', { a: [OURS], cname: ['x.example.net'], caa: ['issue digicert.com'] })],
    [],
  ],
  [
    'what would be right, where DNS could not be asked',
    [finding(SHOP, 'unknown')],
    ['DNS could not be judged; right would be:', '  shop.example.org.  A  203.0.113.7'],
  ],
  ['nothing, where nobody knows our address', [finding(SHOP, 'unknown', {}, [])], []],
];

test.each(cases)('asks for %s', (_, dns, lines) => {
  expect(describeAdvice(adviseDns(dns))).toEqual(lines);
});
