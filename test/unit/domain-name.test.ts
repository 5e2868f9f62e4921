// What is a domain name, what is not, and what a support agent reads about it.
import { describe, expect, test } from '@jest/globals';
import { isRegistrable, parseDomainName, resolveWww } from '../../src/domains/domain-name.ts';
import { type Code, PermanentError } from '../../src/errors.ts';

const label63 = 'a'.repeat(63);
/** 253 characters: three labels of 63, one of 61. */
const longest = `${label63}.${label63}.${label63}.${'a'.repeat(61)}`;

const accepted: readonly (readonly [sentence: string, input: string, name: string])[] = [
  ['a plain name', 'example.org', 'example.org'],
  ['upper case', 'Shop.EXAMPLE.Org', 'shop.example.org'],
  ['one trailing dot', 'example.org.', 'example.org'],
  ['Unicode', 'Bücher.example', 'xn--bcher-kva.example'],
  ['decomposed Unicode', 'Bu\u0308cher.example', 'xn--bcher-kva.example'],
  ['the sharp s, which is a letter of its own', 'faß.de', 'xn--fa-hia.de'],
  ['ideographic dots', 'example。org｡', 'example.org'],
  ['full-width letters', 'ｅｘａｍｐｌｅ.org', 'example.org'],
  ['a joiner where the script needs it', 'क्‍ष.example', 'xn--11b2ezcw70k.example'],
  ['right-to-left letters', 'אב.org', 'xn--4dbc.org'],
  ['Punycode', 'XN--Bcher-KVA.example', 'xn--bcher-kva.example'],
  ['an unknown top-level domain', 'shop.test', 'shop.test'],
  ['digits in every part but the last', '123.456.example', '123.456.example'],
  ['hyphens inside, also two in a row', 'ab--cd.ex-ample.org', 'ab--cd.ex-ample.org'],
  ['a part of 63 characters', `${label63}.org`, `${label63}.org`],
  ['253 characters', longest, longest],
];

describe('parseDomainName accepts', () => {
  test.each(accepted)('%s', (_, input, name) => {
    expect(parseDomainName(input)).toBe(name);
    expect(parseDomainName(parseDomainName(input))).toBe(name);
  });
});

const refused: readonly (readonly [sentence: string, input: unknown, message: string | RegExp])[] = [
  ['nothing', undefined, 'A domain name must be a text, got nothing.'],
  ['a number', 5, 'A domain name must be a text, got a value of type number.'],
  ['a list', ['example.org'], 'A domain name must be a text, got a list.'],
  ['an empty text', '', '"" is empty.'],
  ['a dot', '.', '"." is empty.'],
  ['one part', 'localhost', /^"localhost" has no dot/],
  ['an empty part', 'a..org', /^"a\.\.org" has an empty part/],
  ['a dot in front', '.a.org', /has an empty part/],
  ['two trailing dots', 'example.org..', /has an empty part/],
  ['a space', 'a b.org', '"a b.org" contains a space or line break.'],
  ['a no-break space', 'a\u00a0b.org', /contains a space/],
  ['a trailing line break', 'a.org\n', '"a.orgU+000A" contains a space or line break; use "a.org".'],
  ['a NUL', 'a\u0000.org', '"aU+0000.org" contains an invisible or control character.'],
  ['a zero-width space', 'a\u200bb.org', '"aU+200Bb.org" contains an invisible or control character.'],
  ['a direction override', 'a\u202eb.org', /U\+202E.*invisible/],
  ['half a surrogate pair', 'a\ud800.org', /contains an invisible/],
  ['a percent sign', '%61.example', '"%61.example" contains a character that no domain name has: "%".'],
  ['a comma', 'a,b.org', /no domain name has: ","/],
  ['brackets', '[a].org', /no domain name has: "\["/],
  ['a full-width comma', 'example.com，', /the part "com," contains a character/],
  ['an underscore', 'a_b.example', /the part "a_b" contains an underscore/],
  ['a hyphen in front', '-bad.example', /the part "-bad" begins or ends with a hyphen/],
  ['a hyphen at the end', 'bad-.example', /the part "bad-" begins or ends with a hyphen/],
  ['a part of 64 characters', `a${label63}.org`, /has 64 characters; at most 63/],
  ['a part that is too long as Punycode', `${'ü'.repeat(60)}.de`, /the part "xn--.*at most 63/],
  ['254 characters', `${longest}a`, /has 254 characters; at most 253/],
  ['a thousand characters and more', 'x'.repeat(5000), /^"x{77}\.\.\." has 5000 characters/],
  ['a wildcard', '*.example.org', '"*.example.org" is a wildcard; add each name on its own.'],
  ['a broken Punycode label', 'xn--a.example', /the part "xn--a" is not valid Punycode/],
  ['Punycode that decodes to plain letters', 'xn--example-.org', /xn--example-/],
  ['an IPv4 address', '127.0.0.1', /is an IP address/],
  ['an address as one number', '2130706433', /is an IP address/],
  ['an address in hexadecimal', '0x7f.1', /is an IP address/],
  ['an address in octal', '0177.0.0.1', /is an IP address/],
  ['an address in full-width digits', '１２７.0.0.1', /is an IP address/],
  ['an IPv6 address', 'fe80::1', /is an IP address/],
  ['an IPv6 address in brackets', '[::1]', /is an IP address/],
  [
    'a top-level domain that is a number',
    'foo.123',
    '"foo.123" ends in a number: no top-level domain is one.',
  ],
  ['a top-level domain in foreign digits', 'a.٤٥', /ends in a number/],
  ['a joiner where no script needs it', 'a\u200cb.org', /cannot be written as an internationalised/],
  ['a port', 'shop.example.org:80', '"shop.example.org:80" contains a port; use "shop.example.org".'],
  ['a path', 'example.org/cart', '"example.org/cart" contains a path; use "example.org".'],
  ['an e-mail address', 'me@example.org', /an e-mail address is not a domain name; use "example\.org"/],
  [
    'a web address, with the name that was meant',
    'https://Shop.Example.org/',
    '"https://Shop.Example.org/" is a web address, not a domain name; use "shop.example.org".',
  ],
  [
    'a web address of no name',
    'http://localhost/',
    '"http://localhost/" is a web address, not a domain name.',
  ],
  ['an address without a scheme', '//example.org', /use "example\.org"/],
];

const refusal = (input: unknown): unknown => {
  try {
    return parseDomainName(input);
  } catch (error) {
    return error;
  }
};

describe('parseDomainName refuses', () => {
  test.each(refused)('%s', (_, input, message) => {
    const error = refusal(input);
    expect(error).toBeInstanceOf(PermanentError);
    expect(error).toMatchObject({ code: 'invalid-domain' satisfies Code });
    expect(error).toHaveProperty(
      'message',
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });

  test('a web address without repeating the secrets in it', () => {
    const inputs = [
      'https://u:hunter2@a.org/',
      'https://a.org/?token=hunter2',
      'u:hunter2@a.org',
      'a.org#hunter2',
    ];
    for (const input of inputs) expect(String(refusal(input))).not.toContain('hunter2');
  });

  test('a line of settings without its value, which may be a secret, and without a host made of it', () => {
    const inputs = [
      'SECRET=hunter2',
      'export SECRET="hunter2"',
      'secret: hunter2',
      '"secret": "hunter2",',
      'SECRET=x@hunter2.example',
      'SECRET=https://u:x@hunter2.example/',
      'secret: x@hunter2.example',
      `${'A'.repeat(60)}=${'hunter2'.repeat(100_000)}`,
    ];
    for (const input of inputs) {
      const { message } = refusal(input) as Error;
      expect(message).not.toContain('hunter2');
      expect(message.length).toBeLessThan(200);
    }
    expect(String(refusal('SECRET=hunter2'))).toContain('"SECRET=***"');
  });

  test('what is long in 80 characters', () => {
    for (const input of ['x'.repeat(3_000_000), `${'x.'.repeat(100)}_a.org`, `${'x'.repeat(90)}.org`]) {
      expect(/"([^"]*)"/.exec((refusal(input) as Error).message)?.[1]).toHaveLength(80);
    }
  });
});

const registrable: readonly (readonly [sentence: string, name: string, expected: boolean])[] = [
  ['a name under a top-level domain', 'example.org', true],
  ['a name under a suffix of two parts', 'example.co.uk', true],
  ['a name under an unknown top-level domain', 'shop.test', true],
  ['an internationalised name', 'xn--bcher-kva.example', true],
  ['a subdomain', 'shop.example.org', false],
  ['a subdomain under a suffix of two parts', 'shop.example.co.uk', false],
  ['www itself', 'www.example.org', false],
  ['a public suffix', 'co.uk', false],
  ['a site on GitHub Pages', 'shop.github.io', false],
  ['a site on Cloudflare Pages', 'user.pages.dev', false],
  ['a name under a private registry', 'shop.uk.com', false],
];

describe('isRegistrable, and with it www: auto', () => {
  test.each(registrable)('%s', (_, name, expected) => {
    expect(isRegistrable(parseDomainName(name))).toBe(expected);
    expect(resolveWww(parseDomainName(name), 'auto')).toBe(expected && 'auto');
  });

  test('an explicit request wins', () => {
    expect(resolveWww(parseDomainName('shop.example.org'), true)).toBe(true);
    expect(resolveWww(parseDomainName('example.org'), false)).toBe(false);
  });
});
