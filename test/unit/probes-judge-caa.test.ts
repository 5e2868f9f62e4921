// What a set of CAA records means for Let's Encrypt: each row is a sentence.
import { describe, expect, test } from '@jest/globals';
import { type CaaRecord, toForbidding } from '../../src/probes/judge-caa.ts';
import { type DnsAnswers, judgeDns } from '../../src/probes/judge-dns.ts';
import { toChangeLines } from '../helpers/dns-changes.ts';

const name = 'shop.example.org';
const ours = '203.0.113.7';
const caa = (at: string, ...records: (readonly [tag: string, value: string, critical?: number])[]) => ({
  kind: 'found' as const,
  value: {
    at,
    records: records.map(([tag, value, critical = 0]): CaaRecord => ({ tag, value, critical })),
  },
});

type Row = readonly [
  sentence: string,
  observed: Pick<DnsAnswers, 'caa'>,
  verdict: string,
  changes: readonly string[] | undefined,
];

const rows: readonly Row[] = [
  ["CAA names Let's Encrypt -> here", { caa: caa(name, ['issue', 'letsencrypt.org']) }, 'here', undefined],
  [
    "CAA names another issuer, and Let's Encrypt too -> here",
    { caa: caa(name, ['issue', 'digicert.com'], ['issue', 'letsencrypt.org']) },
    'here',
    undefined,
  ],
  [
    "CAA names Let's Encrypt with parameters, in capitals -> here",
    { caa: caa(name, ['ISSUE', ' LetsEncrypt.org ; validationmethods=http-01']) },
    'here',
    undefined,
  ],
  [
    'CAA names another issuer -> forbidden, with where it stands',
    { caa: caa('example.org', ['issue', 'digicert.com']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    "CAA names a name that only ends like Let's Encrypt's -> forbidden",
    { caa: caa('example.org', ['issue', 'notletsencrypt.org']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA forbids everybody by a lone semicolon -> forbidden',
    { caa: caa('example.org', ['issue', ';']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA forbids everybody by an empty value -> forbidden',
    { caa: caa('example.org', ['issue', '']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA has control bytes and lines of its own -> they are not repeated',
    { caa: caa('example.org', ['issue', 'evil\u001b[2J\r\nall is well\u0000']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA has a novel -> only its beginning is repeated',
    { caa: caa('example.org', ['issue', 'x'.repeat(60_000)]) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    "CAA allows Let's Encrypt by another validation only -> forbidden",
    { caa: caa('example.org', ['issue', 'letsencrypt.org; validationmethods=dns-01']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    "CAA allows Let's Encrypt by our validation among others -> here",
    { caa: caa('example.org', ['issue', 'letsencrypt.org;validationmethods = dns-01,http-01']) },
    'here',
    undefined,
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
    undefined,
  ],
  [
    'CAA has an empty list of validations -> forbidden',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; validationmethods=']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA has a parameter that is none -> forbidden, as nobody may issue by it',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; http-01']) },
    'forbidden',
    [`set example.org CAA 0 issue "letsencrypt.org"`],
  ],
  [
    'CAA ends in a semicolon -> here',
    { caa: caa('example.org', ['issue', 'letsencrypt.org;']) },
    'here',
    undefined,
  ],
  [
    'CAA has parameters that nobody here knows -> here',
    { caa: caa('example.org', ['issue', 'letsencrypt.org; policy=ev']) },
    'here',
    undefined,
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
    [`set example.org CAA 0 issue "letsencrypt.org"`, `remove example.org CAA 128 tbs "x"`],
  ],
  [
    'CAA speaks of wildcards only -> here',
    { caa: caa('example.org', ['issuewild', 'digicert.com']) },
    'here',
    undefined,
  ],
  [
    'CAA only has an address for reports -> here',
    { caa: caa('example.org', ['iodef', 'mailto:a@example.org', 128]) },
    'here',
    undefined,
  ],
  [
    "CAA has a critical tag that nobody knows -> forbidden, though Let's Encrypt is named",
    { caa: caa('example.org', ['tbs', 'x', 128], ['issue', 'letsencrypt.org']) },
    'forbidden',
    [`remove example.org CAA 128 tbs "x"`],
  ],
  [
    'CAA has a tag that nobody knows, not critical -> here',
    { caa: caa('example.org', ['tbs', 'x'], ['issue', 'letsencrypt.org']) },
    'here',
    undefined,
  ],
];

const none = { kind: 'none', nameExists: true } as const;
const judgeSet = (observed: Pick<DnsAnswers, 'caa'>) =>
  judgeDns(name, { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], ...observed }, [ours]);

test.each(rows)('%s', (_sentence, observed, verdict, changes) => {
  const judgement = judgeSet(observed);
  expect([judgement.verdict, toChangeLines(judgement.changes)]).toEqual([verdict, changes]);
});

test('the sentence repeats records in one short line, without control bytes', () => {
  const evil = caa(
    'example.org',
    ['issue', 'evil\u001b[2J\r\nall is well\u0000'],
    ['issue', 'x'.repeat(60_000)],
  );
  const { sentence } = judgeSet({ caa: evil });
  expect(sentence).toContain('issue evil [2J all is well');
  expect(sentence).not.toMatch(/\p{C}/u);
  expect(sentence.length).toBeLessThan(300);
});

test.each<[string, string | undefined, string]>([
  ['another issuer', undefined, 'digicert.com'],
  ['another validation', 'http-01', 'letsencrypt.org; validationmethods=dns-01'],
  ['an empty list of validations', 'http-01', 'letsencrypt.org; validationmethods='],
  ['a parameter that is none', undefined, 'letsencrypt.org; http-01'],
])('a set with %s is refused for the validation: %s', (_, challenge, value) => {
  const { value: set } = caa('example.org', ['issue', value]);
  expect(toForbidding(set, set.records, 'http-01')).toEqual({
    at: 'example.org',
    records: [`issue ${value}`],
    challenge,
  });
});

describe('a CAA record that binds Let’s Encrypt to one account', () => {
  const ACCOUNT = 'https://acme-v02.api.letsencrypt.org/acme/acct/1';
  const judge = (...records: Parameters<typeof caa>[1][]) =>
    judgeDns(
      name,
      { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], caa: caa(name, ...records) },
      [ours],
    );

  test('cannot be judged, and the finding says so', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}`]);
    expect(finding).toMatchObject({ verdict: 'here', doubt: expect.stringContaining(ACCOUNT) });
    expect(finding.sentence).toContain(finding.doubt);
  });

  test('is no doubt where another record lets it issue for anybody', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}`], ['issue', 'letsencrypt.org']);
    expect([finding.verdict, finding.doubt]).toEqual(['here', undefined]);
  });

  test('is a refusal all the same where it allows another validation only', () => {
    const finding = judge(['issue', `letsencrypt.org; accounturi=${ACCOUNT}; validationmethods=dns-01`]);
    expect([finding.verdict, finding.doubt]).toEqual(['forbidden', undefined]);
  });
});

test('with dns-01 (SSL_INSTALL) a CAA record that allows http-01 only forbids, and one that allows dns-01 does not', () => {
  const judge = (methods: string) => {
    const set = caa(name, ['issue', `letsencrypt.org; validationmethods=${methods}`]);
    const answers = { a: { kind: 'found', value: [ours] }, aaaa: none, cname: [], caa: set } as const;
    return judgeDns(name, answers, [ours], { challenge: 'dns-01' }).verdict;
  };
  expect([judge('http-01'), judge('dns-01')]).toEqual(['forbidden', 'here']);
});
