// Which names can have a certificate of a public authority, and what is said of those that cannot.
import { describe, expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.ts';
import { parseDomainName } from '../../src/domains/domain-name.ts';
import { requireCertifiable, type TopLevelDomains } from '../../src/domains/public-name.ts';
import { type Code, PermanentError } from '../../src/errors.ts';

const refusal = (name: string, www = false, allowed: TopLevelDomains = 'public'): string | undefined => {
  try {
    requireCertifiable(parseDomainName(name), www, allowed);
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toHaveProperty('code', 'invalid-domain' satisfies Code);
    return (error as Error).message;
  }
};

const label63 = 'a'.repeat(63);
/** 250 characters, so that a www name has 254. */
const long = `${label63}.${label63}.${label63}.${'a'.repeat(54)}.org`;

describe('a name is taken', () => {
  test.each([
    ['under a top-level domain', 'shop.org'],
    ['under the names that documentation uses', 'shop.example.org'],
    ['under a suffix of two parts', 'shop.co.uk'],
    ['under an internationalised top-level domain', 'магазин.рф'],
    ['that is internationalised itself', 'bücher.de'],
    ['with two hyphens elsewhere', 'a--b.example.org'],
    ['with hyphens from place 2 to 3, and 4 to 5', 'a--bc.abc--d.example.org'],
    ['that is a private suffix, which has an owner', 'github.io'],
    ['below a private suffix', 'shop.github.io'],
    ['that a wildcard rule leaves out (www.ck)', 'www.ck'],
    ['of ten parts', 'a.b.c.d.e.f.g.h.example.org'],
    ['under a top-level domain that is a property of every object', 'shop.constructor.dev'],
  ])('%s', (_, name) => {
    expect(refusal(name)).toBeUndefined();
  });

  test('with its www name, where that fits', () => {
    expect(refusal('a.b.c.d.e.f.g.example.org', true)).toBeUndefined();
  });
});

describe('a name is refused', () => {
  test.each([
    [
      'with hyphens in places 3 and 4',
      'zz--cd.example.net',
      '"zz--cd.example.net" cannot have a certificate: its part "zz--cd" has hyphens in places 3 and 4, and only internationalised names ("xn--") may (RFC 5890).',
    ],
    ['with such a part in the middle', 'shop.ab--c.net', /its part "ab--c"/],
    [
      'with more than ten parts',
      'a.b.c.d.e.f.g.h.i.example.org',
      '"a.b.c.d.e.f.g.h.i.example.org" has 11 parts; Let\'s Encrypt takes at most 10.',
    ],
    [
      'that is a public suffix',
      'co.uk',
      '"co.uk" is a public suffix: people register names below it, and nobody gets a certificate for it; name the whole domain, such as "shop.co.uk".',
    ],
    ['that is a public suffix of three parts', 'x.kawasaki.jp', /is a public suffix/],
    ['that a wildcard rule makes a public suffix', 'foo.ck', /is a public suffix/],
    ['of Tor', 'abc.onion', /ends in "\.onion", which is Tor's.*TOP_LEVEL_DOMAINS=any lets it pass\.$/],
    ['of a private network', 'shop.internal', /ends in "\.internal", which is for networks of one's own/],
    ['of a local network', 'printer.local', /RFC 6762/],
    ['of a home network', 'nas.home.arpa', /RFC 8375/],
    ['of the reverse zone', '7.113.0.203.in-addr.arpa', /RFC 3172/],
    ['outside DNS', 'shop.alt', /RFC 9476/],
    [
      'for examples',
      'shop.example',
      '"shop.example" ends in ".example", which is kept for tests and examples (RFC 6761): no public authority signs it. TOP_LEVEL_DOMAINS=test lets it pass.',
    ],
    ['for tests', 'shop.test', /TOP_LEVEL_DOMAINS=test lets it pass/],
    ['that is never valid', 'shop.invalid', /TOP_LEVEL_DOMAINS=test lets it pass/],
    ['of this machine', 'shop.localhost', /TOP_LEVEL_DOMAINS=test lets it pass/],
    [
      'under an unknown top-level domain',
      'shop.bogus',
      '"shop.bogus" ends in ".bogus", which is no top-level domain of the internet: no public authority signs it. TOP_LEVEL_DOMAINS=any lets it pass.',
    ],
    ['under a top-level domain with a slip', 'shop.con', /"\.con", which is no top-level domain/],
    ['under a private top-level domain of old', 'intranet.corp', /"\.corp", which is no top-level domain/],
    ['under a property of every object', 'shop.constructor', /"\.constructor", which is no top-level domain/],
  ])('%s', (_, name, message) => {
    const said = refusal(name);
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
  });

  test('with its www name, which has more parts or characters than are possible', () => {
    expect(refusal('a.b.c.d.e.f.g.h.example.org', true)).toMatch(
      /with its www name \(add it without: www: false\) has 11 parts/,
    );
    expect(refusal(long)).toBeUndefined();
    expect(refusal(long, true)).toMatch(/with its www name .* has 254 characters; at most 253/);
  });
});

describe('TOP_LEVEL_DOMAINS', () => {
  const names = ['shop.org', 'shop.example', 'shop.test', 'shop.bogus', 'abc.onion', 'shop.internal'];
  test.each<[TopLevelDomains, string[]]>([
    ['public', ['shop.org']],
    ['test', ['shop.org', 'shop.example', 'shop.test']],
    ['any', names],
  ])('%s lets pass what it says', (allowed, taken) => {
    expect(names.filter((name) => refusal(name, false, allowed) === undefined)).toEqual(taken);
  });

  test.each(['public', 'test', 'any'] as const)('%s lets no other fault pass', (allowed) => {
    for (const name of ['zz--cd.example.net', 'co.uk', 'a.b.c.d.e.f.g.h.i.j.k'])
      expect(refusal(name, false, allowed)).toBeDefined();
  });

  test.each([
    ['public', 'nothing is said', {}],
    ['public', 'RunCloud is the real one', { RUNCLOUD_API_URL: 'https://manage.runcloud.io/api/v3' }],
    ['test', 'RunCloud is a stand-in on this machine', { RUNCLOUD_API_URL: 'http://127.0.0.1:8899/api/v3' }],
    ['test', 'the same by IPv6', { RUNCLOUD_API_URL: 'http://[::1]:8899/api/v3' }],
    ['any', 'it says so', { TOP_LEVEL_DOMAINS: 'any' }],
    [
      'public',
      'it says so, with a stand-in',
      { TOP_LEVEL_DOMAINS: 'public', RUNCLOUD_API_URL: 'http://localhost:8899/api/v3' },
    ],
  ])('is %s where %s', (is, _, env) => {
    expect(parseConfig(env).config.topLevelDomains).toBe(is);
  });
});
